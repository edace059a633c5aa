import RasaCore
import RasaDocuments
import RasaSystem
import RasaTestKit
import Testing

@Suite("rasa route, and run --auto")
struct RouteTests {
  private static let task = "Our SQL query double-counts refunds"

  @Test("one plain line says the choice, and the next ones why and how it is run")
  func text() async throws {
    let rasa = try RasaProgram()
    let run = try await rasa.run("route", "--seed", "7", Self.task)
    #expect(run.exitCode == 0, "\(run.errorText)")
    let lines = run.text.split(separator: "\n")
    #expect(lines.first == "sql-analyst with mock:mock", "\(run.text)")
    #expect(lines.count == 4 && lines[1].contains("nothing is known of its runs yet"))
    #expect(lines[2].hasSuffix("seed 7") && lines[2].contains("probability "))
    #expect(lines[3] == "  run it: rasa run --agent sql-analyst \"\(Self.task)\"")
    let again = try await rasa.run("route", "--seed", "7", Self.task)
    #expect(again.text == run.text)
    let explained = try await rasa.run("route", "--explain", Self.task)
    #expect(explained.text.contains("EXPECTED") && explained.text.contains("chosen\n"))
    #expect(explained.text.contains("kind of task: code"), "\(explained.text)")
    // A text from a pipe is not repeated.
    let piped = try await rasa.shell("echo '\(Self.task)' | \(RasaProgram.binary) route")
    #expect(piped.text.contains("run it: rasa run --agent sql-analyst --input -"), "\(piped.text)")
    let off = try await rasa.run("route", "replay", "--policy", "none.yaml")
    #expect(off.exitCode == 3 && off.errorText.contains("none.yaml"), "\(off.errorText)")
  }

  @Test("runs of a choice are joined to it, and judge another policy once there are enough")
  func whole() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write("exploration: 1\n", to: "policy.yaml")
    let file = rasa.home.file("policy.yaml")
    let dry = try await rasa.run("run", "--auto", "--dry-run", Self.task)
    #expect(dry.exitCode == 0 && dry.errorText.contains("chose sql-analyst ("), "\(dry.errorText)")
    let dryNotice = try await rasa.json("run", "--auto", "--dry-run", Self.task)["notices"].array?
      .first
    #expect(dryNotice?["agent"] == "sql-analyst" && dryNotice?["decision"].isNull == true)
    #expect(try await rasa.json("route", "replay", "--policy", file)["stored"] == 0)
    for _ in 0..<2 {
      #expect(try await rasa.run("run", "--auto", Self.task).exitCode == 0)
    }
    let third = try await rasa.run("run", "--auto", "--json", Self.task)
    #expect(
      third.errorText.contains("2 of its 2 runs on code tasks succeeded"), "\(third.errorText)")
    let notice = try JSON.parse(third.text)["notices"].array?.first
    #expect(notice?["model"] == "mock:mock" && notice?["decision"].string?.hasPrefix("d") == true)
    let route = try await rasa.json("route", Self.task)
    let candidates = route["candidates"].array ?? []
    let chosen = try #require(candidates.first { $0["is_chosen"] == true })
    #expect(chosen["succeeded"] == 3 && chosen["rests_on_runs"] == 3 && chosen["high"].double == 1)
    #expect(chosen["expected_cost_usd"].string != nil && route["learns"] == true)
    let sum = candidates.compactMap { $0["probability"].double }.reduce(0, +)
    #expect((sum - 1).magnitude < 1e-9)
    let replay = try await rasa.json("route", "replay", "--policy", file)
    #expect(replay["stored"] == 4 && replay["decisions"] == 3)
    #expect(replay["success"]["logged"].double == 1 && replay["success"]["doubly_robust"].isNull)
    #expect(replay["refusals"].array?.first?.string?.contains("at least 30") == true)
    let said = try await rasa.run("route", "replay", "--policy", file)
    #expect(said.text.hasPrefix("of 4 decisions, 3 led to a run"), "\(said.text)")
    #expect(said.text.contains("nothing is claimed: only 3 decisions"))
    let success = try await rasa.json("stats")["success"].array?.first
    #expect(success?["measure"] == "routing_accuracy" && success?["rests_on_runs"] == 3)
    // What was asked goes with the user.
    #expect(try await rasa.run("memory", "forget", "--user", "ada", "--yes").exitCode == 0)
    #expect(try await rasa.json("route", "replay", "--policy", file)["stored"] == 4)
  }

  @Test("a policy's mistake is named by its place")
  func policies() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write("worth: 1\nwroth: 2\n", to: "policy.yaml")
    for arguments in [["route", "replay"], ["route", "choose", Self.task]] {
      let run = try await ProgramRun.run(
        RasaProgram.binary, arguments + ["--policy", rasa.home.file("policy.yaml")],
        environment: rasa.environment, folder: rasa.home.path)
      #expect(run.exitCode == 3, "\(run.text)")
      #expect(run.errorText.contains("policy.yaml:2:1"), "\(run.errorText)")
      #expect(run.errorText.contains("did you mean `worth`?"))
    }
  }

  @Test("limits of a run hold for the choice, and what exceeds them is said")
  func limits() async throws {
    let provider = try ScriptedProvider.start([.text("x")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    let poor = try await rasa.run("run", "--auto", "--max-cost", "0.0000001", Self.task)
    #expect(poor.exitCode == 3 && poor.errorText.contains("raise --max-cost"), "\(poor.errorText)")
    #expect(provider.asked == 0)
    let nothing = try await rasa.run("route", "xyzzy plugh")
    #expect(nothing.exitCode == 3 && nothing.errorText.contains("--agent ID"))
  }

  @Test("a run that is killed has its decision, or neither is there")
  func killed() async throws {
    let traced = try RasaProgram()
    let trace = traced.home.file("trace")
    let whole = try RunningProgram(
      RasaProgram.binary, ["run", "--auto", Self.task],
      environment: traced.environment.merging(["RASA_FAULT_TRACE": trace]) { $1 },
      folder: traced.home.path, atLimit: .kill)
    #expect(try await whole.finish().exitCode == 0)
    let text = String(decoding: try FileSystem.read(trace, limit: 1 << 20), as: UTF8.self)
    let points = Set(text.split(separator: "\n").map(String.init)).sorted()
    #expect(points.count > 3, "\(points)")
    var (without, with) = (0, 0)
    for point in points {
      let rasa = try RasaProgram()
      try rasa.home.write("{}", to: "policy.yaml")
      let program = try RunningProgram(
        RasaProgram.binary, ["run", "--auto", Self.task],
        environment: rasa.environment.merging(["RASA_FAULT": "\(point):1"]) { $1 },
        folder: rasa.home.path, atLimit: .kill)
      #expect(try await program.finish().exitCode != 0, "\(point)")
      let runs = try await rasa.json("runs", "list").array ?? []
      func replay() async throws -> Value {
        try await rasa.json("route", "replay", "--policy", rasa.home.file("policy.yaml"))
      }
      #expect(try await replay()["stored"].int == Int64(runs.count), "\(point)")
      if runs.isEmpty { without += 1 } else { with += 1 }
      // Whoever resumes it gets to the outcome of that decision.
      guard let run = runs.first?["run"].string, runs.first?["status"] != "done" else { continue }
      #expect(try await rasa.run("resume", run).exitCode == 0, "\(point)")
      #expect(try await replay()["decisions"] == 1, "\(point)")
    }
    #expect(with > 0 && without > 0, "\(points)")
  }
}
