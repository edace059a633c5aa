import RasaCore
import RasaDocuments
import RasaSystem
import RasaTestKit
import Testing

@Suite("rasa: attachments")
struct AttachmentTests {
  private static let photo = MadeUpFiles.png(
    width: 1024, height: 1024,
    filling: Array(String(repeating: "PICTURE-OF-A-SECRET-PLACE", count: 20).utf8))

  private func program(_ provider: ScriptedProvider) throws -> RasaProgram {
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    try rasa.home.write(Self.photo, to: "photo.png")
    try rasa.home.write("Rent: 900 a month.\n", to: "notes.md")
    return rasa
  }

  private func chats(_ provider: ScriptedProvider) -> [ReceivedRequest] {
    provider.requests.filter { $0.path.hasSuffix("/chat/completions") }
  }

  @Test("an image and a text reach the model, and are in every report")
  func told() async throws {
    let provider = try ScriptedProvider.start([.text("A place.")])
    defer { provider.stop() }
    let rasa = try program(provider)
    let run = try await rasa.run(
      "run", "-p", "single", "--attach", "photo.png", "--attach", "notes.md", "--attach",
      "photo.png", "--session", "s", "--json", "-v", "What is this?")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let sent = try #require(chats(provider).first)
    #expect(sent.attachments.map(\.bytes) == [Self.photo])
    #expect(sent.lastMessage.contains("What is this?"))
    #expect(sent.lastMessage.contains("Attached file `notes.md`:\n```\nRent: 900 a month.\n```"))
    #expect(run.errorText.contains("photo.png is named twice, and attached once"))
    #expect(run.errorText.contains("attached photo.png (PNG image, 1024×1024, "))
    #expect(run.errorText.contains("at most 25501 tokens"), "\(run.errorText)")

    let result = try JSON.parse(run.text)
    let attached = result["attachments"].array ?? []
    #expect(attached.map { $0["name"] } == ["photo.png", "notes.md"])
    #expect(attached[0]["type"] == "image/png" && attached[0]["width"] == 1024)
    #expect(attached[0]["bytes"] == .int(Int64(Self.photo.count)))
    #expect(attached[0]["tokens"] == 25501 && attached[1]["tokens"].isNull)
    #expect(attached[0]["sha256"] == .string(Digest.sha256(Self.photo)))

    let id = try #require(result["run"].string)
    let shown = try await rasa.run("runs", "show", id)
    #expect(shown.text.contains("photo.png (PNG image, 1024×1024, "), "\(shown.text)")
    let document = try await rasa.json("runs", "show", id)
    #expect(document["attachments"].array?.count == 2)
    #expect(document["attachments"].array?.first?["data"].isNull == true)
    // The journal has the content once, in a line of its own.
    let lines = try await rasa.lines(of: id)
    #expect(lines.filter { $0["kind"] == "input.attached" }.count == 2)
    #expect(lines[0]["body"]["attachments"].array?.count == 2)

    // What follows in the conversation knows that it was there, and does not pay for it again.
    let second = try await rasa.run("run", "-p", "single", "--session", "s", "And now?")
    #expect(second.exitCode == 0, "\(second.errorText)")
    let later = try #require(chats(provider).last)
    #expect(later.attachments.isEmpty)
    #expect(later.messages.contains { $0.contains("[Attached to this message: photo.png") })
    #expect(later.messages.contains { $0.contains("Rent: 900 a month.") })
  }

