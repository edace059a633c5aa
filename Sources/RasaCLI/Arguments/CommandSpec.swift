/// A command of the program, declared as data. Reading arguments, help and shell completions all
/// come from it, so they cannot disagree.
package struct CommandSpec: Sendable {
  package var name: String
  /// What the command does, as one line without a full stop.
  package var summary: String
  /// The heading under which the parent's help lists the command.
  package var heading: String
  package var examples: [Example]
  package var arguments: [ArgumentSpec]
  package var options: [OptionSpec]
  package var rules: [CommandRule]
  /// What help says after the options.
  package var notes: [HelpNote]
  package var subcommands: [CommandSpec]
  /// The default: the subcommand that runs when none is given.
  package var usual: String?

  package init(
    _ name: String, _ summary: String, heading: String = "Commands", examples: [Example] = [],
    arguments: [ArgumentSpec] = [], options: [OptionSpec] = [], rules: [CommandRule] = [],
    notes: [HelpNote] = [], subcommands: [CommandSpec] = [], usual: String? = nil
  ) {
    self.name = name
    self.summary = summary
    self.heading = heading
    self.examples = examples
    self.arguments = arguments
    self.options = options
    self.rules = rules
    self.notes = notes
    self.subcommands = subcommands
    self.usual = usual
  }

  package func subcommand(_ name: String) -> CommandSpec? {
    subcommands.first { $0.name == name }
  }
}

/// A command line that works as it stands, and what it is for.
package struct Example: Sendable {
  package var purpose: String
  package var line: String

  package init(_ purpose: String, _ line: String) {
    self.purpose = purpose
    self.line = line
  }
}

/// What stands on the command line without a name of its own.
package struct ArgumentSpec: Sendable {
  /// As usage lines show it, in capitals.
  package var name: String
  package var help: String
  package var isOptional: Bool
  package var repeats: Bool
  /// The words that may stand here; empty when any may.
  package var choices: [String]
  /// What completions offer here.
  package var completes: CompletedNames?

  package init(
    _ name: String, _ help: String, isOptional: Bool = false, repeats: Bool = false,
    choices: [String] = [], completes: CompletedNames? = nil
  ) {
    self.completes = completes
    self.name = name
    self.help = help
    self.isOptional = isOptional
    self.repeats = repeats
    self.choices = choices
  }
}

/// What must hold between the parts of one command line.
package enum CommandRule: Sendable {
  /// Not two of these.
  case atMostOne([CommandPart])
  /// One of these, or more.
  case atLeastOne([CommandPart])
  /// One of these, and not two.
  case exactlyOne([CommandPart])
  /// The option requires the other.
  case only(option: String, with: String)
  /// None of the others stands beside the option, and why.
  case excludes(option: String, [String], reason: String)
  /// Beside arguments, `--input` can only be `-`.
  case inputOnce
}

/// A part of a command line that a rule speaks about.
package enum CommandPart: Sendable, Hashable {
  case option(String)
  case arguments
}

/// A titled part of a help page: lines of text, then rows of a word and what it means.
package struct HelpNote: Sendable {
  package var title: String
  package var text: String
  package var rows: [(label: String, text: String)]

  package init(_ title: String, _ text: String = "", rows: [(label: String, text: String)] = []) {
    self.title = title
    self.text = text
    self.rows = rows
  }
}
