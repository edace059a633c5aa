import RasaCLI
import RasaCore
import RasaDocuments
import RasaSystem
import RasaTestKit
import Testing

/// The examples of help and documentation work as printed.
@Suite("Examples", .timeLimit(.minutes(5))) struct ExampleTests {
  /// Lines that do not end with 0, or cannot be run here, and why. That a line does not work is no
  /// reason.
  private static let again = "the new text is a new question, for which the run parks again"
  static let exceptions: [String: (code: Int32?, why: String)] = [
    "rasa run -p contract_reviewer --approval defer --input - < contract.txt":
      (7, "it parks, as it says, and the page lists 7"),
    "rasa agents list --watch --json": (nil, "it stays until it is stopped"),
    "rasa serve": (nil, "it stays until it is stopped"),
    "rasa serve --listen 127.0.0.1:9000": (nil, "it stays until it is stopped"),
    "rasa serve --listen 0.0.0.0:8443 --host rasa.example --tls-cert cert.pem --tls-key key.pem":
      (nil, "it stays until it is stopped"),
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
    "rasa run -p contract_reviewer --attach - \"What is on this plan?\" < plan.png":
      (7, "a person must approve, and there is no terminal: it parks"),
    "rasa chat -p contract_reviewer --model ollama:llama3.2":
      (0, "nobody types anything"),
    "rasa runs fork r01h5 --at 40 --persona ./my_analyst.yaml":
      (nil, "the number of lines of a run differs; `ForkTests` covers it"),
    "rasa run -p strategic_stock_analyst \"Is Nvidia a buy for me?\"":
      (0, "the page shows how it is stopped with Ctrl-C"),
    "rasa tools approve mcp:time --network api.example.com --yes":
      (nil, "the tests of the sandbox cover hosts by name"),
    "rasa evaluate r01h5 --against r01h9 --max-cost 0.05":
      (2, "the runs of the examples had different tasks; `EvaluateTests` compares two answers"),
    "rasa stats rename contract_reviewer contracts":
      (nil, "whether it has records by then depends on the other examples"),
    "rasa tools check": (7, "one of the servers is not approved, and the help lists 7"),
    "rasa tools call --server 'mcp-server-time' get_current_time timezone=UTC":
      (nil, "the server is not part of a build; `ToolCommandTests` has another one"),
    "rasa tools login mcp:tickets": (nil, "a person logs in, in a browser"),
    "rasa bench run -p strategic_stock_analyst -i \"Buy or sell Nvidia?\" --model mock":
      (0, "it takes some seconds"),
  ]

  @Test(
    "each one in the help works",
    arguments: everyCommand.flatMap(\.command.examples).map(\.line))
  func help(line: String) async throws {
    try await expectTrue(line, after: Self.preludes[line] ?? [])
  }

  /// What has to be done first.
  static let preludes = [
    "rasa tokens revoke phone": ["rasa tokens create phone"],
    "rasa tokens revoke laptop": ["rasa tokens create laptop"],
    "rasa trust remove ~/src/app": [
      "mkdir -p ~/src/app/operators && cp operators/my_operator.yaml ~/src/app/operators/respond.yaml",
      "rasa trust add ~/src/app",
    ],
    "rasa trust remove": [
      "cp operators/my_operator.yaml operators/respond.yaml", "rasa trust add",
    ],
  ]

  @Test("each one in the documentation works", arguments: Documentation.commandLines)
  func documentation(line: Documentation.Line) async throws {
    try await expectTrue(line.text, after: line.before + (Self.preludes[line.text] ?? []))
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
    // The folder of a build is named after a platform such as x86_64-unknown-linux-gnu.
    let errors = run.errorText.replacing("-unknown-", with: "-")
    for denial in denials { #expect(!errors.contains(denial), "\(said)") }
  }

  @Test(
    "each output in the documentation is what the program prints", arguments: Documentation.shown)
  func shown(line: Documentation.Line) async throws {
    guard Self.otherOutputs[line.text] == nil else { return }
    let fixture = try await ExampleFixture.shared.value
    let run = try await fixture.run(line.text)
    let printed = (run.text + run.errorText).split(separator: "\n").map(Self.withoutFigures)
    #expect(
      Self.matches(line.output.map { Self.withoutFigures(Substring($0)) }[...], printed[...]),
      "\(line.file): \(fixture.filled(line.text)) prints\n\(printed.joined(separator: "\n"))")
  }

  /// Outputs that the made-up project cannot reproduce, and the test that covers their form.
  static let otherOutputs = [
    "rasa runs list": "other runs; `RunRecordTests`",
    "rasa runs show r01m7y2bg": "another run; `RunRecordTests`",
    "rasa runs compare r01m7y2bf r01m7y2m2": "other runs; `RunRecordTests`",
    "rasa runs fork r01m7y2bf --set critique.verdict=pass --dry-run":
      "another run, of which nothing is left to ask; `RunRecordTests`",
    "rasa agents budget contract_reviewer": "another ledger; `BudgetTests`",
    "rasa run -p strategic_stock_analyst \"Is Nvidia a buy for me?\"":
      "stopped with Ctrl-C; `InterruptionTests`",
  ]

  /// A line without what differs from run to run, and from provider to provider.
  private static func withoutFigures(_ line: Substring) -> String {
    String(line).replacing(/r01\w+/, with: "RUN").replacing(/[0-9]+(\.[0-9]+)?/, with: "0")
      .replacing(/\ {2,}/, with: "  ").replacing(/Cost:.*/, with: "Cost:")
  }

  /// Whether the lines were printed; `…` stands for any text, and alone for any lines.
  private static func matches(_ shown: ArraySlice<String>, _ printed: ArraySlice<String>) -> Bool {
    guard let first = shown.first else { return printed.isEmpty }
    if first == "…" {
      return printed.indices.contains { matches(shown.dropFirst(), printed[$0...]) }
        || matches(shown.dropFirst(), [])
    }
    guard var rest = printed.first?[...] else { return false }
    let parts = first.split(separator: "…", omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
      guard
        let range = part.isEmpty ? rest.startIndex..<rest.startIndex : rest.firstRange(of: part),
        index > 0 || range.lowerBound == rest.startIndex
      else { return false }
      rest = rest[range.upperBound...]
    }
    guard first.hasSuffix("…") || rest.isEmpty else { return false }
    return matches(shown.dropFirst(), printed.dropFirst())
  }

  @Test("the run recorded in the README prints what the recording shows")
  func recording() async throws {
    let block = try #require(
      Documentation.recordings.first { $0.file == "README.md" })
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
    let shown = Set(Documentation.shown.map(\.text))
    for line in Self.otherOutputs.keys { #expect(shown.contains(line), "\(line)") }
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
      } else if keys == ["tax"] {
        (file, check) = ("../home/rasa/objectives.yaml", "rasa objectives list")
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
