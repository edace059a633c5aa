import RasaCore
import RasaKit

/// Reads a request of OpenAI's Chat Completions.
enum ChatReader {
  static func read(_ document: Value) throws(ServerProblem) -> DoorRequest {
    let body = Member(document)
    _ = try body.object()
    try refuse(body)
    var completion = Rasa.Completion(model: try body["model"].name(), messages: [])
    for message in try body["messages"].elements() {
      completion.messages.append(try self.message(message))
    }
    try completion.checkConversation(at: "messages")
    for tool in try body["tools"].optionalElements() {
      completion.tools.append(try self.tool(tool))
    }
    completion.toolChoice = try choice(body["tool_choice"])
    completion.schema = try schema(body["response_format"], nested: "json_schema")
    completion.maxTokens =
      if let most = try body["max_completion_tokens"].count() { most } else {
        try body["max_tokens"].count()
      }
    completion.temperature = try body["temperature"].number()
    completion.topP = try body["top_p"].number()
    completion.stop = try body["stop"].texts()
    completion.effort = try Rasa.Effort(asked: body["reasoning_effort"])
    var request = DoorRequest(completion: completion)
    request.isStreamed = try body["stream"].flag()
    request.includesUsage = try body["stream_options"]["include_usage"].flag()
    request.session = try session(body["user"])
    request.ignore(
      [
        "seed", "parallel_tool_calls", "prediction", "service_tier", "store", "verbosity",
        "prompt_cache_key",
      ], of: body)
    return request
  }

  /// `user` names a person to most clients, so that it is a conversation only where it says so.
  static func session(_ user: Member) throws(ServerProblem) -> String? {
    guard let text = try user.optionalText(), text.hasBytePrefix("session:") else { return nil }
    let name = String(text.dropFirst("session:".count))
    guard !name.isEmpty else { throw user.problem("names no session") }
    return name
  }

  private static func refuse(_ body: Member) throws(ServerProblem) {
    try body["n"].refuse("one answer is given", unless: { $0.int == 1 })
    try body["logprobs"].refuse("probabilities are not known", unless: { $0.bool == false })
    try body["top_logprobs"].refuse("probabilities are not known", unless: { $0.int == 0 })
    try body["logit_bias"].refuse(
      "tokens cannot be made likelier", unless: { $0.object?.isEmpty == true })
    for name in ["frequency_penalty", "presence_penalty"] {
      try body[name].refuse("it cannot be translated", unless: { $0.double == 0 })
    }
    try body["audio"].refuse("the answer is text")
    for kind in try body["modalities"].optionalElements() {
      try kind.refuse("the answer is text", unless: { $0.string == "text" })
    }
    try body["functions"].refuse("it was replaced by `tools`")
    try body["function_call"].refuse("it was replaced by `tool_choice`")
    try body["web_search_options"].refuse("the provider's own search cannot be translated")
  }

  private static func message(
    _ member: Member
  ) throws(ServerProblem) -> Rasa.Completion.Message {
    let role = try member["role"].text()
    var message: Rasa.Completion.Message
    switch role {
    case "system", "developer": message = Rasa.Completion.Message(.system, "")
    case "user": message = Rasa.Completion.Message(.user, "")
    case "assistant":
      message = Rasa.Completion.Message(.assistant, "")
      try member["audio"].refuse("a spoken answer cannot be translated")
      try member["function_call"].refuse("it was replaced by `tool_calls`")
      for call in try member["tool_calls"].optionalElements() {
        message.toolCalls.append(try self.call(call))
      }
    case "tool":
      message = Rasa.Completion.Message(.tool, "")
      message.answers = try member["tool_call_id"].name()
    default:
      throw member["role"].problem(
        "is \(quoted(role))",
        suggestion: "give `system`, `developer`, `user`, `assistant` or `tool`")
    }
    let content = member["content"]
    if content.value.array != nil {
      try read(content, into: &message)
    } else if content.isThere {
      message.text = try content.text()
    } else if message.role == .assistant, !message.toolCalls.isEmpty || member["refusal"].isThere {
      message.text = try member["refusal"].optionalText() ?? ""
    } else {
      throw content.problem("is missing")
    }
    return message
  }

