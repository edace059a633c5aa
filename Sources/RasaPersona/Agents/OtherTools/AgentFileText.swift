import RasaCore
import RasaDocuments

extension ForeignAgent {
  /// The agent as a file in rasa's own form.
  ///
  /// - Parameter source: a description of its origin.
  package func text(from source: String) -> String {
    var lines = ["---", "# From \(Self.comment(source)) (\(kind.name))."]
    if !unused.isEmpty {
      lines.append(
        "# Not used by rasa: \(Self.comment(unused.joined(separator: ", ")))")
    }
    for field in fields { lines += Self.lines(field) }
    let body = prompt.hasPrefix("\n") || prompt.hasPrefix("\r\n") ? prompt : "\n" + prompt
    return (lines + ["---"]).joined(separator: "\n") + "\n" + body
      + (body.hasByteSuffix("\n") ? "" : "\n")
  }

  private static func lines(_ field: DocumentNode.Entry) -> [String] {
    let value = field.value.valueAsWritten
    if case .object(let members) = value {
      // JSON is also YAML, and can be nested to any depth.
      return ["\(field.key):"]
        + members.map { "  \(FrontMatterText.scalar(.string($0.key))): \(inline($0.value))" }
    }
    if case .array(let elements) = value, elements.contains(where: { $0.string == nil }) {
      return ["\(field.key): \(value.json())"]
    }
    return FrontMatterText.lines(AgentProposal(key: field.key, value: value, reason: ""))
  }

  private static func inline(_ value: Value) -> String {
    value.string == nil ? value.json() : FrontMatterText.scalar(value)
  }

  private static func comment(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { scalar in
          switch scalar.properties.generalCategory {
          case .control, .format, .lineSeparator, .paragraphSeparator: "\u{FFFD}"
          default: scalar
          }
        }))
  }
}
