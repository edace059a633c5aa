package import RasaCore

/// A parsed document that remembers where everything stood, so that whoever reads it can point at
/// the line that is wrong.
package struct DocumentNode: Sendable {
  package enum Content: Sendable {
    /// A scalar under the YAML 1.2 core schema: null, boolean, integer, number or text.
    case scalar(Value)
    case sequence([DocumentNode])
    /// In the order of the file; keys are text and unique.
    case mapping([Entry])
  }

  package struct Entry: Sendable {
    package var key: String
    package var keyLocation: SourceLocation
    package var value: DocumentNode
    package init(key: String, keyLocation: SourceLocation, value: DocumentNode) {
      self.key = key
      self.keyLocation = keyLocation
      self.value = value
    }
  }

  package var content: Content
  package var location: SourceLocation
  /// The source line, kept printable and short, for errors.
  package var excerpt: String
  /// A scalar exactly as it was written (`0.10`, `NO`), for readers that decide the type themselves.
  package var rawText: String?

  package init(
    content: Content, location: SourceLocation, excerpt: String = "", rawText: String? = nil
  ) {
    self.content = content
    self.location = location
    self.excerpt = excerpt
    self.rawText = rawText
  }
}

extension DocumentNode {
  /// The same without places.
  package var value: Value {
    switch content {
    case .scalar(let value): value
    case .sequence(let elements): .array(elements.map(\.value))
    case .mapping(let entries): .object(ValueObject(entries.map { ($0.key, $0.value.value) }))
    }
  }

  /// The same with numbers and truth values as they are written, where that is not how they would
  /// be written here: `1.10`, `0x1F` and `True` are then text. For what is read by people and models.
  package var valueAsWritten: Value {
    switch content {
    case .scalar(.string(let text)): return .string(text)
    case .scalar(let value):
      guard let rawText, !value.isNull, rawText != value.json() else { return value }
      return .string(rawText)
    case .sequence(let elements): return .array(elements.map(\.valueAsWritten))
    case .mapping(let entries):
      return .object(ValueObject(entries.map { ($0.key, $0.value.valueAsWritten) }))
    }
  }

  package subscript(key: String) -> DocumentNode? {
    guard case .mapping(let entries) = content else { return nil }
    return entries.first { $0.key == key }?.value
  }

  /// An error that points at this node.
  package func failure(_ message: String, suggestion: String = "") -> Failure {
    Failure(
      .configuration, message, suggestion: suggestion, at: location,
      excerpt: excerpt.isEmpty ? nil : excerpt)
  }
}