  @Test(
    "the image is sent in the format of each provider, and held for within a limit",
    arguments: [
      ("OPENAI", "openai:gpt-4o", 765), ("ANTHROPIC", "anthropic:claude-haiku-4-5", 1_399),
      ("GEMINI", "gemini:gemini-3.5-flash", 1_120), ("OLLAMA", "ollama:llava:7b", 4_784),
    ] as [(String, String, Int64)])
  func formats(_ row: (variable: String, model: String, tokens: Int64)) async throws {
    let usage = Script.Usage.exactly(prompt: .int(row.tokens + 40), completion: 3)
    let provider = try ScriptedProvider.start([Script.text("A place.").with { $0.usage = usage }])
    defer { provider.stop() }
    var rasa = try program(provider)
    for name in ["OPENAI_BASE_URL", "OPENAI_API_KEY", "LLM_MODEL"] { rasa.environment[name] = nil }
    rasa.environment["\(row.variable)_API_KEY"] = "sk-made-up"
    rasa.environment["OLLAMA_HOST"] = row.variable == "OLLAMA" ? provider.baseURL : nil
    rasa.environment["\(row.variable)_BASE_URL"] =
      row.variable == "OPENAI" ? provider.openAIBaseURL : provider.baseURL
    let run = try await rasa.run(
      "run", "-p", "single", "--model", row.model, "--max-cost", "0.5", "--attach", "photo.png",
      "--json", "What is this?")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let asked = provider.requests.filter { $0.method == "POST" }
    #expect(asked.count == 1 && asked[0].attachments.map(\.bytes) == [Self.photo])
    let result = try JSON.parse(run.text)
    #expect(result["attachments"].array?.first?["tokens"] == .int(row.tokens))
    #expect(result["usage"]["input_tokens"] == .int(row.tokens + 40))
    #expect(result["notices"].array?.isEmpty == true, "\(result["notices"].json())")
  }

  @Test(
    "an interrupted or killed run continues with its attachments, even if the file is gone",
    arguments: [2, 9] as [Int32])
  func resumed(_ signal: Int32) async throws {
    let provider = try ScriptedProvider.start([
      Script.tokens(["half", " of it"]).broken(after: 1, .silence).once(), .text("All of it."),
    ])
    defer { provider.stop() }
    let rasa = try program(provider)
    let terminal = try rasa.terminal(
      "run", "-p", "single", "--attach", "photo.png", "--attach", "notes.md", "What is this?")
    try await terminal.expect("half")
    terminal.signal(signal)
    #expect(try await terminal.waitForExit() != 0)
    _ = try await rasa.shell("rm photo.png && echo changed > notes.md")

    let resumed = try await rasa.run("resume", try await rasa.latestRun(), "--json")
    #expect(resumed.exitCode == 0, "\(resumed.errorText)")
    let asked = chats(provider)
    #expect(asked.count == 2 && asked[1].attachments.map(\.bytes) == [Self.photo])
    #expect(asked[1].lastMessage == asked[0].lastMessage)
    #expect(try JSON.parse(resumed.text)["attachments"].array?.count == 2)
  }

  @Test("a fork reuses the answers, and sends the image with new requests")
  func forked() async throws {
    let provider = try ScriptedProvider.start([.text("A place.")])
    defer { provider.stop() }
    let rasa = try program(provider)
    let run = try await rasa.run(
      "run", "-p", "single", "--attach", "photo.png", "What is this?")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let origin = try await rasa.latestRun()
    _ = try await rasa.shell("rm photo.png")
    let same = try await rasa.run("runs", "fork", origin, "-q")
    #expect(same.exitCode == 0, "\(same.errorText)")
    #expect(chats(provider).count == 1)
    let other = try await rasa.run("runs", "fork", origin, "--input", "Where is it?", "-q")
    #expect(other.exitCode == 0, "\(other.errorText)")
    #expect(chats(provider).count == 2)
    #expect(chats(provider)[1].attachments.map(\.bytes) == [Self.photo])
  }

  @Test("a recording lists the attachments, and replays without them")
  func recorded() async throws {
    let provider = try ScriptedProvider.start([.text("A place.")])
    defer { provider.stop() }
    let rasa = try program(provider)
    let run = try await rasa.run(
      "run", "-p", "single", "--attach", "photo.png", "--attach", "notes.md", "--record",
      "test.json", "What is this?")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let file = try #require(try rasa.home.read("test.json"))
    #expect(file.contains(Digest.sha256(Self.photo)))
    #expect(!file.contains(Base64.encode(Self.photo)))
    _ = try await rasa.shell("rm photo.png notes.md")
    let test = try await rasa.run("test", "test.json")
    #expect(test.exitCode == 0, "\(test.text)\(test.errorText)")
    let again = try await rasa.run("run", "--replay", "test.json")
    #expect(again.exitCode == 0 && again.text == "A place.\n", "\(again.errorText)")
    #expect(chats(provider).count == 1)
    // Another image would have been another question.
    try rasa.home.write(
      file.replacing(
        Digest.sha256(Self.photo), with: String(repeating: "0", count: 64), first: true),
      to: "other.json")
    let differs = try await rasa.run("test", "other.json")
    #expect(differs.exitCode == 1 && differs.text.contains("attachments"), "\(differs.text)")
  }

