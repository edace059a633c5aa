import RasaCore
import RasaDocuments

/// Whether arguments fit a tool's schema.
struct ArgumentCheck: Sendable {
  let problems: @Sendable (Value) -> [String]
}

enum ToolSchemas {
  /// Checks both schemas of a tool.
  static func check(_ parameters: Value, _ output: Value?) throws(Failure) -> ArgumentCheck {
    if let output { _ = try Schema.compile(output) }
    let schema = try Schema.compile(parameters)
    return ArgumentCheck { schema.problems(in: $0, named: "arguments") }
  }
}
