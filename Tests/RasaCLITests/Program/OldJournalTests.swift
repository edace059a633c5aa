import RasaCore
import RasaDocuments
import RasaSystem
import RasaTestKit
import Testing

/// Databases that this and earlier versions have written, with runs that were killed in the middle: every
/// version has to go on with them. A further version adds its file to the table.
@Suite("rasa: journals of earlier versions")
struct OldJournalTests {
  static let versions = [
    "version-1.db", "version-2.db", "version-3.db", "version-4.db", "version-5.db",
    "version-6.db",
  ]
  private static let folder = Repository.path("Tests/Fixtures/journals")

  private func home(_ version: String) throws -> RasaProgram {
    let rasa = try RasaProgram()
    let limit = 10_000_000
    try FileSystem.write(
      try FileSystem.read("\(Self.folder)/\(version)", limit: limit),
      to: rasa.home.file("rasa.db"))
    // The personas as they were then: what ships may have changed since.
    for kind in ["personas", "operators"] {
      for entry in try FileSystem.list("\(Self.folder)/files/\(kind)") {
        let path = "\(kind)/\(entry.name)"
        let bytes = try FileSystem.read("\(Self.folder)/files/\(path)", limit: limit)
        try rasa.home.write(String(decoding: bytes, as: UTF8.self), to: path)
      }
    }
    return rasa
  }

  @Test(
    "their killed runs can be resumed, and nothing recorded is asked again", arguments: versions)
  func goOn(_ version: String) async throws {
    let rasa = try home(version)
    let runs = try #require(try await rasa.json("runs", "list").array)
    let died = runs.filter { $0["status"] == "died" }
    #expect(died.count == 2)
    for run in died {
      let id = run["run"].string ?? ""
      let before = try await rasa.json("runs", "show", id)
      let answered = before["calls"]["answered"].int ?? -1
      let resumed = try await rasa.run("resume", id, "--json")
      #expect(resumed.exitCode == 0, "\(resumed.errorText)")
      let after = try await rasa.json("runs", "show", id)
      #expect(after["status"] == "done")
      #expect(after["calls"]["in_doubt"] == 1)
      #expect((after["calls"]["answered"].int ?? 0) > answered)
      // What was recorded stands as it stood.
      let lines = try await rasa.run("runs", "events", id, "--json")
      let kinds = lines.text.split(separator: "\n").map { String($0) }
      let results = kinds.filter { $0.contains("\"kind\":\"call.result\"") }
      let keys = try results.map { try JSON.parse(Array($0.utf8))["key"].string ?? "" }
      #expect(Set(keys).count == keys.count, "\(keys)")
    }
  }

  @Test("every run of theirs is shown whole, and can be forked", arguments: versions)
  func show(_ version: String) async throws {
    let rasa = try home(version)
    let runs = try #require(try await rasa.json("runs", "list").array)
    #expect(runs.count == 7)
    for run in runs {
      let id = run["run"].string ?? ""
      let shown = try await rasa.run("runs", "show", id)
      #expect(shown.exitCode == 0, "\(shown.errorText)")
      #expect(shown.text.contains(run["input"].string ?? "?"))
    }
    let done = try #require(runs.last { $0["status"] == "done" }?["run"].string)
    let fork = try await rasa.run("runs", "fork", done, "--dry-run")
    #expect(fork.exitCode == 0, "\(fork.errorText)")
    #expect(fork.text.contains("reuses"))
  }
}
