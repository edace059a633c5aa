import RasaCLI
import RasaCore
import RasaDocuments
import RasaSystem
import RasaTestKit
import Testing

/// Help and documentation are true: what they tell to type works as it stands.
@Suite("Examples", .timeLimit(.minutes(5))) struct ExampleTests {
  /// Lines that end otherwise than with 0, or cannot be run here, and why. The reason must not be that
  /// the line does not work.
  private static let again = "the new text is a new question, for which the run parks again"
  static let exceptions: [String: (code: Int32?, why: String)] = [
    "rasa run -p contract_reviewer --approval defer --input - < contract.txt":
      (7, "it parks, as it says, and the page lists 7"),
    "rasa agents list --watch --json": (nil, "it stays until it is stopped"),
    "rasa approvals edit a3f9": (nil, "it opens an editor at a terminal"),
    "rasa approvals answer a3f9": (nil, "it asks at a terminal"),
    "rasa approvals reject a3f9 --reason \"Name the risks first.\"": (7, again),
    "rasa approvals feedback a3f9 \"The fee is 2 %, not 3 %.\"": (7, again),
    "rasa approvals reject ID --reason \"Name the risks first.\"": (7, again),
    "rasa approvals feedback ID \"The fee is 2 %, not 3 %.\"": (7, again),
    "rasa approvals reject a3f9": (7, "the run ends as denied, and 7 is what denied means"),
    "rasa run -p contract_reviewer --input - < contract.txt":
      (7, "a person must approve, and there is no terminal: it parks"),
    "rasa run -p contract_reviewer --attach contract.pdf \"Which terms are unusual?\"":
      (7, "a person must approve, and there is no terminal: it parks"),
    "rasa chat -p contract_reviewer --model ollama:llama3.2":
      (0, "nobody types anything"),
    "rasa runs fork r01h5 --at 40 --persona ./my_analyst.yaml":
      (nil, "the number of lines of a run differs; `ForkTests` covers it"),
    "rasa bench run -p strategic_stock_analyst -i \"Buy or sell Nvidia?\" --model mock":
      (0, "it takes some seconds"),
  ]

  @Test(
    "each of the help works as it stands",
    arguments: everyCommand.flatMap(\.command.examples).map(\.line))
  func help(line: String) async throws {
    try await expectTrue(line, after: Self.preludes[line] ?? [])
  }

  /// What has to have been done before.
  static let preludes = [
    "rasa trust remove ~/src/app": [
      "mkdir -p ~/src/app/operators && cp operators/my_operator.yaml ~/src/app/operators/respond.yaml",
      "rasa trust add ~/src/app",
    ]
  ]

  @Test("each of the documentation works as it stands", arguments: Documentation.commandLines)
  func documentation(line: Documentation.Line) async throws {
    try await expectTrue(line.text, after: line.before)
  }

  private func expectTrue(_ line: String, after before: [String] = []) async throws {
    let exception = Self.exceptions[line]
    if let exception, exception.code == nil { return }
    let fixture = try await ExampleFixture.shared.value
    let run = try await fixture.run(
      (before.map { "\($0) > /dev/null" } + [line]).joined(separator: " && "))
    let said = "\(fixture.filled(line))\n\(run.errorText)\n\(run.text.prefix(2_000))"
    #expect(run.exitCode == exception?.code ?? 0, "\(said)")
    let denials = [
      "there is no", "unknown", "cannot read", "no such file", "has no option", "has no command",
    ]
    for denial in denials { #expect(!run.errorText.contains(denial), "\(said)") }
  }

  @Test("the run recorded in the README prints what the recording shows")
  func recording() async throws {
    let block = try #require(
      Documentation.blocks.first { $0.file == "README.md" && $0.language == "text" })
    let recorded = block.text.split(separator: "\n").map(String.init)
    let line = try #require(recorded.first)
    let run = try await RasaProgram().shell("\"$RASA\" \(line.dropFirst("$ rasa ".count))")
    #expect(run.exitCode == 0, "\(run.text)")
    // Without what differs from run to run: the ID, durations, estimates that depend on the time, and
    // the order of steps that run in parallel.
    func stable(_ lines: [String]) -> [String] {
      lines.map {
        $0.replacing(/r01\w+/, with: "RUN").replacing(/\d+\.\d s/, with: "SECONDS")
          .replacing(/\d+ \+/, with: "TOKENS +")
      }.filter { !$0.hasPrefix("the mock model answered") }.sorted()
    }
    #expect(
      stable((run.text + run.errorText).split(separator: "\n").map(String.init))
        == stable(Array(recorded.dropFirst())))
  }

  @Test("no exception outlives its example")
  func exceptionsAreNeeded() {
    let lines = Set(
      everyCommand.flatMap(\.command.examples).map(\.line) + Documentation.commandLines.map(\.text))
    for line in Self.exceptions.keys { #expect(lines.contains(line), "\(line)") }
  }

  @Test(
    "each file in the documentation is read without an error or a warning",
    arguments: Documentation.files)
  func files(block: Documentation.Block) async throws {
    let fixture = try await ExampleFixture.shared.value
    let text = block.text
    let (file, check): (String, String)
    var contents = text
    let keys = Set(
      text.split(separator: "\n").filter { !$0.hasPrefix(" ") && !$0.hasPrefix("#") }
        .compactMap { $0.split(separator: ":").first.map(String.init) })
    switch block.language {
    case "markdown":
      (file, check) = ("doc/agent.md", "rasa agents validate doc/agent.md")
    case "toml":
      (file, check) = ("doc/agent.toml", "rasa agents validate doc/agent.toml")
    default:
      if keys.contains("name"), keys.contains("kind") {
        let name = text.split(separator: "\n")[0].dropFirst("name: ".count)
        (file, check) = ("operators/\(name).yaml", "rasa operators validate \(name)")
      } else if keys.contains("kind") || keys.contains("reads") {
        contents = "name: sample\n" + text
        let kind = keys.contains("kind") ? "" : "llm"
        for (key, value) in [
          ("kind", kind), ("reads", "[input, draft?]"),
          ("writes", kind.isEmpty ? "" : "{notes: text}"),
          (
            "output",
            text.contains(": object}")
              ? "{type: object, properties: {verdict: {type: string}}}" : ""
          ),
          ("prompt", kind.isEmpty ? "" : "\"{{draft}}\""),
        ] where !keys.contains(key) && !value.isEmpty { contents += "\(key): \(value)\n" }
        (file, check) = ("operators/sample.yaml", "rasa operators validate sample")
      } else if keys.contains("frames") || keys.contains("operators") {
        if !keys.contains("name") {
          contents = "name: sample\ndescription: A sample.\n" + text
          if !keys.contains("frames") { contents += "\nframes: [session_frame]\n" }
          if !keys.contains("operators") { contents += Self.operatorsOfFrames }
        }
        let first = contents.split(separator: "\n")[0].dropFirst("name: ".count)
        (file, check) = ("personas/\(first).yaml", "rasa personas validate \(first)")
      } else {
        if text.hasPrefix("  ") { contents = "providers:\n" + text }
        contents = contents.replacing("…", with: "provider.example").replacing("NAME", with: "name")
          .replacing("DEPLOYMENT", with: "deployment")
        (file, check) = ("../home/rasa/config.yaml", "rasa llm info")
      }
    }
    var before = contents.contains("my_helper_check") ? "rasa init --name my_helper && " : ""
    if contents.contains("release-notes-writer\"") {
      before = "rasa agents create release-notes-writer --description 'Writes notes.' && "
    }
    let quoted = contents.replacing("'", with: #"'\''"#)
    let run = try await fixture.run(
      before + "mkdir -p doc/prompts && echo You sort logs. > doc/prompts/log-triage.md && "
        + "echo You design. > doc/arch-agent.md && printf '%s' '\(quoted)' > \(file) && \(check)")
    let said = "\(block)\n\(run.errorText)\n\(run.text)"
    #expect(run.exitCode == 0, "\(said)")
    // That an agent could be recommended better is no mistake of an example.
    let warnings = (run.errorText + run.text).split(separator: "\n").filter {
      $0.contains("warning: ") && !$0.contains("recommended") && !$0.contains("no `capabilities`")
    }
    #expect(warnings.isEmpty, "\(said)")
  }

  /// What the frames of an example name, and what its guards read.
  private static let operatorsOfFrames = """

    operators:
      - {name: read_terms, kind: rule, writes: {terms: text}, rules: [{set: {terms: a}}]}
      - {name: find_risks, kind: rule, writes: {risks: text}, rules: [{set: {risks: a}}]}
      - {name: list_duties, kind: rule, writes: {duties_found: text}, rules: [{set: {duties_found: a}}]}
      - {name: judge, kind: llm, frame: summary, reads: [input], writes: {verdict: object}, prompt: "{{input}}",
         output: {type: object, properties: {enough: {type: boolean}}}}

    """

  @Test("each JSON document in the documentation is one", arguments: Documentation.documents)
  func documents(block: Documentation.Block) throws {
    #expect(throws: Never.self, "\(block)") { try JSON.parse(block.text) }
  }
}

/// The pages that people read, taken apart.
enum Documentation {
  struct Line: Sendable, CustomTestStringConvertible {
    var file: String
    var text: String
    /// What makes the files that it is about, in the same block.
    var before: [String] = []
    var testDescription: String { "\(file): \(text)" }
  }
  struct Block: Sendable, CustomTestStringConvertible, CustomStringConvertible {
    var file: String
    var line: Int
    var language: String
    var text: String
    var description: String { "\(file):\(line)" }
    var testDescription: String { description }
  }

  static let blocks: [Block] = {
    let pages = [
      "README.md", "docs/agents.md", "docs/commands.md", "docs/configuration.md", "docs/json.md",
      "docs/library.md", "docs/models.md", "docs/money.md", "docs/personas.md", "docs/runs.md",
      "docs/testing.md",
    ]
    var blocks: [Block] = []
    for page in pages {
      guard let bytes = try? FileSystem.read(Repository.path(page), limit: 1 << 20) else {
        continue
      }
      var open: Block?
      let lines = String(decoding: bytes, as: UTF8.self).split(
        separator: "\n", omittingEmptySubsequences: false)
      for (index, line) in lines.enumerated() {
        if line.hasPrefix("```") {
          if let block = open {
            blocks.append(block)
            open = nil
          } else {
            open = Block(
              file: page, line: index + 2, language: String(line.dropFirst(3)), text: "")
          }
        } else {
          open?.text += line + "\n"
        }
      }
    }
    return blocks
  }()

  /// Lines that begin with the program, as they are typed: without prompt signs, remarks and what the
  /// program answers. A line with `…` or an optional part in brackets shows a form and is no example.
  static let commandLines: [Line] = blocks.filter { ["", "sh", "bash"].contains($0.language) }
    .flatMap { (block: Block) -> [Line] in
      var before: [String] = []
      return block.text.replacing("\\\n", with: " ").split(separator: "\n").compactMap {
        (line: Substring) -> Line? in
        var line = String(line.hasPrefix("$ ") ? line.dropFirst(2) : line)
        guard line.hasPrefix("rasa ") || line.contains("| rasa ") else { return nil }
        if let remark = line.firstRange(of: "  #") { line = String(line[..<remark.lowerBound]) }
        while line.last == " " { line.removeLast() }
        guard !line.contains("…"), !line.contains("[") else { return nil }
        defer { if line.hasPrefix("rasa init") { before.append(line) } }
        return Line(file: block.file, text: line, before: before)
      }
    }

  static let files = blocks.filter { ["yaml", "toml", "markdown"].contains($0.language) }

  static let documents = blocks.filter { $0.language == "json" }
}
