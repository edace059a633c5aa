import RasaCore
import RasaDocuments
import RasaKit
import RasaSystem

/// What an editor can ask: sessions, which are rasa's conversations, and prompts in them.
final class ACPAgent: Sendable {
  struct Session: Sendable {
    var rasa: Rasa
    var choice: ACPProgram.Choice
    /// A question of the last run that the next prompt answers.
    var question: Rasa.Approval?
    var isPrompted = false
  }

  private struct State {
    var capabilities = Value.emptyObject
    var sessions: [String: Session] = [:]
    /// By the folders of their projects.
    var opened: [String: Rasa] = [:]
  }

  private static let version: Int64 = 1
  private static let notFound: Int64 = -32_002

  private let choice: ACPProgram.Choice
  private let open: @Sendable (String) throws -> Rasa
  private let note: @Sendable (String) -> Void
  private let state = Locked(State())

  init(
    _ choice: ACPProgram.Choice, open: @escaping @Sendable (String) throws -> Rasa,
    note: @escaping @Sendable (String) -> Void
  ) {
    self.choice = choice
    self.open = open
    self.note = note
  }

  func close() async {
    for rasa in state.withLock({ Array($0.opened.values) }) { await rasa.close() }
  }

  var handler: PeerConnection.Handler {
    PeerConnection.Handler(
      answer: { try await self.answer($0, $1) },
      note: { method, params, connection in
        switch method {
        case "session/cancel":
          let session = params["sessionId"]
          connection.cancel { $0.method == "session/prompt" && $0.params["sessionId"] == session }
        case "$/cancel_request":
          let id = JSONRPC.ID(params["requestId"])
          connection.cancel { $0.id == id }
        default: break
        }
      }, first: ["initialize"], run: "session/prompt")
  }

  private func answer(_ request: PeerRequest, _ connection: PeerConnection) async throws -> Value {
    let params = request.params
    do {
      switch request.method {
      case "initialize": return initialize(params)
      case "authenticate": return .emptyObject
      case "session/new": return try await begin(params)
      case "session/load": return try await load(params, replaying: connection)
      case "session/resume": return try await load(params, replaying: nil)
      case "session/close":
        let id = try session(params).id
        connection.cancel { $0.method == "session/prompt" && $0.params["sessionId"] == .string(id) }
        state.withLock { $0.sessions[id] = nil }
        return .emptyObject
      case "session/set_config_option":
        guard params["configId"].string == Self.option else {
          throw JSONRPC.Problem.params("the only option is `\(Self.option)`")
        }
        let chosen = try await choose(params["value"].string, params)
        return ["configOptions": try await options(chosen)]
      case "session/set_mode":
        _ = try await choose(params["modeId"].string, params)
        return .emptyObject
      case "session/prompt": return try await prompt(request, connection)
      default: throw JSONRPC.Problem.unknown(method: request.method)
      }
    } catch let error as RasaError {
      throw Self.problem(error)
    } catch let failure as Failure {
      throw JSONRPC.Problem(code: JSONRPC.Problem.internalError, message: failure.description)
    }
  }

  static func problem(_ error: RasaError) -> JSONRPC.Problem {
    var data: ValueObject = [
      "code": .string(error.code.description), "suggestion": .string(error.suggestion),
    ]
    if let run = error.run { data["run"] = .string(run) }
    return JSONRPC.Problem(
      code: error.code == .usage
        ? JSONRPC.Problem.invalidParams : JSONRPC.Problem.internalError,
      message: error.description, data: .object(data))
  }

  private func initialize(_ params: Value) -> Value {
    state.withLock { $0.capabilities = params["clientCapabilities"] }
    return [
      "protocolVersion": .int(Self.version),
      "agentCapabilities": [
        "loadSession": true,
        "promptCapabilities": ["image": true, "audio": false, "embeddedContext": true],
        "mcpCapabilities": ["http": false, "sse": false],
        "sessionCapabilities": ["resume": .emptyObject, "close": .emptyObject],
      ],
      "agentInfo": ["name": "rasa", "title": "rasa", "version": .string(BuiltWith.rasa)],
      "authMethods": [],
    ]
  }

  /// Whether the editor shows forms.
  var showsForms: Bool { state.withLock { !$0.capabilities["elicitation"]["form"].isNull } }

  // MARK: Sessions

  private func begin(_ params: Value) async throws -> Value {
    let rasa = try project(params)
    let id = rasa.newSession()
    let session = Session(rasa: rasa, choice: choice)
    state.withLock { $0.sessions[id] = session }
    var result = try await chosen(session)
    result["sessionId"] = .string(id)
    return .object(result)
  }

  /// - Parameter connection: gets the turns; nil where they are not wanted.
  private func load(_ params: Value, replaying connection: PeerConnection?) async throws -> Value {
    let rasa = try project(params)
    guard let id = params["sessionId"].string else {
      throw JSONRPC.Problem.params("`sessionId` is missing")
    }
    let turns = try await turns(of: id, rasa)
    var session = Session(rasa: rasa, choice: choice)
    let summary = try await rasa.sessions(of: rasa.user(), limit: 10_000).first { $0.name == id }
    if let persona = summary?.persona,
      let known = try await known(rasa).first(where: { $0.name == persona })
    {
      session.choice = known.choice
    }
    state.withLock { $0.sessions[id] = session }
    if let connection {
      for turn in turns {
        await connection.update(
          id, "user_message_chunk",
          ["messageId": .string("\(turn.run).input"), "content": .text(turn.input)])
        await connection.update(
          id, "agent_message_chunk",
          ["messageId": .string(turn.run), "content": .text(turn.output)])
      }
    }
    return .object(try await chosen(session))
  }