  private static func read(
    _ content: Member, into message: inout Rasa.Completion.Message
  ) throws(ServerProblem) {
    var texts: [String] = []
    for part in try content.elements() {
      let name = "attachment-\(message.attachments.count + 1)"
      switch try part["type"].text() {
      case "text": texts.append(try part["text"].text())
      case "refusal": texts.append(try part["refusal"].text())
      case "image_url":
        message.attachments.append(try part["image_url"]["url"].dataURL(named: name))
      case "file":
        let file = part["file"]
        try file["file_id"].refuse("files are not kept for later requests")
        message.attachments.append(
          try file["file_data"].dataURL(named: try file["filename"].optionalText() ?? name))
      default:
        throw part["type"].problem(
          "is \(part["type"].value.json()), which cannot be translated",
          suggestion: "`text`, `image_url` and `file` can")
      }
    }
    message.text = texts.joined(separator: "\n")
  }

  private static func call(_ member: Member) throws(ServerProblem) -> Rasa.Completion.ToolCall {
    try member["custom"].refuse("only calls of functions can be translated")
    let function = member["function"]
    return Rasa.Completion.ToolCall(
      id: try member["id"].name(), name: try function["name"].name(),
      arguments: try function["arguments"].text())
  }

  static func tool(_ member: Member) throws(ServerProblem) -> Rasa.Completion.Tool {
    try checkFunction(member)
    return try function(member["function"])
  }

  static func checkFunction(_ member: Member) throws(ServerProblem) {
    guard try member["type"].text() == "function" else {
      throw member["type"].problem(
        "is \(member["type"].value.json()): tools of a provider's own work only with that provider",
        suggestion: "switch the tool off in the client, or ask the provider's own model")
    }
  }

  /// The members of a function, wherever a protocol has them.
  static func function(_ member: Member) throws(ServerProblem) -> Rasa.Completion.Tool {
    let parameters = member["parameters"]
    if parameters.isThere { _ = try parameters.object() }
    return Rasa.Completion.Tool(
      name: try member["name"].name(), description: try member["description"].optionalText() ?? "",
      parameters: parameters.isThere
        ? parameters.value.asJSON : ["type": "object", "properties": [:]])
  }

  static func choice(_ member: Member) throws(ServerProblem) -> Rasa.Completion.ToolChoice {
    guard member.isThere else { return .auto }
    switch member.value.string {
    case "auto": return .auto
    case "none": return .none
    case "required": return .required
    default: break
    }
    guard member["type"].value.string == "function" else {
      throw member.problem(
        "is \(member.value.json())",
        suggestion: "give `auto`, `none`, `required` or the name of a function")
    }
    // Responses has the name beside the type, Chat Completions one level below.
    let function = member["function"]
    return .named(try (function.isThere ? function : member)["name"].name())
  }

  /// The form of the answer: in Chat Completions below `json_schema`, in Responses beside the type.
  static func schema(_ format: Member, nested name: String?) throws(ServerProblem) -> Rasa.JSON? {
    guard format.isThere else { return nil }
    switch try format["type"].text() {
    case "text": return nil
    case "json_object": return ["type": "object"]
    case "json_schema":
      let schema = (name.map { format[$0] } ?? format)["schema"]
      _ = try schema.object()
      return schema.value.asJSON
    default:
      throw format["type"].problem(
        "is \(format["type"].value.json())",
        suggestion: "give `text`, `json_object` or `json_schema`")
    }
  }
}

extension Value {
  /// The value as the library has it.
  var asJSON: Rasa.JSON {
    // The text of a value can always be read again.
    (try? Rasa.JSON(parsing: json(.compact))) ?? .null
  }
}
