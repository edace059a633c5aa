import RasaCore

/// Words that people type because another program has them, or because they think of the thing before
/// its command. Each leads to a command to type; nothing is ever run by guess.
extension CommandParser {
  /// What to type instead of a command that is not there; nil when nothing is known.
  ///
  /// - Parameters:
  ///   - parent: the names of the commands down to the one that has no such subcommand.
  ///   - rest: the words behind it.
  func direction(
    from word: String, of chain: [CommandSpec], rest: [String]
  ) -> String? {
    let parent = chain[chain.count - 1]
    let isRoot = chain.count == 1
    if isRoot, Self.isSentence(word) { return question([word] + rest) }
    let known = parent.subcommands.map(\.name)
    let line = chain.map(\.name).joined(separator: " ")
    if let known = Self.otherCommands[parent.name]?[word] { return filled(known, rest) }
    if let same = Self.synonym(of: word, among: known) { return "write `\(line) \(same)`" }
    if let others = Self.otherCommands[parent.name],
      let same = Self.synonym(of: word, among: others.keys.sorted())
    {
      return others[same].map { filled($0, rest) }
    }
    if isRoot {
      let places = parent.subcommands.filter { child in
        child.subcommand(word) != nil
          || Self.synonym(of: word, among: child.subcommands.map(\.name)) != nil
      }
      if !places.isEmpty {
        let lines = places.map { child in
          let name =
            child.subcommand(word)?.name
            ?? Self.synonym(of: word, among: child.subcommands.map(\.name)) ?? word
          return "`rasa \(child.name) \(name)`"
        }
        return "did you mean \(listed(lines, "or"))?"
      }
    }
    if let guess = nearestName(to: word, among: known) { return "did you mean `\(line) \(guess)`?" }
    if isRoot {
      if Self.isIdentifier(word) {
        let asked = rest.isEmpty ? "\"…\"" : Self.shellWords(rest)
        return "to ask the persona or agent with that name, write "
          + "`rasa run -p \(word) \(asked)`"
      }
      return rest.contains { !$0.hasPrefix("-") } ? question([word] + rest) : nil
    }
    let all = "its commands are \(listed(known, "and"))"
    guard let one = parent.subcommands.first(where: { ["show", "info"].contains($0.name) }),
      one.arguments.count == 1, one.examples.first != nil
    else { return all }
    return "\(all); `\(line) \(one.name) \(Self.shellWord(word))` shows the one with that name"
  }

  /// The words as a question, for whoever left the command out.
  private func question(_ words: [String]) -> String {
    let named: Set<String> = ["-p", "--persona", "--agent", "--auto"]
    let isNamed = words.contains { word in
      named.contains(String(word.split(atByte: "=", maxSplits: 1).first ?? ""))
    }
    // What was typed as several words is one question.
    let first = words.prefix { !$0.hasPrefix("-") }.joined(separator: " ")
    let text = Self.shellWords([first] + words.drop { !$0.hasPrefix("-") })
    guard !isNamed else { return "to ask that, write `rasa run \(text)`" }
    return "to ask that, write `rasa run --auto \(text)`, which picks the best-matching "
      + "agent, or choose one with `-p NAME`"
  }

  private func filled(_ advice: String, _ rest: [String]) -> String {
    guard let place = advice.firstRange(ofBytes: "%") else { return advice }
    return advice[..<place.lowerBound] + (rest.isEmpty ? "\"…\"" : Self.shellWords(rest))
      + advice[place.upperBound...]
  }

  /// What to do instead of giving a command an argument that it does not take.
  var adviceOnSurplus: String? {
    let word = arguments[command.arguments.count]
    let all = arguments.dropFirst(command.arguments.count).joined(separator: " ")
    switch path {
    case ["chat"]:
      return "`rasa run -p NAME \(Self.shellWord(all))` asks once; in a chat you type the question"
    case ["init"]: return "write `rasa init --name \(Self.shellWord(word))`"
    case ["costs"]: return "write `rasa costs --persona \(Self.shellWord(word))`"
    default: return nil
    }
  }

