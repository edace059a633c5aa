import RasaCore
import RasaEngine
import RasaTerminal

/// Decides questions as `--approval` says: at the terminal, or by the rule alone.
final class TerminalPeople: People {
  private let mode: ApprovalMode
  private let prompt: ApprovalPrompt
  private let user: String
  private let screen: TextScreen?
  /// Operators that the person has approved for the rest of the session.
  private let trusted = Locked<Set<String>>([])
  /// One question at a time, in the order they came.
  private let turn = Turn()

  init(mode: ApprovalMode, prompt: ApprovalPrompt, user: String, screen: TextScreen?) {
    self.mode = mode
    self.prompt = prompt
    self.user = user
    self.screen = screen
  }

  func decide(_ question: Question) async throws -> HumanAnswer? {
    let asker = "\(question.key.operatorName) in \(frameTitle(question.key.frame))"
    switch mode {
    case .allow: return HumanAnswer(.approve, by: "--approval allow")
    case .deny:
      throw Failure(
        .approval, "\(asker) asks for an approval, and `--approval deny` refuses it",
        mend: "run it in a terminal, or with `--approval defer` to answer later")
    case .defer: return nil
    case .ask: break
    }
    if trusted.withLock({ $0.contains(question.key.operatorName) }) {
      return HumanAnswer(.approve, by: "\(user), for the session")
    }
    guard prompt.isPossible else { return nil }
    return try await turn.take {
      if let screen {
        try await screen.withScreenFree { try await self.ask(question, asker) }
      } else {
        try await self.ask(question, asker)
      }
    }
  }

  private func ask(_ question: Question, _ asker: String) async throws -> HumanAnswer {
    let text = question.payload.string
    var request = ApprovalRequest(
      title: question.title, askedBy: asker, risk: "the text goes on as it is shown",
      costSoFar: question.spent, subject: text ?? question.payload.json(.pretty),
      context: question.context.map { (name: $0.name, value: $0.text) }, allowsEdit: true)
    while true {
      switch try await prompt.ask(request) {
      case .approve: return HumanAnswer(.approve, by: user)
      case .edit(let text):
        do {
          return try question.edit(text, by: user)
        } catch {
          // What was written is not lost: it is there to be mended.
          try screen?.say("\(error.description)")
          request.subject = text
        }
      case .reject(let reason):
        return HumanAnswer(.reject, text: reason.isEmpty ? .null : .string(reason), by: user)
      case .feedback(let text): return HumanAnswer(.feedback, text: .string(text), by: user)
      case .approveForSession:
        _ = trusted.withLock { $0.insert(question.key.operatorName) }
        return HumanAnswer(.approve, by: user)
      case .interrupted: throw CancellationError()
      }
    }
  }
}

/// Lets one task at a time through, in the order they came.
actor Turn {
  private var isTaken = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  func take<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
    if isTaken {
      await withCheckedContinuation { waiting.append($0) }
    } else {
      isTaken = true
    }
    defer {
      if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
    }
    return try await body()
  }
}
