import RasaCore
import RasaDocuments
package import RasaEngine
import RasaPersona

/// A tool of an MCP server.
package struct MCPTool: Tool {
  package let description: ToolDescription
  /// What the server says of it.
  package let definition: MCPToolDefinition
  let connection: MCPConnection
  let setting: MCPServers.Setting
  /// Which of the server's offers it is from.
  private let offer: Int
  private let watch: MCPServers.Watch?

  /// - Parameter watch: see `MCPServers.tools`.
  init(
    _ definition: MCPToolDefinition, of connection: MCPConnection, _ server: MCPServer,
    _ setting: MCPServers.Setting, offer: Int, watch: MCPServers.Watch?
  ) {
    self.offer = offer
    self.watch = watch
    let declaration = connection.declaration
    let override = server.tools[definition.name]
    self.definition = definition
    self.connection = connection
    self.setting = setting
    // The server's own hints lower nothing: whoever writes a harmful tool writes harmless hints.
    description = ToolDescription(
      name: "mcp:\(declaration.name)/\(definition.name)", text: definition.text,
      parameters: definition.input, output: definition.output,
      sideEffects: override?.sideEffects ?? declaration.sideEffects ?? .yes,
      dataFlow: override?.dataFlow ?? declaration.dataFlow, origin: .server(declaration.name))
  }

  /// Where rasa's name for the use stands in `_meta`, the same for each attempt at it.
  package static let keyOfUse = "dev.rasa/idempotencyKey"

  package func perform(_ use: ToolUse, _ context: ToolContext) async throws -> ToolOutcome {
    let clock = MCPUseClock(
      limit: connection.declaration.timeout, silence: setting.limits.silence,
      within: context.secondsLeft, setting.time.monotonic)
    let call = MCPCall(tool: self, use: use, context: context, clock: clock)
    if let task = use.requestState?[MCPCall.task].string {
      return try await call.goOn(withTask: task)
    }
    try await checkUnchanged()
    return try await call.perform()
  }

  /// What was approved is what is done: a server that has changed the tool since is not called.
  func checkUnchanged() async throws {
    let listing = try await connection.currentListing()
    guard listing.number != offer else { return }
    try watch?(ServerOffer(listing, of: connection.declaration))
    guard listing.tools.first(where: { $0.name.hasSameBytes(as: definition.name) }) != definition
    else { return }
    throw Failure(
      .run,
      "the MCP server `\(connection.name)` has changed its tool `\(definition.name)` since it was "
        + "offered, so it is not called",
      suggestion: "look at it with `rasa tools show`, and start again")
  }
}

/// One use of a tool, in all the requests that it takes.
struct MCPCall: Sendable {
  let tool: MCPTool
  let use: ToolUse
  let context: ToolContext
  let clock: MCPUseClock

  /// Members of the state that is kept between a question and the use that answers it.
  static let task = "task"
  private static let serverState = "requestState"
  private static let asked = "asked"
  private static let answered = "answered"

  private var connection: MCPConnection { tool.connection }
  private var limits: MCPLimits { tool.setting.limits }
  private var server: String { connection.name }
  private var name: String { tool.definition.name }

  func perform() async throws -> ToolOutcome {
    var params: ValueObject = ["name": .string(name), "arguments": arguments]
    if !use.idempotencyKey.isEmpty {
      params["_meta"] = .object([MCPTool.keyOfUse: .string(use.idempotencyKey)])
    }
    if let state = use.requestState {
      if let own = state[Self.serverState].string { params["requestState"] = .string(own) }
      switch responses(to: state[Self.asked], state) {
      case .success(let responses):
        if !responses.isEmpty { params["inputResponses"] = .object(responses) }
      case .failure(let again): return .inputRequired(again.request)
      }
    }
    for _ in 0...limits.rounds {
      let result: Value
      let (reply, isModern) = try await exchange("tools/call", params)
      switch reply {
      case .result(let value): result = value
      case .problem(let problem) where problem.code == JSONRPC.Problem.urlElicitationRequired:
        return try questions(ofPages: problem)
      case .problem(let problem):
        if problem.code == JSONRPC.Problem.headerMismatch {
          // Most likely other arguments are wanted as headers than before.
          connection.noteChange()
          try await tool.checkUnchanged()
        }
        return try outcome(of: problem)
      case .foreign(let status, let what): throw foreign(status, what)
      }
      switch result["resultType"].string ?? "complete" {
      case "complete": return .result(content(result))
      case "task" where isModern: return try await follow(result, answered: [])
      case "input_required" where isModern:
        guard let requests = result["inputRequests"].object, !requests.isEmpty else {
          guard let state = result["requestState"].string else {
            return error("it wants to be asked again, and does not say with what")
          }
          // Nothing is wanted but to be asked again.
          params["requestState"] = .string(state)
          params["inputResponses"] = nil
          continue
        }
        var state: ValueObject = [Self.asked: .object(requests)]
        if let own = result["requestState"].string { state[Self.serverState] = .string(own) }
        return .inputRequired(try request(requests, state: .object(state)))
      case let type: return error("its result is of the unknown type \(quoted(type))")
      }
    }
    return error("it wants to be asked again and again")
  }

