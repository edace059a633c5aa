import Glibc
import RasaCore
import RasaDocuments
import RasaTestKit

/// One run of a scenario in a home of its own, process after process, until it has come to its end:
/// begun, answered, resumed, as somebody would who only has the command line.
final class Journey: Sendable {
  /// What was known before a process was started.
  struct Before: Sendable {
    var journal: RunJournal?
    /// How many requests the provider had got.
    var requests: Int
  }

  struct Process: Sendable {
    var arguments: [String]
    var interference: Interference?
    var before: Before
    var run: ProgramRun
    var time: Duration

    var wasKilled: Bool { run.exitCode == 128 + SIGKILL }
  }

  private struct State {
    var processes: [Process] = []
    var run: String?
    /// How many requests came before the first process.
    var prepared = 0
  }

  let scenario: Scenario
  let program: RasaProgram
  let provider: ScriptedProvider
  /// Where hooks note what they are asked: nothing in the home may be written from a sandbox.
  private let ledger = ScratchDirectory()
  private let state = Locked(State())
  /// Far more than any scenario needs: somebody who has to go on so often never gets there.
  private static let mostProcesses = 24

  /// `prepare` may change the home before anything is in it.
  init(_ scenario: Scenario, prepare: (inout RasaProgram) throws -> Void = { _ in }) throws {
    self.scenario = scenario
    provider = try ScriptedProvider.start(scenario.scripts)
    var program = try RasaProgram(provider)
    try prepare(&program)
    if let document = scenario.document {
      // The folder in which every process is started.
      try program.home.write(
        document.replacing("LEDGER", with: ledger.path), to: "personas/\(scenario.persona).yaml")
    }
    if scenario.embeds {
      // However slow the machine is, and as little as the processes wait for otherwise.
      try program.home.write(
        "memory: {wait_ms: 60000, linger_ms: 60000}\n", to: "config.yaml")
    }
    for (id, text) in scenario.agents { try program.home.write(text, to: "agents/\(id).md") }
    if let hook = scenario.hook {
      try program.home.write(
        hook.replacing("LEDGER", with: ledger.path), to: "personas/hook.sh")
    }
    self.program = program
  }

  var processes: [Process] { state.withLock { $0.processes } }
  var run: String? { state.withLock { $0.run } }

  /// Goes on until the run is done. `interference` says what is done to which process, counted
  /// from 0.
  func travel(_ interference: @Sendable (Int) -> Interference?) async throws {
    while let arguments = try await next() {
      let index = processes.count
      guard index < Self.mostProcesses else {
        throw Failure(.run, "the run does not come to its end: \(story)")
      }
      let process = try await perform(arguments, interference(index))
      state.withLock { $0.processes.append(process) }
      // A command that fails by itself would fail again.
      guard process.wasKilled || [0, 7].contains(process.run.exitCode) else {
        throw Failure(.run, "\(arguments) failed with \(process.run.exitCode): \(story)")
      }
    }
  }

  /// What happened, for a person who has to understand a failure.
  var story: String {
    processes.map { process in
      "\n  rasa \(process.arguments.joined(separator: " "))"
        + (process.interference.map { " (\($0))" } ?? "") + " → \(process.run.exitCode)"
        + (process.run.errorText.isEmpty ? "" : "\n    \(process.run.errorText)")
    }.joined()
  }

  // MARK: What is next

  /// The arguments of the command that a person would give now; nil when the run is done.
  func next() async throws -> [String]? {
    let status = try await look()
    guard let run else {
      if processes.isEmpty {
        for text in scenario.remembered {
          _ = try await ask("memory", "add", "-p", scenario.persona, text)
        }
        if scenario.embeds { _ = try await ask("memory", "embed", "-p", scenario.persona) }
        let prepared = provider.requests.count
        state.withLock { $0.prepared = prepared }
      }
      return scenario.arguments
    }
    switch status {
    case "done": return nil
    case "running", "died", "interrupted", "answered": return ["resume", run, "--json"]
    case "parked":
      let approvals = try JSON.parse(await ask("approvals", "list", "--json")).array ?? []
      guard let waiting = approvals.first(where: { $0["standing"] == "pending" }),
        let approval = waiting["approval"].string
      else { return ["resume", run, "--json"] }
      return ["approvals", "approve", approval, "--later"]
    default: throw Failure(.run, "the run ended as \(status ?? "nothing"): \(story)")
    }
  }

