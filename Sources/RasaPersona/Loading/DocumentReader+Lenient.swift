import RasaCore
import RasaDocuments

/// Fields as people write them by hand: a number in quotes, one value in place of a list, commas in
/// place of a list. If the meaning is clear, they are read, with a warning that says how.
extension DocumentReader {
  /// Text without surrounding blanks. A number or a word such as `true` also counts as text if text
  /// is expected.
  mutating func looseText(_ node: DocumentNode?, _ label: String) -> String? {
    guard let node else { return nil }
    guard case .scalar(let value) = node.content else {
      fail(node, label, mustBe: "text")
      return nil
    }
    return (value.string ?? node.rawText ?? value.json()).trimmed
  }

  enum Splitting {
    /// The texts may contain commas.
    case never
    case warning
    /// The usual form of this field in other tools.
    case silently
  }

  /// Nil if the field is missing.
  mutating func looseTexts(
    _ node: DocumentNode?, _ label: String, splitting: Splitting = .warning
  ) -> [String]? {
    guard let node else { return nil }
    var texts: [String] = []
    switch node.content {
    case .sequence(let elements): texts = elements.compactMap { element($0, label) }
    case .scalar:
      guard let text = looseText(node, label) else { return nil }
      texts = splitting == .never ? [text] : text.splitAtCommas
      if texts.count > 1, splitting == .warning {
        warn(
          "`\(label)` is text with commas and is read as a list of \(texts.count); write it as "
            + "`[…]`", at: node.location)
      }
    case .mapping:
      fail(
        node, label, mustBe: "a list of texts", suggestion: "write it as `[…]` or with `- ` lines")
      return nil
    }
    var seen: Set<String> = []
    return texts.filter { !$0.isEmpty && seen.insert($0).inserted }
  }

  /// `- Design: REST` is a mapping in YAML, but its author meant a text with a colon.
  private mutating func element(_ node: DocumentNode, _ label: String) -> String? {
    if case .scalar(.null) = node.content { return nil }
    if case .mapping(let entries) = node.content, entries.count == 1, let entry = entries.first,
      case .scalar(let value) = entry.value.content
    {
      let text = "\(entry.key): \(value.string ?? entry.value.rawText ?? value.json())"
      warn(
        "the colon makes an entry of `\(label)` a mapping; it is read as text, so put it in quotes",
        at: node.location)
      return text.trimmed
    }
    return looseText(node, label)
  }

  /// A whole number above zero, quoted or not.
  mutating func looseCount(_ node: DocumentNode?, _ label: String) -> Int? {
    guard let node else { return nil }
    var number: Int64?
    if case .scalar(let value) = node.content {
      number = value.int
      if number == nil, let text = value.string, let plain = Int64(text.trimmed) {
        number = plain
        warn("`\(label)` is text and is read as the number \(plain)", at: node.location)
      }
    }
    guard let number, (1...1_000_000_000).contains(number) else {
      fail(node, label, mustBe: "a whole number above 0")
      return nil
    }
    return Int(number)
  }

  /// A number, quoted or not.
  mutating func looseNumber(
    _ node: DocumentNode?, _ label: String, in range: ClosedRange<Double>
  ) -> Double? {
    if let node, case .scalar(.string(let text)) = node.content, let number = Double(text.trimmed),
      range.contains(number)
    {
      return number
    }
    return number(node, label, in: range)
  }

  /// A boolean, or a common word for one.
  mutating func looseFlag(_ node: DocumentNode?, _ label: String) -> Bool? {
    guard let node else { return nil }
    if case .scalar(let value) = node.content {
      if let flag = value.bool { return flag }
      switch value.string?.trimmed.lowercased() {
      case "true", "yes", "on": return true
      case "false", "no", "off": return false
      default: break
      }
    }
    fail(node, label, mustBe: "`true` or `false`")
    return nil
  }

  /// One of a few words in any case, or a known synonym of one.
  mutating func looseChoice<Word: RawRepresentable & CaseIterable>(
    _ node: DocumentNode?, _ label: String, also: [String: Word] = [:],
    as type: Word.Type = Word.self
  ) -> Word? where Word.RawValue == String {
    if let node, case .scalar(.string(let text)) = node.content {
      let word = text.trimmed.lowercased()
      if let choice = Word(rawValue: word) ?? also[word] { return choice }
    }
    return choice(node, label)
  }
}

extension DocumentNode {
  /// Whether it has no content.
  var isEmpty: Bool {
    switch content {
    case .scalar(let value): value.isNull || value.string?.trimmed.isEmpty == true
    case .sequence(let elements): elements.isEmpty
    case .mapping(let entries): entries.isEmpty
    }
  }
}

extension String {
  /// Without surrounding blanks and line ends.
  var trimmed: String {
    let scalars = unicodeScalars
    guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
      let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
    else { return "" }
    return String(scalars[first...last])
  }

  /// The parts between commas, except for commas in parentheses: `Bash(git add, git rm), Read`.
  var splitAtCommas: [String] {
    var parts: [String] = []
    var part = String.UnicodeScalarView()
    var depth = 0
    for scalar in unicodeScalars {
      switch scalar {
      case "(": depth += 1
      case ")": depth = max(0, depth - 1)
      case "," where depth == 0:
        parts.append(String(part).trimmed)
        part = String.UnicodeScalarView()
        continue
      default: break
      }
      part.append(scalar)
    }
    parts.append(String(part).trimmed)
    return parts.filter { !$0.isEmpty }
  }
}