  private var arguments: Value { use.arguments.isNull ? .emptyObject : use.arguments }

  private func content(_ result: Value) -> ToolResult {
    MCPContent(tool: name, attachment: tool.setting.attachment)
      .result(result, output: tool.definition.output)
  }

  private func error(_ what: String) -> ToolOutcome {
    .result(
      ToolResult(
        [.text("The MCP server `\(server)` cannot complete the call: \(what)")], isError: true))
  }

  private func exchange(
    _ method: String, _ params: ValueObject
  ) async throws -> (reply: MCPReply, isModern: Bool) {
    let clock = clock
    let progress = context.progress
    var request = MCPRequest(
      method: method, params: params, isUse: true, secondsLeft: { clock.secondsLeft })
    request.name = params["name"]?.string ?? params["taskId"]?.string
    request.headers = tool.definition.headerValues(arguments)
      .map { Header(name: $0.name, value: $0.value) }
    request.progress = { said in
      clock.noteSign()
      try await progress(said)
    }
    if connection.declaration.mayAsk { request.ask = { try await ask($0) } }
    let (reply, agreement) = try await connection.exchange(request)
    return (reply, agreement.isModern)
  }

  // MARK: Questions

  /// A question of the era in which the server waits for the answer.
  private func ask(_ params: Value) async throws -> Value {
    let first = try MCPElicitation.question(params)
    var question = first
    for _ in 0..<3 {
      let asked = question
      let answer = try await clock.pausing { try await context.ask(asked) }
      switch MCPElicitation.response(to: question, answer) {
      case .success(let response): return response
      case .failure(let failure):
        question.message =
          first.message + "\n(\(failure.message): \(failure.details.joined(separator: "; ")))"
      }
    }
    return MCPElicitation.cancelled
  }

  private func request(
    _ requests: ValueObject, state: Value
  ) throws(Failure) -> ToolInputRequest {
    var entries: [ToolInputRequest.Entry] = []
    for (name, request) in requests {
      guard connection.declaration.mayAsk else {
        throw Failure(
          .run, "the MCP server `\(server)` asks for more during `\(self.name)`, which it may not",
          suggestion: "write `may_ask: true` where the server is declared, if it should")
      }
      let method = request["method"].string ?? ""
      guard method == "elicitation/create" else {
        throw Failure(
          .run,
          "the MCP server `\(server)` asks for \(quoted(method)) during `\(self.name)`, which rasa does not "
            + "offer")
      }
      do throws(Failure) {
        entries.append(
          .init(name: name, question: try MCPElicitation.question(request["params"])))
      } catch {
        throw Failure(.run, "the MCP server `\(server)` cannot be answered: \(error.message)")
      }
    }
    return ToolInputRequest(entries: entries, state: state)
  }

  /// What has to be asked once more.
  private struct Again: Error { var request: ToolInputRequest }

  /// What was answered to these requests, in the server's form.
  private func responses(
    to requests: Value, _ state: Value
  ) -> Result<ValueObject, Again> {
    var responses = ValueObject()
    var again: [ToolInputRequest.Entry] = []
    for (name, request) in requests.object ?? ValueObject() {
      guard var question = try? MCPElicitation.question(request["params"]) else { continue }
      switch MCPElicitation.response(to: question, recorded: use.responses?[name] ?? .null) {
      case .success(let response): responses[name] = response
      case .failure(let failure):
        question.message += "\n(\(failure.message): \(failure.details.joined(separator: "; ")))"
        again.append(.init(name: name, question: question))
      }
    }
    guard again.isEmpty else {
      return .failure(Again(request: ToolInputRequest(entries: again, state: state)))
    }
    return .success(responses)
  }

  /// The revision 2025-11-25 reports pages that have to be visited first as an error.
  private func questions(ofPages problem: JSONRPC.Problem) throws(Failure) -> ToolOutcome {
    var requests = ValueObject()
    for (index, page) in (problem.data["elicitations"].array ?? []).enumerated() {
      requests[page["elicitationId"].string ?? "page-\(index + 1)"] = [
        "method": "elicitation/create", "params": page,
      ]
    }
    guard !requests.isEmpty else { return try outcome(of: problem) }
    // The same call again is all that it then takes.
    return .inputRequired(try request(requests, state: ["pages": true]))
  }

  // MARK: Errors

