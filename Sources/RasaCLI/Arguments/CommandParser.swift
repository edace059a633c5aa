import RasaCore

/// Reads a command line word by word against the declared commands.
struct CommandParser {
  private let words: [String]
  private var position = 0
  /// The commands from the program down to the one that was named last.
  private(set) var chain: [CommandSpec]
  private var optionsEnded = false
  private(set) var arguments: [String] = []
  private(set) var flags: [String: Bool] = [:]
  private(set) var values: [String: [String]] = [:]

  init(root: CommandSpec, words: [String]) {
    self.words = words
    chain = [root]
  }

  var command: CommandSpec { chain[chain.count - 1] }
  var path: [String] { chain.dropFirst().map(\.name) }

  /// The options of the command and of those around it: these may stand before or after its name.
  var options: [OptionSpec] { chain.reversed().flatMap(\.options) + [.help] }

  mutating func request() throws(Failure) -> CommandRequest {
    while let word = nextWord() {
      if !optionsEnded, word == "--" {
        optionsEnded = true
      } else if !optionsEnded, looksLikeOption(word) {
        if let request = try readOption(word) { return request }
      } else {
        try readArgument(word)
      }
    }
    if !enterUsual(), !command.subcommands.isEmpty { return .help(HelpPage(chain)) }
    if path == [CommandSpec.help.name] { return .help(try helpPage(about: arguments)) }
    try checkArguments()
    try checkOptions()
    for rule in command.rules { try check(rule) }
    return .run(parsed())
  }

  private mutating func nextWord() -> String? {
    guard position < words.count else { return nil }
    defer { position += 1 }
    return words[position]
  }

  private func parsed() -> ParsedCommand {
    var parsed = ParsedCommand(path: path, options: options)
    parsed.arguments = arguments
    parsed.flags = flags
    parsed.values = values
    return parsed
  }

  // MARK: Arguments

  /// Enters the default subcommand; false if the command has none.
  private mutating func enterUsual() -> Bool {
    guard let usual = command.usual.flatMap({ command.subcommand($0) }) else { return false }
    chain.append(usual)
    return true
  }

  private mutating func readArgument(_ word: String) throws(Failure) {
    if command.subcommand(word) == nil, enterUsual() { return arguments.append(word) }
    guard !command.subcommands.isEmpty else { return arguments.append(word) }
    chain.append(try subcommand(word, of: chain, rest: Array(words[position...])))
  }

  private func subcommand(
    _ word: String, of chain: [CommandSpec], rest: [String] = []
  ) throws(Failure) -> CommandSpec {
    let parent = chain[chain.count - 1]
    if let found = parent.subcommand(word) { return found }
    let names = parent.subcommands.map(\.name)
    let line = chain.map(\.name).joined(separator: " ")
    var advice = names.isEmpty ? "" : "its commands are \(listed(names, "and"))"
    if !names.isEmpty, let direction = direction(from: word, of: chain, rest: rest) {
      advice = direction
    }
    throw usage("`\(line)` has no command \(quoted(word))", advice, about: chain)
  }

  private func helpPage(about names: [String]) throws(Failure) -> HelpPage {
    var target = [chain[0]]
    for name in names { target.append(try subcommand(name, of: target)) }
    return HelpPage(target)
  }

  // MARK: Options

  /// `-` is a value, `-5` is a number, and a hyphen before a whole sentence is a dash.
  private func looksLikeOption(_ word: String) -> Bool {
    let scalars = word.unicodeScalars
    guard scalars.first == "-", let second = scalars.dropFirst().first else { return false }
    let name = scalars.prefix { $0 != "=" }
    return !("0"..."9").contains(second) && second != "."
      && !name.contains(where: \.properties.isWhitespace)
  }

  private mutating func readOption(_ word: String) throws(Failure) -> CommandRequest? {
    let parts = word.split(atByte: "=", maxSplits: 1)
    let name = String(parts[0])
    let attached = parts.count > 1 ? String(parts[1]) : nil
    guard let option = options.first(where: { $0.spellings.contains(name) }) else {
      if enterUsual() { return try readOption(word) }
      if attached == nil, try readShortFlags(name) { return nil }
      throw unknownOption(name)
    }
    if option.placeholder == nil, attached != nil {
      let negation = option.isNegatable ? "write `--\(option.name)` or `--no-\(option.name)`" : ""
      throw usage("`\(name)` takes no value", negation)
    }
    if let refusal = option.refusal { throw usage("`\(name)`: \(refusal)") }
    switch option.form {
    case .flag:
      if option.name == OptionSpec.help.name { return .help(HelpPage(chain)) }
      if option.name == OptionSpec.version.name {
        let version = CommandSpec.version
        return .run(ParsedCommand(path: [version.name], options: version.options))
      }
      flags[option.name] = !name.hasBytePrefix("--no-") || name == option.spelling
    case .shorthand(let target, let value):
      try keep(value, as: target, repeats: false)
    case .value(let placeholder, let format):
      if attached == nil, isHelp(next: position) { return .help(HelpPage(chain)) }
      var text = attached ?? ""
      if attached == nil { text = try separateValue(of: name, placeholder) }
      let value = try checked(text, format, of: name)
      try keep(value, as: option.name, repeats: option.repeats)
    }
    return nil
  }

  /// `-qv` is `-q -v`, as long as each letter is an option without a value.
  private mutating func readShortFlags(_ word: String) throws(Failure) -> Bool {
    let letters = word.unicodeScalars.dropFirst()
    guard letters.count > 1, word.unicodeScalars.first == "-", letters.first != "-" else {
      return false
    }
    let names = letters.map { "-\($0)" }
    let known = names.compactMap { name in options.first { $0.spellings.contains(name) } }
    guard known.count == names.count,
      known.allSatisfy({ $0.placeholder == nil && $0.name != OptionSpec.help.name })
    else { return false }
    for name in names { _ = try readOption(name) }
    return true
  }

  private func isHelp(next index: Int) -> Bool {
    index < words.count && OptionSpec.help.spellings.contains(words[index])
  }

  /// The next word is the value, unless it is plainly another option: then the value was forgotten.
  private mutating func separateValue(
    of name: String, _ placeholder: String
  ) throws(Failure) -> String {
    guard position < words.count else {
      let option = options.first { $0.spellings.contains(name) }
      throw usage(
        "`\(name)` needs a value: \(placeholder)",
        option?.discovery.map { "`\($0)` lists the choices" } ?? "")
    }
    let word = words[position]
    let start = String(word.split(atByte: "=", maxSplits: 1)[0])
    if word == "--" || options.contains(where: { $0.spellings.contains(start) }) {
      throw usage(
        "`\(name)` needs a value: \(placeholder), but \(quoted(word)) follows",
        "if that is the value, write \(quoted("\(name)=\(word)"))")
    }
    position += 1
    return word
  }

  private func checked(
    _ text: String, _ format: ValueFormat, of name: String
  ) throws(Failure) -> String {
    do throws(ValueProblem) {
      return try format.checked(text, of: name)
    } catch {
      throw usage(error.message, error.advice)
    }
  }

  private mutating func keep(
    _ value: String, as name: String, repeats: Bool
  ) throws(Failure) {
    if !repeats, let earlier = values[name]?.last {
      guard earlier != value else { return }
      throw usage(
        "`--\(name)` is given twice, as \(quoted(earlier)) and as \(quoted(value))",
        "keep one of the two")
    }
    values[name, default: []].append(value)
  }
}
