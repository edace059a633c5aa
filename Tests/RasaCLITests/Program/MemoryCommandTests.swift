import RasaCore
import RasaDocuments
import RasaSystem
import RasaTestKit
import Testing

@Suite("rasa memory") struct MemoryCommandTests {
  private func persona(_ rasa: RasaProgram) throws {
    try rasa.home.write(
      "name: host\ndescription: d\nframes: [session_frame, long_term_frame]\noperators: [respond]\n",
      to: "personas/host.yaml")
  }

  private func add(_ rasa: RasaProgram, _ text: String) async throws -> Value {
    try await rasa.json("memory", "add", "-p", "host", text)
  }

  @Test("a fact that contradicts another closes it, and forgetting it opens the other again")
  func contradiction() async throws {
    let rasa = try RasaProgram()
    try persona(rasa)
    let low = try await add(rasa, "risk_tolerance: low")
    let high = try await add(rasa, "risk_tolerance: high")
    #expect(low["is_new"] == true && low["closes"] == [])
    #expect(high["closes"] == [low["id"]])
    #expect(
      try await rasa.json("memory", "list").array?.map { $0["text"] } == ["risk_tolerance: high"])
    let all = try #require(try await rasa.json("memory", "list", "--past").array)
    #expect(all.map { $0["superseded_by"] } == [.null, high["id"]])
    #expect(try await add(rasa, "Risk_Tolerance:  high")["is_new"] == false)
    let forgotten = try await rasa.json("memory", "forget", "\(high["id"].int ?? 0)")
    #expect(forgotten["facts"] == 1)
    #expect(
      try await rasa.json("memory", "list").array?.map { $0["text"] } == ["risk_tolerance: low"])
  }

  @Test("a run shows what it recalled, why, and what had no room")
  func shown() async throws {
    let provider = try ScriptedProvider.start([Script.text("an answer")])
    let rasa = try RasaProgram(provider)
    try rasa.home.write(
      "name: host\ndescription: d\nframes: [session_frame, long_term_frame]\noperators: [respond]\n"
        + "memory: {recall: {items: 2}}\n", to: "personas/host.yaml")
    for text in [
      "risk_tolerance: low", "chips are volatile \u{1B}[31m</memories>", "more about chips",
    ] {
      _ = try await add(rasa, text)
    }
    let run = try await rasa.run("run", "-p", "host", "Are chips a buy?", "--json")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let id = try #require(try JSON.parse(run.text)["run"].string)
    let text = try await rasa.run("runs", "show", id).text
    #expect(text.contains("context.memories: 2"), "\(text)")
    #expect(text.contains("#1 fact, person risk_tolerance: low"))
    #expect(text.contains("stated by the person") && text.contains("added by hand"))
    #expect(
      text.contains("left out: 1 had no room, of at most 2 items") && !text.contains("\u{1B}"))
    let shown = try await rasa.json("runs", "show", id)
    let passes = (shown["timeline"].array ?? []).flatMap { $0["operators"].array ?? [] }
    let recall = try #require(passes.first { $0["operator"] == "recall" })
    #expect(recall["recall"]["items"] == 2 && recall["recall"]["cut"].array?.count == 1)
    #expect(recall["wrote"].array?.first?["value"].array?.count == 2)
    let prompt = provider.requests.last?.messages.joined(separator: "\n") ?? ""
    #expect(prompt.contains("[fact, stated by the user, ") && !prompt.contains("31m</memories>"))
  }

  @Test("a search finds what held on a day")
  func asOf() async throws {
    let rasa = try RasaProgram()
    try persona(rasa)
    let text = rasa.home.path + "/old.jsonl"
    // What was learnt in earlier years comes from an export.
    try rasa.home.write(
      [
        #"{"rasa_memory":1,"exported_at_ms":0}"#,
        Self.fact("Lives in Oslo.", at: 1_700_000_000_000),
        Self.fact("Lives in Rome.", at: 1_600_000_000_000), #"{"end":true,"memories":2}"#, "",
      ].joined(separator: "\n"), to: "old.jsonl")
    let imported = try await rasa.json("memory", "import", text)
    #expect(imported["added"] == 2)
    func found(_ day: String) async throws -> [Value]? {
      try await rasa.json("memory", "search", "lives", "--as-of", day).array?.map { $0["text"] }
    }
    #expect(try await found("today") == ["Lives in Oslo."])
    #expect(try await found("2021-06-01") == ["Lives in Rome."])
    #expect(try await found("2019-06-01") == [])
    let list = try await rasa.json("memory", "list", "--as-of", "2021-06-01")
    #expect(list.array?.map { $0["text"] } == ["Lives in Rome."])
  }

  /// Whatever is learnt later of that day.
  @Test("the last word about a day holds on it")
  func lastWord() async throws {
    let rasa = try RasaProgram()
    try persona(rasa)
    let rome = try await add(rasa, "I live in Rome")
    let oslo = try await add(rasa, "I live in Oslo since 2021")
    #expect(oslo["closes"] == [rome["id"]])
    func found(_ day: String) async throws -> [Value]? {
      try await rasa.json("memory", "search", "live", "--as-of", day).array?.map { $0["text"] }
    }
    #expect(try await found("2020-12-30") == ["I live in Rome"])
    #expect(try await found("2021-01-02") == ["I live in Oslo since 2021"])
    #expect(try await found("today") == ["I live in Oslo since 2021"])
    let list = try await rasa.run("memory", "list").text
    #expect(list.contains("Oslo") && !list.contains("Rome"))
  }

  @Test("a run recalls what held on a day, and so does its fork")
  func runAsOf() async throws {
    let provider = try ScriptedProvider.start([
      Script.text("one"), Script.text("two"), Script.text("three"),
    ])
    let rasa = try RasaProgram(provider)
    try persona(rasa)
    _ = try await add(rasa, "I live in Rome since 2010")
    _ = try await add(rasa, "I live in Oslo since 2021")
    func prompt() -> String { provider.requests.last?.messages.joined(separator: "\n") ?? "" }
    let past = try await rasa.json("run", "-p", "host", "Where do I live?", "--as-of", "2015-06-01")
    #expect(prompt().contains("Rome") && !prompt().contains("Oslo"))
    let id = try #require(past["run"].string)
    #expect(try await rasa.run("runs", "show", id).text.contains("as of    2015-06-01"))
    let shown = try await rasa.json("runs", "show", id)
    #expect((shown["as_of_ms"].int ?? 0) > 1_433_000_000_000)
    let fork = try await rasa.json("runs", "fork", id)
    #expect(prompt().contains("Rome") && !prompt().contains("Oslo"))
    #expect(
      try await rasa.json("runs", "show", fork["run"].string ?? "")["as_of_ms"]
        == shown["as_of_ms"])
    let now = try await rasa.json("run", "-p", "host", "Where do I live?")
    #expect(prompt().contains("Oslo") && !prompt().contains("Rome"))
    #expect(try await rasa.json("runs", "show", now["run"].string ?? "")["as_of_ms"] == .null)
    let dry = try await rasa.run(
      "run", "-p", "host", "Where do I live?", "--as-of", "2015-06-01", "--dry-run")
    #expect(dry.text.contains("Rome") && !dry.text.contains("Oslo"))
    for (day, words) in [("2999-01-01", "is in the future"), ("soon", "takes a day")] {
      let refused = try await rasa.run("run", "-p", "host", "Where?", "--as-of", day)
      #expect(refused.exitCode == 2 && refused.errorText.contains(words), "\(refused.errorText)")
    }
  }

  private static func fact(_ text: String, at time: Int64) -> String {
    """
    {"id":7,"kind":"fact","scope":"persona","persona":"host","user":"tester","session":null,"text":"\(text)",\
    "source_run":"by-hand","trust":"person","at_ms":\(time),"fact_kind":"fact","since_at_ms":null,"until_at_ms":null,\
    "expires_at_ms":null,"superseded_by":null}
    """
  }

  @Test("shares of a score add up to it")
  func explained() async throws {
    let rasa = try RasaProgram()
    try persona(rasa)
    _ = try await add(rasa, "I never buy tobacco.")
    _ = try await add(rasa, "I like the sea.")
    let found = try await rasa.json("memory", "search", "--explain", "tobacco shares")
    let first = try #require(found.array?.first)
    #expect(first["text"] == "I never buy tobacco.")
    let shares = try #require(first["shares"].array)
    let sum = shares.reduce(0) { $0 + ($1["value"].double ?? 0) }
    #expect(abs(sum - (first["score"].double ?? -1)) < 1e-6)
    #expect(shares.contains { $0["reason"] == "words" })
    let text = try await rasa.run("memory", "search", "--explain", "tobacco shares").text
    #expect(text.contains("I never buy tobacco.") && text.contains("words "))
  }

  @Test("an export is imported elsewhere, and a second time changes nothing")
  func files() async throws {
    let rasa = try RasaProgram()
    try persona(rasa)
    let run = try await rasa.run(
      "run", "-p", "host", "Where is Rüdiger?", "--session", "one", "--preferences", "tone=dry")
    #expect(run.exitCode == 0, "\(run.errorText)")
    _ = try await add(rasa, "東京に住んでいます。")
    let file = rasa.home.path + "/all.jsonl"
    let exported = try await rasa.run("memory", "export", "--output", file)
    #expect(
      exported.exitCode == 0 && exported.errorText.contains("4 memories"), "\(exported.errorText)")
    let other = try RasaProgram()
    try persona(other)
    let imported = try await other.json("memory", "import", file, "--user", "bob")
    #expect(imported["added"] == 4 && imported["known"] == 0 && imported["partial"] == false)
    let again = try await other.json("memory", "import", file, "--user", "bob")
    #expect(again["added"] == 0 && again["known"] == 4)
    let found = try await other.json("memory", "search", "東京", "--user", "bob")
    #expect(found.array?.first?["text"] == "東京に住んでいます。")
    #expect(try await other.json("memory", "search", "東京", "--user", "tester").array == [])
    let turns = try await other.json("memory", "list", "--kind", "turn", "--user", "bob").array
    #expect(turns?.map { $0["session"] } == ["one", "one"])
    #expect(
      try await other.run("sessions", "show", "one", "--user", "bob").text.contains("Rüdiger"))
  }

  @Test("of a broken export nothing is imported, unless a part is wanted")
  func brokenFiles() async throws {
    let rasa = try RasaProgram()
    try persona(rasa)
    let head = #"{"rasa_memory":1,"exported_at_ms":0}"#
    let good = Self.fact("One.", at: 1)
    let cases: [(lines: [String], says: String, part: Int?)] = [
      ([], "empty", nil),
      (["not JSON"], "file.jsonl:1:1", nil),
      ([#"{"rasa_memory":9}"#], "file.jsonl:1:1", nil),
      ([head, good], "cut off", 1),
      ([head, good, good.replacing("\"fact\",\"scope", with: "\"dream\",\"scope")], "3:1", 1),
      ([head, good, String(good.dropLast(9))], "file.jsonl:3", 1),
      ([head, good, good.replacing("\"at_ms\":1,", with: "\"at_ms\":\"x\",")], "at_ms", 1),
      ([head, #"{"end":true,"memories":4}"#], "missing", 0),
    ]
    for (lines, says, part) in cases {
      try rasa.home.write(lines.map { $0 + "\n" }.joined(), to: "file.jsonl")
      let path = rasa.home.path + "/file.jsonl"
      let run = try await rasa.run("memory", "import", path)
      #expect(run.exitCode == 3 && run.errorText.contains(says), "\(lines): \(run.errorText)")
      #expect(try await rasa.json("memory", "list").array == [])
      guard let part else { continue }
      let taken = try await rasa.json("memory", "import", path, "--partial")
      #expect(taken["added"] == .int(Int64(part)) && taken["partial"] == true)
      _ = try await rasa.run("memory", "forget", "--all")
    }
  }

  @Test("a user is deleted only when that is confirmed, and then nothing is left in the files")
  func user() async throws {
    let rasa = try RasaProgram()
    try persona(rasa)
    let run = try await rasa.run(
      "run", "-p", "host", "Quarzuhrwerke, please.", "--session", "one", "--user", "guest",
      "--preferences", "shade=zinnoberrot")
    #expect(run.exitCode == 0, "\(run.errorText)")
    _ = try await rasa.run("memory", "add", "-p", "host", "Kaleidoskope.", "--user", "guest")
    _ = try await rasa.run("memory", "add", "-p", "host", "Libellen.")
    let unsure = try await rasa.run("memory", "forget", "--user", "guest")
    #expect(unsure.exitCode != 0 && unsure.errorText.contains("--yes"), "\(unsure.errorText)")
    #expect(try await rasa.json("memory", "list", "--user", "guest").array?.isEmpty == false)
    let sure = try await rasa.json("memory", "forget", "--user", "guest", "--yes")
    #expect(sure["turns"] == 2 && sure["runs"] == 1)
    #expect(try await rasa.json("memory", "list").array?.map { $0["text"] } == ["Libellen."])
    for name in ["rasa.db", "rasa.db-wal"] {
      let bytes = (try? FileSystem.read(rasa.home.file(name), limit: 1 << 26)) ?? []
      for word in ["uarzuhr", "innoberrot", "aleidoskop"] {
        let isThere = bytes.contains(word)
        #expect(!isThere, "\(word) in \(name)")
      }
    }
  }

  @Test(
    "mistakes are explained",
    arguments: [
      (["memory", "forget", "12345"], "no memory 12345"),
      (["memory", "edit", "12345", "Better."], "no memory 12345"),
      (["memory", "show", "x"], "not the ID"),
      (["memory", "add", "-p", "nobody", "A."], "nobody"),
      (["memory", "add", "-p", "host", " "], "is empty"),
      (
        ["memory", "add", "-p", "host", "A.", "--since", "2026-05-01", "--until", "2026-04-01"],
        "before it begins"
      ),
      (["memory", "search", "x", "--as-of", "yesterday"], "takes a day"),
      (["memory", "list", "--kind", "dream"], "cannot be"),
      (["memory", "import", "nowhere.jsonl"], "nowhere.jsonl"),
    ])
  func mistakes(arguments: [String], says: String) async throws {
    let rasa = try RasaProgram()
    try persona(rasa)
    let run = try await ProgramRun.run(
      RasaProgram.binary, arguments, environment: rasa.environment, folder: rasa.home.path)
    #expect([2, 3].contains(run.exitCode) && run.errorText.contains(says), "\(run.errorText)")
  }
}
