import RasaCore

extension CommandParser {
  /// A usage failure that names the help page to look at.
  func usage(
    _ message: String, _ advice: String = "", about chain: [CommandSpec]? = nil
  ) -> Failure {
    let names = (chain ?? self.chain).dropFirst().map(\.name)
    let pointer = "`\((["rasa", "help"] + names).joined(separator: " "))` explains the usage"
    let separator = advice.isEmpty ? "" : advice.hasSuffix("?") ? " " : "; "
    return Failure(.usage, message, suggestion: advice + separator + pointer)
  }

  func unknownOption(_ name: String) -> Failure {
    let known = options.filter { !$0.isHidden }.flatMap(\.spellings)
    let line = chain.map(\.name).joined(separator: " ")
    let message = "`\(line)` has no option \(quoted(name))"
    if !name.hasBytePrefix("--") {
      let word = name.dropFirst()
      if known.contains("-" + name) { return usage(message, "write `-\(name)`") }
      if let option = options.first(where: { $0.short != nil && $0.short == word.first }) {
        let apart = word.map { "-\($0)" }
        let parts = option.placeholder == nil ? apart : [apart[0], String(word.dropFirst())]
        return usage(message, "write \(quoted(parts.joined(separator: " ")))")
      }
    }
    if let child = command.subcommands.first(where: { child in
      child.options.contains { $0.spellings.contains(name) }
    }) {
      let example = "\(line) \(child.name) \(name)"
      return usage(message, "options come after their command, as in `\(example)`")
    }
    if let advice = otherOption(name) { return usage(message, advice) }
    let words = known.filter { $0.hasPrefix("--") }
    let continued = words.filter { $0.hasPrefix(name) }
    // Hyphens are the same in all of them, and would make short names look alike.
    let guess =
      continued.count == 1
      ? continued[0]
      : nearestName(
        to: String(name.drop { $0 == "-" }), among: words.map { String($0.dropFirst(2)) }
      ).map { "--\($0)" }
    return usage(message, guess.map { "did you mean `\($0)`?" } ?? "")
  }

  func checkArguments() throws(Failure) {
    let line = chain.map(\.name).joined(separator: " ")
    if let empty = arguments.firstIndex(where: {
      $0.unicodeScalars.allSatisfy(\.properties.isWhitespace)
    }) {
      throw usage("argument \(empty + 1) of `\(line)` is empty")
    }
    let declared = command.arguments
    let required = declared.count { !$0.isOptional }
    if arguments.count < required {
      let missing = declared[arguments.count]
      let example = command.examples.first.map { "as in `\($0.line)`" } ?? ""
      throw usage("`\(line)` needs \(missing.name)", example)
    }
    if arguments.count > declared.count, declared.last?.repeats != true {
      throw usage(
        "unexpected argument \(quoted(arguments[declared.count])) for `\(line)`",
        adviceOnSurplus ?? (declared.isEmpty ? "" : "quote an argument that contains spaces"))
    }
    for (argument, word) in zip(declared, arguments) where !argument.choices.isEmpty {
      if argument.choices.contains(word) { continue }
      let guess = nearestName(to: word, among: argument.choices)
      throw usage(
        "\(argument.name) cannot be \(quoted(word))",
        (guess.map { "did you mean `\($0)`? " } ?? "")
          + "it must be \(listed(argument.choices, "or"))")
    }
  }

  func checkOptions() throws(Failure) {
    let line = chain.map(\.name).joined(separator: " ")
    for option in options
    where option.isRequired && !option.isAskedByCommand && values[option.name] == nil {
      if option.excusedBy.contains(where: { isGiven(.option($0)) }) { continue }
      let label = "\(option.spelling) \(option.placeholder ?? "")"
      throw usage(
        "`\(line)` needs `\(label)`",
        option.discovery.map { "`\($0)` lists the choices" } ?? "")
    }
  }

  func check(_ rule: CommandRule) throws(Failure) {
    switch rule {
    case .atMostOne(let parts):
      let given = parts.filter(isGiven)
      if given.count > 1 {
        throw usage("\(listed(given.map(label), "and")) cannot be combined", "keep one")
      }
    case .atLeastOne(let parts):
      if !parts.contains(where: isGiven) {
        let line = chain.map(\.name).joined(separator: " ")
        throw usage("`\(line)` needs \(listed(parts.map(label), "or"))")
      }
    case .exactlyOne(let parts):
      try check(.atLeastOne(parts))
      try check(.atMostOne(parts))
    case .inputOnce:
      if !arguments.isEmpty, let given = values["input"]?.last, given != "-" {
        try check(.atMostOne([.option("input"), .arguments]))
      }
    case .only(let option, let other):
      if isGiven(.option(option)), !isGiven(.option(other)) {
        throw usage("`--\(option)` requires `--\(other)`")
      }
    case .excludes(let option, let others, let reason):
      let given = others.filter { isGiven(.option($0)) }
      if isGiven(.option(option)), let first = given.first {
        throw usage("`--\(option)` and `--\(first)` cannot be combined", reason)
      }
    }
  }

  private func isGiven(_ part: CommandPart) -> Bool {
    switch part {
    case .arguments: !arguments.isEmpty
    case .option(let name): values[name] != nil || flags[name] == true
    }
  }

  private func label(_ part: CommandPart) -> String {
    switch part {
    case .arguments: command.arguments.first?.name ?? "arguments"
    case .option(let name): "`--\(name)`"
    }
  }
}
