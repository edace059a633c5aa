import Glibc
import RasaCore
import RasaTestKit
import Testing

/// A run has one owner at a time, and one end.
@Suite("rasa: ownership of runs")
struct OwnershipTests {
  /// How long an owner is believed in that says nothing, in seconds: short, as it is waited for.
  private static let lease = ["RASA_LEASE": "1"]

  @Test(
    "an owner that was stopped past its lease wakes up, writes nothing, pays nothing, and says so",
    arguments: [
      "reserve.after:2", "call.sending:2", "call.content:3", "settle.after:1", "settle.after:2",
      "settle.postponed:5",
    ])
  func sleeper(_ place: String) async throws {
    let explorer = try await CrashExplorer(.stockAnalyst)
    let journey = try Journey(.stockAnalyst)
    let sleeper = try journey.begin(
      journey.scenario.arguments, Self.lease.merging(["RASA_FAULT": "\(place):stop"]) { $1 })
    try await sleeper.waitUntilStopped()
    _ = try await journey.look()
    let run = try #require(journey.run)

    // Until the lease has ended the sleeper is the owner, and whoever comes is told so.
    var next = try await journey.begin(["resume", run, "--json"], Self.lease).finish()
    let end = ContinuousClock.now.advanced(by: .seconds(20))
    while next.exitCode != 0, ContinuousClock.now < end {
      #expect(next.errorText.contains("is being run by process"), "\(next.errorText)")
      next = try await journey.begin(["resume", run, "--json"], Self.lease).finish()
    }
    #expect(next.exitCode == 0, "\(next.errorText)")
    let journal = try await journey.journal()
    let paid = journey.provider.requests.count(where: \.isBilled)

    sleeper.signal(SIGCONT)
    let woken = try await sleeper.finish()
    #expect(woken.exitCode == 1 && !woken.hasAnswer)
    #expect(woken.errorText.contains("taken over by another process"), "\(woken.errorText)")
    #expect(try await journey.journal()?.lines == journal?.lines)
    #expect(journey.provider.requests.count(where: \.isBilled) == paid)
    let problems = try await journey.problems(comparedWith: explorer.reference)
    #expect(problems.isEmpty, "\(problems)")
  }

  @Test("an owner that has lost its run ends its call at once, however long that would still take")
  func loser() async throws {
    var scenario = Scenario.stockAnalyst
    scenario.scripts.insert(
      Script.forOperator("critic_agent", "{}").broken(after: 0, .silence).once(), at: 0)
    let journey = try Journey(scenario) { program in
      try program.home.write(
        "providers:\n  openai: {timeouts: {first_content: 3600, idle: 3600}}\n", to: "config.yaml")
    }
    let loser = try journey.begin(journey.scenario.arguments, Self.lease)
    let requests = try await journey.provider.invoice.wait(for: "the critic to be asked") {
      $0.requests.contains { $0.schemaName == "critic_agent" }
    }.requests
    let silent = try #require(requests.firstIndex { $0.schemaName == "critic_agent" })
    loser.signal(SIGSTOP)
    try await loser.waitUntilStopped()
    _ = try await journey.look()
    let run = try #require(journey.run)
    let end = ContinuousClock.now.advanced(by: .seconds(20))
    var next = try await journey.begin(["resume", run, "--json"], Self.lease).finish()
    while next.exitCode != 0, ContinuousClock.now < end {
      next = try await journey.begin(["resume", run, "--json"], Self.lease).finish()
    }
    #expect(next.exitCode == 0, "\(next.errorText)")
    let journal = try await journey.journal()

    loser.signal(SIGCONT)
    try await journey.provider.waitForDisconnect(ofRequest: silent)
    let lost = try await loser.finish()
    #expect(lost.exitCode == 1 && !lost.hasAnswer)
    #expect(lost.errorText.contains("taken over by another process"), "\(lost.errorText)")
    #expect(try await journey.journal()?.lines == journal?.lines)
  }

  @Test("an owner that is stopped within its lease keeps the run, and continues when it wakes up")
  func nap() async throws {
    let explorer = try await CrashExplorer(.stockAnalyst)
    let journey = try Journey(.stockAnalyst)
    let sleeper = try journey.begin(
      journey.scenario.arguments, ["RASA_LEASE": "600", "RASA_FAULT": "reserve.after:2:stop"])
    try await sleeper.waitUntilStopped()
    _ = try await journey.look()
    let run = try #require(journey.run)
    let other = try await journey.begin(["resume", run, "--json"]).finish()
    #expect(other.exitCode == 1 && !other.hasAnswer)
    #expect(other.errorText.contains("is being run by process"), "\(other.errorText)")
    sleeper.signal(SIGCONT)
    let woken = try await sleeper.finish()
    #expect(woken.exitCode == 0, "\(woken.errorText)")
    let problems = try await journey.problems(comparedWith: explorer.reference)
    #expect(problems.isEmpty, "\(problems)")
  }

  @Test("of two processes that resume a run at once, exactly one continues")
  func twoAtOnce() async throws {
    let explorer = try await CrashExplorer(.stockAnalyst)
    var scenario = Scenario.stockAnalyst
    // The critic is silent the first time, so that whoever gets the run is still at it when the other
    // one has been refused.
    scenario.scripts.insert(
      Script.forOperator("critic_agent", "{}").broken(after: 0, .silence).once(), at: 0)
    let journey = try Journey(scenario)
    let run = try await journey.crash(at: "settle.after:2")
    let processes = try (0..<2).map { _ in try journey.begin(["resume", run, "--json"]) }
    let loser = try await withThrowingTaskGroup { group in
      for process in processes { group.addTask { try await process.finish() } }
      let first = try await group.next()
      try await journey.provider.invoice.wait(for: "the critic to be asked") { contents in
        contents.requests.contains { $0.schemaName == "critic_agent" }
      }
      for process in processes { process.signal(SIGKILL) }
      let other = try await group.next()
      #expect(other?.exitCode == 128 + SIGKILL)
      return first
    }
    #expect(loser?.exitCode == 1 && loser?.hasAnswer == false)
    #expect(
      loser?.errorText.contains("is being run by process") == true, "\(loser?.errorText ?? "")")

    try await journey.travel { _ in nil }
    let problems = try await journey.problems(comparedWith: explorer.reference)
    #expect(problems.isEmpty, "\(problems)")
  }

  @Test("a run that is done is neither resumed nor answered, and stays as it is")
  func done() async throws {
    let journey = try Journey(.review)
    try await journey.travel { _ in nil }
    let run = try #require(journey.run)
    let approval = try #require(
      journey.processes.first { $0.arguments.first == "approvals" }?.arguments[2])
    let journal = try await journey.journal()
    for arguments in [
      ["resume", run], ["approvals", "approve", approval], ["approvals", "reject", approval],
      ["approvals", "approve", approval, "--later"],
    ] {
      let run = try await journey.begin(arguments).finish()
      #expect(run.exitCode != 0 && !run.hasAnswer, "\(arguments): \(run.text)")
      #expect(run.errorText.hasPrefix("rasa: "), "\(arguments): \(run.errorText)")
    }
    #expect(try await journey.journal()?.lines == journal?.lines)
  }
}