  /// Finds the run, and what it is called now; nil when there is none yet.
  func look() async throws -> String? {
    let runs = try JSON.parse(await ask("runs", "list", "--json")).array ?? []
    guard let run = runs.first else {
      guard requests.allSatisfy({ $0.method != "POST" }) else {
        throw Failure(.run, "a model was asked for a run that left no trace: \(story)")
      }
      return nil
    }
    guard runs.count == 1, let id = run["run"].string else {
      throw Failure(.run, "there is more than the one run: \(story)")
    }
    state.withLock { $0.run = id }
    return run["status"].string
  }

  /// What the run asked for, and not what came before it or is done beside it.
  var requests: [ReceivedRequest] {
    provider.requests.dropFirst(state.withLock { $0.prepared }).filter {
      $0.textsToEmbed == nil || $0.textsToEmbed == [scenario.input]
    }
  }

  /// Asks the program something that is not part of the story and must always succeed.
  func ask(_ arguments: String...) async throws -> String {
    let run = try await ProgramRun.run(
      RasaProgram.binary, arguments, environment: program.environment, folder: program.home.path)
    guard run.exitCode == 0 else {
      throw Failure(.run, "\(arguments) failed with \(run.exitCode): \(run.errorText)\(story)")
    }
    return run.text
  }

  func journal() async throws -> RunJournal? {
    guard let run else { return nil }
    return try RunJournal(await ask("runs", "events", run, "--json"))
  }

  /// How often the tool of a program has been used, by the identity of the use.
  func notes() throws -> [Substring: Int] {
    let lines = (try program.home.read("notes") ?? "").split(separator: "\n")
    return lines.reduce(into: [:]) { $0[$1.prefix { $0 != " " }, default: 0] += 1 }
  }

  /// What the hook was asked, and by which names, in order.
  func hookCalls() throws -> [(key: String, document: Value)] {
    try (ledger.read("lines") ?? "").split(separator: "\n").map { line in
      let parts = line.split(separator: "\t", maxSplits: 1)
      return (String(parts[0]), try JSON.parse(String(parts.last ?? "")))
    }
  }

  // MARK: One process

  /// A process that is no part of what `travel` does.
  func begin(
    _ arguments: [String], _ environment: [String: String] = [:],
    limit: Duration = .seconds(60), atLimit: RunningProgram.AtLimit = .fail
  ) throws -> RunningProgram {
    let isRun = ["run", "resume"].contains(arguments.first)
    return try RunningProgram(
      RasaProgram.built(isRun ? scenario.program : "rasa"), arguments,
      environment: program.environment.merging(environment) { $1 }, folder: program.home.path,
      limit: limit, atLimit: atLimit)
  }

  /// A run that stands where the first process was killed; its identifier.
  func crash(at fault: String) async throws -> String {
    let killed = try await begin(scenario.arguments, ["RASA_FAULT": fault]).finish()
    _ = try await look()
    guard killed.exitCode == 128 + SIGKILL, let run else {
      throw Failure(.run, "\(fault) left no run: \(killed.exitCode) \(killed.errorText)")
    }
    return run
  }

  private func perform(
    _ arguments: [String], _ interference: Interference?
  ) async throws -> Process {
    let before = Before(journal: try await journal(), requests: provider.requests.count)
    var limit: Duration?
    if case .time(let time) = interference { limit = time }
    let start = ContinuousClock.now
    let program = try begin(
      arguments, interference?.environment ?? [:], limit: limit ?? .seconds(60),
      atLimit: limit == nil ? .fail : .kill)
    let run: ProgramRun
    if case .bytes(let count) = interference {
      run = try await finish(program, killedAfter: provider.bytes + count)
    } else {
      run = try await program.finish()
    }
    return Process(
      arguments: arguments, interference: interference, before: before, run: run,
      time: start.duration(to: .now))
  }

  private func finish(
    _ program: RunningProgram, killedAfter bytes: Int
  ) async throws -> ProgramRun {
    let hasEnded = Locked(false)
    async let killed: Void = {
      try await provider.invoice.wait(for: "\(bytes) bytes", limit: .seconds(60)) { contents in
        contents.bytes >= bytes || hasEnded.withLock { $0 }
      }
      program.signal(SIGKILL)
    }()
    let run = try await program.finish()
    hasEnded.withLock { $0 = true }
    provider.invoice.recheck()
    try await killed
    return run
  }
}

extension Invoice.Contents {
  fileprivate var bytes: Int { requests.reduce(0) { $0 + $1.body.count + $1.bytesSent } }
}

extension ScriptedProvider {
  /// What it has received and sent.
  var bytes: Int { invoice.contents.bytes }
}