  @Test("several images are named in the prompt, in their order")
  func several() async throws {
    let provider = try ScriptedProvider.start([.text("Two places.")])
    defer { provider.stop() }
    let rasa = try program(provider)
    try rasa.home.write(MadeUpFiles.jpeg(), to: "b.jpg")
    let run = try await rasa.run(
      "run", "-p", "single", "--attach", "photo.png", "--attach", "b.jpg", "Which is larger?")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let sent = try #require(chats(provider).first)
    #expect(sent.attachments.map(\.mediaType) == ["image/png", "image/jpeg"])
    #expect(sent.lastMessage.contains("Which is larger?"))
    #expect(sent.lastMessage.contains("\n\nAttached, in this order: `photo.png`, `b.jpg`"))
  }

  @Test("a dry run shows it with its estimate, and makes no call")
  func rehearsed() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try program(provider)
    let plain = try await rasa.run("run", "-p", "single", "--dry-run", "--json", "What is this?")
    let run = try await rasa.run(
      "run", "-p", "single", "--attach", "photo.png", "--dry-run", "--json", "What is this?")
    #expect(run.exitCode == 0, "\(run.errorText)")
    func tokens(_ run: ProgramRun) throws -> Int64 {
      try JSON.parse(run.text)["calls"].array?.first?["input_tokens"].int ?? 0
    }
    #expect(try tokens(run) - tokens(plain) == 25_501)
    let text = try await rasa.run(
      "run", "-p", "single", "--attach", "photo.png", "--dry-run", "What is this?")
    #expect(text.text.contains("[attached]\nphoto.png (PNG image, 1024×1024, "))
    #expect(provider.requests.isEmpty)
  }

  @Test("standard input can be attached once, and not if the question is read from it")
  func standardInput() async throws {
    let provider = try ScriptedProvider.start([.text("A place.")])
    defer { provider.stop() }
    let rasa = try program(provider)
    let piped = try await rasa.shell(
      "\"$RASA\" run -p single --attach - 'What is this?' < photo.png")
    #expect(piped.exitCode == 0, "\(piped.errorText)")
    #expect(chats(provider).first?.attachments.map(\.bytes) == [Self.photo])
    for (arguments, words) in [
      ("--attach - --input -", "so does the question"),
      ("--attach - < /dev/null 'What?'", "nothing is piped into it"),
      ("--attach - --attach - 'What?'", "is given twice"),
      ("--attach -", "so does the question"),
    ] {
      let refused = try await rasa.shell("cat photo.png | \"$RASA\" run -p single \(arguments)")
      #expect(refused.exitCode == 2 && refused.errorText.contains(words), "\(refused.errorText)")
    }
    #expect(chats(provider).count == 1)
  }

  @Test(
    "files that cannot be sent are refused before any call",
    arguments: [
      (["--attach", "gone.png"], 2, "there is no such file"),
      (["--attach", "."], 2, "it is a folder"),
      (["--attach", "pipe"], 2, "not a regular file"),
      (["--attach", "empty"], 2, "it is empty"),
      (["--attach", "fake.png"], 2, "it is no PNG image"),
      (["--attach", "photo.heic"], 2, "heif-convert"),
      (["--attach", "huge.png"], 2, "104 MB"),
      (["--attach", "closed.png"], 2, "cannot"),
      (["--attach", "photo.png", "--model", "gpt-3.5-turbo"], 3, "it takes no images"),
      (["--attach", "paper.pdf", "--model", "gpt-4-turbo"], 3, "it takes no PDFs"),
      (["--attach", "photo.png", "--max-cost", "0.000001"], 6, "limit"),
    ] as [([String], Int32, String)])
  func refused(_ row: (arguments: [String], code: Int32, words: String)) async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try program(provider)
    try rasa.home.write("hello", to: "fake.png")
    try rasa.home.write([0, 0, 0, 24] + Array("ftypheic".utf8), to: "photo.heic")
    try rasa.home.write(MadeUpFiles.pdf(), to: "paper.pdf")
    let made = try await rasa.shell(
      "mkfifo pipe; : > empty; truncate -s 100M huge.png; ln -s /proc/1/mem closed.png; true")
    #expect(made.exitCode == 0)
    let run = try await ProgramRun.run(
      RasaProgram.binary, ["run", "-p", "single", "What is this?"] + row.arguments,
      environment: rasa.environment, folder: rasa.home.path)
    #expect(run.exitCode == row.code && run.errorText.contains(row.words), "\(run.errorText)")
    #expect(provider.requests.isEmpty)
    #expect(!run.hasAnswer)
  }

  @Test("deleting a run deletes its attachments")
  func deleted() async throws {
    let provider = try ScriptedProvider.start([.text("A place.")])
    defer { provider.stop() }
    let rasa = try program(provider)
    _ = try await rasa.run("run", "-p", "single", "--attach", "photo.png", "What is this?")
    func isKept() async throws -> Bool {
      try await rasa.shell("cat rasa.db* | grep -aq PICTURE-OF-A-SECRET-PLACE").exitCode == 0
    }
    #expect(try await isKept())
    let deleted = try await rasa.run("runs", "delete", try await rasa.latestRun())
    #expect(deleted.exitCode == 0, "\(deleted.errorText)")
    #expect(try await !isKept())
  }

  @Test("an operator that does not read the input does not receive its attachments")
  func shown() async throws {
    let provider = try ScriptedProvider.start([.text("A place.")])
    defer { provider.stop() }
    let rasa = try program(provider)
    try rasa.home.write(
      """
      name: pair
      description: One looks, one judges.
      frames: [session_frame]
      operators:
        - respond
        - {name: judge, frame: session_frame}
        - {name: blind, frame: session_frame}
      """, to: "personas/pair.yaml")
    try rasa.home.write(
      """
      name: judge
      kind: llm
      frame: session_frame
      reads: [draft]
      writes: {judgement: text}
      prompt: "Judge this: {{draft}}"
      """, to: "operators/judge.yaml")
    try rasa.home.write(
      """
      name: blind
      kind: llm
      frame: session_frame
      attachments: false
      reads: [input, draft]
      writes: {title: text}
      prompt: "Give {{input}} a title: {{draft}}"
      """, to: "operators/blind.yaml")
    let run = try await rasa.run("run", "-p", "pair", "--attach", "photo.png", "What is this?")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let seen = chats(provider).map { request in
      (
        request.lastMessage.contains("Judge this"), request.lastMessage.contains("a title"),
        request.attachments.count
      )
    }
    #expect(seen.count == 3)
    for (isJudge, isTitle, count) in seen { #expect(count == (isJudge || isTitle ? 0 : 1)) }
  }

  @Test(
    "chat: the path of an image in a line attaches it to that line, as does /attach to the next")
  func chat() async throws {
    let provider = try ScriptedProvider.start([.text("I see.")])
    defer { provider.stop() }
    let rasa = try program(provider)
    try rasa.home.write(MadeUpFiles.pdf(), to: "my paper.pdf")
    let terminal = try rasa.terminal("chat", "-p", "single")
    try await terminal.expect("you ›")
    terminal.send("what is in photo.png? notes.md is no picture\r")
    try await terminal.expect("attached photo.png")
    try await terminal.expect("I see.")
    try await terminal.expect("you ›")
    terminal.send("\(rasa.home.path)/my\\ paper.pdf\r")
    try await terminal.expect("attached my paper.pdf")
    try await terminal.expect("you ›")
    terminal.send("/attach notes.md\r")
    try await terminal.expect("notes.md")
    try await terminal.expect("you ›")
    terminal.send("and this?\r")
    try await terminal.expect("I see.")
    try await terminal.expect("you ›")
    terminal.send("/attach nowhere.png\r")
    try await terminal.expect("there is no such file")
    try await terminal.expect("you ›")
    terminal.send("\u{4}")
    #expect(try await terminal.waitForExit() == 0)
    let asked = chats(provider)
    #expect(asked.count == 2)
    #expect(asked[0].attachments.map(\.bytes) == [Self.photo])
    #expect(!asked[0].lastMessage.contains("Rent"))
    #expect(asked[1].attachments.map(\.name) == ["my paper.pdf"])
    #expect(asked[1].lastMessage.contains("Rent: 900 a month."))
  }
}

extension String {
  /// The text with the first, or every, occurrence replaced.
  fileprivate func replacing(_ old: String, with new: String, first: Bool) -> String {
    let pieces = split(
      separator: old, maxSplits: first ? 1 : .max, omittingEmptySubsequences: false)
    return pieces.joined(separator: new)
  }
}
