package import RasaCore

/// The text of a document with its lines, for saying where something stands.
///
/// Lines end at LF, CRLF or CR, as editors count them. Columns count Unicode scalars.
package struct SourceText: Sendable {
  private struct Line {
    var firstByte: Int
    var firstScalar: Int
  }

  package let file: String
  private let bytes: ArraySlice<UInt8>
  private let lines: [Line]
  private static let excerptLength = 160

  package init(_ bytes: ArraySlice<UInt8>, file: String) {
    self.file = file
    self.bytes = bytes
    var lines = [Line(firstByte: 0, firstScalar: 0)]
    var scalars = 0
    let span = bytes.span
    for index in span.indices {
      let byte = span[index]
      if byte & 0xC0 != 0x80 { scalars += 1 }
      let endsLine =
        byte == 0x0A || (byte == 0x0D && !(index + 1 < span.count && span[index + 1] == 0x0A))
      if endsLine { lines.append(Line(firstByte: index + 1, firstScalar: scalars)) }
    }
    self.lines = lines
  }

  /// The place of the byte at this offset.
  package func location(ofByte offset: Int) -> SourceLocation {
    let index = lastLine { $0.firstByte <= offset }
    let span = bytes.span
    var column = 1
    var position = lines[index].firstByte
    while position < min(offset, span.count) {
      if span[position] & 0xC0 != 0x80 { column += 1 }
      position += 1
    }
    return SourceLocation(file: file, line: index + 1, column: column)
  }

  /// The place of the scalar with this number, counted from 0.
  package func location(ofScalar number: Int) -> SourceLocation {
    let index = lastLine { $0.firstScalar <= number }
    let column = max(0, number - lines[index].firstScalar) + 1
    return SourceLocation(file: file, line: index + 1, column: column)
  }

  /// The bytes at which a line begins and the next one begins; nil when there is no such line.
  func bytes(ofLine line: Int) -> Range<Int>? {
    guard lines.indices.contains(line - 1) else { return nil }
    return lines[line - 1].firstByte..<(line < lines.count ? lines[line].firstByte : bytes.count)
  }

  /// A line, counted from 1, as it may be shown: short, and without anything that a terminal would
  /// act on. A replaced scalar stays one scalar, so that columns still fit.
  package func excerpt(line: Int) -> String {
    guard lines.indices.contains(line - 1) else { return "" }
    let start = lines[line - 1].firstByte
    let end = line < lines.count ? lines[line].firstByte : bytes.count
    // Every node of a document keeps its line, so the usual line goes through in one piece.
    let line = bytes[(bytes.startIndex + start)..<(bytes.startIndex + end)]
      .prefix(Self.excerptLength + 1).prefix { $0 >= 0x20 && $0 < 0x7F }
    let after = bytes.startIndex + start + line.count
    if line.count <= Self.excerptLength,
      after == bytes.endIndex || bytes[after] == 0x0A || bytes[after] == 0x0D
    {
      return String(decoding: line, as: UTF8.self)
    }
    // A scalar has four bytes at most.
    let limit = min(end, start + Self.excerptLength * 4 + 4)
    let text = String(
      decoding: bytes[(bytes.startIndex + start)..<(bytes.startIndex + limit)], as: UTF8.self)
    var excerpt = String.UnicodeScalarView()
    for (count, scalar) in text.unicodeScalars.enumerated() {
      if scalar == "\n" || scalar == "\r" { break }
      if count == Self.excerptLength {
        excerpt.append("…")
        break
      }
      excerpt.append((scalar == "\t" || scalar.isPrintable) ? scalar : "\u{FFFD}")
    }
    return String(excerpt)
  }

  /// A failure that points at a place in this text.
  package func failure(
    _ message: String, suggestion: String, at location: SourceLocation, details: [String] = []
  ) -> Failure {
    let excerpt = excerpt(line: location.line)
    return Failure(
      .configuration, message, suggestion: suggestion, at: location,
      excerpt: excerpt.isEmpty ? nil : excerpt,
      details: details)
  }

  /// A text from elsewhere, such as a key, as a message may hold it.
  static func printable(_ text: some StringProtocol) -> String {
    text.printable(atMost: excerptLength)
  }

  private func lastLine(where isBefore: (Line) -> Bool) -> Int {
    var low = 0
    var high = lines.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if isBefore(lines[middle]) { low = middle } else { high = middle }
    }
    return low
  }
}

extension SourceText {
  /// A document's text, without a byte order mark: of bearable size, UTF-8, and without the control
  /// characters that no format allows.
  static func open(
    _ bytes: [UInt8], file: String, limits: DocumentLimits
  ) throws(Failure) -> (text: ArraySlice<UInt8>, source: SourceText) {
    try checkSize(bytes, file: file, limits: limits)
    let text = withoutMark(bytes)
    let source = SourceText(text, file: file)
    try source.checkMark(text)
    if let offset = text.span.firstIndex(where: isControl) {
      let isNull = text.span[offset] == 0
      throw source.failure(
        isNull ? "the file contains a NUL byte" : "the file contains a control character",
        suggestion: isNull ? "save it as UTF-8 text" : "remove it",
        at: source.location(ofByte: offset))
    }
    try source.checkEncoding(text)
    return (text, source)
  }

  static func checkSize(
    _ bytes: [UInt8], file: String, limits: DocumentLimits
  ) throws(Failure) {
    guard bytes.count > limits.bytes else { return }
    throw Failure(
      .configuration, "the file has \(bytes.count) bytes; \(limits.bytes) are allowed",
      suggestion: "split it, or move long texts to files of their own",
      at: SourceLocation(file: file, line: 0, column: 0))
  }

  static func withoutMark(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
    bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
  }

  /// Two marks come of joining files, or of saving with a mark what begins with one.
  func checkMark(_ text: ArraySlice<UInt8>) throws(Failure) {
    guard text.starts(with: [0xEF, 0xBB, 0xBF]) else { return }
    throw failure(
      "the file begins with more than one byte order mark",
      suggestion: "save it as UTF-8 without such a mark", at: location(ofByte: 0))
  }

  func checkEncoding(_ text: ArraySlice<UInt8>) throws(Failure) {
    let offset: Int
    do {
      _ = try UTF8Span(validating: text.span)
      return
    } catch {
      offset = error.byteOffsets.lowerBound
    }
    throw failure(
      "the file is not UTF-8", suggestion: "save it as UTF-8 text", at: location(ofByte: offset))
  }

  private static func isControl(_ byte: UInt8) -> Bool {
    (byte < 0x20 && byte != 0x09 && byte != 0x0A && byte != 0x0D) || byte == 0x7F
  }
}

extension Span<UInt8> {
  func firstIndex(where matches: (UInt8) -> Bool) -> Int? {
    for index in indices where matches(self[index]) { return index }
    return nil
  }
}
