package import RasaCore

extension JSON {
  /// The JSON in a model's answer, which may stand in a fence or in prose.
  ///
  /// The whole text when it is JSON; else the first object, or array that holds more than plain
  /// values, that stands in it complete; else the first array of plain values, which in prose is
  /// more often a footnote such as `[1]` than an answer.
  package static func extract(from text: String) -> Value? {
    let bytes = Array(text.utf8)
    if let whole = try? parse(bytes) { return whole }
    let text = JSONText(bytes)
    var footnote: Value?
    var position = 0
    while let start = bytes[position...].firstIndex(where: opens) {
      var attempt = ExtractionAttempt(text, at: start)
      position = attempt.run()
      for place in attempt.complete {
        var reader = JSONReader(trying: text, at: place.lowerBound)
        guard let value = try? reader.value() else { continue }
        if !isFootnote(value) { return value }
        footnote = footnote ?? value
      }
    }
    return footnote
  }

  private static func opens(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[")
  }

  private static func isFootnote(_ value: Value) -> Bool {
    guard case .array(let elements) = value else { return false }
    return elements.allSatisfy { $0.array == nil && $0.object == nil }
  }
}

/// One walk from a bracket to where the JSON ends or goes wrong.
private struct ExtractionAttempt {
  /// The objects and arrays that were met whole, the outermost of them, in order.
  private(set) var complete: [Range<Int>] = []
  private var reader: JSONReader
  private let start: Int

  init(_ text: JSONText, at start: Int) {
    reader = JSONReader(trying: text, at: start)
    self.start = start
  }

  /// The offset from which to look on. Whatever was open where it went wrong goes wrong there from
  /// any start, so the search continues behind; only the last text is looked into, because the
  /// quote that opened it may have been prose. That keeps the search linear.
  mutating func run() -> Int {
    if (try? walk()) != nil { return reader.position }
    return max(start, min(reader.position - 1, reader.lastString)) + 1
  }

  private mutating func walk() throws(Failure) {
    let kind = try reader.kind()
    let start = reader.position
    switch kind {
    case .object:
      guard try reader.enterObject() else { return }
      while try reader.nextKey() != nil { try walk() }
    case .array:
      guard try reader.enterArray() else { return }
      while try reader.nextElement() { try walk() }
    default: return try reader.skip()
    }
    while let last = complete.last, last.lowerBound > start { complete.removeLast() }
    complete.append(start..<reader.position)
  }
}
