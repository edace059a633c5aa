import RasaCore
import RasaDocuments
import RasaKit

/// Calls of tools: runs, the questions in them, and what becomes of them.
extension MCPService {
  func call(_ params: Value, _ caller: MCPCaller, _ outlet: MCPOutlet) async throws -> Value {
    guard let name = params["name"].string else {
      throw JSONRPC.Problem.params("`name` is missing")
    }
    guard let tool = try await tools(caller).first(where: { $0.name == name }) else {
      throw JSONRPC.Problem.params("Unknown tool: \(name.printable(atMost: 80))")
    }
    let progress = MCPProgress(params["_meta"], outlet)
    defer { progress.end() }
    let handle = Handle(params, caller)
    if let state = params["requestState"].string {
      return try await goOn(state, params["inputResponses"], handle, caller, outlet, progress)
    }
    do {
      var arguments = try await MCPArguments(params["arguments"], rasa)
      arguments.options.user = caller.client.user
      arguments.options.maxCost = caller.client.maxCost
      arguments.options.budget = caller.client.budget
      arguments.options.client = caller.client.name
      let runnable = try await tool.prepare(rasa)
      let ready = try runnable.ready(
        arguments.input, options: arguments.options, approve: approvals(caller, outlet))
      return try await perform(ready, handle, caller, progress)
    } catch let error as RasaError {
      try Task.checkCancellation()
      return failed(error, caller)
    }
  }

  /// What requests for the same thing have in common: who makes them, and what they are.
  struct Handle: Sendable {
    var purpose: [String]

    init(_ params: Value, _ caller: MCPCaller) {
      purpose = [
        "request", caller.client.name,
        Digest.of([params["name"], params["arguments"]]),
      ]
    }
  }

  // MARK: Questions

  /// Asks the client's user at once, where the era has a way to. Otherwise the run goes as far as it can and waits.
  private func approvals(_ caller: MCPCaller, _ outlet: MCPOutlet) -> Rasa.ApprovalHandler? {
    guard let ask = outlet.ask, caller.mayBeAsked else { return nil }
    return { approval in
      var form = ApprovalForm(approval)
      for _ in 0..<Self.mostAttempts {
        let response: Value
        do {
          response = try await ask("elicitation/create", Self.elicitation(form, caller)["params"])
        } catch is JSONRPC.Problem {
          // It cannot ask after all.
          return .later
        }
        do throws(RasaError) {
          return try form.decision(response)
        } catch {
          form.problem = error.description
        }
      }
      return .later
    }
  }

  private static let mostAttempts = 3

  private static func elicitation(_ form: ApprovalForm, _ caller: MCPCaller) -> Value {
    var params: ValueObject = [
      "message": .string(form.message), "requestedSchema": form.schema,
    ]
    // Clients before that revision know no modes.
    if caller.revision >= "2025-11-25" { params["mode"] = "form" }
    return ["method": "elicitation/create", "params": .object(params)]
  }

  /// Questions by the IDs of their approvals.
  static func questions(
    _ approvals: [Rasa.Approval], _ caller: MCPCaller, problems: [String: String] = [:]
  ) -> Value {
    .object(
      ValueObject(
        approvals.map { approval in
          (
            approval.id,
            elicitation(ApprovalForm(approval, problem: problems[approval.id]), caller)
          )
        }))
  }

  private func inputRequired(
    _ run: String, _ approvals: [Rasa.Approval], _ handle: Handle, _ caller: MCPCaller,
    problems: [String: String] = [:]
  ) throws(JSONRPC.Problem) -> Value {
    complete(
      [
        "resultType": "input_required",
        "inputRequests": Self.questions(approvals, caller, problems: problems),
        "requestState": .string(try seal().close(run, for: handle.purpose)),
      ], caller)
  }

  /// The same request again, with answers to the questions that its run waits for.
  private func goOn(
    _ state: String, _ responses: Value, _ handle: Handle, _ caller: MCPCaller,
    _ outlet: MCPOutlet, _ progress: MCPProgress
  ) async throws -> Value {
    guard let run = try seal().open(state, for: handle.purpose) else {
      throw JSONRPC.Problem.params("`requestState` does not belong to this request")
    }
    do {
      let given = try await answer(responses, of: run, caller)
      let open = try await rasa.approvals(ofRun: run, limit: 100).map(\.approval)
      if !open.isEmpty {
        guard caller.mayBeAsked, !given.isDismissed, given.isCounted else {
          return complete(waiting(run, open), caller)
        }
        return try inputRequired(run, open, handle, caller, problems: given.problems)
      }
      let summary = try await rasa.run(withID: run)
      if summary.status == .done || summary.status == .failed && given.count == 0 {
        return try await ended(run, caller)
      }
      let ready = try await rasa.ready(toResume: run, approve: approvals(caller, outlet))
      return try await perform(ready, handle, caller, progress)
    } catch let error as RasaError {
      try Task.checkCancellation()
      return failed(error, caller, run: run)
    }
  }

  /// What came of answers that a client has brought.
  struct Given: Sendable {
    var count = 0
    /// By the IDs of the approvals that an answer does not fit.
    var problems: [String: String] = [:]
    /// The user has closed a form without a decision.
    var isDismissed = false
    /// Whether no answer leaves its question open, as with one that several people have to approve.
    var isCounted = true
  }

