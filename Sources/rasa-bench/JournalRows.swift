import Glibc
import RasaCore
import RasaDocuments
import RasaSystem
import RasaTestKit

/// What runs leave on the disk, and how fast one goes on from there.
extension Row {
  static let journalSize = Row("journal of 300 turns of 2 kB") { bench, row in
    let home = ScratchDirectory()
    try home.write(
      Bench.single.replacing("stateless_frame", with: "session_frame"), to: "personas/single.yaml")
    var numbers = SystemRandomNumberGenerator()
    let vocabulary = (0..<2000).map { _ in
      String(
        (0..<Int.random(in: 2...9)).map { _ in "etaoinshrdlucmfwypvbgkjqxz".randomElement() ?? "e" }
      )
    }
    /// A text of its own each time, about as hard to compress as prose.
    func prose(_ bytes: Int) -> String {
      var text = ""
      while text.utf8.count < bytes {
        text += (vocabulary.randomElement(using: &numbers) ?? "") + " "
      }
      return String(text.prefix(bytes))
    }
    let turns = 300
    let asked = (0..<turns).map { _ in prose(1000) }
    let answers = (0..<turns).map { _ in prose(1000) }
    let provider = try ScriptedProvider.start(answers.map { Script.text($0).once() })
    let environment = bench.environment.merging([
      "RASA_HOME": home.path, "OPENAI_BASE_URL": provider.openAIBaseURL,
    ]) { $1 }
    for question in asked {
      let run = try MeasuredRun.run(
        bench.rasa,
        [
          "run", "-p", "single", "--session", "s", "--model", "openai:gpt-4o-mini", "--quiet",
          "--input", question,
        ], environment: environment, folder: home.path)
      guard run.exitCode == 0 else {
        throw Failure(.run, "a turn ended with \(run.exitCode)")
      }
    }
    let payload = (asked + answers).reduce(0) { $0 + $1.utf8.count }
    var size = 0
    for entry in try FileSystem.list(home.path) where entry.name.hasPrefix("rasa.db") {
      var status = stat()
      guard unsafe stat("\(home.path)/\(entry.name)", &status) == 0 else { continue }
      size += Int(status.st_size)
    }
    let ratio = Double(size) / Double(payload)
    return RowResult(
      name: row.name, measured: "\(size / 1024) kB", floor: "\(payload / 1024) kB (payload)",
      ratio: ratio, target: "≤ 2 × the payload", isMet: ratio <= 2,
      notes: "every turn a process of its own; all files of the database after the last one")
  }

  static let resume = Row("resume of a run of 1,000 events") { bench, row in
    let home = ScratchDirectory()
    try home.write(Bench.single, to: "personas/single.yaml")
    try home.write(longPersona, to: "personas/long.yaml")
    // It takes the request and says nothing: that is where every process is killed.
    let provider = try ScriptedProvider.start([Script.text("late").broken(after: 0, .silence)])
    let environment = bench.environment.merging([
      "RASA_HOME": home.path, "OPENAI_BASE_URL": provider.openAIBaseURL,
      "LLM_MODEL": "gpt-4o-mini",
    ]) { $1 }
    /// Milliseconds from the start of the process until its request is at the provider.
    func untilAsked(_ arguments: [String]) async throws -> Double {
      let before = provider.requests.filter(\.asksModel).count
      let start = TimeSource.system.monotonic()
      let program = try RunningProgram(
        bench.rasa, arguments, environment: environment, folder: home.path)
      let contents = try await provider.invoice.wait(for: "a request") {
        $0.requests.filter(\.asksModel).count > before
      }
      program.signal(SIGKILL)
      _ = try await program.finish()
      let request = contents.requests.filter(\.asksModel)[before]
      return Double(request.time - start) / 1e6
    }
    func command(_ persona: String) -> [String] {
      ["run", "-p", persona, "--quiet", "--input", "hello"]
    }
    _ = try await untilAsked(command("long"))
    let list = try await ProgramRun.run(
      bench.rasa, ["runs", "list", "--json"], environment: environment, folder: home.path)
    guard let id = try JSON.parse(list.output).array?.first?["run"].string else {
      throw Failure(.run, "the run is not listed: \(list.errorText)")
    }
    let events = try await ProgramRun.run(
      bench.rasa, ["runs", "events", id, "--json"], environment: environment, folder: home.path)
    let count = events.text.split(separator: "\n").count
    guard count >= 1000 else { throw Failure(.run, "only \(count) events: \(events.errorText)") }
    let (resumed, fresh) = try await bench.paired(
      15, { try await untilAsked(["resume", id, "--quiet"]) },
      { try await untilAsked(command("single")) })
    return RowResult(
      name: row.name, measured: "\(resumed.short) ms", floor: "\(fresh.short) ms (a new run)",
      ratio: resumed / fresh, target: "≤ 20 ms", isMet: resumed <= 20,
      notes: "\(count) events; from the start of the process to its request at the provider")
  }

  /// A frame that is gone through again and again, and a model at the end.
  private static let longPersona = """
    name: long
    description: Many steps before the first call.
    limits: {steps: 2000}
    frames:
      - name: loop_frame
        kind: session
        operators: [note]
        next: [{to: loop_frame, at_most: 499}, answer_frame]
      - {name: answer_frame, kind: session, operators: [respond, compose], next: end}
    operators:
      - {name: note, kind: rule, rules: [{set: {noted: done}}]}
      - {name: respond, reads: [input], prompt: "{{input}}"}
      - {name: compose, reads: [draft], compose: {key: output, parts: [draft]}}
    """
}

extension ReceivedRequest {
  fileprivate var asksModel: Bool { method == "POST" }
}
