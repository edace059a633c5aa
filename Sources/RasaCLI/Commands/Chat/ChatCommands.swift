import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// Carries out the commands of a chat, and knows what it has come to.
struct ChatCommands {
  enum Outcome {
    case ask(String)
    /// With what was attached to it.
    case askAgain(String)
    case attach(String)
    case goOn
    case leave
  }

  let rasa: Rasa
  let console: Console
  var settings: RunSettings
  /// Who answers.
  let name: String
  private var lastQuestion: String?
  private var lastAnswer: Rasa.RunResult?

  init(rasa: Rasa, console: Console, settings: RunSettings, name: String) {
    self.rasa = rasa
    self.console = console
    self.settings = settings
    self.name = name
  }

  private var session: String { settings.options.session ?? "" }

  /// The last turns of the conversation; empty for a new one.
  private func turns(limit: Int) async throws -> [Rasa.Turn] {
    do throws(RasaError) {
      return try await rasa.turns(of: session, user: settings.options.user, limit: limit)
    } catch {
      guard error.code == .usage else { throw error }
      return []
    }
  }

  mutating func note(answer: Rasa.RunResult) { lastAnswer = answer }

  mutating func take(_ line: String) async throws -> Outcome {
    switch ChatLine(line) {
    case .question(let text):
      lastQuestion = text
      return .ask(text)
    case .unknown(let word):
      try console.note(printable(ChatCommand.unknown(word)))
      return .goOn
    case .command(let command, let argument):
      do {
        return try await carryOut(command, argument)
      } catch {
        guard let failure = error as? Failure ?? (error as? RasaError)?.failure else { throw error }
        // What a command could not do ends no conversation.
        try console.note("rasa: \(printable(failure.description))\n")
        return .goOn
      }
    }
  }

  private mutating func carryOut(
    _ command: ChatCommand, _ argument: String
  ) async throws -> Outcome {
    if !argument.isEmpty, command.argument.isEmpty {
      try console.note(
        "/\(command.names[0]) takes no argument; `//\(command.names[0]) …` sends the line\n")
      return .goOn
    }
    switch command.action {
    case .help:
      let columns = console.terminal.columns(of: .error) ?? 80
      try console.note(ChatCommand.help(columns: columns))
    case .cost: try console.note(try await cost())
    case .model: try console.note(try model(argument))
    case .save: try console.note(try await save(argument))
    case .session: try console.note(try await session(argument))
    case .attach: return .attach(argument)
    case .quit: return .leave
    case .retry:
      guard let question = try await latestQuestion() else {
        try console.note("there is no question yet\n")
        return .goOn
      }
      lastQuestion = question
      return .askAgain(question)
    case .edit:
      guard let text = try await edited() else { return .goOn }
      lastQuestion = text
      return .askAgain(text)
    }
    return .goOn
  }

  // MARK: Questions

  /// The one of this process, else the last of the conversation.
  private func latestQuestion() async throws -> String? {
    if let lastQuestion { return lastQuestion }
    return try await turns(limit: 1).last?.input
  }

  private func edited() async throws -> String? {
    let terminal = console.terminal
    guard terminal.inputIsTerminal else {
      try console.note("/edit needs a terminal for the editor\n")
      return nil
    }
    let before = try await latestQuestion() ?? ""
    let environment = console.environment
    let text = try await interruptible { _ in
      try await TextEditor(environment: environment).edit(before, terminal: 0)
    }
    guard let text = text.map({ String($0.withoutFinalLineFeed) }),
      text.utf8.contains(where: { $0 > 0x20 })
    else {
      try console.note("nothing was sent: the editor failed, or the text is empty\n")
      return nil
    }
    // What is asked stands above its answer, as if it had been typed here.
    try console.note("you › \(printable(text))\n")
    return text
  }

  // MARK: Money

  private func cost() async throws -> String {
    var query = Rasa.RunQuery()
    query.session = session
    query.user = rasa.user(settings.options.user)
    query.limit = 10_000
    let runs = try await rasa.runs(query)
    let spent = runs.reduce(Rasa.Dollars.zero) { $0 + $1.cost }
    var lines = [
      runs.isEmpty
        ? "this conversation: no questions yet"
        : "this conversation: \(spent), \(runs.count) \(runs.count == 1 ? "question" : "questions")"
    ]
    let budgets = [try? await rasa.budget(of: name), try await rasa.budget(of: nil)]
    for budget in budgets.compactMap({ $0 }) {
      lines.append("today, \(budget.owner): \(Self.text(of: budget.day))")
      if budget.month.limit != nil {
        lines.append("this month, \(budget.owner): \(Self.text(of: budget.month))")
      }
    }
    if let most = settings.options.maxCost {
      lines.append("an answer may cost at most \(most)")
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private static func text(of period: Rasa.Budget.Period) -> String {
    let held = period.held == .zero ? "" : ", \(period.held) held for calls"
    let limit = period.limit.map { " of \($0)" } ?? ", no limit"
    return "\(period.spent)\(limit)\(held)"
  }

  // MARK: Model

  private mutating func model(_ argument: String) throws -> String {
    switch argument {
    case "":
      let last = lastAnswer.map { $0.answeredBy.joined(separator: ", ") } ?? ""
      let answered = last.isEmpty ? "no answer yet" : "\(last) answered last"
      let asked = settings.options.model ?? "the model that \(name) recommends"
      return "asked is \(asked); \(answered)\n"
    case "default":
      settings.options.model = nil
      return "from now on: the model that \(name) recommends\n"
    default:
      guard !argument.utf8.contains(where: { $0 <= 0x20 }) else {
        return "/model takes one name, such as ollama:llama3.2; `rasa models list` shows them\n"
      }
      settings.options.model = argument
      return "\(printable(argument)) answers from now on\n"
    }
  }

  // MARK: Conversations

  private mutating func session(_ argument: String) async throws -> String {
    guard !argument.isEmpty else {
      return "this is the session \(printable(session)); `rasa sessions list` shows all\n"
    }
    guard !argument.utf8.contains(where: { $0 <= 0x20 }) else {
      return "/session takes one name\n"
    }
    settings.options.session = argument
    lastQuestion = nil
    lastAnswer = nil
    let turns = try await turns(limit: 1000).count
    return turns == 0
      ? "a new conversation: \(printable(argument))\n"
      : "continuing \(printable(argument)), \(turns) \(turns == 1 ? "turn" : "turns") so far\n"
  }

  private func save(_ argument: String) async throws -> String {
    var path = argument
    var replaces = false
    if path.hasPrefix("--force ") {
      replaces = true
      path = String(path.dropFirst(8)).trimmedByScalars.description
    }
    guard !path.isEmpty else { return "/save needs the name of a file\n" }
    if path.hasPrefix("~/"), let home = console.environment["HOME"] {
      path = home + String(path.dropFirst())
    }
    let turns = try await turns(limit: 10_000)
    guard !turns.isEmpty else { return "there is no answer yet, so nothing was written\n" }
    guard replaces || !FileSystem.exists(path) else {
      return "\(printable(path)) already exists; /save --force \(printable(path)) replaces it\n"
    }
    var text = "# \(session)\n"
    for turn in turns {
      text +=
        "\n## You, \(TimeSource.system.localDay(Timestamp(milliseconds: turn.time)))\n\n\(turn.input)\n"
      text += "\n## \(name)\n\n\(turn.output)\n"
    }
    try FileSystem.write(text, to: path)
    return "wrote \(turns.count) \(turns.count == 1 ? "turn" : "turns") to \(printable(path))\n"
  }
}