  /// Takes answers to what the run still waits for; others are ignored.
  func answer(
    _ responses: Value, of run: String, _ caller: MCPCaller
  ) async throws(RasaError) -> Given {
    var given = Given()
    guard caller.client.may(.approve) else { return given }
    for record in try await rasa.approvals(ofRun: run, limit: 100) {
      let response = responses[record.id]
      guard !response.isNull else { continue }
      let decision: Rasa.Decision
      do throws(RasaError) {
        decision = try ApprovalForm(record.approval).decision(response)
      } catch {
        given.problems[record.id] = error.description
        continue
      }
      if decision == .later {
        given.isDismissed = true
        continue
      }
      do throws(RasaError) {
        let now = try await rasa.answer(approval: record.id, decision, as: caller.client.user)
        given.count += 1
        if now.status == .pending { given.isCounted = false }
      } catch  where error.code == .approval {
        // Somebody else was first, and that answer counts.
        given.count += 1
      }
    }
    return given
  }

  // MARK: Runs

  private func perform(
    _ ready: Rasa.ReadyRun, _ handle: Handle, _ caller: MCPCaller, _ progress: MCPProgress
  ) async throws -> Value {
    do {
      guard caller.takesTasks else {
        return try outcome(try await ready.run(observer(progress)), handle, caller)
      }
      let live = try begin(ready, progress)
      let result = await withTaskCancellationHandler {
        await live.result(within: settings.taskAfter)
      } onCancel: {
        live.cancel()
      }
      if let result { return try outcome(try result.get(), handle, caller) }
      try Task.checkCancellation()
      var task = try await state(ofTask: ready.id, caller)
      task["resultType"] = "task"
      return complete(task, caller)
    } catch let error as RasaError where !Task.isCancelled {
      return failed(error, caller, run: ready.id)
    } catch is CancellationError where !Task.isCancelled {
      return failed(
        RasaError(
          .cancelled, "the run was stopped", suggestion: "`rasa resume \(ready.id)` continues it"),
        caller, run: ready.id)
    }
  }

  /// Has a run go on by itself.
  func begin(_ ready: Rasa.ReadyRun, _ progress: MCPProgress?) throws -> LiveRun {
    try live.begin(ready.id) { live in
      var observer = Rasa.Observer { observation in
        live.noteJournaled()
        guard let message = observation.event.flatMap(MCPProgress.message) else { return }
        live.note(message)
        await progress?.tell(message)
      }
      observer.waitsForJournal = true
      return try await ready.run(observer)
    }
  }

  private func observer(_ progress: MCPProgress) -> Rasa.Observer {
    var observer = Rasa.Observer { observation in
      if let message = observation.event.flatMap(MCPProgress.message) {
        await progress.tell(message)
      }
    }
    observer.waitsForJournal = true
    return observer
  }

  private func outcome(
    _ result: Rasa.RunResult, _ handle: Handle, _ caller: MCPCaller
  ) throws(JSONRPC.Problem) -> Value {
    guard !result.pending.isEmpty else { return complete(answered(RunAnswer(result)), caller) }
    // Where the client could be asked on the way, its user has not decided.
    if caller.isStateless, caller.mayBeAsked {
      return try inputRequired(result.run, result.pending, handle, caller)
    }
    return complete(waiting(result.run, result.pending, RunAnswer(result)), caller)
  }

  // MARK: Results

  func answered(_ answer: RunAnswer) -> ValueObject {
    var content: [Value] = [["type": "text", "text": .string(answer.text)]]
    if !answer.notes.isEmpty {
      content.append(
        ["type": "text", "text": .string("Notices:\n- " + answer.notes.joined(separator: "\n- "))])
    }
    return [
      "content": .array(content), "structuredContent": .object(answer.document), "isError": false,
    ]
  }

  /// No answer, and no error of the persona's either: a model must not take it for one.
  private func waiting(
    _ run: String, _ approvals: [Rasa.Approval], _ answer: RunAnswer? = nil
  ) -> ValueObject {
    let text = RunAnswer.waitingText(run, approvals)
    var document =
      answer?.document ?? [
        "answer": .null, "run": .string(run), "finish": .null, "cost_usd": .null, "mock": false,
        "waits_for": .array(
          approvals.map { ["approval": .string($0.id), "title": .string($0.title)] }),
      ]
    document["notices"] = .array([.string(text)] + (answer?.notes ?? []).map(Value.string))
    return [
      "content": [["type": "text", "text": .string(text)]],
      "structuredContent": .object(document), "isError": true,
    ]
  }

  func failed(_ error: RasaError, _ caller: MCPCaller, run: String? = nil) -> Value {
    var text = error.description
    let run = error.run ?? run
    if let run { text += "\nThe run is \(run)." }
    return complete(
      [
        "content": [["type": "text", "text": .string(text)]],
        "structuredContent": [
          "answer": .null, "run": run.map(Value.string) ?? .null, "finish": .null,
          "cost_usd": .null, "mock": false, "notices": [.string(text)],
          "error": [
            "code": .string(error.code.description), "message": .string(error.message),
            "suggestion": .string(error.suggestion),
          ],
        ], "isError": true,
      ], caller)
  }

  /// What a run that has ended came to.
  func ended(_ run: String, _ caller: MCPCaller) async throws -> Value {
    let timeline = try await rasa.timeline(ofRun: run)
    switch timeline.ending {
    case .finished(let output):
      return complete(answered(RunAnswer(timeline, output: output.value)), caller)
    case .failed(let error): return failed(error, caller, run: run)
    default:
      return failed(
        RasaError(
          .run, "\(run) is \(timeline.run.status)", suggestion: "`rasa runs show \(run)` tells more"
        ),
        caller, run: run)
    }
  }
}
