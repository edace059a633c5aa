/// What a shell needs to know to complete command lines, taken from the declared commands.
package struct CompletionScript: Sendable {
  package enum Shell: String, Sendable, CaseIterable {
    case bash, zsh, fish
    static let allNames = allCases.map(\.rawValue)
  }

  /// What can follow one command.
  struct Place: Sendable {
    /// The names from the program down, joined by slashes, as in `rasa/personas/show`.
    var path: String
    var commands: [CommandSpec]
    var options: [OptionSpec]
    /// Words that stand as the argument.
    var words: [String]
  }

  let places: [Place]

  package init(_ root: CommandSpec) {
    places = Self.places(below: root, path: root.name, inherited: [.help], root: root)
  }

  private static func places(
    below command: CommandSpec, path: String, inherited: [OptionSpec], root: CommandSpec
  ) -> [Place] {
    let options = (command.options + inherited).filter { !$0.isHidden }
    var words = command.arguments.flatMap(\.choices)
    if path == "\(root.name)/\(CommandSpec.help.name)" { words += root.subcommands.map(\.name) }
    let place = Place(path: path, commands: command.subcommands, options: options, words: words)
    return [place]
      + command.subcommands.flatMap {
        places(below: $0, path: "\(path)/\($0.name)", inherited: options, root: root)
      }
  }

  package func text(for shell: Shell) -> String {
    let lines =
      switch shell {
      case .bash: bash
      case .zsh: zsh
      case .fish: fish
      }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The paths below the program's own, as alternatives of a `case` in bash and zsh.
  var pathPattern: String { places.dropFirst().map(\.path).joined(separator: "|") }
}

extension CompletionScript.Place {
  /// Everything that may come next, with what it means.
  var items: [(word: String, help: String)] {
    commands.map { ($0.name, $0.summary) } + words.map { ($0, "") }
      + options.flatMap { option in option.spellings.map { ($0, option.help) } }
  }

  /// Options that take a value, and the values that can be offered.
  var valueOptions: [(option: OptionSpec, choices: [String])] {
    options.filter { $0.placeholder != nil }.map { ($0, $0.offeredChoices) }
  }
}
