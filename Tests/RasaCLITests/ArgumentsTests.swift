import RasaCLI
import RasaCore
import Testing

/// The command line that is read to be run; help fails the test.
func parsed(_ words: [String]) throws -> ParsedCommand {
  guard case .run(let command) = try CommandLineInterface.parse(words) else {
    throw Failure(.run, "help instead of a command: \(words)")
  }
  return command
}

@Suite struct ArgumentsTests {
  @Test func readsACompleteCommandLine() throws {
    let command = try parsed([
      "run", "--persona", "ssa", "--input", "Buy?", "--preferences", "risk_tolerance=low",
      "--preferences", "sector=technology", "--session=s1", "--max-cost", "0.05", "--no-stream",
      "--output-format", "stream-json", "--premium", "-v", "--user", "ann",
    ])
    #expect(command.path == ["run"])
    #expect(command.text("persona") == "ssa")
    #expect(command.input == .text("Buy?"))
    #expect(command.pairs("preferences") == ["risk_tolerance": "low", "sector": "technology"])
    #expect(command.text("session") == "s1")
    #expect(command.money("max-cost") == Money(decimal: "0.05"))
    #expect(!command.flag("stream"))
    #expect(command.text("output-format") == "stream-json")
    #expect(command.flag("premium"))
    #expect(command.flag("verbose"))
    #expect(!command.flag("quiet"))
    #expect(command.text("user") == "ann")
    #expect(command.isGiven("stream"))
    #expect(!command.isGiven("approval"))
  }

  @Test func whatIsLeftOutReadsAsItsDefault() throws {
    let run = try parsed(["run", "-p", "ssa"])
    #expect(run.flag("stream"))
    #expect(!run.isGiven("stream"))
    #expect(run.text("mode") == "local")
    #expect(run.text("output-format") == "text")
    #expect(run.text("approval") == "ask")
    #expect(run.text("session") == nil)
    #expect(run.money("max-cost") == nil)
    #expect(run.pairs("preferences").isEmpty)
    #expect(run.input == .unstated)
    #expect(try parsed(["sessions", "list"]).integer("limit") == 20)
    #expect(try parsed(["init"]).text("name") == "my_persona")
  }

  private enum Format: String {
    case text, json
    case streamJSON = "stream-json"
  }

  @Test func choicesReadAsTheirCases() throws {
    func format(_ words: [String]) throws -> Format? {
      try parsed(["run", "-p", "a"] + words).choice("output-format", of: Format.self)
    }
    #expect(try format([]) == .text)
    #expect(try format(["--json"]) == .json)
    #expect(try format(["--json", "--output-format", "json"]) == .json)
    #expect(try format(["--output-format=stream-json"]) == .streamJSON)
  }

  @Test(
    arguments: [
      (["-p", "a", "--input", "x"], .text("x")),
      (["-p", "a", "--input=x=y"], .text("x=y")),
      (["-p", "a", "-i", "x"], .text("x")),
      (["-p", "a", "-i=x"], .text("x")),
      (["-p", "a", "--input", "-"], .standardInput),
      (["-p", "a", "-"], .standardInput),
      (["-p", "a", "what", "now?"], .text("what now?")),
      (["what", "now?", "-p", "a"], .text("what now?")),
      (["what", "-p", "a", "now?"], .text("what now?")),
      (["-p", "a", "--", "--stream", "-p"], .text("--stream -p")),
      (["-p", "a", "-5", "degrees"], .text("-5 degrees")),
      (["-p", "a", "- a list"], .text("- a list")),
      (["-p", "a", "--help me out"], .text("--help me out")),
      (["-p", "a", "--input", "-5"], .text("-5")),
      (["-p", "a", "--input", "--- a/file"], .text("--- a/file")),
      (["-p", "a", "--input=--stream"], .text("--stream")),
      (["-p", "a", "--input", "größer\nals 🙂"], .text("größer\nals 🙂")),
      (["-p", "a"], .unstated),
    ] as [([String], ParsedCommand.Input)])
  func findsTheQuestion(words: [String], expected: ParsedCommand.Input) throws {
    #expect(try parsed(["run"] + words).input == expected)
  }

  @Test(
    arguments: [
      ("k=v", ["k": "v"]), (" Risk Tolerance = very low ", ["risk tolerance": " very low "]),
      ("k=\u{321}v", ["k": "\u{321}v"]), ("k=\r\n", ["k": "\r\n"]),
      ("K=a=b", ["k": "a=b"]), ("k=", ["k": ""]), ("Größe=Ü", ["größe": "Ü"]),
      ("k==", ["k": "="]),
    ] as [(String, ValueObject)])
  func preferencesAreKeysAndValues(item: String, expected: ValueObject) throws {
    let command = try parsed(["run", "-p", "a", "--preferences", item])
    #expect(command.pairs("preferences") == expected)
  }

  @Test func theLaterOfTwoPreferencesWithOneKeyCounts() throws {
    let command = try parsed(["run", "-p", "a", "--preferences", "k=1", "--preferences", "K=2"])
    #expect(command.pairs("preferences") == ["k": "2"])
  }

  @Test(
    arguments: [
      (["--stream", "--no-stream"], false), (["--no-stream", "--stream"], true),
      (["--stream"], true), (["--no-stream"], false),
    ])
  func theLaterOfTwoFlagsCounts(words: [String], expected: Bool) throws {
    #expect(try parsed(["run", "-p", "a"] + words).flag("stream") == expected)
  }

  @Test(arguments: [["--mode", "local"], ["--mode", "direct"], ["--mode=direct"], []])
  func theModeComesBeforeOrAfterTheCommand(words: [String]) throws {
    #expect(try parsed(words + ["run", "-p", "a"]).text("mode") == "local")
    #expect(try parsed(["run", "-p", "a"] + words).text("mode") == "local")
  }

  @Test(
    arguments: [
      (["personas", "list"], ["personas", "list"], []),
      (["personas", "show", "ssa", "--json"], ["personas", "show"], ["ssa"]),
      (["personas", "validate"], ["personas", "validate"], []),
      (["personas", "validate", "a", "b"], ["personas", "validate"], ["a", "b"]),
      (["memory", "search", "risk", "-p", "ssa", "low"], ["memory", "search"], ["risk", "low"]),
      (["memory", "forget", "1", "2"], ["memory", "forget"], ["1", "2"]),
      (["memory", "forget", "--all", "-p", "a"], ["memory", "forget"], []),
      (["completions", "fish"], ["completions"], ["fish"]),
      (["--version"], ["version"], []),
      (["version", "--json"], ["version"], []),
      (["bench", "run", "-p", "a", "--runs", "5"], ["bench", "run"], []),
    ] as [([String], [String], [String])])
  func findsCommandAndArguments(
    words: [String], path: [String], arguments: [String]
  ) throws {
    let command = try parsed(words)
    #expect(command.path == path)
    #expect(command.arguments == arguments)
  }

  @Test func theVersionFlagHasTheCommandsDefaults() throws {
    #expect(try parsed(["--version"]).flag("json") == false)
    #expect(try parsed(["version", "--json"]).flag("json"))
  }
}
