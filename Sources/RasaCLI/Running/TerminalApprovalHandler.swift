import RasaCore
import RasaKit
import RasaTerminal

/// Decides questions as `--approval` says: at the terminal, or by the rule alone.
final class TerminalApprovalHandler: Sendable {
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

  func decide(_ approval: Rasa.Approval) async throws -> Rasa.Decision {
    switch mode {
    case .allow:
      // Never invent an answer: only a default declared in the operator's file counts.
      return .by("--approval allow", approval.wantsAnswer ? .standard : .approve)
    case .deny where approval.isPermission:
      // The model learns it, and can go on without the tool.
      return .by("--approval deny", .reject(reason: "this run refuses every question"))
    case .deny:
      let what = approval.wantsAnswer ? "an answer" : "an approval"
      throw RasaError(
        .approval, "\(approval.asker) asks for \(what), but `--approval deny` refuses it",
        suggestion: "run it in a terminal, or with `--approval defer` to answer later")
    case .defer: return .later
    case .ask: break
    }
    let isTrusted = trusted.withLock { $0.contains(approval.step.name) }
    if isTrusted, !approval.wantsAnswer, !approval.isPermission {
      return .by("\(user), for the session", .approve)
    }
    guard prompt.isPossible else { return .later }
    return try await turn.take {
      if let screen = self.screen {
        try await screen.withScreenFree { try await self.ask(approval) }
      } else {
        try await self.ask(approval)
      }
    }
  }

  /// `.later` when nobody answered.
  private func ask(_ approval: Rasa.Approval) async throws -> Rasa.Decision {
    approval.wantsAnswer
      ? try await prompt.answer(to: approval) : try await decision(about: approval)
  }

  private func decision(about approval: Rasa.Approval) async throws -> Rasa.Decision {
    var request = ApprovalRequest(approval)
    var edited: String?
    while true {
      switch try await prompt.ask(request) {
      case .approve: return edited.map { .edit($0) } ?? .approve
      case .grant(let rule): return .grant(rule)
      case .edit(let text):
        do throws(RasaError) {
          try approval.check(.edit(text))
          guard let shown = approval.shownText(ofEdit: text), approval.isPermission else {
            return .edit(text)
          }
          // What will be used is seen once more, as it is.
          edited = text
          request.show(edited: text, as: shown)
        } catch {
          // What was asked about is shown again, and what was written is not lost: it is there to be
          // mended. So it is told on the terminal that asks, whatever the run's own output is.
          request.problem = error.description
          request.unfinishedEdit = text
        }
      case .reject(let reason): return .reject(reason: reason)
      case .feedback(let text): return .feedback(text)
      case .approveForSession:
        _ = trusted.withLock { $0.insert(approval.step.name) }
        return .approve
      case .unanswered: return .later
      case .interrupted: throw CancellationError()
      }
    }
  }
}

extension Rasa.Approval {
  /// A tool's question must not look like one of rasa or of the persona.
  var asker: String {
    let step = "\(step.name) in \(step.frameTitle)"
    return askingTool.map { "the tool \($0), which gets the answer; used by \(step)" } ?? step
  }
}

extension ApprovalRequest {
  fileprivate init(_ approval: Rasa.Approval) {
    var context = approval.context.map { (name: $0.name, value: $0.text) }
    if approval.isPermission {
      context.insert(("why asked", approval.because), at: 0)
      if !approval.sources.isEmpty {
        context.insert(("it holds", approval.sources.joined(separator: "\n")), at: 1)
      }
      if approval.people > 1 {
        context.append(
          ("people", "\(approval.people) different users of this machine have to approve"))
      }
    }
    self.init(
      title: approval.title, askedBy: approval.asker, risk: approval.risk,
      costSoFar: Money(approval.spent),
      subjectName: approval.isPermission
        ? "its exact arguments"
        : approval.subject == "output"
          ? "the output as it would be shown" : "`\(approval.subject)` as it is now",
      subject: approval.shownText, context: context)
    if approval.isPermission {
      editable = approval.text
      reasonPrompt = "Reason, for whoever wanted it (Enter for none): "
      allowsEdit = approval.people == 1
      grant = approval.proposedGrant
      allowsSession = grant != nil
      grantProblem = { rule in
        do throws(RasaError) {
          try approval.check(.grant(rule))
          return nil
        } catch {
          return error.description
        }
      }
    }
    if let leads = approval.consequences {
      consequences = Consequences(
        approve: leads.approve, edit: leads.edit, reject: leads.reject, feedback: leads.feedback)
    }
  }
}

extension ApprovalRequest {
  /// Shows what a person has made of the arguments, to be approved or edited further.
  fileprivate mutating func show(edited: String, as shown: String) {
    subject = shown
    subjectName = "the arguments as you have edited them"
    editable = edited
    unfinishedEdit = nil
    problem = ""
    allowsSession = false
    consequences.approve = "it is used with your arguments, once"
    consequences.edit = "change them further"
  }
}

extension ApprovalPrompt {
  /// Asks until the answer fits. `.later` when nobody answered.
  func answer(to approval: Rasa.Approval) async throws -> Rasa.Decision {
    var request = AnswerRequest(
      question: approval.payload, askedBy: approval.asker, costSoFar: Money(approval.spent),
      context: approval.context.map { (name: $0.name, value: $0.text) },
      fields: approval.fields.map { field in
        AnswerRequest.Field(
          name: field.name, description: field.description, hint: field.hint,
          isRequired: field.isRequired)
      }, standard: approval.standard,
      problem: { name, text in approval.problem(withField: name, text) })
    while true {
      let decision: Rasa.Decision
      switch try await ask(request) {
      case .text(let text): decision = .answer(text)
      case .fields(let members):
        var pairs = Rasa.Pairs<String>()
        for (name, text) in members { pairs[name] = text }
        decision = .members(pairs)
      case .standard: decision = .standard
      case .unanswered: return .later
      case .interrupted: throw CancellationError()
      }
      do throws(RasaError) {
        try approval.check(decision)
        return decision
      } catch {
        guard error.code == .usage || error.code == .configuration else { throw error }
        request.note = error.description
      }
    }
  }
}
