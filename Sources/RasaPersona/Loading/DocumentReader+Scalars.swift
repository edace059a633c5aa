import RasaCore
import RasaDocuments

extension DocumentReader {
  mutating func text(_ node: DocumentNode?, _ what: String) -> String? {
    guard let node else { return nil }
    guard case .scalar(.string(let text)) = node.content else {
      if case .scalar = node.content {
        fail(node, what, mustBe: "text", suggestion: "quote it if it is meant as text")
      } else {
        fail(node, what, mustBe: "text")
      }
      return nil
    }
    return text
  }

  mutating func texts(_ node: DocumentNode?, _ what: String) -> [String] {
    elements(node, what, of: "texts").compactMap { text($0, what) }
  }

  /// The name of a persona, frame or operator.
  mutating func name(_ node: DocumentNode?, _ what: String) -> String? {
    guard let node, let name = text(node, what) else { return nil }
    guard Self.isName(name) else {
      let suggestion = Self.name(like: name).map { "write `\($0)`: " } ?? ""
      fail(
        node, "`\(what)` must be a name, but is \(Self.spoken(node))",
        suggestion: suggestion
          + "names consist of lowercase letters, digits, `_` and `-`, such as `stock_analyst`")
      return nil
    }
    return name
  }

  /// The id of an agent or the name of a persona.
  mutating func worker(_ node: DocumentNode?, _ what: String) -> String? {
    guard let node, let name = text(node, what) else { return nil }
    if Self.isName(name) || AgentID.isValid(name) { return name }
    fail(
      node, what, mustBe: "an agent's ID or a persona's name",
      suggestion: AgentID.make(of: name).map { "did you mean `\($0)`?" } ?? "")
    return nil
  }

  /// The name that a text would be; nil when nothing of it can be kept.
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
    _ node: DocumentNode?, _ what: String, in range: ClosedRange<Int64>
  ) -> Int? {
    guard let node else { return nil }
    guard case .scalar(let value) = node.content, value.string == nil, let number = value.int,
      range.contains(number)
    else {
      fail(node, what, mustBe: "a whole number from \(range.lowerBound) to \(range.upperBound)")
      return nil
    }
    return Int(number)
  }

  mutating func flag(_ node: DocumentNode?, _ what: String) -> Bool? {
    guard let node else { return nil }
    guard case .scalar(.bool(let value)) = node.content else {
      fail(node, what, mustBe: "`true` or `false`")
      return nil
    }
    return value
  }

  mutating func number(
    _ node: DocumentNode?, _ what: String, in range: ClosedRange<Double>, unit: String = ""
  ) -> Double? {
    guard let node else { return nil }
    guard case .scalar(let value) = node.content, let number = value.double, range.contains(number)
    else {
      let bounds = "\(Self.plain(range.lowerBound)) to \(Self.plain(range.upperBound))"
      fail(node, what, mustBe: "a number\(unit) from \(bounds)")
      return nil
    }
    return number
  }

  private static func plain(_ number: Double) -> String {
    Int64(exactly: number).map(String.init) ?? "\(number)"
  }

  /// An amount in dollars, read from the digits as they were written.
  mutating func money(_ node: DocumentNode?, _ what: String) -> Money? {
    guard let node else { return nil }
    guard case .scalar(let value) = node.content,
      let amount = Money(decimal: node.rawText ?? value.string ?? value.json()), amount >= .zero
    else {
      fail(node, what, mustBe: "an amount in dollars such as 0.10")
      return nil
    }
    return amount
  }

  /// One of a few words.
  mutating func choice<Word: RawRepresentable & CaseIterable>(
    _ node: DocumentNode?, _ what: String, as type: Word.Type = Word.self
  ) -> Word? where Word.RawValue == String {
    guard let node else { return nil }
    let words = Word.allCases.map(\.rawValue)
    if case .scalar(.string(let text)) = node.content {
      if let word = Word(rawValue: text) { return word }
      let suggestion = nearestName(to: text, among: words).map { "did you mean `\($0)`?" }
      fail(node, what, mustBe: Self.spoken(words), suggestion: suggestion ?? "")
    } else {
      fail(node, what, mustBe: Self.spoken(words))
    }
    return nil
  }

  static func spoken(_ words: [String], _ joint: String = "or") -> String {
    let quoted = words.map { "`\(printable($0))`" }
    guard quoted.count > 1, let last = quoted.last else { return quoted.joined() }
    return quoted.dropLast().joined(separator: ", ") + " \(joint) " + last
  }
}
