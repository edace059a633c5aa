package import RasaCore

extension JSON {
  /// What a model's answer holds as JSON.
  package enum Extraction: Sendable, Hashable {
    case value(Value)
    /// An object or array begins, and the text ends before it does.
    case unfinished
    case nothing
  }

  /// The JSON in a model's answer, which may stand in a fence or in prose.
  package static func extract(from text: String) -> Value? {
    if case .value(let value) = extraction(from: text) { value } else { nil }
  }

  /// Looks for JSON in a model's answer, which may stand in a fence or in prose.
  ///
  /// The whole text when it is JSON; else the first object, or array that holds more than plain
  /// values, that stands in it complete; else the first array of plain values, which in prose is
  /// more often a footnote such as `[1]` than an answer. What stands in a block of reasoning, or
  /// inside an object that breaks off, is not the answer.
  package static func extraction(from text: String) -> Extraction {
    var bytes = Array(text.utf8)
    if let whole = try? parse(bytes) { return .value(whole) }
    if let said = withoutReasoning(bytes) {
      bytes = said
      if let whole = try? parse(bytes) { return .value(whole) }
    }
    let text = JSONText(bytes)
    var footnote: Value?
    var position = 0
    while let start = bytes[position...].firstIndex(where: opens) {
      var attempt = ExtractionAttempt(text, at: start)
      position = attempt.run()
      if attempt.isUnfinished { return .unfinished }
      for place in attempt.complete {
        var reader = JSONReader(trying: text, at: place.lowerBound)
        guard let value = try? reader.value() else { continue }
        if !isFootnote(value) { return .value(value) }
        footnote = footnote ?? value
      }
    }
    return footnote.map { .value($0) } ?? .nothing
  }

  private static func opens(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[")
  }

  private static func isFootnote(_ value: Value) -> Bool {
    guard case .array(let elements) = value else { return false }
    return elements.allSatisfy { $0.array == nil && $0.object == nil }
  }

  private static let reasoningTags = ["think", "thinking", "reasoning"]

  /// The text behind the last block of reasoning and before one that never ends; nil when there is
  /// none. Some servers leave the opening tag out, as it stands in the prompt that they make.
  private static func withoutReasoning(_ bytes: [UInt8]) -> [UInt8]? {
    var rest = bytes[...]
    for tag in reasoningTags {
      if let end = rest.lastRange(of: Array("</\(tag)>".utf8)) { rest = rest[end.upperBound...] }
      if let start = rest.firstRange(of: Array("<\(tag)>".utf8)) {
        rest = rest[..<start.lowerBound]
      }
    }
    return rest.count == bytes.count ? nil : Array(rest)
  }
}

extension ArraySlice<UInt8> {
  fileprivate func firstRange(of mark: [UInt8]) -> Range<Int>? {
    var start = startIndex
    while let found = self[start...].firstIndex(of: mark[0]) {
      if self[found...].starts(with: mark) { return found..<(found + mark.count) }
      start = found + 1
    }
    return nil
  }

  fileprivate func lastRange(of mark: [UInt8]) -> Range<Int>? {
    var end = endIndex
    while let found = self[..<end].lastIndex(of: mark[0]) {
      if self[found...].starts(with: mark) { return found..<(found + mark.count) }
      end = found
    }
    return nil
  }
}

/// One walk from a bracket to where the JSON ends or goes wrong.
private struct ExtractionAttempt {
  /// The objects and arrays that were met whole, the outermost of them, in order; none that stands
  /// inside an object that went wrong.
  private(set) var complete: [Range<Int>] = []
  /// Whether the text ended before what was begun.
  private(set) var isUnfinished = false
  private var reader: JSONReader
  private let start: Int
  /// Where the outermost object begins that has a member and goes wrong.
  private var broken: Int?

  init(_ text: JSONText, at start: Int) {
    reader = JSONReader(trying: text, at: start)
    self.start = start
  }

  /// The offset from which to look on: behind an object that went wrong, so that no part of it is
  /// taken for the answer. Whatever else was open where it went wrong goes wrong there from any
  /// start, so the search continues behind; only the last text is looked into, because the quote
  /// that opened it may have been prose. That keeps the search linear.
  mutating func run() -> Int {
    if (try? walk()) != nil { return reader.position }
    isUnfinished = endsHere && (broken != nil || !complete.isEmpty)
    if let broken { return max(start + 1, end(ofObjectAt: broken)) }
    return max(start, min(reader.position - 1, reader.lastString)) + 1
  }

  private mutating func walk() throws(Failure) {
    let kind = try reader.kind()
    let start = reader.position
    switch kind {
    case .object:
      guard try reader.enterObject() else { return }
      let before = complete.count
      var hasMember = false
      do throws(Failure) {
        while try reader.nextKey() != nil {
          hasMember = true
          try walk()
        }
      } catch {
        if hasMember {
          complete.removeSubrange(before...)
          broken = start
        }
        throw error
      }
    case .array:
      guard try reader.enterArray() else { return }
      while try reader.nextElement() { try walk() }
    default: return try reader.skip()
    }
    while let last = complete.last, last.lowerBound > start { complete.removeLast() }
    complete.append(start..<reader.position)
  }

  // MARK: Where it went wrong

  /// Whether it went wrong because the text ends: at its end, or in a word, number or string there.
  private var endsHere: Bool {
    let text = reader.text
    var index = reader.position
    guard index < text.count else { return true }
    if text[index] == UInt8(ascii: "\"") {
      index += 1
      while index < text.count, text[index] >= 0x20 {
        if text[index] == UInt8(ascii: "\"") { return false }
        index += text[index] == UInt8(ascii: "\\") ? 2 : 1
      }
      return index >= text.count
    }
    let rest = (index..<text.count).prefix(32).map { text[$0] }
    if ["true", "false", "null"].contains(where: { $0.utf8.starts(with: rest) }) { return true }
    return index + rest.count == text.count
      && rest.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
          UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
          true
        default: false
        }
      }
  }

  /// Behind the bracket that closes it, or the end of the text.
  private func end(ofObjectAt start: Int) -> Int {
    let text = reader.text
    var depth = 0
    var isInString = false
    var index = start
    while index < text.count {
      switch text[index] {
      case UInt8(ascii: "\\") where isInString: index += 1
      case UInt8(ascii: "\""): isInString.toggle()
      case UInt8(ascii: "{") where !isInString, UInt8(ascii: "[") where !isInString: depth += 1
      case UInt8(ascii: "}") where !isInString, UInt8(ascii: "]") where !isInString:
        depth -= 1
        if depth == 0 { return index + 1 }
      default: break
      }
      index += 1
    }
    return text.count
  }
}
