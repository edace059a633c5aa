package import RasaCore

/// A Markdown file and the YAML that stands before it between two lines of `---`.
///
/// Places are those in the file. Front matter that is no YAML but plainly meant is read all the
/// same, with a warning for each thing assumed.
package struct FrontMatter: Sendable {
  /// A mapping; nil when the file begins with none, or it is broken.
  package var node: DocumentNode?
  /// What is broken in it; the text below is there all the same.
  package var failure: Failure?
  /// What had to be assumed to read it.
  package var warnings: [Failure] = []
  /// The text below, as it stands.
  package var body: String
  package var bodyLocation: SourceLocation
  /// The bytes of the file before the text below.
  package var bodyOffset: Int

  /// One that stands in no file as front matter, but says what one would.
  package init(
    node: DocumentNode?, failure: Failure? = nil, warnings: [Failure] = [], body: String,
    bodyLocation: SourceLocation
  ) {
    self.node = node
    self.failure = failure
    self.warnings = warnings
    self.body = body
    self.bodyLocation = bodyLocation
    bodyOffset = 0
  }

  /// A file that cannot be taken for text (too large, not UTF-8, with NUL bytes) is refused.
  package static func read(
    _ bytes: [UInt8], file: String, limits: DocumentLimits = DocumentLimits()
  ) throws(Failure) -> FrontMatter {
    try SourceText.checkSize(bytes, file: file, limits: limits)
    let text = SourceText.withoutMark(bytes)
    try checkText(text, file: file)
    let lines = FrontMatterLines(text)

    guard let opening = lines.opening else {
      return FrontMatter(text, body: 0, line: 1, of: bytes, file: file)
    }
    let isFirst = opening == 0
    let source = SourceText(text.prefix(lines.start(lines.count)), file: file)
    guard let closing = lines.closing(after: opening) else {
      guard lines.isKey(opening + 1) else {
        // A Markdown file may begin with a rule.
        return FrontMatter(text, body: 0, line: 1, of: bytes, file: file)
      }
      var result = FrontMatter(
        text, body: lines.start(opening + 1), line: opening + 2, of: bytes, file: file)
      result.failure = source.failure(
        "the front matter that begins here has no closing `---`",
        suggestion: "write a line of `---` below its last line",
        at: SourceLocation(file: file, line: opening + 1, column: 1))
      return result
    }
    if !isFirst, !lines.isKey(opening + 1) {
      return FrontMatter(text, body: 0, line: 1, of: bytes, file: file)
    }

    var result = FrontMatter(
      text, body: lines.start(closing + 1), line: closing + 2, of: bytes, file: file)
    if !isFirst {
      result.warnings.append(
        source.failure(
          "the front matter is read, although the file does not begin with it",
          suggestion: "remove the empty lines above it",
          at: SourceLocation(file: file, line: opening + 1, column: 1)))
    }
    var repair = FrontMatterRepair(
      lines: lines, range: (opening + 1)..<closing, source: source, limits: limits)
    do throws(Failure) {
      result.node = try repair.read()
      result.warnings += repair.warnings
    } catch {
      result.failure = error
    }
    return result
  }

  private static func checkText(_ text: ArraySlice<UInt8>, file: String) throws(Failure) {
    if text.first == 0xEF { try SourceText(text.prefix(80), file: file).checkMark(text) }
    if let offset = text.span.firstIndex(where: { $0 == 0 }) {
      let source = SourceText(text, file: file)
      throw source.failure(
        "the file contains a NUL byte", suggestion: "save it as UTF-8 text",
        at: source.location(ofByte: offset))
    }
    guard (try? UTF8Span(validating: text.span)) == nil else { return }
    try SourceText(text, file: file).checkEncoding(text)
  }

  private init(
    _ text: ArraySlice<UInt8>, body offset: Int, line: Int, of bytes: [UInt8], file: String
  ) {
    body = String(decoding: text[(text.startIndex + offset)...], as: UTF8.self)
    bodyLocation = SourceLocation(file: file, line: line, column: 1)
    bodyOffset = bytes.count - text.count + offset
  }
}

/// The lines of a Markdown file, counted from 0, as far as front matter cares. They end at LF, CRLF
/// or CR.
struct FrontMatterLines {
  private let text: ArraySlice<UInt8>
  /// Where each line begins, and where the file ends.
  private var starts: [Int] = [0]

  /// Looks no further than the line that closes the front matter.
  init(_ text: ArraySlice<UInt8>) {
    self.text = text
    let span = text.span
    var opened = false
    var position = 0
    while position < span.count {
      let begin = position
      while position < span.count, span[position] != 0x0A, span[position] != 0x0D { position += 1 }
      if position + 1 < span.count, span[position] == 0x0D, span[position + 1] == 0x0A {
        position += 1
      }
      position = min(position + 1, span.count)
      starts.append(position)
      let last = starts.count - 2
      if opened {
        if isClosing(last) { return }
      } else if isRule(last) {
        opened = true
      } else if !isBlank(last) {
        return
      }
      if begin == position { return }
    }
  }

  var count: Int { starts.count - 1 }

  /// The byte at which a line begins; that of the end for what is beyond the last.
  func start(_ line: Int) -> Int { starts[min(line, count)] }

  /// A line without what ends it.
  subscript(line: Int) -> ArraySlice<UInt8> {
    guard line < count else { return [] }
    let bytes = text[(text.startIndex + starts[line])..<(text.startIndex + starts[line + 1])]
    let end = bytes.lastIndex { $0 != 0x0A && $0 != 0x0D }
    return bytes[..<(end.map { $0 + 1 } ?? bytes.startIndex)]
  }

  /// The first line of `---`, when nothing but empty lines stand before it.
  var opening: Int? {
    for line in 0..<count where !isBlank(line) { return isRule(line) ? line : nil }
    return nil
  }

  func closing(after opening: Int) -> Int? {
    (opening + 1..<max(count, opening + 1)).first(where: isClosing)
  }

  /// Whether a line begins with a key.
  func isKey(_ line: Int) -> Bool { FrontMatterEntry.keyLength(self[line]) != nil }

  /// Whether YAML may take a word of this line, which begins with `#`, for a comment.
  func hasWordLikeComment(_ line: Int) -> Bool {
    var previous: UInt8 = 0
    var isAfterSign = false
    for byte in self[line] {
      if isAfterSign, !FrontMatterEntry.isBlank(byte) { return true }
      isAfterSign = byte == UInt8(ascii: "#") && FrontMatterEntry.isBlank(previous)
      previous = byte
    }
    return false
  }

  func isBlank(_ line: Int) -> Bool { trimmed(line).isEmpty }
  private func isRule(_ line: Int) -> Bool { trimmed(line).elementsEqual("---".utf8) }
  private func isClosing(_ line: Int) -> Bool {
    isRule(line) || trimmed(line).elementsEqual("...".utf8)
  }

  /// Without blanks at the end: those at the beginning mean something.
  private func trimmed(_ line: Int) -> ArraySlice<UInt8> {
    let bytes = self[line]
    let end = bytes.lastIndex { $0 != 0x20 && $0 != 0x09 }
    return bytes[..<(end.map { $0 + 1 } ?? bytes.startIndex)]
  }
}
