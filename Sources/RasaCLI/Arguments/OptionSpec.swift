/// An option of a command, declared as data.
package struct OptionSpec: Sendable {
  package enum Form: Sendable {
    /// `--name`, and `--no-name` when it can be negated.
    case flag(isNegatable: Bool)
    /// `--name VALUE`.
    case value(placeholder: String, ValueFormat)
    /// `--name` says the same as `--option value`.
    case shorthand(option: String, value: String)
  }

  /// What applies when the option is left out.
  package enum Default: Sendable {
    /// As if this had been written.
    case value(String)
    /// Something that is known only when the command runs; help says this about it.
    case described(String)
  }

  package var name: String
  package var short: Character?
  package var form: Form
  package var help: String
  /// The heading under which help lists the option.
  package var heading: String
  package var defaultsTo: Default?
  package var isRequired: Bool
  /// The options beside which this one need not be given although it is required.
  package var excusedBy: [String]
  /// The command itself says that the option is missing, because it can say what there is.
  package var isAskedByCommand = false
  package var repeats: Bool
  package var isHidden: Bool
  /// Why this version does not take the option.
  package var refusal: String?
  /// The command that shows what could be given.
  package var discovery: String?
  /// What completions offer as the value, beside its choices.
  package var completes: CompletedNames?

  package init(
    _ name: String, short: Character? = nil, _ form: Form, _ help: String,
    heading: String = "Options", defaultsTo: Default? = nil, isRequired: Bool = false,
    excusedBy: [String] = [],
    repeats: Bool = false, isHidden: Bool = false, refusal: String? = nil,
    discovery: String? = nil
  ) {
    self.name = name
    self.short = short
    self.form = form
    self.help = help
    self.heading = heading
    self.defaultsTo = defaultsTo
    self.isRequired = isRequired
    self.excusedBy = excusedBy
    self.repeats = repeats
    self.isHidden = isHidden
    self.refusal = refusal
    self.discovery = discovery
  }
}

extension OptionSpec {
  /// `--name`, as messages and help write it.
  package var spelling: String { "--\(name)" }

  package var isNegatable: Bool {
    if case .flag(isNegatable: true) = form { true } else { false }
  }

  /// Every way to write the option's name.
  package var spellings: [String] {
    (short.map { ["-\($0)"] } ?? []) + [spelling] + (isNegatable ? ["--no-\(name)"] : [])
  }

  package var placeholder: String? {
    if case .value(let placeholder, _) = form { placeholder } else { nil }
  }

  /// The words that help and completions offer as values.
  package var offeredChoices: [String] { offers.map(\.word) }

  package var offers: [Choice] {
    switch form {
    case .value(_, .choice(let choices)), .value(_, .choices(let choices)):
      choices.filter { $0.refusal == nil && $0.meaning == $0.word }
    default: []
    }
  }

  package var defaultValue: String? {
    if case .value(let value)? = defaultsTo { value } else { nil }
  }

  /// The same option under another heading.
  package func under(_ heading: String) -> OptionSpec {
    var copy = self
    copy.heading = heading
    return copy
  }

  /// The same option, which is not required beside one of those others.
  package func excused(by options: String...) -> OptionSpec {
    var copy = self
    copy.excusedBy = options
    return copy
  }

  /// The same option; that it is missing is left for the command to say.
  package func askedByCommand() -> OptionSpec {
    var copy = self
    copy.isAskedByCommand = true
    return copy
  }

  /// The same option, whose value is one of those names.
  package func completing(_ names: CompletedNames) -> OptionSpec {
    var copy = self
    copy.completes = names
    return copy
  }

  /// The same option, where it serves another purpose.
  package func saying(_ help: String) -> OptionSpec {
    var copy = self
    copy.help = help
    return copy
  }
}
