package import RasaCore
import RasaKit

/// What the command line asks for.
package enum CommandRequest: Sendable {
  case help(HelpPage)
  case run(ParsedCommand)
}

/// A command line that has been read and found to fit its declaration.
///
/// Options are asked for by their names without hyphens. What was not given reads as its default.
package struct ParsedCommand: Sendable {
  /// The names from the program's command to the one to run, as in `["personas", "show"]`.
  package let path: [String]
  package internal(set) var arguments: [String] = []
  var flags: [String: Bool] = [:]
  var values: [String: [String]] = [:]
  private let options: [OptionSpec]

  init(path: [String], options: [OptionSpec]) {
    self.path = path
    self.options = options
  }
}

extension ParsedCommand {
  /// Whether the option stands on the command line.
  package func isGiven(_ name: String) -> Bool {
    _ = declaration(name)
    return flags[name] != nil || values[name] != nil
  }

  package func flag(_ name: String) -> Bool {
    flags[name] ?? (declaration(name)?.defaultValue == "true")
  }

  package func text(_ name: String) -> String? {
    values[name]?.last ?? declaration(name)?.defaultValue
  }

  package func texts(_ name: String) -> [String] {
    values[name] ?? declaration(name)?.defaultValue.map { [$0] } ?? []
  }

  /// The chosen word, as the case of that name.
  package func choice<Word: RawRepresentable<String>>(_ name: String, of type: Word.Type) -> Word? {
    text(name).flatMap(type.init(rawValue:))
  }

  package func money(_ name: String) -> Money? {
    text(name).flatMap { Money(decimal: $0) }
  }

  package func day(_ name: String, from today: LocalDay) -> LocalDay? {
    text(name).flatMap(NamedDay.init)?.day(from: today)
  }

  package func integer(_ name: String) -> Int? {
    text(name).flatMap { Int($0) }
  }

  /// The `key=value` items; of two with the same key the later counts.
  package func pairs(_ name: String) -> ValueObject {
    ValueObject(
      texts(name).compactMap { keyAndValue($0).map { ($0.key, Value.string($0.value)) } })
  }

  /// The `key=value` items with keys as they stand, and values read as JSON where they are JSON.
  package func assignments(_ name: String) -> ValueObject {
    ValueObject(
      texts(name).compactMap { text in
        keyPathAndValue(text).map { item in
          (
            item.path.description,
            (try? Rasa.JSON(parsing: item.value)).map { Value($0) } ?? .string(item.value)
          )
        }
      })
  }

  package func milliseconds(_ name: String) -> Int64? {
    text(name).flatMap { RasaCLI.milliseconds(ofAge: $0) }
  }

  private func declaration(_ name: String) -> OptionSpec? {
    let option = options.first { $0.name == name }
    assert(option != nil, "no option --\(name) is declared for \(path)")
    return option
  }
}

extension ParsedCommand {
  /// Where the text comes from that a persona is to answer.
  package enum Input: Sendable, Hashable {
    case text(String)
    /// `-` was written.
    case standardInput
    /// A question, and `--input -` beside it: the text that the question is about.
    case textAndStandardInput(String)
    /// Nothing was written: a pipe is read, a terminal is not.
    case unstated
  }

  /// The value of `--input`, or the arguments as one text.
  package var input: Input {
    let given = declares("input") ? text("input") : nil
    let words = arguments.joined(separator: " ")
    if given == "-", !words.isEmpty, words != "-" { return .textAndStandardInput(words) }
    let text = given ?? words
    return text.isEmpty ? .unstated : text == "-" ? .standardInput : .text(text)
  }
}

extension ParsedCommand {
  /// Whether the command has an option of that name at all.
  package func declares(_ name: String) -> Bool { options.contains { $0.name == name } }

  /// The ids that `--agents` leaves of all agents; nil where it is not given.
  package var agents: [String]? {
    guard declares("agents"), case let given = texts("agents"), !given.isEmpty else { return nil }
    return given.flatMap { $0.split(atByte: ",", omittingEmpty: true) }
      .map { String($0.trimmedByScalars) }
  }
}