  /// An error that a model may do something about is a result; one of the protocol is none of its business.
  private func outcome(of problem: JSONRPC.Problem) throws(Failure) -> ToolOutcome {
    let isOfProtocol =
      problem.isModern || [-32_700, -32_600, JSONRPC.Problem.methodNotFound].contains(problem.code)
    guard isOfProtocol else {
      return .result(
        ToolResult([.text("\(problem.message) (\(problem.code))")], isError: true))
    }
    let wantsToAsk =
      problem.code == JSONRPC.Problem.missingCapability
      && !problem.data["requiredCapabilities"]["elicitation"].isNull
    throw Failure(
      .run, "the MCP server `\(server)` rejects the call of `\(name)`: \(problem.text)",
      suggestion: wantsToAsk
        ? "write `may_ask: true` where the server is declared, if it should ask the user" : "")
  }

  private func foreign(_ status: Int, _ what: String) -> Failure {
    Failure(
      .run, "the MCP server `\(server)` rejects the call of `\(name)`: \(what)",
      suggestion: status == 404 ? "check its address" : "")
  }
}

// MARK: - Tasks

extension MCPCall {
  /// Answers what a task asked for, and goes on waiting for it.
  func goOn(withTask id: String) async throws -> ToolOutcome {
    let state = use.requestState ?? .null
    var answered = state[Self.answered].array?.compactMap(\.string) ?? []
    switch responses(to: state[Self.asked], state) {
    case .failure(let again): return .inputRequired(again.request)
    case .success(let responses):
      answered += responses.keys
      if !responses.isEmpty {
        _ = try await onTask(
          id, "tasks/update", ["taskId": .string(id), "inputResponses": .object(responses)])
      }
    }
    return try await follow(["taskId": .string(id), "status": "working"], answered: answered)
  }

  /// Asks for a task as often as the server wants to be asked, until it is over.
  private func follow(_ first: Value, answered: [String]) async throws -> ToolOutcome {
    guard let id = first["taskId"].string else {
      return error("it has made a task without an ID of it")
    }
    var task = first
    var lastMessage: String?
    while true {
      switch task["status"].string ?? "" {
      case "completed":
        guard task["result"].object != nil else {
          return error("its task is done, and without a result")
        }
        return .result(content(task["result"]))
      case "failed":
        if let problem = JSONRPC.Problem(task["error"]) { return try outcome(of: problem) }
        return error(task["statusMessage"].string ?? "its task failed")
      case "cancelled":
        return error(task["statusMessage"].string ?? "its task was cancelled on the server")
      case "input_required":
        let open = ValueObject(
          (task["inputRequests"].object ?? ValueObject())
            .filter { !answered.contains($0.key) }.map { ($0.key, $0.value) })
        if !open.isEmpty {
          let state: Value = [
            Self.task: .string(id), Self.asked: .object(open),
            Self.answered: .array(answered.map { .string($0) }),
          ]
          do throws(Failure) {
            return .inputRequired(try request(open, state: state))
          } catch {
            await cancel(id)
            throw error
          }
        }
      case "working": break
      case let status: return error("its task is in the unknown state \(quoted(status))")
      }
      clock.noteSign()
      if let message = task["statusMessage"].string, message != lastMessage {
        lastMessage = message
        try await context.progress(ToolProgress(message: message))
      }
      let interval = min(max(task["pollIntervalMs"].int ?? 1_000, 20), 60_000)
      do {
        guard clock.secondsLeft > 0 else {
          throw Failure(
            .timeout,
            "the task that the MCP server `\(server)` made of `\(name)` was not done in time",
            suggestion: "raise `timeout:` where the server is declared")
        }
        let left = Int64(max(1, min(clock.secondsLeft * 1_000, 60_000)))
        try await tool.setting.time.sleep(.milliseconds(min(interval, left)))
        task = try await onTask(id, "tasks/get", ["taskId": .string(id)])
      } catch {
        if error is CancellationError || (error as? Failure)?.kind == .timeout { await cancel(id) }
        throw error
      }
    }
  }

  /// A request about a task. Whatever becomes of the request, the task may go on.
  private func onTask(
    _ id: String, _ method: String, _ params: ValueObject
  ) async throws -> Value {
    do {
      switch try await exchange(method, params).reply {
      case .result(let result): return result
      case .problem(let problem):
        throw Failure(.run, "the MCP server `\(server)` does not know the task: \(problem.text)")
      case .foreign(_, let what):
        throw Failure(.run, "the MCP server `\(server)` does not answer for the task: \(what)")
      }
    } catch var failure as Failure where failure.kind != .cancelled {
      if failure.kind != .timeout {
        failure.kind = .timeout
        failure.message += "; it is not known whether what it began for `\(name)` was done"
      }
      throw failure
    }
  }

  /// Told even when the use itself is cancelled; not waited for longer than a moment.
  private func cancel(_ id: String) async {
    let connection = connection
    let request = MCPRequest(
      method: "tasks/cancel", params: ["taskId": .string(id)], name: id, secondsLeft: { 2 })
    // A task of its own, as this one may be cancelled.
    await Task { _ = try? await connection.exchange(request) }.value
  }
}
