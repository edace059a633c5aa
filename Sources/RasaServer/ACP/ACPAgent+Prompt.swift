import RasaCore
import RasaDocuments
import RasaKit

/// A prompt: a run, what is told of it, and what is asked on the way.
extension ACPAgent {
  func prompt(_ request: PeerRequest, _ connection: PeerConnection) async throws -> Value {
    let (id, session) = try session(request.params)
    guard take(id) else {
      throw JSONRPC.Problem(
        code: JSONRPC.Problem.invalidRequest, message: "the session has a prompt under way")
    }
    defer { change(id) { $0.isPrompted = false } }
    do {
      return try await turn(id, session, request.params["prompt"], connection)
    } catch {
      // An editor takes an error for one; that its user has stopped the run is none.
      guard Task.isCancelled else { throw error }
      return ["stopReason": "cancelled"]
    }
  }

  private func turn(
    _ id: String, _ session: Session, _ blocks: Value, _ connection: PeerConnection
  ) async throws -> Value {
    let prompt = try await ACPPrompt(blocks, session.rasa)
    let turn = ACPTurn(session: id, connection)
    guard let ready = try await ready(prompt, id, session, turn, connection) else {
      return ["stopReason": "end_turn"]
    }
    turn.run = ready.id
    do {
      return await end(try await ready.run(Rasa.Observer { await turn.take($0) }), id, turn)
    } catch {
      return try await failed(error, ready.id, turn)
    }
  }

  /// The run of a prompt: a new one, or one that goes on with the prompt as the answer to its question. Nil where it is
  /// none.
  private func ready(
    _ prompt: ACPPrompt, _ id: String, _ session: Session, _ turn: ACPTurn,
    _ connection: PeerConnection
  ) async throws -> Rasa.ReadyRun? {
    let approve: Rasa.ApprovalHandler = { [self] approval in
      try await decide(approval, turn, connection)
    }
    guard let question = session.question else {
      var options = Rasa.RunOptions()
      options.session = id
      options.attachments = prompt.attachments
      // What an editor has shown cannot be taken back.
      options.finishesBrokenAnswers = true
      let runnable = try await session.choice.prepare(session.rasa, prompt.text, options)
      await turn.plan(runnable.details.json.value)
      return try runnable.ready(prompt.text, options: options, approve: approve)
    }
    if let problem = try await answer(question, prompt.text, session.rasa) {
      await turn.say("That does not fit: \(problem)")
      return nil
    }
    change(id) { $0.question = nil }
    return try await session.rasa.ready(toResume: question.run, approve: approve)
  }

  private func failed(_ error: any Error, _ run: String, _ turn: ACPTurn) async throws -> Value {
    guard var error = error as? RasaError, !Task.isCancelled else { throw error }
    error.run = run
    guard error.code == .limit else { throw error }
    await turn.say(error.description)
    return ["stopReason": "max_turn_requests", "_meta": ["rasa/run": .string(run)]]
  }

  /// Answers a question of an earlier prompt; what is wrong with the answer, if it does not fit.
  private func answer(
    _ question: Rasa.Approval, _ text: String, _ rasa: Rasa
  ) async throws(RasaError) -> String? {
    do throws(RasaError) {
      try question.check(.answer(text))
      try await rasa.answer(approval: question.id, .answer(text))
      return nil
    } catch {
      switch error.code {
      case .usage, .configuration: return error.description
      // Somebody has answered elsewhere, and the run goes on with that.
      case .approval: return nil
      default: throw error
      }
    }
  }

  private func end(_ result: Rasa.RunResult, _ id: String, _ turn: ACPTurn) async -> Value {
    let answer = RunAnswer(result)
    if !answer.notes.isEmpty {
      await turn.say(answer.notes.map { "*\($0)*" }.joined(separator: "\n\n"), as: "notices")
    }
    let asked = result.pending.first { $0.wantsAnswer }
    if let asked {
      change(id) { $0.question = asked }
      await turn.say(
        "\(ApprovalForm.text(of: asked))\n\nYour next message is the answer"
          + (asked.schema.map { ", as JSON that fits `\($0)`." } ?? "."), as: "question")
    }
    let others = result.pending.filter { $0.id != asked?.id }
    if !others.isEmpty { await turn.say(RunAnswer.waitingText(result.run, others), as: "waiting") }
    let reason =
      switch result.finish {
      case "length", "cut_off": "max_tokens"
      case "refused", "filtered": "refusal"
      default: "end_turn"
      }
    return [
      "stopReason": .string(result.pending.isEmpty ? reason : "end_turn"),
      "_meta": [
        "rasa/run": .string(result.run), "rasa/cost_usd": .string(result.cost.decimalText),
      ],
    ]
  }

  // MARK: Questions

  /// What the editor's user decides; `.later` where the editor gives no decision.
  private func decide(
    _ approval: Rasa.Approval, _ turn: ACPTurn, _ connection: PeerConnection
  ) async throws -> Rasa.Decision {
    do {
      if approval.wantsAnswer {
        return showsForms ? try await answer(approval, turn, connection) : .later
      }
      return try await permit(approval, turn, connection)
    } catch is JSONRPC.Problem {
      return .later
    }
  }

  private func permit(
    _ approval: Rasa.Approval, _ turn: ACPTurn, _ connection: PeerConnection
  ) async throws -> Rasa.Decision {
    let call: Value = .string("question \(approval.id)")
    var shown: ValueObject = [
      "toolCallId": call, "title": .string(approval.title), "kind": "other", "status": "pending",
      "content": [["type": "content", "content": .text(ApprovalForm.text(of: approval))]],
    ]
    if approval.isPermission, let arguments = try? JSON.parse(approval.text) {
      shown["rawInput"] = arguments
    }
    await connection.update(turn.session, "tool_call", shown)
    var options: [Value] = [
      ["optionId": "approve", "name": "Approve", "kind": "allow_once"],
      ["optionId": "reject", "name": "Reject", "kind": "reject_once"],
    ]
    if let rule = approval.proposedGrant {
      options.insert(
        [
          "optionId": "grant", "name": .string("Approve, and in this session: \(rule)"),
          "kind": "allow_always",
        ],
        at: 1)
    }
    let response = try await connection.ask(
      "session/request_permission",
      [
        "sessionId": .string(turn.session), "toolCall": .object(shown), "options": .array(options),
      ])
    let outcome = response["outcome"]
    let decision: Rasa.Decision
    // Whatever is none of these options is no decision.
    switch outcome["outcome"] == "selected" ? outcome["optionId"].string : nil {
    case "approve": decision = .approve
    case "grant" where approval.proposedGrant != nil: decision = .grant(nil)
    case "reject": decision = .reject(reason: "the user of the editor rejected it")
    default: decision = .later
    }
    let status =
      switch decision {
      case .approve, .grant: "completed"
      case .later: "pending"
      default: "failed"
      }
    await connection.update(
      turn.session, "tool_call_update", ["toolCallId": call, "status": .string(status)])
    return decision
  }

  private func answer(
    _ approval: Rasa.Approval, _ turn: ACPTurn, _ connection: PeerConnection
  ) async throws -> Rasa.Decision {
    var form = ApprovalForm(approval)
    for _ in 0..<3 {
      let response = try await connection.ask(
        "elicitation/create",
        [
          "sessionId": .string(turn.session), "mode": "form", "message": .string(form.message),
          "requestedSchema": form.schema,
        ])
      do throws(RasaError) {
        return try form.decision(response)
      } catch {
        form.problem = error.description
      }
    }
    return .later
  }
}
