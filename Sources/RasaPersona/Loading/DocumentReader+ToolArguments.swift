import RasaCore
import RasaDocuments

/// What an operator says about the tools that it uses.
extension DocumentReader {
  mutating func readTools(_ fields: Fields, into definition: inout OperatorDefinition) {
    if fields["tools"] != nil { definition.tools = texts(fields["tools"], "tools") }
    if let node = fields["arguments"] {
      definition.arguments = arguments(node, among: definition.reads)
    }
    if let node = fields["tool_limits"] { readLimits(node, into: &definition.toolLimits) }
  }

  private mutating func readLimits(_ node: DocumentNode, into limits: inout ToolLimits) {
    let known = ["rounds", "calls", "bytes", "result", "definitions"]
    guard let fields = fields(node, of: "`tool_limits`", known: known) else { return }
    if let rounds = integer(fields["rounds"], "rounds", in: 1...1_000) { limits.rounds = rounds }
    if let calls = integer(fields["calls"], "calls", in: 1...10_000) { limits.calls = calls }
    if let bytes = integer(fields["bytes"], "bytes", in: 1_024...1 << 30) { limits.bytes = bytes }
    if let bytes = integer(fields["result"], "result", in: 1_024...1 << 24) {
      limits.result = bytes
    }
    if let tokens = integer(fields["definitions"], "definitions", in: 200...1_000_000) {
      limits.definitions = tokens
    }
  }

  private mutating func arguments(
    _ node: DocumentNode, among reads: [StatePath]
  ) -> [ToolArgument] {
    var arguments: [ToolArgument] = []
    for entry in entries(node, "arguments", mustBe: "a mapping of arguments to values") {
      guard let content = argument(entry.value, among: reads) else { continue }
      arguments.append(ToolArgument(name: entry.key, content: content))
    }
    return arguments
  }

  /// A path that the operator reads stands for its value, a text with braces for what they insert.
  private mutating func argument(
    _ node: DocumentNode, among reads: [StatePath]
  ) -> ToolArgument.Content? {
    switch node.content {
    case .mapping: return .object(arguments(node, among: reads))
    case .sequence(let elements):
      return .list(elements.compactMap { argument($0, among: reads) })
    case .scalar(.string(let text)):
      if PathSyntax.isPath(text), PathSet(reads).covers(StatePath(text)) {
        return .path(StatePath(text))
      }
      guard let template = template(node, "arguments") else { return nil }
      if let path = template.onlyPath { return .path(path) }
      return template.paths.isEmpty
        ? .literal(.string(template.render { _ in .null })) : .template(template)
    case .scalar: return .literal(node.value)
    }
  }
}
