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
    /// What stands as the arguments, in order; nil for what only the user knows.
    var arguments: [CompletedNames?] = []
    /// Whether the last of them can be given again.
    var repeats = false
  }

  let places: [Place]
  /// The program, for shells that have no command of the name that was typed.
  let program: String

  package init(_ root: CommandSpec, program: String = "rasa") {
    self.program = program
    places = Self.places(below: root, path: root.name, inherited: [.help], root: root)
  }

  private static func places(
    below command: CommandSpec, path: String, inherited: [OptionSpec], root: CommandSpec
  ) -> [Place] {
    let options = (command.options + inherited).filter { !$0.isHidden }
    let isHelp = path == "\(root.name)/\(CommandSpec.help.name)"
    let words = command.arguments.flatMap(\.choices) + (isHelp ? root.subcommands.map(\.name) : [])
    let place = Place(
      path: path, commands: command.subcommands, options: options, words: words,
      arguments: command.arguments.map(\.completes),
      repeats: command.arguments.last?.repeats == true)
    // `help agents` goes on as `agents` does.
    let topics =
      isHelp
      ? root.subcommands.filter { !$0.subcommands.isEmpty }.map { topic in
        Place(
          path: "\(path)/\(topic.name)", commands: topic.subcommands, options: [], words: [])
      } : []
    return [place] + topics
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

  /// Every option that takes a value, at its place, as alternatives of a `case`.
  var valuePattern: String {
    places.flatMap { place in
      place.valueOptions.flatMap { option in
        option.spellings.map { "\"\(place.path) \($0)\"" }
      }
    }.joined(separator: "|")
  }

  /// The text as one word, for zsh, bash and (which allows it too) fish.
  func singleQuoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
      + "'"
  }
}

extension CompletionScript.Place {
  /// Everything that may come next, with what it means.
  var items: [(word: String, help: String)] {
    commands.map { ($0.name, $0.summary) } + words.map { ($0, "") }
      + options.flatMap { option in option.spellings.map { ($0, option.help) } }
  }

  /// Options that take a value.
  var valueOptions: [OptionSpec] { options.filter { $0.placeholder != nil } }

  /// The arguments that something can be offered for: after how many others each stands, as a pattern.
  var offeredArguments: [(count: String, names: CompletedNames)] {
    arguments.indices.compactMap { index in
      guard let names = arguments[index] else { return nil }
      return (repeats && index == arguments.count - 1 ? "*" : "\(index)", names)
    }
  }
}
