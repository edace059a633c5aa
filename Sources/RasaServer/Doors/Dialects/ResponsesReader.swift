import RasaCore
import RasaKit

/// Reads a request of OpenAI's Responses.
enum ResponsesReader {
  static func read(_ document: Value) throws(ServerProblem) -> DoorRequest {
    let body = Member(document)
    _ = try body.object()
    try refuse(body)
    var completion = Rasa.Completion(model: try body["model"].name(), messages: [])
    if let text = try body["instructions"].optionalText(), !text.isEmpty {
      completion.messages.append(Rasa.Completion.Message(.system, text))
    }
    let input = body["input"]
    let previous = try body["previous_response_id"].optionalText()
    if let text = input.value.string {
      completion.messages.append(Rasa.Completion.Message(.user, text))
    } else {
      for item in try input.elements() { try read(item, into: &completion) }
    }
    // The calls that results answer may stand in the response before.
    if previous == nil { try completion.checkConversation(at: "input") }
    for tool in try body["tools"].optionalElements() {
      try ChatReader.checkFunction(tool)
      completion.tools.append(try ChatReader.function(tool))
    }
    completion.toolChoice = try ChatReader.choice(body["tool_choice"])
    completion.schema = try ChatReader.schema(body["text"]["format"], nested: nil)
    completion.maxTokens = try body["max_output_tokens"].count()
    completion.temperature = try body["temperature"].number()
    completion.topP = try body["top_p"].number()
    completion.effort = try Rasa.Effort(asked: body["reasoning"]["effort"])
    var request = DoorRequest(completion: completion)
    request.isStreamed = try body["stream"].flag()
    request.isStored = try body["store"].flag(default: true)
    request.previous = previous
    let conversation = body["conversation"]
    request.session =
      if conversation.value.object != nil { try conversation["id"].name() } else {
        try conversation.optionalText()
      }
    if previous != nil, request.session != nil {
      throw conversation.problem("cannot be sent together with `previous_response_id`")
    }
    request.ignore(
      ["parallel_tool_calls", "service_tier", "truncation", "max_tool_calls", "prompt_cache_key"],
      of: body)
    for name in [
      "instructions", "metadata", "temperature", "top_p", "tools", "tool_choice", "text",
    ]
    where body[name].isThere { request.repeated[name] = body[name].value }
    request.repeated["max_output_tokens"] = body["max_output_tokens"].value
    request.repeated["previous_response_id"] = body["previous_response_id"].value
    request.repeated["reasoning"] = body["reasoning"].value
    return request
  }

  private static func refuse(_ body: Member) throws(ServerProblem) {
    try body["background"].refuse(
      "a run of rasa's own goes on in the background: POST /v1/runs",
      unless: { $0.bool == false })
    try body["prompt"].refuse("templates are kept by the provider")
    try body["top_logprobs"].refuse("probabilities are not known", unless: { $0.int == 0 })
    for part in try body["include"].optionalElements() {
      try part.refuse(
        "it is not known",
        unless: { $0.string != "message.output_text.logprobs" })
    }
  }

  private static func read(
    _ item: Member, into completion: inout Rasa.Completion
  ) throws(ServerProblem) {
    switch try item["type"].optionalText() ?? "message" {
    case "message": try readMessage(item, into: &completion)
    case "function_call":
      completion.appendTurn(
        "",
        [
          Rasa.Completion.ToolCall(
            id: try item["call_id"].name(), name: try item["name"].name(),
            arguments: try item["arguments"].text())
        ])
    case "function_call_output":
      var message = Rasa.Completion.Message(.tool, "")
      message.answers = try item["call_id"].name()
      try readContent(item["output"], into: &message)
      completion.messages.append(message)
    // What a model thought is its own, and no other model is told.
    case "reasoning": break
    case "item_reference":
      throw item.problem(
        "refers to an item that is not kept here", suggestion: "send the item itself")
    default:
      throw item["type"].problem(
        "is \(item["type"].value.json()), which cannot be translated",
        suggestion: "`message`, `function_call`, `function_call_output` and `reasoning` can")
    }
  }

  private static func readMessage(
    _ item: Member, into completion: inout Rasa.Completion
  ) throws(ServerProblem) {
    let role = try item["role"].text()
    var message: Rasa.Completion.Message
    switch role {
    case "system", "developer": message = Rasa.Completion.Message(.system, "")
    case "user": message = Rasa.Completion.Message(.user, "")
    case "assistant": message = Rasa.Completion.Message(.assistant, "")
    default:
      throw item["role"].problem(
        "is \(quoted(role))", suggestion: "give `system`, `developer`, `user` or `assistant`")
    }
    try readContent(item["content"], into: &message)
    if message.role == .assistant {
      completion.appendTurn(message.text)
    } else {
      completion.messages.append(message)
    }
  }

  private static func readContent(
    _ content: Member, into message: inout Rasa.Completion.Message
  ) throws(ServerProblem) {
    if content.value.array == nil {
      message.text = try content.text()
      return
    }
    var texts: [String] = []
    for part in try content.elements() {
      let name = "attachment-\(message.attachments.count + 1)"
      switch try part["type"].text() {
      case "input_text", "output_text", "text": texts.append(try part["text"].text())
      case "refusal": texts.append(try part["refusal"].text())
      case "input_image":
        try part["file_id"].refuse("files are not kept for later requests")
        message.attachments.append(try part["image_url"].dataURL(named: name))
      case "input_file":
        try part["file_id"].refuse("files are not kept for later requests")
        try part["file_url"].refuse("nothing is fetched from addresses")
        message.attachments.append(
          try part["file_data"].dataURL(named: try part["filename"].optionalText() ?? name))
      default:
        throw part["type"].problem(
          "is \(part["type"].value.json()), which cannot be translated",
          suggestion: "`input_text`, `input_image` and `input_file` can")
      }
    }
    message.text = texts.joined(separator: "\n")
  }
}
