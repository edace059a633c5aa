import RasaCore
import RasaDocuments
import RasaSystem
import RasaTestKit
import Testing

/// Forgetting is many small transactions, and its process may end between any two of them.
@Suite("rasa memory forget, killed")
struct ForgettingCrashTests {
  /// A word, what its stem is, one of another script, and the name of the user.
  private static let traces = ["uarzuhrwerk", "aleidoskop", "砂鼠", "gwendolyn-7f3a"]

  private func traces(_ rasa: RasaProgram, _ wanted: [String] = traces) -> [String] {
    ["rasa.db", "rasa.db-wal"].flatMap { name in
      let bytes = (try? FileSystem.read(rasa.home.file(name), limit: 1 << 26)) ?? []
      return wanted.filter { bytes.contains($0) }
    }
  }

  /// Two users with conversations, notes, facts and journals.
  private func home() async throws -> (rasa: RasaProgram, run: String) {
    let rasa = try RasaProgram()
    try rasa.home.write(
      "name: host\ndescription: d\nframes: [session_frame, short_term_frame, long_term_frame]\n"
        + "operators: [respond]\n", to: "personas/host.yaml")
    var first = ""
    for number in 1...3 {
      let run = try await rasa.run(
        "run", "-p", "host", "Quarzuhrwerke, please, number \(number). 砂鼠愛好家", "--session", "one",
        "--user", "gwendolyn-7f3a", "--preferences", "shade=Kaleidoskop \(number)", "--json")
      #expect(run.exitCode == 0, "\(run.errorText)")
      if first.isEmpty { first = try JSON.parse(run.text)["run"].string ?? "" }
    }
    _ = try await rasa.run("memory", "add", "-p", "host", "Libellen.")
    _ = try await rasa.run("run", "-p", "host", "Libellen?", "--session", "one")
    return (rasa, first)
  }

  private func killed(_ rasa: RasaProgram, at point: String, _ arguments: [String]) async throws {
    let program = try RunningProgram(
      RasaProgram.binary, arguments,
      environment: rasa.environment.merging(["RASA_FAULT": "\(point):1"]) { $1 },
      folder: rasa.home.path, atLimit: .kill)
    let run = try await program.finish()
    #expect(run.exitCode != 0, "\(point): \(run.text)\(run.errorText)")
  }

  @Test(
    "a user is not found from the first commit on, and the next command finishes it",
    arguments: [
      "forget.before", "forget.after", "erase.terms", "erase.items", "erase.lines", "erase.bodies",
      "erase.scrubbed",
    ])
  func user(_ point: String) async throws {
    let (rasa, _) = try await home()
    #expect(Set(traces(rasa)) == Set(Self.traces))
    try await killed(
      rasa, at: point, ["memory", "forget", "--user", "gwendolyn-7f3a", "--yes"])
    func found() async throws -> [[Value]?] {
      [
        try await rasa.json("memory", "list", "--kind", "turn", "--user", "gwendolyn-7f3a").array,
        try await rasa.json("memory", "search", "Quarzuhrwerke", "--user", "gwendolyn-7f3a").array,
      ]
    }
    if point == "forget.before" {
      // Nothing has happened.
      #expect(try await found().allSatisfy { $0?.isEmpty == false })
      _ = try await rasa.run("memory", "forget", "--user", "gwendolyn-7f3a", "--yes")
    } else {
      #expect(try await found() == [[], []])
      let list = try await rasa.run("memory", "list")
      #expect(list.errorText.contains("erasing it was interrupted"), "\(list.errorText)")
      // Somebody of that name begins anew meanwhile, in a session of the same name.
      let run = try await rasa.run(
        "run", "-p", "host", "Tea?", "--session", "one", "--user", "gwendolyn-7f3a")
      #expect(run.exitCode == 0)
      let turns = try await rasa.run("sessions", "show", "one", "--user", "gwendolyn-7f3a").text
      #expect(turns.contains("Tea?") && !turns.contains("uarzuhr"), "\(turns)")
      #expect(try await found().last == [])
      // Any further forgetting finishes it.
      let next = try await rasa.run("memory", "forget", "--user", "gwendolyn-7f3a", "--yes")
      #expect(next.exitCode == 0, "\(next.errorText)")
    }
    #expect(traces(rasa) == [])
    let list = try await rasa.run("memory", "list")
    #expect(list.errorText.isEmpty && list.text.contains("Libellen."), "\(list.errorText)")
    #expect(traces(rasa, ["Libellen"]) != [])
  }

  @Test(
    "what came of a run is forgotten wholly or not at all, and the next command finishes it",
    arguments: ["forget.before", "forget.after", "erase.scrubbed"])
  func run(_ point: String) async throws {
    let (rasa, run) = try await home()
    func turns() async throws -> Int? {
      try await rasa.json("memory", "list", "--kind", "turn", "--user", "gwendolyn-7f3a").array?
        .count
    }
    #expect(try await turns() == 6)
    try await killed(rasa, at: point, ["memory", "forget", "--run", run])
    #expect(try await turns() == (point == "forget.before" ? 6 : 4))
    let next =
      point == "forget.before"
      ? try await rasa.run("memory", "forget", "--run", run)
      : try await rasa.run("memory", "forget", "--all", "-p", "host", "--user", "nobody")
    #expect(next.exitCode == 0, "\(next.errorText)")
    #expect(try await turns() == 4)
    let list = try await rasa.run("memory", "list")
    #expect(list.errorText.isEmpty, "\(list.errorText)")
  }
}
