import RasaCore
import RasaEngine
import RasaTerminal

/// Decides questions as `--approval` says: at the terminal, or by the rule alone.
final class TerminalApprovalHandler: ApprovalHandler {
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
    let asker = question.asker
    switch mode {
    case .allow:
      guard question.form == .answer else { return HumanAnswer(.approve, by: "--approval allow") }
      // Nobody's answer is made up: the one that its operator's file declares counts, or none.
      return question.standard.map { HumanAnswer(.answer, text: $0, by: "--approval allow") }
    case .deny:
      let what = question.form == .answer ? "an answer" : "an approval"
      throw Failure(
        .approval, "\(asker) asks for \(what), but `--approval deny` refuses it",
        suggestion: "run it in a terminal, or with `--approval defer` to answer later")
    case .defer: return nil
    case .ask: break
    }
    let isTrusted = trusted.withLock { $0.contains(question.key.operatorName) }
    if isTrusted, question.form == .review {
      return HumanAnswer(.approve, by: "\(user), for the session")
    }
    guard prompt.isPossible else { return nil }
    return try await turn.take {
      if let screen {
        try await screen.withScreenFree { try await self.ask(question) }
      } else {
        try await self.ask(question)
      }
    }
  }

  /// Nil when nobody answered.
  private func ask(_ question: Question) async throws -> HumanAnswer? {
    let answer =
      question.form == .answer
      ? try await prompt.answer(to: question, by: user) : try await decision(about: question)
    return answer?.having(shown: question.payloadDigest)
  }

  private func decision(about question: Question) async throws -> HumanAnswer? {
    var request = ApprovalRequest(question)
    while true {
      switch try await prompt.ask(request) {
      case .approve: return HumanAnswer(.approve, by: user)
      case .edit(let text):
        do throws(Failure) {
          return try question.edit(text, by: user)
        } catch {
          // What was asked about is shown again, and what was written is not lost: it is there to be
          // mended. So it is told on the terminal that asks, whatever the run's own output is.
          request.problem = error.description
          request.unfinishedEdit = text
        }
      case .reject(let reason):
        return HumanAnswer(.reject, text: reason.isEmpty ? .null : .string(reason), by: user)
      case .feedback(let text): return HumanAnswer(.feedback, text: .string(text), by: user)
      case .approveForSession:
        _ = trusted.withLock { $0.insert(question.key.operatorName) }
        return HumanAnswer(.approve, by: user)
      case .unanswered: return nil
      case .interrupted: throw CancellationError()
      }
    }
  }
}

extension Question {
  var asker: String { "\(key.operatorName) in \(frameTitle(key.frame))" }

  /// What a person sees of what is decided about, and edits.
  var text: String { payload.string ?? payload.json(.pretty) }
}

extension ApprovalRequest {
  init(_ question: Question) {
    self.init(
      title: question.title, askedBy: question.asker, costSoFar: question.spent,
      subjectName: question.subject == "output"
        ? "the output as it would be shown" : "`\(question.subject)` as it is now",
      subject: question.text, context: question.context.map { (name: $0.name, value: $0.text) })
    if let leads = question.consequences {
      consequences = Consequences(
        approve: leads.approve, edit: leads.edit, reject: leads.reject, feedback: leads.feedback)
    }
  }
}

extension ApprovalPrompt {
  /// Asks until the answer fits. Nil when nobody answered.
  func answer(to question: Question, by user: String) async throws -> HumanAnswer? {
    var request = AnswerRequest(
      question: question.asks, askedBy: question.asker, costSoFar: question.spent,
      context: question.context.map { (name: $0.name, value: $0.text) },
      fields: question.members.map { member in
        AnswerRequest.Field(
          name: member.name, description: member.description, hint: member.hint,
          isRequired: member.isRequired)
      }, standard: question.standard.map { $0.string ?? $0.json(.compact) },
      problem: { name, text in
        do throws(Failure) { return try question.problem(ofMember: name, text) } catch {
          return error.message
        }
      })
    while true {
      do throws(Failure) {
        switch try await ask(request) {
        case .text(let text): return try question.reply(text, by: user)
        case .fields(let members): return try question.reply(members: members, by: user)
        case .standard: return try question.reply(question.standard ?? .null, by: user)
        case .unanswered: return nil
        case .interrupted: break
        }
      } catch {
        guard error.kind == .usage || error.kind == .configuration else { throw error }
        request.note = error.description
        continue
      }
      throw CancellationError()
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
