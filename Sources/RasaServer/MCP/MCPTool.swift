import RasaCore
import RasaDocuments
import RasaKit

/// A persona or an agent as a tool.
struct MCPTool: Sendable, Hashable {
  enum Target: Sendable, Hashable { case persona(String), agent(String) }

  /// What clients and models call it: letters, digits, `_` and `-`, at most 64 of them, which all of them take.
  var name: String
  var title: String
  var description: String
  var target: Target

  func prepare(_ rasa: Rasa) async throws(RasaError) -> Rasa.Runnable {
    switch target {
    case .persona(let name): try await rasa.prepare(persona: name)
    case .agent(let id): try await rasa.prepare(agent: id)
    }
  }

  /// Those that the client may ask, personas first, each by name.
  static func all(_ rasa: Rasa, for client: Client) async throws(RasaError) -> [MCPTool] {
    var tools: [MCPTool] = []
    for persona in try await rasa.personas() where client.mayAsk(persona.name) {
      // One whose file is broken cannot be asked anything.
      guard let description = persona.description else { continue }
      tools.append(
        MCPTool(
          name: persona.name, title: persona.name, description: description,
          target: .persona(persona.name)))
    }
    for agent in await rasa.agents() where client.mayAsk(agent.id) {
      tools.append(
        MCPTool(
          name: agent.id, title: agent.name, description: agent.description,
          target: .agent(agent.id)))
    }
    return named(tools)
  }

  /// With a valid name each, and no name twice.
  static func named(_ tools: [MCPTool]) -> [MCPTool] {
    var taken: Set<String> = []
    return tools.map { tool in
      var tool = tool
      var name = validName(tool.name)
      if taken.contains(name), case .agent = tool.target { name = validName("agent_\(tool.name)") }
      if taken.contains(name) {
        // Depends on the tool alone, so that it does not change with what else there is.
        name = "\(name.prefix(55))_\(Digest.sha256("\(tool.target)").prefix(8))"
      }
      taken.insert(name)
      tool.name = name
      return tool
    }
  }

  private static func validName(_ name: String) -> String {
    let bytes = name.utf8.prefix(64).map { byte -> UInt8 in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
        byte
      default: UInt8(ascii: "_")
      }
    }
    return bytes.isEmpty ? "_" : String(decoding: bytes, as: UTF8.self)
  }

  var definition: Value {
    [
      "name": .string(name), "title": .string(title), "description": .string(description),
      "inputSchema": MCPArguments.schema, "outputSchema": RunAnswer.schema,
    ]
  }
}

/// What a call of a tool is given.
struct MCPArguments: Sendable {
  var input: String
  var options = Rasa.RunOptions()

  static let schema: Value = [
    "type": "object",
    "properties": [
      "input": ["type": "string", "description": "The question or task, complete in itself."],
      "preferences": [
        "type": "object",
        "description": "What the asker wants besides, such as {\"language\": \"German\"}.",
        "additionalProperties": ["type": "string"],
      ],
      "session": [
        "type": "string",
        "description":
          "The name of a conversation that it continues; without one it remembers nothing of others.",
      ],
      "attachments": [
        "type": "array",
        "description": "Files beside the input: text, images (PNG, JPEG, GIF, WebP) and PDFs.",
        "items": [
          "type": "object",
          "properties": [
            "name": ["type": "string"], "text": ["type": "string"],
            "data": ["type": "string", "description": "The bytes in base64, in place of text."],
          ], "required": ["name"],
        ],
      ],
    ], "required": ["input"], "additionalProperties": false,
  ]

  /// - Throws: a `RasaError` of code `usage` that the model can mend.
  init(_ value: Value, _ rasa: Rasa) async throws(RasaError) {
    let object = value.object ?? ValueObject()
    let known = ["input", "preferences", "session", "attachments"]
    if let other = object.keys.first(where: { !known.contains($0) }) {
      throw Self.wrong("there is no argument `\(other)`", "it takes \(listed(known, "and"))")
    }
    guard let input = object["input"]?.string, input.utf8.contains(where: { $0 > 0x20 }) else {
      throw Self.wrong("`input` is missing or empty", "say what is to be done, as a text")
    }
    self.input = input
    if let preferences = object["preferences"] {
      guard let members = preferences.object else {
        throw Self.wrong("`preferences` is no object", "give names and texts")
      }
      for (name, value) in members { options.preferences[name] = value.promptText }
    }
    if let session = object["session"] {
      guard let name = session.string, !name.isEmpty else {
        throw Self.wrong("`session` is no text", "give the name of a conversation, or leave it out")
      }
      options.session = name
    }
    for (index, file) in (object["attachments"]?.array ?? []).enumerated() {
      let name = file["name"].string ?? "file \(index + 1)"
      let bytes: [UInt8]
      if let text = file["text"].string {
        bytes = Array(text.utf8)
      } else if let data = file["data"].string, let decoded = Base64.decode(data) {
        bytes = decoded
      } else {
        throw Self.wrong(
          "attachment \(quoted(name)) has no content", "give `text`, or `data` in base64")
      }
      options.attachments.append(try await rasa.attachment(name: name, bytes: bytes).attachment)
    }
  }

  private static func wrong(_ message: String, _ suggestion: String) -> RasaError {
    RasaError(.usage, message, suggestion: suggestion)
  }
}
