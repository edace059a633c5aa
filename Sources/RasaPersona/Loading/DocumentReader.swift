import RasaCore
import RasaDocuments

/// Reads the fields of a document and collects what is wrong with them instead of stopping at the
/// first. A field that cannot be read is as good as absent, so one mistake makes one message.
struct DocumentReader {
  let text: SourceText
  private(set) var failures: [Failure] = []
  private(set) var warnings: [Warning] = []

  init(text: SourceText) { self.text = text }

  mutating func fail(_ failure: Failure) {
    // Failures from a text inside the document know their place but not how the line looks.
    var failure = failure
    if failure.excerpt == nil, let location = failure.location, location.file == text.file {
      let excerpt = text.excerpt(line: location.line)
      if !excerpt.isEmpty { failure.excerpt = excerpt }
    }
    failures.append(failure)
  }

  mutating func fail(_ node: DocumentNode, _ message: String, suggestion: String = "") {
    fail(node.failure(message, suggestion: suggestion))
  }

  mutating func fail(
    _ node: DocumentNode, _ what: String, mustBe expected: String, suggestion: String = ""
  ) {
    fail(node, "`\(what)` must be \(expected), but is \(Self.spoken(node))", suggestion: suggestion)
  }

  mutating func warn(_ message: String, at location: SourceLocation) {
    warnings.append(Warning(message, at: location))
  }

  /// Takes over what reading another document found.
  mutating func adopt<Definition>(_ reading: Reading<Definition>) -> Definition? {
    for failure in reading.failures { failures.append(failure) }
    warnings += reading.warnings
    return reading.definition
  }

  /// What stands there, as a message says it.
  static func spoken(_ node: DocumentNode) -> String {
    switch node.content {
    case .sequence: "a list"
    case .mapping: "a mapping"
    case .scalar(.null): "empty"
    case .scalar(.string(let text)):
      text.isEmpty ? "the empty text" : "the text `\(printable(text))`"
    case .scalar(let value): "`\(printable(node.rawText ?? value.json()))`"
    }
  }

  /// The beginning of a text without anything that a terminal would act on.
  static func printable(_ text: String) -> String {
    let line = text.unicodeScalars.prefix(41).map { scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: Character("\u{FFFD}")
      default: Character(scalar)
      }
    }
    return String(line.prefix(40)) + (line.count > 40 ? "…" : "")
  }
}

/// The fields of a mapping. A field that is written without a value counts as not written.
struct Fields {
  let node: DocumentNode
  let entries: [DocumentNode.Entry]

  subscript(key: String) -> DocumentNode? {
    guard let value = entries.first(where: { $0.key == key })?.value else { return nil }
    if case .scalar(.null) = value.content { return nil }
    return value
  }
}

extension DocumentReader {
  /// The fields of a mapping, with a warning for each that nobody knows.
  mutating func fields(_ node: DocumentNode, of what: String, known: [String]) -> Fields? {
    guard case .mapping(let entries) = node.content else {
      fail(node, "\(what) must be a mapping, but is \(Self.spoken(node))")
      return nil
    }
    for entry in entries where !known.contains(entry.key) {
      let suggestion = nearestName(to: entry.key, among: known)
      warn(
        "`\(entry.key)` is unknown in \(what) and ignored"
          + (suggestion.map { "; did you mean `\($0)`?" } ?? ""), at: entry.keyLocation)
    }
    return Fields(node: node, entries: entries)
  }

  /// The elements of a list.
  mutating func elements(_ node: DocumentNode?, _ what: String, of kind: String) -> [DocumentNode] {
    guard let node else { return [] }
    guard case .sequence(let elements) = node.content else {
      fail(node, what, mustBe: "a list of \(kind)", suggestion: "write it as `[…]` or with `- ` lines")
      return []
    }
    return elements
  }

  /// The elements of a list, or the one that stands there without a list around it.
  mutating func oneOrMore(_ node: DocumentNode?) -> [DocumentNode] {
    guard let node else { return [] }
    if case .sequence(let elements) = node.content { return elements }
    return [node]
  }

  mutating func entries(
    _ node: DocumentNode?, _ what: String, mustBe expected: String
  ) -> [DocumentNode.Entry] {
    guard let node else { return [] }
    guard case .mapping(let entries) = node.content else {
      fail(node, what, mustBe: expected)
      return []
    }
    return entries
  }
}
