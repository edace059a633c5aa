import RasaCore
import RasaDocuments
import RasaPersona
import RasaSystem
import RasaTestKit
import Testing

/// Kills the program at every place where something becomes durable, and at any moment, and lets it
/// go on: the answer is whole and the same, nothing is asked or paid for twice, and the accounts are
/// right.
///
/// `make test` goes to every fault point once in each process, `make crash` to all of their occurrences
/// and in more scenarios.
@Suite("rasa continues after a crash", .serialized)
struct CrashTests {
  private static let environment = Environment.ofProcess()
  private static let isThorough = environment["RASA_CRASH"] == "all"
  private static let kills = environment["RASA_CRASH_RANDOM"].flatMap { Int($0) } ?? 25
  /// The same for every run of the tests, so that a failure can be looked at; another one each time
  /// when it is searched for them.
  private static let seed =
    environment["RASA_CRASH_SEED"].flatMap { UInt64($0) } ?? (isThorough ? systemRandom() : 1)

  @Test("killed at every fault point", arguments: isThorough ? Scenario.all : Scenario.few)
  func everyPlace(_ scenario: Scenario) async throws {
    let explorer = try await CrashExplorer(scenario)
    var numbers = SeededNumbers(seed: Self.seed)
    let places = explorer.everyPlace()
    #expect(places.count > 20)
    var report = CrashReport()
    let share = Self.isThorough ? places : explorer.everyPoint(&numbers)
    report.add(scenario.name, await share.carryOut())
    let again = explorer.twice(Self.isThorough ? places.count : 5, &numbers)
    report.add("\(scenario.name), twice", await again.carryOut())
    conclude(report)
  }

  @Test("killed again between the decision about a call in doubt and asking it")
  func decided() async throws {
    let explorer = try await CrashExplorer(.stockAnalyst)
    var report = CrashReport()
    let points = ["call.sent", "call.content", "call.complete", "settle.before"]
    let expeditions = points.map { point in
      Expedition(
        explorer: explorer,
        faults: [
          0: .fault(FaultPlace(point: point, occurrence: 2)),
          1: .fault(FaultPlace(point: "reserve.before", occurrence: 1)),
        ])
    }
    report.add("\(explorer.scenario.name), decided", await expeditions.carryOut())
    conclude(report)
  }

  @Test(
    "with `uncertain: fail` a tool that may have been used is not used again until somebody asks for it"
  )
  func forbidden() async throws {
    for (fault, uses) in [("append.after:1", 0), ("tool.after:1", 1), ("append.before:2", 1)] {
      let journey = try Journey(.tool(.fail))
      let run = try await journey.crash(at: fault)
      let refused = try await journey.begin(["resume", run]).finish()
      #expect(refused.exitCode == 1 && !refused.hasAnswer, "\(fault): \(refused.text)")
      #expect(
        refused.errorText.contains("it is not known whether it finished"),
        "\(fault): \(refused.errorText)")
      #expect(try journey.notes().values.reduce(0, +) == uses, "\(fault)")
      #expect(try await journey.look() == "failed")
      let resumed = try await journey.begin(["resume", run]).finish()
      #expect(resumed.exitCode == 0, "\(fault): \(resumed.errorText)")
      #expect(try journey.notes().values.reduce(0, +) == uses + 1, "\(fault)")
      #expect(try journey.notes().count == 1, "\(fault)")
    }
  }

  @Test("a tool that never returns ends with its run, and everybody learns why")
  func hangs() async throws {
    let journey = try Journey(.tool(.retry, word: "wait for ever"))
    let late = try await journey.begin(journey.scenario.arguments + ["--max-seconds", "1"])
      .finish()
    #expect(late.exitCode == 124 && !late.hasAnswer, "\(late.errorText)")
    #expect(late.errorText.contains("took longer than 1 second"), "\(late.errorText)")
    #expect(try await journey.look() == "failed")
    let journal = try #require(try await journey.journal())
    let end = try #require(journal.lines.last)
    #expect(end["kind"] == "run.failed" && end["body"]["kind"] == "timeout")
    // It may have been done: the next process decides.
    #expect(!journal.open.isEmpty)
    // `rasa` itself has no such tool, and reads the run all the same.
    let run = try #require(journey.run)
    let shown = try JSON.parse(await journey.ask("runs", "show", run, "--json"))
    #expect(shown["without_rules"].isNull && shown["damage"].isNull, "\(shown)")
  }

  @Test("killed at any moment")
  func anyMoment() async throws {
    var numbers = SeededNumbers(seed: Self.seed)
    let scenarios = Self.isThorough ? Scenario.all : Scenario.few
    var report = CrashReport()
    for (index, scenario) in scenarios.enumerated() {
      let explorer = try await CrashExplorer(scenario.slowed())
      let share = (Self.kills + index) / scenarios.count
      let expeditions = (0..<share).map { _ in explorer.anyMoment(&numbers) }
      report.add("\(scenario.name), any moment", await expeditions.carryOut())
    }
    conclude(report)
  }

  private func conclude(_ report: CrashReport) {
    print("seed \(Self.seed)\n\(report.table)")
    #expect(report.failures.isEmpty, "\(report.failures.count) journeys failed\n\(report.details)")
  }
}
