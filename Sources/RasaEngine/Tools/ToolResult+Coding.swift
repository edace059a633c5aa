package import RasaCore
import RasaPersona

/// Results of tools as journals and recordings keep them.
extension ToolResult {
  /// Reads a line back; earlier versions wrote `value` alone.
  package init(_ body: Value) {
    if let value = body.object?["value"] {
      self.init(structured: value)
    } else {
      self.init(
        (body["content"].array ?? []).compactMap { Content($0) },
        structured: body.object?["structured"], isError: body["is_error"].bool ?? false)
    }
  }

  package var body: ValueObject {
    var body = ValueObject()
    if !content.isEmpty { body["content"] = .array(content.map(\.body)) }
    if let structured { body["structured"] = structured }
    if isError { body["is_error"] = true }
    return body
  }

  /// With the facts of attachments instead of their bytes.
  package var withoutPayloads: ToolResult {
    var result = self
    for index in content.indices {
      guard case .attachment(var attachment) = content[index] else { continue }
      attachment.payload = ""
      result.content[index] = .attachment(attachment)
    }
    return result
  }
}

extension ToolResult.Content {
  fileprivate init?(_ body: Value) {
    if let text = body["text"].string {
      self = .text(text)
    } else if let attachment = Attachment(
      facts: body["attachment"], payload: body["data"].string ?? "")
    {
      self = .attachment(attachment)
    } else {
      return nil
    }
  }

  fileprivate var body: Value {
    switch self {
    case .text(let text): return ["text": .string(text)]
    case .attachment(let attachment):
      var body: ValueObject = ["attachment": .object(attachment.facts)]
      if !attachment.payload.isEmpty { body["data"] = .string(attachment.payload) }
      return .object(body)
    }
  }
}

extension ToolInputRequest {
  package init(_ body: Value) {
    self.init(
      entries: (body["entries"].array ?? []).map { entry in
        Entry(
          name: entry["name"].string ?? "",
          question: ToolQuestion(
            message: entry["message"].string ?? "", schema: entry.object?["schema"],
            url: entry["url"].string, call: entry.object?["call"]))
      }, state: body["state"])
  }

  package var body: Value {
    [
      "entries": .array(
        entries.map { entry in
          var body: ValueObject = [
            "name": .string(entry.name), "message": .string(entry.question.message),
          ]
          if let schema = entry.question.schema { body["schema"] = schema }
          if let url = entry.question.url { body["url"] = .string(url) }
          if let call = entry.question.call { body["call"] = call }
          return .object(body)
        }), "state": state,
    ]
  }
}

extension ToolDescription {
  package init?(_ body: Value) {
    guard let name = body["name"].string else { return nil }
    self.init(
      name: name, text: body["text"].string ?? "", parameters: body["parameters"],
      output: body.object?["output"],
      sideEffects: body["side_effects"].string.flatMap { SideEffects(rawValue: $0) } ?? .yes,
      dataFlow: body.object?["data"].map { DataFlow($0) },
      origin: Origin(recorded: body["origin"]))
  }

  package var body: Value {
    var body: ValueObject = [
      "name": .string(name), "text": .string(text), "parameters": parameters,
      "side_effects": .string(sideEffects.rawValue), "origin": .string(origin.recorded),
    ]
    if let output { body["output"] = output }
    if let dataFlow { body["data"] = dataFlow.value }
    return .object(body)
  }
}

extension ToolDescription.Origin {
  fileprivate var recorded: String {
    switch self {
    case .program: "program"
    case .server(let name): "server:\(name)"
    case .http: "http"
    case .process: "process"
    case .operator: "operator"
    case .agent: "agent"
    case .skill: "skill"
    case .builtIn: "built_in"
    case .client: "client"
    }
  }

  fileprivate init(recorded value: Value) {
    switch value.string ?? "" {
    case "program": self = .program
    case "http": self = .http
    case "process": self = .process
    case "operator": self = .operator
    case "agent": self = .agent
    case "skill": self = .skill
    case "built_in": self = .builtIn
    case "client": self = .client
    case let text:
      let prefix = "server:"
      self = .server(text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text)
    }
  }
}
