import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("Bytes go through rasa unchanged")
struct BytesTests {
  static let diff =
    "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,4 +1,4 @@\n a\n \n \n-b\u{C}\n+c  \n\\ No newline\n\n\n"

  private static func requests(_ provider: ScriptedProvider) -> [ReceivedRequest] {
    provider.requests.filter { $0.method == "POST" }
  }

  private func echo(_ provider: ScriptedProvider) throws -> RasaProgram {
    let rasa = try RasaProgram(provider)
    try rasa.home.write(
      """
      name: echo
      description: Says it again.
      frames: [session_frame]
      operators:
        - name: echo_it
          kind: llm
          frame: session_frame
          reads: [input, preferences?]
          writes: {draft: text}
          prompt: "{{input}}"
      """, to: "personas/echo.yaml")
    return rasa
  }

  private func hasSameBytes(_ left: String?, _ right: String) -> Bool {
    Array((left ?? "").utf8) == Array(right.utf8)
  }

  // MARK: In

  @Test(
    "the text on standard input reaches the model byte for byte",
    arguments: [
      diff, "\n\n  two\n\n\nthree\n", "crlf\r\nlines\r\n", "e\u{301} é\u{0}\u{7F}\u{200B}",
      "=\u{301}x",
      "no line end", "\u{FEFF}mark\n",
    ])
  func standardInput(text: String) async throws {
    let provider = try ScriptedProvider.start([.text("ok")])
    defer { provider.stop() }
    let rasa = try echo(provider)
    let run = try await rasa.run("run", "-p", "echo", "-i", "-", input: text)
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(hasSameBytes(Self.requests(provider).last?.lastMessage, text))
    // So it does as the question of an agent, which has no template.
    try rasa.home.write(
      "---\nname: plain\ndescription: A made-up agent of plain words.\n---\nReview it.\n",
      to: "agents/plain.md")
    let agent = try await rasa.run("run", "--agent", "plain", input: text)
    #expect(agent.exitCode == 0, "\(agent.errorText)")
    #expect(hasSameBytes(Self.requests(provider).last?.lastMessage, text))
  }

