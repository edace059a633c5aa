import RasaCore
import RasaHTTPServer
import RasaKit
import RasaSystem

/// What can be asked by name, as each protocol lists it.
enum ModelList {
  /// The version of Ollama whose routes are answered: clients ask before they use newer ones.
  static let ollamaVersion = "0.12.6"

  private struct Entry: Sendable {
    var id: String
    var about: String
    /// Who has it: `rasa`, or the provider.
    var owner: String
    var contextTokens: Int64?
    var isThinking = false

    /// For a client of Anthropic's or OpenAI's.
    func document(_ isAnthropic: Bool) -> Value {
      isAnthropic
        ? [
          "type": "model", "id": .string(id), "display_name": .string(id),
          "created_at": "1970-01-01T00:00:00Z", "lifecycle": "active",
        ]
        : ["id": .string(id), "object": "model", "created": 0, "owned_by": .string(owner)]
    }
  }

  /// What the token may ask, in a fixed order: personas, agents, classes, models.
  private static func entries(_ call: Call) async throws -> [Entry] {
    let rasa = call.rasa
    var entries: [Entry] = []
    for persona in try await rasa.personas() where persona.isValid {
      entries.append(
        Entry(
          id: Backends.prefix + persona.name, about: persona.description ?? "", owner: "rasa"))
    }
    for agent in await rasa.agents() {
      let id = Backends.prefix + agent.id
      if !entries.contains(where: { $0.id == id }) {
        entries.append(Entry(id: id, about: agent.description, owner: "rasa"))
      }
    }
    for name in Backends.classes {
      let id = Backends.prefix + name
      entries.removeAll { $0.id == id }
      entries.append(Entry(id: id, about: "The \(name) model that fits best.", owner: "rasa"))
    }
    for model in try await rasa.models() {
      guard let provider = model.provider else { continue }
      entries.append(
        Entry(
          id: "\(provider):\(model.name)", about: "", owner: provider,
          contextTokens: model.contextTokens, isThinking: model.isThinking))
    }
    return entries.filter { call.client.mayAsk($0.id) }
  }

  private static func entry(_ call: Call, _ name: String) async throws -> Entry {
    let entries = try await entries(call)
    if let entry = entries.first(where: { $0.id == name }) { return entry }
    // Of servers with many vendors' models the list has what was seen; the catalogue knows more.
    if !name.hasBytePrefix(Backends.prefix), let found = try await call.rasa.place(ofModel: name),
      let reference = found.reference,
      call.client.mayAsk(name) || call.client.mayAsk(reference),
      let known = try? await call.rasa.model(name).model
    {
      return Entry(
        id: reference, about: "", owner: found.provider, contextTokens: known.contextTokens,
        isThinking: known.isThinking)
    }
    throw ServerProblem.noModel(name)
  }

  // MARK: OpenAI and Anthropic

  static func openAI(_ call: Call, named name: String? = nil) async throws -> ServerResponse {
    let isAnthropic = call.request.header("anthropic-version") != nil
    let found: [Entry]
    do { found = try await asked(call, name, isAnthropic) } catch {
      return .problem(ServerProblem(error), isAnthropic ? .anthropic : .openAI)
    }
    if name != nil, let one = found.first { return .json(one.document(isAnthropic)) }
    return .json(list(found, isAnthropic))
  }

  /// The one of that name, or all.
  private static func asked(
    _ call: Call, _ name: String?, _ isAnthropic: Bool
  ) async throws -> [Entry] {
    if isAnthropic {
      try MessagesReader.checkVersion(call.request.header("anthropic-version"))
    }
    if let name { return [try await entry(call, name)] }
    return try await entries(call)
  }

  private static func list(_ entries: [Entry], _ isAnthropic: Bool) -> Value {
    let data = Value.array(entries.map { $0.document(isAnthropic) })
    guard isAnthropic else { return ["object": "list", "data": data] }
    return [
      "data": data, "has_more": false,
      "first_id": entries.first.map { .string($0.id) } ?? .null,
      "last_id": entries.last.map { .string($0.id) } ?? .null,
    ]
  }

  // MARK: Ollama

  static func ollama(_ call: Call) async throws -> ServerResponse {
    let models = try await entries(call).map { entry -> Value in
      [
        "name": .string(entry.id), "model": .string(entry.id),
        "modified_at": .string(Timestamp(milliseconds: 0).utcText), "size": 0,
        "digest": .string(Digest.sha256(entry.id)), "details": details(entry),
      ]
    }
    return .json(["models": .array(models)])
  }

  static func show(_ call: Call) async throws -> ServerResponse {
    let body = Member(try Door.document(of: call))
    let name = body["model"].isThere ? try body["model"].name() : try body["name"].name()
    let entry = try await entry(call, OllamaReader.withoutTag(name))
    var capabilities: [Value] = ["completion", "tools"]
    if entry.isThinking { capabilities.append("thinking") }
    // A persona hands a picture on to models that take it.
    if entry.owner == "rasa" { capabilities.append("vision") }
    var info: ValueObject = ["general.architecture": .string(entry.owner)]
    if let window = entry.contextTokens {
      info["\(entry.owner).context_length"] = .int(window)
    }
    return .json([
      "modelfile": "", "parameters": "", "template": "", "license": "",
      "modified_at": .string(Timestamp(milliseconds: 0).utcText), "details": details(entry),
      "model_info": .object(info), "capabilities": .array(capabilities),
    ])
  }

  private static func details(_ entry: Entry) -> Value {
    [
      "parent_model": "", "format": "", "family": .string(entry.owner),
      "families": [.string(entry.owner)], "parameter_size": "", "quantization_level": "",
    ]
  }
}