  /// What to write instead of an option that other programs have.
  func otherOption(_ name: String) -> String? {
    guard ["run", "chat", "runs fork", "resume"].contains(path.joined(separator: " ")) else {
      return nil
    }
    guard let advice = Self.otherOptions[name] else { return nil }
    // An option that this command does not have either is of no use.
    if let option = advice.firstMatchedOption, !options.contains(where: { $0.spelling == option }) {
      return nil
    }
    return advice
  }
}

extension String {
  /// The first `--option` in backticks.
  fileprivate var firstMatchedOption: String? {
    guard let start = firstRange(ofBytes: "`--")?.lowerBound else { return nil }
    let word = self[index(after: start)...].prefix { $0 != "`" && $0 != " " && $0 != "=" }
    return String(word)
  }
}

// MARK: Words

extension CommandParser {
  /// A whole question, or a part of one that a shell has left in one piece.
  private static func isSentence(_ word: String) -> Bool {
    word.unicodeScalars.contains(where: \.properties.isWhitespace)
      || (word.count > 1 && (word.hasSuffix("?") || word.hasSuffix("!")))
  }

  /// Whether it is written as personas and agents are.
  private static func isIdentifier(_ word: String) -> Bool {
    let bytes = Array(word.utf8)
    let isWord = bytes.allSatisfy { byte in
      (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F || byte == 0x2D
    }
    return isWord && bytes.contains { $0 == 0x5F || $0 == 0x2D } && bytes.first != 0x2D
  }

  static func shellWords(_ words: some Sequence<String>) -> String {
    words.filter { !$0.isEmpty }.map(shellWord).joined(separator: " ")
  }

  /// The word as a shell reads it back; one that would fill the screen is cut.
  static func shellWord(_ word: String) -> String {
    let shown = String(quoted(word, atMost: 160).dropFirst().dropLast())
    let isPlain = shown.utf8.allSatisfy { byte in
      (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
        || "_-./:=,@%+".utf8.contains(byte)
    }
    if isPlain, !shown.isEmpty { return shown }
    if !shown.contains(where: { "\"$`\\!".contains($0) }) { return "\"\(shown)\"" }
    return "'\(shown.replacing(bytes: "'", with: #"'\''"#))'"
  }

  private static func synonym(of word: String, among known: [String]) -> String? {
    for (name, others) in synonyms where known.contains(name) && others.contains(word) {
      return name
    }
    return nil
  }

  /// In the order in which they are tried: of `show` and `info` a command has one.
  private static let synonyms: [(name: String, others: Set<String>)] = [
    ("list", ["ls", "all", "index"]),
    ("show", ["get", "view", "cat", "describe", "display", "inspect", "read", "details", "info"]),
    ("info", ["get", "view", "cat", "describe", "display", "inspect", "read", "details", "show"]),
    ("delete", ["rm", "remove", "del", "drop", "erase", "destroy"]),
    ("forget", ["rm", "remove", "del", "delete", "drop", "erase", "clear"]),
    ("remove", ["rm", "del", "delete", "drop", "revoke"]),
    ("create", ["new", "add", "init", "make", "generate", "scaffold"]),
    ("add", ["new", "create", "save", "store", "remember"]),
    ("validate", ["check", "lint", "verify", "test"]),
    ("search", ["find", "grep", "query"]),
    ("recommend", ["suggest", "match", "pick"]),
    ("budget", ["budgets", "limit", "limits"]),
    ("enhance", ["improve", "complete"]),
    ("cancel", ["stop", "kill", "abort"]),
    ("events", ["log", "logs", "journal", "tail", "follow"]),
    ("compare", ["diff"]),
    ("fork", ["branch", "rerun", "retry"]),
    ("prune", ["clean", "cleanup", "gc"]),
    ("export", ["dump", "save"]),
    ("approve", ["accept", "yes", "ok", "allow"]),
    ("reject", ["deny", "no", "refuse"]),
    ("feedback", ["correct", "comment"]),
    ("graph", ["draw", "diagram"]),
    ("health", ["ping", "check", "test"]),
  ]

  /// By the command that has no such subcommand. `%` is what follows the word.
  private static let otherCommands: [String: [String: String]] = [
    "rasa": [
      "ask": "write `rasa run --auto %`, or choose who answers with `-p NAME`",
      "query": "write `rasa run --auto %`, or choose who answers with `-p NAME`",
      "prompt": "write `rasa run --auto %`, or choose who answers with `-p NAME`",
      "exec": "write `rasa run -p NAME %`", "execute": "write `rasa run -p NAME %`",
      "start": "write `rasa run -p NAME %`", "talk": "write `rasa chat -p NAME`",
      "repl": "write `rasa chat -p NAME`", "shell": "write `rasa chat -p NAME`",
      "interactive": "write `rasa chat -p NAME`",
      "list": "did you mean `rasa personas list`, `rasa agents list`, `rasa models list` or "
        + "`rasa runs list`?",
      "ls": "did you mean `rasa personas list`, `rasa agents list`, `rasa models list` or "
        + "`rasa runs list`?",
      "new": "`rasa init --name NAME` writes a persona, `rasa agents create ID` an agent",
      "create": "`rasa init --name NAME` writes a persona, `rasa agents create ID` an agent",
      "add": "`rasa init --name NAME` writes a persona, `rasa agents create ID` an agent, "
        + "`rasa memory add` a memory",
      "validate": "did you mean `rasa personas validate`, `rasa operators validate` or "
        + "`rasa agents validate`?",
      "check":
        "`rasa doctor` checks this setup; `rasa personas validate` and `rasa agents validate` "
        + "check files",
      "history": "write `rasa runs list`", "log": "write `rasa runs list`",
      "logs": "write `rasa runs events RUN`", "ps": "write `rasa runs list --status running`",
      "status": "`rasa doctor` checks this setup; `rasa runs list` shows the state of runs",
      "continue": "write `rasa resume`", "usage": "write `rasa costs`",
      "spending": "write `rasa costs`", "budget": "write `rasa agents budget`",
      "config": "`rasa llm info` shows the configured providers; `rasa doctor` checks this setup",
      "configure":
        "`rasa llm info` shows the configured providers; `rasa doctor` checks this setup",
      "settings": "`rasa llm info` shows the configured providers; `rasa doctor` checks this setup",
      "setup": "`rasa doctor` checks this setup and says what to fix",
      "login": "set a key such as `OPENAI_API_KEY`; `rasa llm info` shows which were found",
      "auth": "set a key such as `OPENAI_API_KEY`; `rasa llm info` shows which were found",
      "providers": "write `rasa llm info`",
      "pull": "pull models with their own server, as "
        + "with `ollama pull`; `rasa models check` then finds them",
      "man": "write `rasa help`", "update": "`make install` builds and installs a newer version",
      "upgrade": "`make install` builds and installs a newer version",
    ],
    "personas": [
      "run": "write `rasa run -p %`", "ask": "write `rasa run -p %`",
      "chat": "write `rasa chat -p NAME`",
      "new": "write `rasa init --name NAME`", "create": "write `rasa init --name NAME`",
      "add": "write `rasa init --name NAME`", "init": "write `rasa init --name NAME`",
      "delete": "delete its file; `rasa personas list` shows where it is",
      "edit": "edit its file; `rasa personas list` shows where it is",
      "recommend": "write `rasa agents recommend %`",
      "budget": "write `rasa agents budget NAME`; it takes personas, too",
    ],
    "agents": [
      "run": "write `rasa run --agent %`", "ask": "write `rasa run --agent %`",
      "chat": "write `rasa chat --agent ID`",
      "delete": "delete its file; `rasa agents info ID` shows where it is",
      "edit": "edit its file; `rasa agents info ID` shows where it is",
    ],
    "operators": [
      "run": "operators run inside a persona: write `rasa run -p NAME \"…\"`",
      "new": "`rasa init --name NAME` writes a persona with an operator of its own",
      "create": "`rasa init --name NAME` writes a persona with an operator of its own",
      "add": "`rasa init --name NAME` writes a persona with an operator of its own",
    ],
    "models": [
      "run": "write `rasa run -p NAME --model MODEL \"…\"`",
      "use": "write `rasa run -p NAME --model MODEL \"…\"`, or set `LLM_MODEL`",
      "pull": "pull models with their own server, as with `ollama pull`; `rasa models check` "
        + "then finds them",
    ],
    "runs": [
      "resume": "write `rasa resume RUN`", "continue": "write `rasa resume RUN`",
      "new": "write `rasa run -p NAME \"…\"`", "start": "write `rasa run -p NAME \"…\"`",
      "approve": "write `rasa approvals approve ID`; `rasa approvals list` shows what is waiting",
      "replay": "`rasa runs export RUN --as-test DIR` makes a test, `rasa test DIR` replays it",
    ],
    "sessions": [
      "resume": "write `rasa chat -p NAME --session ID`",
      "continue": "write `rasa chat -p NAME --session ID`",
      "new": "start a conversation with `rasa run -p NAME --session ID \"…\"`",
      "create": "start a conversation with `rasa run -p NAME --session ID \"…\"`",
    ],
  ]

  /// Of commands that ask.
  private static let otherOptions: [String: String] = [
    "--system": "instructions for the model belong in the persona or agent; "
      + "`rasa agents create ID` creates one",
    "--system-prompt": "instructions for the model belong in the persona or agent; "
      + "`rasa agents create ID` creates one",
    "--temperature":
      "set `temperature:` in the operator's file; `rasa operators show respond` shows one",
    "--temp": "set `temperature:` in the operator's file; `rasa operators show respond` shows one",
    "--top-p": "rasa has no such setting; set `temperature:` in the operator's file",
    "--max-tokens":
      "set `max_tokens:` in the operator's file; `--max-cost` limits a whole answer",
    "--prompt": "write `--input TEXT`", "--question": "write `--input TEXT`",
    "--query": "write `--input TEXT`", "--text": "write `--input TEXT`",
    "--message": "write `--input TEXT`", "--msg": "write `--input TEXT`",
    "--file": "write `--input - < FILE`", "-f": "write `--input - < FILE`",
    "-m": "write `--model [ENGINE:]MODEL`", "--llm": "write `--model [ENGINE:]MODEL`",
    "--engine": "write `--model ENGINE:MODEL`", "--provider": "write `--model ENGINE:MODEL`",
    "--continue": "write `--session NAME` each time to continue a conversation",
    "--resume":
      "write `--session NAME` to continue a conversation; `rasa resume RUN` resumes "
      + "a run that stopped",
    "--conversation": "write `--session NAME`",
    "-c": "write `--session NAME` each time to continue "
      + "a conversation",
    "--timeout": "write `--max-seconds N`", "--budget": "write `--max-cost USD`",
    "--cost": "write `--max-cost USD`", "--limit": "write `--max-cost USD` or `--max-seconds N`",
    "--format": "write `--output-format FORMAT`",
    "--output":
      "write `--output-format FORMAT`; write to a file with `> FILE`",
    "-o": "write `--output-format FORMAT`; write to a file with `> FILE`",
    "--api-key":
      "keys are read from variables such as `OPENAI_API_KEY`; `rasa llm info` shows which are "
      + "found",
    "--base-url": "set `OPENAI_BASE_URL`, or a provider's `base_url` in config.yaml",
    "--debug": "write `--verbose`", "--silent": "write `--quiet`",
    "--yes": "write `--approval allow`", "-y": "write `--approval allow`",
    "--think": "write `--profile thinking`", "--reasoning": "write `--profile thinking`",
    "--name": "write `--persona NAME` or `--agent ID`",
    "--role": "write `--persona NAME` or `--agent ID`",
    "--preference": "write `--preferences KEY=VALUE`", "--set": "write `--preferences KEY=VALUE`",
    "--var": "write `--preferences KEY=VALUE`",
  ]
}
