import RasaCore

extension ApprovalPrompt {
  /// The dialogue about one request: typed input goes in, the next action comes out.
  struct StateMachine {
    enum Action: Equatable {
      /// Show the text and read a choice. Only input typed after it is shown counts, so that keys
      /// pressed before cannot answer a question that nobody has read.
      case choose(String)
      /// Show the text and read a text that may be pasted.
      case read(String)
      /// Let the person edit the text, after showing a message.
      case edit(String)
      case finish(ApprovalAnswer)
    }

    private enum State {
      case choosing, editing, giveReason, giveFeedback, granting, editingGrant, finished
    }

    private let request: ApprovalRequest
    private let card: ApprovalCard
    private var state = State.choosing
    /// The rule that the person is about to store.
    private var grant = ""

    init(_ request: ApprovalRequest, style: Style, columns: Int) {
      self.request = request
      card = ApprovalCard(style: style, columns: columns)
    }

    mutating func start() -> Action {
      choose(saying: card.presentation(of: request) + consequences)
    }

    mutating func receive(line: String) -> Action {
      let isBlank = line.allSatisfy(\.isWhitespace)
      switch state {
      case .choosing: return receive(choice: line.filter { !$0.isWhitespace }.lowercased())
      case .granting: return receive(grantChoice: line.filter { !$0.isWhitespace }.lowercased())
      case .giveReason: return finish(.reject(reason: isBlank ? "" : line))
      case .giveFeedback:
        return isBlank ? choose(saying: "No feedback was given.\n") : finish(.feedback(line))
      case .editing, .editingGrant, .finished: return finish(.interrupted)
      }
    }

    /// The edited text; nil if the editor failed.
    mutating func receive(edited: String?, because reason: String = "") -> Action {
      if state == .editingGrant { return receive(editedGrant: edited, because: reason) }
      guard let edited else {
        return choose(
          saying: (reason.isEmpty ? "" : card.note(reason))
            + "The editor ended with an error; nothing was changed.\n")
      }
      // Editors add a final newline even if there was none.
      let before = request.editable ?? request.subject
      let wasEnded = before.hasSuffix("\n")
      let text = !wasEnded && edited.hasSuffix("\n") ? String(edited.dropLast()) : edited
      if text == before { return choose(saying: "Nothing was changed.\n") }
      if text.allSatisfy(\.isWhitespace) {
        return choose(saying: "The edited text is empty; nothing was changed.\n")
      }
      return finish(.edit(text))
    }

    /// The terminal is gone, or the input has ended: that is neither a yes nor a no.
    mutating func receiveEnd() -> Action { finish(.unanswered) }

    mutating func interrupt() -> Action { finish(.interrupted) }

    private mutating func receive(choice: String) -> Action {
      switch choice {
      case "a", "approve": return finish(.approve)
      case "s" where request.allowsSession, "session" where request.allowsSession:
        guard let rule = request.grant else { return finish(.approveForSession) }
        grant = rule
        return showGrant()
      case "e" where request.allowsEdit, "edit" where request.allowsEdit:
        state = .editing
        return .edit(request.unfinishedEdit ?? request.editable ?? request.subject)
      case "r", "reject":
        state = .giveReason
        return .read(request.reasonPrompt)
      case "f" where request.allowsFeedback, "feedback" where request.allowsFeedback:
        state = .giveFeedback
        return .read("Feedback: ")
      case "": return choose(saying: "")
      default: return choose(saying: help)
      }
    }

    // MARK: A rule for the session

    /// Nothing is stored that was not seen as it will be stored.
    private mutating func showGrant(saying text: String = "") -> Action {
      state = .granting
      return .choose(
        text + card.presentation(ofGrant: grant) + "[y]es, store it  [e]dit  [n]o: ")
    }

    private mutating func receive(grantChoice choice: String) -> Action {
      switch choice {
      case "y", "yes": return finish(.grant(grant))
      case "e", "edit":
        state = .editingGrant
        return .edit(grant)
      case "n", "no": return choose(saying: "Nothing was stored.\n")
      default: return showGrant()
      }
    }

    private mutating func receive(editedGrant edited: String?, because reason: String) -> Action {
      guard let edited else {
        return showGrant(saying: (reason.isEmpty ? "" : card.note(reason)))
      }
      if let problem = request.grantProblem(edited) {
        return showGrant(saying: card.note(problem))
      }
      grant = edited
      return showGrant()
    }

    private mutating func choose(saying text: String) -> Action {
      state = .choosing
      return .choose(text + menu)
    }

    private mutating func finish(_ answer: ApprovalAnswer) -> Action {
      state = .finished
      return .finish(answer)
    }
  }
}

// MARK: - What it looks like

extension ApprovalPrompt.StateMachine {
  private var menu: String {
    var choices = ["[a]pprove"]
    if request.allowsEdit { choices.append("[e]dit") }
    choices.append("[r]eject")
    if request.allowsFeedback { choices.append("[f]eedback") }
    if request.allowsSession { choices.append("[s]ession") }
    choices.append("[?]")
    // None of it starts at the left edge: each row starts with a choice.
    return rows(of: choices.joined(separator: " ") + ":", columns: card.columns)
      .joined(separator: "\n") + " "
  }

  /// The effect of each choice.
  private var consequences: String {
    let leads = request.consequences
    var lines = [("a", leads.approve)]
    if request.allowsEdit { lines.append(("e", leads.edit)) }
    lines.append(("r", leads.reject))
    if request.allowsFeedback { lines.append(("f", leads.feedback)) }
    if request.allowsSession {
      lines.append(
        (
          "s",
          request.grant == nil
            ? "like a, and do not ask again in this session"
            : "like a, and a rule that you see first allows such uses for the rest of the session"
        ))
    }
    return lines.map { letter, text in card.choice(letter, text) }.joined()
  }

  private var help: String {
    consequences
      + card.choice(
        "",
        "Type the letter and press Enter. Ctrl-C stops the run, Ctrl-D leaves the question for later; neither answers it."
      )
  }
}
