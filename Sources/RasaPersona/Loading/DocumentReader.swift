import RasaCore
import RasaDocuments

/// Reads the fields of a document and collects all problems instead of stopping at the first. An
/// unreadable field counts as missing, so one mistake causes one message.
struct DocumentReader {
  let text: SourceText
  private(set) var failures: [Failure] = []
  private(set) var warnings: [Warning] = []

  init(text: SourceText) { self.text = text }

  mutating func fail(_ failure: Failure) {
    // Failures in a text inside the document know their location but not the line.
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
    _ node: DocumentNode, _ label: String, mustBe expected: String, suggestion: String = ""
  ) {
    fail(
      node, "`\(label)` must be \(expected), but is \(Self.kindName(node))", suggestion: suggestion)
  }

  mutating func warn(_ message: String, at location: SourceLocation) {
    warnings.append(Warning(message, at: location))
  }

  /// Adds the findings from reading another document.
  mutating func adopt<Definition>(_ reading: Reading<Definition>) -> Definition? {
    for failure in reading.failures { failures.append(failure) }
    warnings += reading.warnings
    return reading.definition
  }

  /// The value in the words of a message.
  static func kindName(_ node: DocumentNode) -> String {
    switch node.content {
    case .sequence: "a list"
    case .mapping: "a mapping"
    case .scalar(.null): "empty"
    case .scalar(.string(let text)):
      text.isEmpty ? "the empty text" : "the text `\(printable(text))`"
    case .scalar(let value): "`\(printable(node.rawText ?? value.json()))`"
    }
  }

  /// The start of a text, without anything that a terminal would act on.
  static func printable(_ text: String) -> String {
    text.printable(atMost: 40, ellipsis: "…")
  }
}

/// The fields of a mapping. A field without a value counts as missing.
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
  /// The fields of a mapping, with a warning for each unknown one.
  mutating func fields(_ node: DocumentNode, of label: String, known: [String]) -> Fields? {
    guard case .mapping(let entries) = node.content else {
      fail(node, "\(label) must be a mapping, but is \(Self.kindName(node))")
      return nil
    }
    for entry in entries where !known.contains(entry.key) {
      let suggestion = nearestName(to: entry.key, among: known)
      warn(
        "`\(entry.key)` is unknown in \(label) and ignored"
          + (suggestion.map { "; did you mean `\($0)`?" } ?? ""), at: entry.keyLocation)
    }
    return Fields(node: node, entries: entries)
  }

  /// The elements of a list.
  mutating func elements(_ node: DocumentNode?, _ label: String, of kind: String) -> [DocumentNode]
  {
    guard let node else { return [] }
    guard case .sequence(let elements) = node.content else {
      fail(
        node, label, mustBe: "a list of \(kind)", suggestion: "write it as `[…]` or with `- ` lines"
      )
      return []
    }
    return elements
  }

  /// The elements of a list, or a single value without a list.
  mutating func oneOrMore(_ node: DocumentNode?) -> [DocumentNode] {
    guard let node else { return [] }
    if case .sequence(let elements) = node.content { return elements }
    return [node]
  }

  mutating func entries(
    _ node: DocumentNode?, _ label: String, mustBe expected: String
  ) -> [DocumentNode.Entry] {
    guard let node else { return [] }
    guard case .mapping(let entries) = node.content else {
      fail(node, label, mustBe: expected)
      return []
    }
    return entries
  }
}

extension DocumentReader {
  mutating func text(_ node: DocumentNode?, _ label: String) -> String? {
    guard let node else { return nil }
    guard case .scalar(.string(let text)) = node.content else {
      if case .scalar = node.content {
        fail(node, label, mustBe: "text", suggestion: "quote it if it is meant as text")
      } else {
        fail(node, label, mustBe: "text")
      }
      return nil
    }
    return text
  }

  mutating func texts(_ node: DocumentNode?, _ label: String) -> [String] {
    elements(node, label, of: "texts").compactMap { text($0, label) }
  }