  private func turns(of id: String, _ rasa: Rasa) async throws -> [Rasa.Turn] {
    do throws(RasaError) {
      return try await rasa.turns(of: id)
    } catch {
      guard error.code == .usage else { throw error }
      throw JSONRPC.Problem(code: Self.notFound, message: error.description)
    }
  }

  /// The project that the editor has open.
  private func project(_ params: Value) throws -> Rasa {
    guard let folder = params["cwd"].string, folder.hasBytePrefix("/") else {
      throw JSONRPC.Problem.params("`cwd` is no absolute path")
    }
    guard FileSystem.kind(of: folder) == .folder else {
      throw JSONRPC.Problem.params("\(quoted(folder)) is no folder")
    }
    let servers = params["mcpServers"].array ?? []
    if !servers.isEmpty {
      let names = servers.map { quoted($0["name"].string ?? "") }
      note(
        "the editor's MCP servers are not used: \(listed(names, "and")); declare them in mcp.json or in a persona"
      )
    }
    if let rasa = state.withLock({ $0.opened[folder] }) { return rasa }
    let rasa = try open(folder)
    // Of two that were opened at the same time one is kept.
    return state.withLock { state in
      let kept = state.opened[folder] ?? rasa
      state.opened[folder] = kept
      return kept
    }
  }

  func session(_ params: Value) throws(JSONRPC.Problem) -> (id: String, session: Session) {
    guard let id = params["sessionId"].string else { throw .params("`sessionId` is missing") }
    guard let session = state.withLock({ $0.sessions[id] }) else {
      throw JSONRPC.Problem(code: Self.notFound, message: "there is no session \(quoted(id)) here")
    }
    return (id, session)
  }

  func change(_ id: String, _ body: (inout Session) -> Void) {
    state.withLock { state in
      if var session = state.sessions[id] {
        body(&session)
        state.sessions[id] = session
      }
    }
  }

  /// Takes the session for a prompt; false where it has one.
  func take(_ id: String) -> Bool {
    state.withLock { state in
      guard state.sessions[id]?.isPrompted == false else { return false }
      state.sessions[id]?.isPrompted = true
      return true
    }
  }

  // MARK: Who answers

  private static let option = "persona"

  private struct Known {
    var choice: ACPProgram.Choice
    var name: String
    var title: String
    var description: String
  }

  private func known(_ rasa: Rasa) async throws(RasaError) -> [Known] {
    var known = [
      Known(
        choice: .best, name: "", title: "Best match",
        description: "The agent that fits the prompt, chosen for each of them.")
    ]
    for persona in try await rasa.personas() {
      guard let description = persona.description else { continue }
      known.append(
        Known(
          choice: .persona(persona.name), name: persona.name, title: persona.name,
          description: description))
    }
    for agent in await rasa.agents() {
      known.append(
        Known(
          choice: .agent(agent.id), name: agent.id, title: agent.name,
          description: agent.description))
    }
    return known
  }

  private func options(_ session: Session) async throws(RasaError) -> Value {
    [
      [
        "id": .string(Self.option), "name": "Persona or agent", "category": "mode",
        "type": "select", "currentValue": .string(session.choice.id),
        "options": .array(
          try await known(session.rasa).map {
            [
              "value": .string($0.choice.id), "name": .string($0.title),
              "description": .string($0.description),
            ]
          }),
      ]
    ]
  }

  /// The choice, for clients that know options, and for those that know modes.
  private func chosen(_ session: Session) async throws(RasaError) -> ValueObject {
    [
      "configOptions": try await options(session),
      "modes": [
        "currentModeId": .string(session.choice.id),
        "availableModes": .array(
          try await known(session.rasa).map {
            [
              "id": .string($0.choice.id), "name": .string($0.title),
              "description": .string($0.description),
            ]
          }),
      ],
    ]
  }

  private func choose(_ value: String?, _ params: Value) async throws -> Session {
    var (id, session) = try session(params)
    guard let value,
      let known = try await known(session.rasa).first(where: { $0.choice.id == value })
    else {
      throw JSONRPC.Problem.params("there is no persona or agent \(quoted(value ?? ""))")
    }
    session.choice = known.choice
    change(id) { $0.choice = known.choice }
    return session
  }
}

extension PeerConnection {
  /// Tells an editor what happens in a session.
  func update(_ session: String, _ kind: String, _ members: ValueObject) async {
    var update: ValueObject = ["sessionUpdate": .string(kind)]
    for (name, value) in members { update[name] = value }
    await notify("session/update", ["sessionId": .string(session), "update": .object(update)])
  }
}

extension Value {
  /// A block of content.
  static func text(_ text: String) -> Value { ["type": "text", "text": .string(text)] }
}
