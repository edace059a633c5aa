import RasaCore
import RasaHTTPServer
import RasaKit

/// Who answers behind the doors, by the name of the model.
enum Backends {
  /// What stands before the names of personas, agents and classes.
  static let prefix = "rasa/"
  /// Which model fits is chosen by the gate.
  static let classes = ["fast", "balanced", "thinking", "expert"]

  static func source(_ call: Call, _ request: DoorRequest) async throws -> AnswerSource {
    let name = request.completion.model
    var request = request
    if let session = call.request.header("x-rasa-session") {
      guard request.session == nil || request.session == session else {
        throw ServerProblem.invalid(
          "the header x-rasa-session and the body name different sessions",
          suggestion: "name one of them")
      }
      request.session = session
    }
    guard name.hasBytePrefix(prefix) else { return try await ModelBackend.source(call, request) }
    let own = String(name.dropFirst(prefix.utf8.count))
    if classes.contains(own) {
      try await ModelBackend.check(call.client, name)
      request.completion.model = own
      return try await ModelBackend.source(call, request, isClass: true)
    }
    return try await PersonaBackend.source(call, request, named: own)
  }

  /// The persona or agent of that name. Names alone count: files are not for clients to choose.
  static func runnable(_ rasa: Rasa, named name: String) async throws -> Rasa.Runnable {
    let personas = try await rasa.personas()
    let persona = personas.first { $0.name == name } ?? personas.first { $0.alias == name }
    if let persona { return try await rasa.prepare(persona: persona.name) }
    if await rasa.agent(name)?.id == name { return try await rasa.prepare(agent: name) }
    throw ServerProblem.noModel(prefix + name)
  }
}

extension ServerProblem {
  static func noModel(_ name: String) -> ServerProblem {
    var problem = ServerProblem(
      404, "model_not_found", "there is no model \(quoted(name)) here",
      suggestion: "`/v1/models` lists what can be asked")
    problem.member = "model"
    return problem
  }
}
