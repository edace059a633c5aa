import RasaCore
import RasaKit

/// Reads a request of Anthropic's Messages.
enum MessagesReader {
  /// The version of the protocol: clients that send another one want answers of another form.
  static func checkVersion(_ version: String?) throws(ServerProblem) {
    guard let version else {
      throw .invalid(
        "the header anthropic-version is missing",
        suggestion: "send `anthropic-version: 2023-06-01`")
    }
    guard version == "2023-06-01" else {
      throw .invalid(
        "the header anthropic-version is \(quoted(version)), which is not known",
        suggestion: "send `anthropic-version: 2023-06-01`")
    }
  }

  /// - Parameter isCounted: Whether only the tokens of the input are asked for, so that the answer has no bound.
  static func read(_ document: Value, isCounted: Bool = false) throws(ServerProblem) -> DoorRequest
  {
    let body = Member(document)
    _ = try body.object()
    try body["mcp_servers"].refuse(
      "the provider's own use of tools cannot be translated",
      unless: { $0.array?.isEmpty == true })
    try body["container"].refuse("the provider's own machines cannot be translated")
    var completion = Rasa.Completion(model: try body["model"].name(), messages: [])
    if let text = try system(body["system"]) {
      completion.messages.append(Rasa.Completion.Message(.system, text))
    }
    for message in try body["messages"].elements() { try read(message, into: &completion) }
    try completion.checkConversation(at: "messages")
    for tool in try body["tools"].optionalElements() {
      completion.tools.append(try self.tool(tool))
    }
    completion.toolChoice = try choice(body["tool_choice"])
    completion.maxTokens = try body["max_tokens"].count()
    guard isCounted || completion.maxTokens != nil else {
      throw body["max_tokens"].problem("is missing")
    }
    completion.temperature = try body["temperature"].number()
    completion.topP = try body["top_p"].number()
    completion.stop = try body["stop_sequences"].texts()
    let thinking = body["thinking"]
    let thinks = thinking.isThere ? try thinking["type"].text() != "disabled" : false
    completion.effort = try Rasa.Effort(asked: body["output_config"]["effort"])
    if completion.effort == nil, thinks {
      completion.effort = try effort(thinking["budget_tokens"].count())
    }
    let format = body["output_config"]["format"]
    completion.schema = try ChatReader.schema(
      format.isThere ? format : body["output_format"], nested: nil)
    var request = DoorRequest(completion: completion)
    request.isStreamed = try body["stream"].flag()
    request.wantsReasoning = thinks
    request.ignore(["top_k", "service_tier", "context_management"], of: body)
    return request
  }

  private static func effort(_ budget: Int?) -> Rasa.Effort {
    guard let budget else { return .medium }
    return budget < 4_096 ? .low : budget < 16_384 ? .medium : .high
  }

  private static func system(_ member: Member) throws(ServerProblem) -> String? {
    guard member.isThere else { return nil }
    if let text = member.value.string { return text }
    var texts: [String] = []
    for block in try member.elements() {
      guard try block["type"].text() == "text" else {
        throw block["type"].problem("is \(block["type"].value.json()), and must be `text`")
      }
      texts.append(try block["text"].text())
    }
    return texts.joined(separator: "\n\n")
  }

  private static func read(
    _ message: Member, into completion: inout Rasa.Completion
  ) throws(ServerProblem) {
    let role = try message["role"].text()
    guard role == "user" || role == "assistant" else {
      throw message["role"].problem(
        "is \(quoted(role))", suggestion: "give `user` or `assistant`")
    }
    var said = Rasa.Completion.Message(role == "user" ? .user : .assistant, "")
    let content = message["content"]
    if let text = content.value.string {
      said.text = text
      completion.messages.append(said)
      return
    }
    var texts: [String] = []
    for block in try content.elements() {
      switch try block["type"].text() {
      case "tool_result" where role == "user":
        completion.messages.append(try result(block))
      case "tool_use" where role == "assistant":
        let input = block["input"]
        said.toolCalls.append(
          Rasa.Completion.ToolCall(
            id: try block["id"].name(), name: try block["name"].name(),
            arguments: Value.object(try input.object()).json(.compact, escaping: .onlyNeeded)))
      // What a model thought is its own, and no other model is told.
      case "thinking", "redacted_thinking": break
      default:
        if let text = try readPart(block, into: &said) { texts.append(text) }
      }
    }
    said.text = texts.joined(separator: "\n")
    // A message with nothing but results is no message of its own.
    if !said.text.isEmpty || !said.attachments.isEmpty || !said.toolCalls.isEmpty {
      completion.messages.append(said)
    }
  }

  private static func result(_ block: Member) throws(ServerProblem) -> Rasa.Completion.Message {
    var message = Rasa.Completion.Message(.tool, "")
    message.answers = try block["tool_use_id"].name()
    message.isError = try block["is_error"].flag()
    let content = block["content"]
    if let text = content.value.string {
      message.text = text
    } else {
      var texts: [String] = []
      for part in try content.optionalElements() {
        if let text = try readPart(part, into: &message) { texts.append(text) }
      }
      message.text = texts.joined(separator: "\n")
    }
    return message
  }

  /// The text of a part; nil for a file, which becomes an attachment.
  private static func readPart(
    _ part: Member, into message: inout Rasa.Completion.Message
  ) throws(ServerProblem) -> String? {
    let type = try part["type"].text()
    switch type {
    case "text": return try part["text"].text()
    case "image", "document":
      let name = try part["title"].optionalText() ?? "attachment-\(message.attachments.count + 1)"
      let source = part["source"]
      switch try source["type"].text() {
      case "base64": message.attachments.append(try source["data"].base64(named: name))
      case "text": return try source["data"].text()
      default:
        throw source["type"].problem(
          "is \(source["type"].value.json()), and nothing is fetched from there",
          suggestion: "send the file itself, as `base64`")
      }
      return nil
    default:
      throw part["type"].problem(
        "is \(quoted(type)), which cannot be translated",
        suggestion: "`text`, `image`, `document`, `tool_use` and `tool_result` can")
    }
  }

  private static func tool(_ member: Member) throws(ServerProblem) -> Rasa.Completion.Tool {
    if let type = try member["type"].optionalText(), type != "custom" {
      throw member["type"].problem(
        "is \(quoted(type)): tools of a provider's own work only with that provider",
        suggestion: "switch the tool off in the client, or ask the provider's own model")
    }
    return Rasa.Completion.Tool(
      name: try member["name"].name(), description: try member["description"].optionalText() ?? "",
      parameters: Value.object(try member["input_schema"].object()).asJSON)
  }

  private static func choice(_ member: Member) throws(ServerProblem) -> Rasa.Completion.ToolChoice {
    guard member.isThere else { return .auto }
    switch try member["type"].text() {
    case "auto": return .auto
    case "any": return .required
    case "none": return .none
    case "tool": return .named(try member["name"].name())
    default:
      throw member["type"].problem(
        "is \(member["type"].value.json())", suggestion: "give `auto`, `any`, `none` or `tool`")
    }
  }
}
