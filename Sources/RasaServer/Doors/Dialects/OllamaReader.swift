import RasaCore
import RasaKit

/// Reads requests of Ollama's `/api/chat` and `/api/generate`.
enum OllamaReader {
  static func chat(_ document: Value) throws(ServerProblem) -> DoorRequest {
    let body = Member(document)
    _ = try body.object()
    var completion = Rasa.Completion(model: withoutTag(try body["model"].name()), messages: [])
    // Older clients name a call by its place among those of its turn.
    var open: [Rasa.Completion.ToolCall] = []
    for (place, member) in try body["messages"].optionalElements().enumerated() {
      let message = try self.message(member, place, &open)
      completion.messages.append(message)
    }
    if !completion.messages.isEmpty { try completion.checkConversation(at: "messages") }
    for tool in try body["tools"].optionalElements() {
      completion.tools.append(try ChatReader.tool(tool))
    }
    return try finish(body, completion)
  }

  static func generate(_ document: Value) throws(ServerProblem) -> DoorRequest {
    let body = Member(document)
    _ = try body.object()
    try body["suffix"].refuse("nothing is filled in", unless: { $0.string?.isEmpty == true })
    try body["template"].refuse(
      "providers have templates of their own", unless: { $0.string?.isEmpty == true })
    try body["raw"].refuse(
      "providers have templates of their own", unless: { $0.bool == false })
    var completion = Rasa.Completion(model: withoutTag(try body["model"].name()), messages: [])
    if let system = try body["system"].optionalText(), !system.isEmpty {
      completion.messages.append(Rasa.Completion.Message(.system, system))
    }
    var message = Rasa.Completion.Message(.user, try body["prompt"].optionalText() ?? "")
    message.attachments = try images(body["images"])
    if message.text.isEmpty, message.attachments.isEmpty {
      completion.messages = []
    } else {
      completion.messages.append(message)
    }
    var request = try finish(body, completion)
    request.ignore(["context"], of: body)
    return request
  }

  /// Clients of Ollama add the tag `latest` to names without one.
  static func withoutTag(_ name: String) -> String {
    let tag = ":latest"
    return name.hasBytePrefix("rasa/") && name.hasByteSuffix(tag)
      ? String(name.dropLast(tag.utf8.count)) : name
  }

  private static func finish(
    _ body: Member, _ completion: Rasa.Completion
  ) throws(ServerProblem) -> DoorRequest {
    var completion = completion
    let format = body["format"]
    switch format.value {
    case .null, .string(""): break
    case .string("json"): completion.schema = ["type": "object"]
    case .object: completion.schema = format.value.asJSON
    default:
      throw format.problem("is \(format.value.json())", suggestion: "give `json` or a JSON Schema")
    }
    let options = body["options"]
    if options.isThere { _ = try options.object() }
    completion.temperature = try options["temperature"].number()
    completion.topP = try options["top_p"].number()
    completion.stop = try options["stop"].texts()
    // Below 0 it has no bound.
    if let most = options["num_predict"].value.int, most > 0 {
      completion.maxTokens = Int(clamping: most)
    }
    let think = body["think"]
    if think.isThere, think.value.bool == nil {
      completion.effort = try Rasa.Effort(asked: think)
    }
    var request = DoorRequest(completion: completion)
    request.isStreamed = try body["stream"].flag(default: true)
    request.wantsReasoning = think.value.bool ?? true
    for (name, _) in options.value.object ?? ValueObject()
    where !["temperature", "top_p", "stop", "num_predict"].contains(name) {
      request.ignored.append("options.\(name)")
    }
    return request
  }

  private static func message(
    _ member: Member, _ place: Int, _ open: inout [Rasa.Completion.ToolCall]
  ) throws(ServerProblem) -> Rasa.Completion.Message {
    let role = try member["role"].text()
    var message: Rasa.Completion.Message
    switch role {
    case "system": message = Rasa.Completion.Message(.system, "")
    case "user": message = Rasa.Completion.Message(.user, "")
    case "assistant":
      message = Rasa.Completion.Message(.assistant, "")
      for (index, call) in try member["tool_calls"].optionalElements().enumerated() {
        let function = call["function"]
        message.toolCalls.append(
          Rasa.Completion.ToolCall(
            id: try call["id"].optionalText() ?? "call_\(place)_\(index)",
            name: try function["name"].name(),
            arguments: Value.object(try function["arguments"].object())
              .json(.compact, escaping: .onlyNeeded)))
      }
      open = message.toolCalls
    case "tool":
      message = Rasa.Completion.Message(.tool, "")
      message.answers = try answered(member, &open)
    default:
      throw member["role"].problem(
        "is \(quoted(role))", suggestion: "give `system`, `user`, `assistant` or `tool`")
    }
    message.text = try member["content"].optionalText() ?? ""
    message.attachments = try images(member["images"])
    return message
  }

  /// The call that a result answers: by its id, else the next one of that name, else the next one.
  private static func answered(
    _ member: Member, _ open: inout [Rasa.Completion.ToolCall]
  ) throws(ServerProblem) -> String {
    if let id = try member["tool_call_id"].optionalText(), !id.isEmpty { return id }
    let name = try member["tool_name"].optionalText()
    let place =
      open.firstIndex { $0.name == name } ?? (name == nil ? open.indices.first : nil)
    guard let place else {
      throw member.problem(
        "is the result of a call that nobody has made",
        suggestion: "send the assistant's message with that call before its result")
    }
    return open.remove(at: place).id
  }

  private static func images(_ member: Member) throws(ServerProblem) -> [Rasa.Attachment] {
    var files: [Rasa.Attachment] = []
    for image in try member.optionalElements() {
      files.append(try image.base64(named: "attachment-\(files.count + 1)"))
    }
    return files
  }
}
