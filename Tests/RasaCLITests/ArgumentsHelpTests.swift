import Glibc
import RasaCLI
import RasaCore
import RasaSystem
import Testing

/// Every command of the program, with the names that lead to it.
let everyCommand: [(path: [String], command: CommandSpec)] = {
  func below(_ command: CommandSpec, _ path: [String]) -> [(path: [String], command: CommandSpec)] {
    [(path, command)] + command.subcommands.flatMap { below($0, path + [$0.name]) }
  }
  return below(CommandLineInterface.root, [])
}()

@Suite struct ArgumentsHelpTests {
  private func page(_ words: [String]) throws -> HelpPage {
    guard case .help(let page) = try CommandLineInterface.parse(words) else {
      throw Failure(.run, "no help for \(words)")
    }
    return page
  }

  @Test(
    arguments: [
      ([], []), (["help"], []), (["--help"], []), (["-h"], []), (["-h", "run"], []),
      (["help", "run"], ["run"]), (["run", "--help"], ["run"]), (["run", "-h"], ["run"]),
      (["run", "-p", "ssa", "what?", "-h"], ["run"]), (["run", "--persona", "--help"], ["run"]),
      (["personas"], ["personas"]), (["personas", "-h"], ["personas"]),
      (["help", "personas", "show"], ["personas", "show"]),
      (["personas", "show", "--help"], ["personas", "show"]), (["help", "-h"], ["help"]),
      (["help", "help"], ["help"]), (["--mode", "local"], []),
    ] as [([String], [String])])
  func helpIsAvailableEverywhere(words: [String], path: [String]) throws {
    #expect(try page(words).path == path)
  }

  @Test(arguments: everyCommand.map(\.path))
  func helpReadsAsInItsSnapshot(path: [String]) throws {
    try expectSnapshot(
      named: (["rasa"] + path).joined(separator: "-"),
      try page(["help"] + path).text(width: 80))
  }

  @Test(arguments: everyCommand.map(\.path), [80, 100, 1_000])
  func noLineIsWiderThanTheTerminal(path: [String], width: Int) throws {
    for line in try page(["help"] + path).text(width: width).split(separator: "\n") {
      #expect(line.count <= min(width, 100))
      #expect(line.last != " ")
    }
  }

  @Test(arguments: [Int.min, -1, 0, 1, 19, 20])
  func narrowTerminalsGetLegibleHelp(width: Int) throws {
    #expect(try page([]).text(width: width) == page([]).text(width: 20))
  }

  @Test(arguments: everyCommand.flatMap { entry in entry.command.examples.map(\.line) })
  func everyExampleIsAValidCommandLine(line: String) throws {
    // Another command may write what it reads.
    let piped = line.firstRange(of: "| rasa").map { "rasa\(line[$0.upperBound...])" }
    let words = shellWords(piped ?? line)
    #expect(words.first == "rasa")
    _ = try CommandLineInterface.parse(Array(words.dropFirst()))
  }

  @Test(arguments: everyCommand.map(\.path))
  func declarationsAreSound(path: [String]) throws {
    let command = try #require(everyCommand.first { $0.path == path }?.command)
    #expect(!command.examples.isEmpty)
    #expect(command.summary.last != ".")
    #expect(command.subcommands.isEmpty || command.arguments.isEmpty)
    let spellings = (command.options + CommandLineInterface.root.options).flatMap(\.spellings)
    let own = path.isEmpty ? command.options.flatMap(\.spellings) : spellings
    #expect(Set(own).count == own.count)
    for option in command.options {
      #expect(option.help.last != ".")
      if let value = option.defaultValue, option.placeholder != nil {
        // A default must be something that could have been written.
        let line = path + ["\(option.spelling)=\(value)", "--help"]
        #expect(throws: Never.self) { try CommandLineInterface.parse(line) }
      }
    }
    // Only the last argument may be left out or repeat.
    for argument in command.arguments.dropLast() {
      #expect(!argument.isOptional && !argument.repeats)
    }
  }
}

/// The words of a command line as a shell passes them on; what is redirected or piped is left out.
private func shellWords(_ line: String) -> [String] {
  var words: [String] = []
  var word = ""
  var isQuoted = false
  for character in line + " " {
    switch character {
    case "\"": isQuoted.toggle()
    case " " where !isQuoted:
      if ["<", ">", "|"].contains(word) { return words }
      if !word.isEmpty { words.append(word) }
      word = ""
    default: word.append(character)
    }
  }
  return words
}

/// Compares with the file of that name. `RASA_UPDATE_SNAPSHOTS=1` writes the file instead.
func expectSnapshot(
  named name: String, _ text: String, sourceLocation: Testing.SourceLocation = #_sourceLocation
) throws {
  let file = "\(FileSystem.parent(of: #filePath))/Snapshots/\(name).txt"
  if unsafe getenv("RASA_UPDATE_SNAPSHOTS") != nil {
    try FileSystem.write(text, to: file, mode: 0o644)
  } else {
    let expected = String(decoding: try FileSystem.read(file, limit: 100_000), as: UTF8.self)
    #expect(text == expected, sourceLocation: sourceLocation)
  }
}