  @Test("a question and a pipe both reach the model, the question first")
  func both() async throws {
    let provider = try ScriptedProvider.start([.text("ok")])
    defer { provider.stop() }
    let rasa = try echo(provider)
    func asked(_ arguments: String...) async throws -> String? {
      try rasa.home.write(Self.diff, to: "x.diff")
      let run = try await rasa.shell(
        arguments[0].replacing("RUN", with: "\"$RASA\" run -p echo"))
      #expect(run.exitCode == 0, "\(arguments): \(run.errorText)")
      return Self.requests(provider).last?.lastMessage
    }
    let whole = "anything unsafe?\n\n" + Self.diff
    #expect(
      hasSameBytes(try await asked("cat x.diff | RUN 'anything unsafe?' -q || exit 1"), whole))
    #expect(hasSameBytes(try await asked("RUN 'anything unsafe?' < x.diff"), whole))
    #expect(hasSameBytes(try await asked("cat x.diff | RUN --input 'anything unsafe?'"), whole))
    #expect(hasSameBytes(try await asked("cat x.diff | RUN -i - 'anything unsafe?'"), whole))
    #expect(try await asked("cat x.diff | RUN --no-stdin 'only this'") == "only this")
  }

  @Test(
    "standard input that says nothing neither holds a question up nor makes it fail",
    arguments: [
      "\"$RASA\" run -p echo hello < /dev/null", "\"$RASA\" run -p echo hello <&-",
      ": | \"$RASA\" run -p echo hello",
      // Open, and nobody ever writes to it: what a job of an editor or of CI has.
      "mkfifo silent && exec 3<>silent && \"$RASA\" run -p echo hello < silent",
      "\"$RASA\" run -p echo hello < /dev/zero",
    ])
  func silent(script: String) async throws {
    let provider = try ScriptedProvider.start([.text("ok")])
    defer { provider.stop() }
    var rasa = try echo(provider)
    if script.contains("silent") { rasa.environment["RASA_STDIN_WAIT"] = "0" }
    let run = try await rasa.shell(script)
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(Self.requests(provider).last?.lastMessage == "hello")
    #expect(run.errorText.contains("nothing arrived") == script.contains("silent"))
  }

  @Test("a silent pipe is reported while rasa waits for it")
  func waiting() async throws {
    let provider = try ScriptedProvider.start([.text("ok")])
    defer { provider.stop() }
    let rasa = try echo(provider)
    // The writer writes once it has read that it is waited for.
    let run = try await rasa.shell(
      """
      mkfifo text said; "$RASA" run -p echo question < text 2> said &
      exec 3> text; read line < said; echo "$line" >&2; echo late >&3; exec 3>&-; wait
      """)
    #expect(run.errorText.contains("waiting for the pipe on standard input"))
    #expect(Self.requests(provider).last?.lastMessage == "question\n\nlate\n")
  }

  @Test("a question and --input cannot be combined, except with a dash")
  func excluded() async throws {
    let provider = try ScriptedProvider.start([.text("ok")])
    defer { provider.stop() }
    let run = try await echo(provider).run("run", "-p", "echo", "--input", "one", "two")
    #expect(run.exitCode == 2 && run.errorText.contains("cannot be combined"))
  }

  @Test("input has a limit, and the error names the setting")
  func bound() async throws {
    let provider = try ScriptedProvider.start([.text("ok")])
    defer { provider.stop() }
    var rasa = try echo(provider)
    let text = String(repeating: "a", count: 1_200_000)
    let run = try await rasa.run("run", "-p", "echo", "-i", "-", input: text)
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(Self.requests(provider).last?.lastMessage.utf8.count == 1_200_000)
    rasa.environment["RASA_MAX_INPUT"] = "1M"
    let refused = try await rasa.run("run", "-p", "echo", "-i", "-", input: text)
    #expect(refused.exitCode == 2)
    #expect(refused.errorText.contains("larger than 1 MB"))
    #expect(refused.errorText.contains("RASA_MAX_INPUT"))
    rasa.environment["RASA_MAX_INPUT"] = "65M"
    #expect(try await rasa.run("run", "-p", "echo", "-i", "-", input: "x").exitCode == 2)
  }

  @Test("preferences keep their white space, and combining marks after `=` do not change the split")
  func preferences() async throws {
    let provider = try ScriptedProvider.start([.text("ok")])
    defer { provider.stop() }
    let rasa = try echo(provider)
    try rasa.home.write(
      "---\nname: say\ndescription: A made-up agent that says it.\n---\n[{{tone}}] {{input}}\n",
      to: "agents/say.md")
    let run = try await rasa.run(
      "run", "--agent", "say", "--preferences", " TONE =  two spaces \t", "--input=\u{321}abc")
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(
      hasSameBytes(Self.requests(provider).last?.lastMessage, "[  two spaces \t] \u{321}abc"))
    let marked = try await rasa.run(
      "run", "--agent", "say", "--preferences", "tone=\u{321}x", "hello")
    #expect(marked.exitCode == 0, "\(marked.errorText)")
    #expect(hasSameBytes(Self.requests(provider).last?.lastMessage, "[\u{321}x] hello"))
  }

  @Test("numbers of metadata reach a prompt as they are written, and guards compare numbers")
  func numbers() async throws {
    let provider = try ScriptedProvider.start([.text("ok")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.home.write(
      """
      name: num
      description: Numbers.
      frames: [session_frame]
      metadata: {version: 1.10, phone: 0123, hex: 0x1F, big: 1e3, day: 2026-01-02, on: True, plain: 7,
        list: [1.10, 2], nested: {v: 1.50}}
      operators:
        - name: route
          kind: rule
          frame: session_frame
          reads: [metadata]
          writes: {level: text}
          rules:
            - {set: {level: low}}
            - {when: metadata.version > 1.05 and metadata.hex == 31, set: {level: "high {{metadata.phone}}."}}
        - name: say
          kind: llm
          frame: session_frame
          reads: [input, metadata, level]
          writes: {draft: text}
          prompt: "{{metadata.version}} {{metadata.hex}} {{level}} {{input}}"
      """, to: "personas/num.yaml")
    let run = try await rasa.run("run", "-p", "num", "hi")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let request = try #require(Self.requests(provider).last)
    #expect(request.lastMessage == "1.10 0x1F high 0123. hi")
    for line in [
      "Version: 1.10", "Phone: 0123", "Hex: 0x1F", "Big: 1e3", "Day: 2026-01-02", "On: True",
      "Plain: 7", "List: 1.10, 2", "Nested: {\"v\":\"1.50\"}",
    ] {
      #expect(request.messages[0].contains("\n\(line)"), "\(line): \(request.messages[0])")
    }
    try rasa.home.write(
      """
      [agent]
      id = "numbers"
      name = "Numbers"
      description = "A made-up agent with numbers."
      prompt_path = "n.txt"
      constraints = {version = 1.10, mask = 0x1F}
      defaults = {limit = 2.50}
      """, to: "agents/numbers.toml")
    try rasa.home.write("At most {{limit}}: {{input}}", to: "agents/n.txt")
    let agent = try await rasa.run("run", "--agent", "numbers", "hi")
    #expect(agent.exitCode == 0, "\(agent.errorText)")
    let asked = try #require(Self.requests(provider).last)
    #expect(asked.lastMessage == "At most 2.50: hi")
    #expect(asked.messages[0].contains("Version: 1.10\nMask: 0x1F"), "\(asked.messages[0])")
  }

  // MARK: An agent's braces

  @Test("names that nothing fills stay in the prompt, which stays the system's, with one warning")
  func braces() async throws {
    let provider = try ScriptedProvider.start([.text("ok")])
    defer { provider.stop() }
    let rasa = try echo(provider)
    let css =
      "Write Liquid:\n\n\n  background-color: {{ section.settings.background_color }};\n{{other}}"
    func agent(_ fields: String) -> String {
      "---\nname: liquid\ndescription: A made-up agent of themes.\n\(fields)---\n\(css)\n"
    }
    try rasa.home.write(agent(""), to: "agents/liquid.md")
    let run = try await rasa.run("run", "--agent", "liquid", "a header")
    #expect(run.exitCode == 0, "\(run.errorText)")
    var request = try #require(Self.requests(provider).last)
    #expect(request.messages[0].hasPrefix(css))
    #expect(request.messages.dropFirst() == ["a header"])
    #expect(run.errorText.contains("`{{section.settings.background_color}}`, `{{other}}`"))
    #expect(run.errorText.ranges(of: "warning:").count == 1)
    // What a person says in them makes them a message like any other.
    let filled = try await rasa.run(
      "run", "--agent", "liquid", "a header", "--preferences", "other=more")
    #expect(filled.exitCode == 0, "\(filled.errorText)")
    request = try #require(Self.requests(provider).last)
    #expect(request.messages[0].hasPrefix("You are liquid."))
    #expect(!request.messages[0].contains("more"))
    #expect(
      request.lastMessage
        == css.replacing("{{other}}", with: "more").replacing("\n\n\n", with: "\n\n")
        + "\n\na header")
    try rasa.home.write(agent("strict: true\n"), to: "agents/liquid.md")
    let strict = try await rasa.run("run", "--agent", "liquid", "a header")
    #expect(strict.exitCode == 3)
    #expect(strict.errorText.contains("background_color") && strict.errorText.contains("other"))
  }

  @Test("a dry run shows the prompts that are sent, and its bound holds")
  func dryRun() async throws {
    let provider = try ScriptedProvider.start([.text(String(repeating: "long answer ", count: 400))]
    )
    defer { provider.stop() }
    let rasa = try echo(provider)
    try rasa.home.write(
      "---\nname: single\ndescription: A made-up agent alone.\n---\nReview it.\n",
      to: "agents/single.md")
    let dry = try await rasa.run("run", "--agent", "single", "hello", "--dry-run", "--json")
    #expect(dry.exitCode == 0, "\(dry.errorText)")
    let shown = try JSON.parse(dry.text)["calls"].array?.first?["messages"].array ?? []
    let sent = try await rasa.run("run", "--agent", "single", "hello")
    #expect(sent.exitCode == 0, "\(sent.errorText)")
    #expect(shown.map { $0["text"].string ?? "" } == Self.requests(provider).last?.messages)

    try rasa.home.write(
      """
      name: two
      description: Two.
      frames: [session_frame]
      operators:
        - {name: one, kind: llm, frame: session_frame, reads: [input], writes: {draft: text},
           prompt: "{{input}}", max_tokens: 2000}
        - {name: other, kind: llm, frame: session_frame, reads: [draft], writes: {more: text},
           prompt: "{{draft}} {{draft}}", max_tokens: 10}
      """, to: "personas/two.yaml")
    let two = try await rasa.run("run", "-p", "two", "hello", "--dry-run", "--json")
    #expect(two.exitCode == 0, "\(two.errorText)")
    let calls = try JSON.parse(two.text)["calls"].array ?? []
    #expect(calls.count == 2)
    #expect((calls.last?["input_tokens"].int ?? 0) >= 4000)
    #expect(calls.last?["messages"].array?.last?["text"] == "‹draft› ‹draft›")
  }

  // MARK: Out

  static let persian =
    "می\u{200C}خواهم \u{200F}کتاب\u{200C}ها क्\u{200D}ष 👨\u{200D}👩\u{200D}👧 so\u{AD}ft \r x"

  @Test("an answer with joiners is whole in a pipe and in JSON, and reads right on a terminal")
  func joiners() async throws {
    let provider = try ScriptedProvider.start([.text(Self.persian)])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let piped = try await rasa.run("run", "-p", "single", "hello")
    #expect(hasSameBytes(piped.text, Self.persian + "\n"))
    for format in ["json", "stream-json"] {
      let json = try await rasa.run("run", "-p", "single", "hello", "--output-format", format)
      #expect(!json.text.unicodeScalars.contains { $0.isHidden }, "\(format)")
      let last = json.text.split(separator: "\n").last.map(String.init) ?? ""
      let output = try JSON.parse(format == "json" ? json.text : last)["output"].string
      #expect(hasSameBytes(output, Self.persian), "\(format)")
    }
    let terminal = try rasa.terminal("run", "-p", "single", "hello")
    try await terminal.expect(
      "می\u{200C}خواهم کتاب\u{200C}ها क्\u{200D}ष 👨\u{200D}👩\u{200D}👧 soft  x")
    #expect(try await terminal.waitForExit() == 0)
  }

  @Test("programs get the exact bytes of a run or an agent")
  func records() async throws {
    let provider = try ScriptedProvider.start([.text(Self.persian)])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let run = try await rasa.run("run", "-p", "single", "hello", "--json")
    let id = try #require(try JSON.parse(run.text)["run"].string)
    let shown = try await rasa.run("runs", "show", id, "-v")
    #expect(shown.text.contains("answer: \(Self.persian)"))
    let exported = try await rasa.run("runs", "export", id)
    #expect(!exported.text.unicodeScalars.contains { $0.isHidden })
    try rasa.home.write(
      "---\nname: far\ndescription: A made-up agent in Persian.\n---\n\(Self.persian)\n",
      to: "agents/far.md")
    let prompt = try await rasa.run("agents", "info", "far", "--prompt")
    #expect(prompt.text.utf8.count >= Self.persian.utf8.count)
    #expect(prompt.text.contains("می\u{200C}خواهم \u{200F}کتاب\u{200C}ها"))
  }

  @Test("a table in a pipe is not cut, and every row is one line")
  func tables() async throws {
    let rasa = try RasaProgram()
    try rasa.writeSingle()
    let words = (1...60).map { "word\($0)" }.joined(separator: " ")
    try rasa.home.write(
      "---\nname: far\ndescription: \"\(words) needle\"\n---\nHello.\n", to: "agents/far.md")
    let agents = try await rasa.run("agents", "list")
    #expect(agents.text.contains("word60 needle\n"))
    _ = try await rasa.run("run", "-p", "single", "first\nsecond\u{1B}[2J\(words)\nneedle")
    let runs = try await rasa.run("runs", "list")
    #expect(runs.text.contains("first second"))
    #expect(runs.text.split(separator: "\n").count == 2)
    #expect(runs.text.contains("needle\n") && !runs.text.contains("\u{1B}"))
  }

  @Test("an approval shows every hidden character, and JSON has the exact bytes")
  func approvals() async throws {
    let draft = "rm\u{A0}-rf\u{2800}/tmp\u{202E} می\u{200C}روم"
    let provider = try ScriptedProvider.start([.text(draft)])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.addReviewedPersona()
    let run = try await rasa.run("run", "-p", "reviewed", "hello", "--approval", "defer")
    #expect(run.exitCode == 7, "\(run.errorText)")
    let listed = try await rasa.run("approvals", "list", "--json")
    let id = try #require(try JSON.parse(listed.text).array?.first?["approval"].string)
    let shown = "rm‹U+00A0›-rf‹U+2800›/tmp‹U+202E› می‹U+200C›روم"
    #expect(try await rasa.run("approvals", "show", id).text.contains(shown))
    let json = try await rasa.run("approvals", "show", id, "--json")
    #expect(!json.text.unicodeScalars.contains { $0.isHidden })
    #expect(hasSameBytes(try JSON.parse(json.text)["payload"].string, draft))
    let terminal = try rasa.terminal("approvals", "show", id)
    try await terminal.expect(shown)
    #expect(try await terminal.waitForExit() == 0)
  }
}
