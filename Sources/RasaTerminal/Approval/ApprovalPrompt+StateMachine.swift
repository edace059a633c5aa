import RasaCore

extension ApprovalPrompt {
  /// The conversation about one request: what was typed goes in, what to do next comes out.
  struct StateMachine {
    enum Action: Equatable {
      /// Show the text and read a line. A choice is only taken from what is typed after it is
      /// shown, so that keys pressed before cannot answer a question that nobody has read.
      case ask(String, discardingTypedAhead: Bool)
      /// Let the person edit the text, after showing what there is to say.
      case edit(String)
      case finish(ApprovalAnswer)
    }

    private enum State { case choosing, editing, giveReason, giveFeedback, finished }

    private let request: ApprovalRequest
    private let style: Style
    private let columns: Int
    private var state = State.choosing

    init(_ request: ApprovalRequest, style: Style, columns: Int) {
      self.request = request
      self.style = style
      self.columns = columns
    }

    mutating func start() -> Action { choose(saying: presentation) }

    mutating func receive(line: String) -> Action {
      let text = printable(line).trimmed
      switch state {
      case .choosing: return receive(choice: text.lowercased())
      case .giveReason: return finish(.reject(reason: text))
      case .giveFeedback:
        return text.isEmpty ? choose(saying: "No feedback was given.\n") : finish(.feedback(text))
      case .editing, .finished: return finish(.interrupted)
      }
    }

    /// What came back from the editor; nil when it failed.
    mutating func receive(edited: String?) -> Action {
      guard let edited else {
        return choose(saying: "The editor ended with an error; nothing was changed.\n")
      }
      // Editors end the last line whether or not it was ended before.
      let wasEnded = request.subject.hasSuffix("\n")
      let text = !wasEnded && edited.hasSuffix("\n") ? String(edited.dropLast()) : edited
      if text == request.subject { return choose(saying: "Nothing was changed.\n") }
      if text.trimmed.isEmpty {
        return choose(saying: "The edited text is empty; nothing was changed.\n")
      }
      return finish(.edit(text))
    }

    /// The terminal has gone: nobody says yes any more.
    mutating func receiveEnd() -> Action { finish(.reject(reason: "")) }

    mutating func interrupt() -> Action { finish(.interrupted) }

    private mutating func receive(choice: String) -> Action {
      switch choice {
      case "a", "approve": return finish(.approve)
      case "s" where request.allowsSession, "session" where request.allowsSession:
        return finish(.approveForSession)
      case "e" where request.allowsEdit, "edit" where request.allowsEdit:
        state = .editing
        return .edit(request.subject)
      case "", "r", "reject":
        state = .giveReason
        return .ask("Reason (Enter for none): ", discardingTypedAhead: false)
      case "f" where request.allowsFeedback, "feedback" where request.allowsFeedback:
        state = .giveFeedback
        return .ask("Feedback: ", discardingTypedAhead: false)
      default: return choose(saying: help)
      }
    }

    private mutating func choose(saying text: String) -> Action {
      state = .choosing
      return .ask(text + menu, discardingTypedAhead: true)
    }

    private mutating func finish(_ answer: ApprovalAnswer) -> Action {
      state = .finished
      return .finish(answer)
    }
  }
}

// MARK: - What it looks like

extension ApprovalPrompt.StateMachine {
  private var presentation: String {
    let rule = String(repeating: "─", count: max(min(columns, 72) - 16, 4))
    var lines = [style.yellow("── approval ") + style.dim(rule), style.bold(shown(request.title))]
    var facts = [("asked by", request.askedBy)]
    if !request.risk.isEmpty { facts.append(("risk", request.risk)) }
    facts.append(("cost so far", request.costSoFar.displayText))
    facts += request.context.map { ($0.name, $0.value) }
    let width = facts.map { displayWidth(shown($0.0)) }.max() ?? 0
    for (name, value) in facts {
      let name = shown(name)
      let padding = String(repeating: " ", count: width - displayWidth(name))
      // Further lines of a value stand under its first.
      let values = shown(value).split(separator: "\n", omittingEmptySubsequences: false)
      let indent = "\n" + String(repeating: " ", count: width + 4)
      lines.append("  \(style.dim(name))\(padding)  \(values.joined(separator: indent))")
    }
    lines.append("")
    for line in shown(request.subject).split(separator: "\n", omittingEmptySubsequences: false) {
      lines.append(style.dim("  │ ") + line)
    }
    lines.append("")
    return lines.joined(separator: "\n") + "\n"
  }

  private var menu: String {
    var choices = ["[a]pprove"]
    if request.allowsEdit { choices.append("[e]dit") }
    choices.append("[r]eject")
    if request.allowsFeedback { choices.append("[f]eedback") }
    if request.allowsSession { choices.append("[s]ession") }
    choices.append("[?]")
    return choices.joined(separator: " ") + " (Enter rejects): "
  }

  private var help: String {
    var lines = ["  a  say yes to exactly this text, once"]
    if request.allowsEdit {
      lines.append("  e  change the text in your editor, then go on with it")
    }
    lines.append("  r  say no, with a reason if you like")
    if request.allowsFeedback {
      lines.append("  f  say what should be different; the answer is worked on again")
    }
    if request.allowsSession { lines.append("  s  say yes, and do not ask again in this session") }
    lines.append("  Type the letter and press Enter. Ctrl-C breaks off.")
    return lines.joined(separator: "\n") + "\n"
  }

  private func shown(_ text: String) -> String { TerminalText.escaped(text) }
}

extension String {
  fileprivate var trimmed: String {
    guard let first = firstIndex(where: { !$0.isWhitespace }),
      let last = lastIndex(where: { !$0.isWhitespace })
    else { return "" }
    return String(self[first...last])
  }
}
