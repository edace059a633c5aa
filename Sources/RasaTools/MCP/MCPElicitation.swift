import RasaCore
import RasaDocuments
import RasaEngine

/// Questions of a server to the user, and the answers in the form that servers expect.
enum MCPElicitation {
  static let cancelled: Value = ["action": "cancel"]
  static let declined: Value = ["action": "decline"]

  /// - Throws: a `Failure` of kind `usage` for what is no question that can be asked.
  static func question(_ params: Value) throws(Failure) -> ToolQuestion {
    let message = params["message"].string ?? ""
    switch params["mode"].string ?? "form" {
    case "url":
      let url = params["url"].string ?? ""
      let scheme = url.prefix { $0 != ":" }.lowercased()
      guard ["https", "http"].contains(scheme), url.utf8.count <= 8_192,
        url.utf8.allSatisfy({ $0 > 32 && $0 != 127 })
      else {
        throw Failure(.usage, "the address that the user is to open is none of a web page")
      }
      return ToolQuestion(message: message, url: url)
    case "form":
      let schema = params["requestedSchema"]
      guard !schema.isNull else { return ToolQuestion(message: message) }
      do throws(Failure) {
        _ = try Schema.compile(schema)
      } catch {
        throw Failure(.usage, "the form has a schema that cannot be used: \(error.message)")
      }
      return ToolQuestion(message: message, schema: schema)
    case let mode:
      throw Failure(.usage, "rasa asks nothing of mode \(mode.printable(atMost: 40))")
    }
  }

  /// What the server gets, or what is wrong with the answer.
  static func response(
    to question: ToolQuestion, _ answer: HumanAnswer?
  ) -> Result<Value, Failure> {
    guard let answer else { return .success(cancelled) }
    switch answer.decision {
    case .reject, .feedback: return .success(declined)
    case .approve: return accepted(question, .null)
    case .edit, .answer: return accepted(question, answer.text)
    }
  }

  /// The same for an answer that was recorded as a value: the server's own form of it, or the bare content; null where
  /// the user did not want to say.
  static func response(to question: ToolQuestion, recorded: Value) -> Result<Value, Failure> {
    if let action = recorded["action"].string, ["accept", "decline", "cancel"].contains(action) {
      return action == "accept"
        ? accepted(question, recorded["content"]) : .success(["action": .string(action)])
    }
    if recorded.isNull { return .success(declined) }
    if recorded == false { return .success(declined) }
    return accepted(question, recorded)
  }

  private static func accepted(_ question: ToolQuestion, _ given: Value) -> Result<Value, Failure> {
    if question.url != nil { return .success(["action": "accept"]) }
    guard let schema = question.schema else {
      return .success(["action": "accept", "content": .emptyObject])
    }
    let content = content(given, schema)
    let problems = (try? Schema.compile(schema).problems(in: content)) ?? []
    guard problems.isEmpty else {
      return .failure(
        Failure(.usage, "the answer does not fit the form", details: Array(problems.prefix(8))))
    }
    return .success(["action": "accept", "content": content])
  }

  /// An object as the form wants it, also from what a person typed: JSON, or the one value that the form asks for.
  private static func content(_ given: Value, _ schema: Value) -> Value {
    let properties = schema["properties"].object ?? ValueObject()
    var content = ValueObject()
    // What is set in advance stands where nothing was said.
    for (name, property) in properties {
      let preset = property["default"]
      if !preset.isNull { content[name] = preset }
    }
    switch given {
    case .object(let object):
      for (name, value) in object { content[name] = value }
    case .null: break
    case .string(let text):
      if let object = (try? JSON.parse(text))?.object {
        for (name, value) in object { content[name] = value }
      } else if let name = onlyOne(properties, schema) {
        content[name] = typed(text, properties[name] ?? .null)
      }
    default:
      if let name = onlyOne(properties, schema) { content[name] = given }
    }
    return .object(content)
  }

  private static func onlyOne(_ properties: ValueObject, _ schema: Value) -> String? {
    let required = schema["required"].array?.compactMap(\.string) ?? []
    if required.count == 1 { return required[0] }
    return properties.count == 1 ? properties.keys[0] : nil
  }

  private static func typed(_ text: String, _ property: Value) -> Value {
    let trimmed = String(text.trimmedByScalars)
    switch property["type"].string {
    case "integer": return Int64(trimmed).map { .int($0) } ?? .string(text)
    case "number":
      return Int64(trimmed).map { .int($0) } ?? Double(trimmed).map { .double($0) }
        ?? .string(text)
    case "boolean":
      switch trimmed.lowercased() {
      case "yes", "y", "true": return true
      case "no", "n", "false": return false
      default: return .string(text)
      }
    case "array":
      let items = property["items"]
      return .array(
        trimmed.split(atByte: ",").map { choice(String($0.trimmedByScalars), items["anyOf"]) })
    default: return choice(text, property["oneOf"])
    }
  }

  /// A choice by the title that the person saw, or by its value.
  private static func choice(_ text: String, _ choices: Value) -> Value {
    let named = choices.array?.first { $0["title"].string == text }?["const"]
    return named ?? .string(text)
  }
}