  /// The name of a persona, frame or operator.
  mutating func name(_ node: DocumentNode?, _ label: String) -> String? {
    guard let node, let name = text(node, label) else { return nil }
    guard Self.isName(name) else {
      let suggestion = Self.name(like: name).map { "write `\($0)`: " } ?? ""
      fail(
        node, "`\(label)` must be a name, but is \(Self.kindName(node))",
        suggestion: suggestion
          + "names consist of lowercase letters, digits, `_` and `-`, such as `stock_analyst`")
      return nil
    }
    return name
  }

  /// The ID of an agent or the name of a persona.
  mutating func worker(_ node: DocumentNode?, _ label: String) -> String? {
    guard let node, let name = text(node, label) else { return nil }
    if Self.isName(name) || AgentID.isValid(name) { return name }
    fail(
      node, label, mustBe: "an agent's ID or a persona's name",
      suggestion: AgentID.make(of: name).map { "did you mean `\($0)`?" } ?? "")
    return nil
  }

  /// The valid name closest to a text; nil if nothing of it can be kept.
  static func name(like text: String) -> String? {
    guard let id = AgentID.make(of: text) else { return nil }
    let keepsHyphens = text.utf8.contains(UInt8(ascii: "-"))
    let name = keepsHyphens ? id : String(id.map { $0 == "-" ? "_" : $0 })
    return isName(name) ? name : nil
  }

  static func isName(_ text: String) -> Bool {
    func isStart(_ byte: UInt8) -> Bool {
      (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")) || PathSyntax.isDigit(byte)
    }
    guard let first = text.utf8.first, isStart(first), text.utf8.count <= 64 else { return false }
    return text.utf8.allSatisfy { byte in
      isStart(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }
  }

  mutating func integer(
    _ node: DocumentNode?, _ label: String, in range: ClosedRange<Int64>
  ) -> Int? {
    guard let node else { return nil }
    guard case .scalar(let value) = node.content, value.string == nil, let number = value.int,
      range.contains(number)
    else {
      fail(node, label, mustBe: "a whole number from \(range.lowerBound) to \(range.upperBound)")
      return nil
    }
    return Int(number)
  }

  mutating func flag(_ node: DocumentNode?, _ label: String) -> Bool? {
    guard let node else { return nil }
    guard case .scalar(.bool(let value)) = node.content else {
      fail(node, label, mustBe: "`true` or `false`")
      return nil
    }
    return value
  }

  mutating func number(
    _ node: DocumentNode?, _ label: String, in range: ClosedRange<Double>, unit: String = ""
  ) -> Double? {
    guard let node else { return nil }
    guard case .scalar(let value) = node.content, let number = value.double, range.contains(number)
    else {
      let bounds = "\(Self.plain(range.lowerBound)) to \(Self.plain(range.upperBound))"
      fail(node, label, mustBe: "a number\(unit) from \(bounds)")
      return nil
    }
    return number
  }

  private static func plain(_ number: Double) -> String {
    Int64(exactly: number).map(String.init) ?? "\(number)"
  }

  /// An amount in dollars, read from its digits as written.
  mutating func money(_ node: DocumentNode?, _ label: String) -> Money? {
    guard let node else { return nil }
    guard case .scalar(let value) = node.content,
      let amount = Money(decimal: node.rawText ?? value.string ?? value.json()), amount >= .zero
    else {
      fail(node, label, mustBe: "an amount in dollars such as 0.10")
      return nil
    }
    return amount
  }

  /// One of a few words.
  mutating func choice<Word: RawRepresentable & CaseIterable>(
    _ node: DocumentNode?, _ label: String, as type: Word.Type = Word.self
  ) -> Word? where Word.RawValue == String {
    guard let node else { return nil }
    let words = Word.allCases.map(\.rawValue)
    if case .scalar(.string(let text)) = node.content {
      if let word = Word(rawValue: text) { return word }
      let suggestion = nearestName(to: text, among: words).map { "did you mean `\($0)`?" }
      fail(node, label, mustBe: Self.listed(words), suggestion: suggestion ?? "")
    } else {
      fail(node, label, mustBe: Self.listed(words))
    }
    return nil
  }

  static func listed(_ words: [String], _ joint: String = "or") -> String {
    let quoted = words.map { "`\(printable($0))`" }
    guard quoted.count > 1, let last = quoted.last else { return quoted.joined() }
    return quoted.dropLast().joined(separator: ", ") + " \(joint) " + last
  }
}
