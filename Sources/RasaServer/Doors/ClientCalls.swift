import RasaCore
import RasaKit

/// Calls that went to a client, and their results: the id of a call is that of the question that the run waits with, so
/// that a result finds its run, also after a restart.
enum ClientCalls {
  private static let prefix = "call_"

  /// The call as a client sees it.
  static func named(_ call: Rasa.Completion.ToolCall) -> Rasa.Completion.ToolCall {
    var call = call
    call.id = prefix + call.id
    return call
  }

  /// A run that goes on, or that has come to its end already.
  struct Continuation: Sendable {
    var run: String
    /// The answer, where the same results came a second time and the run has ended since.
    var answered: String?
  }

  /// The run that the results at the end of a request belong to, with these results given to it. Nil where there are
  /// none, or their run has been deleted: then the conversation that the client sent begins a new one.
  static func resumed(
    _ call: Call, _ request: DoorRequest, for persona: String
  ) async throws -> Continuation? {
    let results = request.results
    guard !results.isEmpty else { return nil }
    var questions: [(Rasa.ApprovalRecord, Rasa.Completion.Message)] = []
    var gone = 0
    for result in results {
      let id = result.answers ?? ""
      guard id.hasBytePrefix(prefix) else { throw unknown(id) }
      let approval = String(id.dropFirst(prefix.utf8.count))
      guard let record = try? await call.rasa.approval(withID: approval), record.id == approval
      else {
        gone += 1
        continue
      }
      questions.append((record, result))
    }
    guard let first = questions.first?.0 else { return nil }
    guard gone == 0, let run = try? await call.rasa.run(withID: first.approval.run),
      run.persona == persona, try await owns(call, run),
      questions.allSatisfy({ $0.0.approval.run == run.id && $0.0.approval.clientCall != nil })
    else { throw unknown(results.first?.answers ?? "") }
    let open = try await call.rasa.approvals(ofRun: run.id, limit: 1_000)
      .filter { $0.approval.clientCall != nil }
    let missing = open.filter { open in !questions.contains { $0.0.id == open.id } }
    if let call = missing.first?.approval.clientCall {
      throw ServerProblem.invalid(
        "there is no result for the call \(quoted(prefix + call.id)) of \(quoted(call.name))",
        suggestion: "send the results of all calls of a turn together")
    }
    for (record, result) in questions where record.status == .pending {
      guard result.attachments.isEmpty else {
        throw ServerProblem.invalid(
          "a result with a file cannot be given to \(quoted(persona))",
          suggestion: "send the result as text")
      }
      try await call.rasa.answer(
        approval: record.id, Rasa.Approval.result(result.text, isError: result.isError),
        as: call.client.user)
    }
    let current = try await call.rasa.run(withID: run.id)
    guard current.status != .running else {
      throw ServerProblem(
        409, "running", "the run \(run.id) goes on with these results already",
        suggestion: "GET /v1/runs/\(run.id)/events shows it")
    }
    guard current.status == .done else { return Continuation(run: run.id) }
    let end = try await call.rasa.events(ofRun: run.id).last { $0.kind == "run.finished" }
    return Continuation(run: run.id, answered: end?.body["output"].text ?? "")
  }

  /// Whether the run is one that this client asked for.
  static func owns(_ call: Call, _ run: Rasa.RunSummary) async throws -> Bool {
    guard run.user == call.rasa.user(call.client.user) else { return false }
    return try await call.rasa.client(ofRun: run.id) == call.client.name
  }

  private static func unknown(_ id: String) -> ServerProblem {
    ServerProblem.invalid(
      "there is no call \(quoted(id)) that waits for a result here",
      suggestion: "send the results of calls that this server gave, or begin a new conversation")
  }
}
