import RasaCore
import RasaDocuments
import RasaEngine

/// The tools that the mock calls, so that an operator's look-ups are seen working without a model: only those that are
/// declared to change nothing. First the first of them, which is where its author begins; then the others, as far as
/// its result has values of the names that they need.
enum MockToolUse {
  static let most = 8

  static func calls(for request: ModelRequest, _ prompt: MockPrompt) -> [ToolCall] {
    guard request.mayCallTools else { return [] }
    let tools = request.tools.filter(\.isReadOnly)
    let asked = request.messages.filter { !$0.toolCalls.isEmpty }
    guard asked.count < 2, let first = tools.first else { return [] }
    let wanted = asked.isEmpty ? [first] : Array(tools.dropFirst().prefix(most))
    let results = request.messages.lazy.filter { $0.role == .tool }.compactMap {
      try? JSON.parse(Array($0.text.utf8))
    }
    let found = MockFindings(Array(results))
    return wanted.enumerated().compactMap { place, tool in
      guard
        let arguments = arguments(of: tool, found, guesses: asked.isEmpty ? prompt : nil)
      else { return nil }
      return ToolCall(
        id: "mock-\(asked.count + 1)-\(place + 1)", name: tool.name, arguments: arguments)
    }
  }

  /// Nil where a required text is neither known nor to be guessed.
  private static func arguments(
    of tool: ToolDefinition, _ found: MockFindings, guesses prompt: MockPrompt?
  ) -> Value? {
    var arguments = ValueObject()
    for case .string(let name) in tool.parameters["required"].array ?? [] {
      let schema = tool.parameters["properties"][name]
      if let standard = schema.object?["default"] ?? schema["enum"].array?.first {
        arguments[name] = standard
      } else if let known = found.value(named: name) {
        arguments[name] = known
      } else if schema["type"] == "integer" || schema["type"] == "number" {
        arguments[name] = .int(schema["minimum"].int ?? 1)
      } else if schema["type"] == "string",
        ["path", "folder"].contains(where: { name.hasBytes($0) })
      {
        arguments[name] = "."
      } else if schema["type"] == "string", let prompt {
        arguments[name] = .string(prompt.keyword)
      } else {
        return nil
      }
    }
    return .object(arguments)
  }
}

/// Values by the names of their members, the first of each.
private struct MockFindings {
  private var values: [String: Value] = [:]

  init(_ results: [Value]) {
    for result in results { collect(result, depth: 0) }
  }

  func value(named name: String) -> Value? { values[name] }

  private mutating func collect(_ value: Value, depth: Int) {
    guard depth < 8 else { return }
    for element in value.array ?? [] { collect(element, depth: depth + 1) }
    for (name, member) in value.object ?? ValueObject() {
      if member.string != nil || member.int != nil, values[name] == nil { values[name] = member }
      collect(member, depth: depth + 1)
    }
  }
}
