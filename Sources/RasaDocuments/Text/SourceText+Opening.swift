import RasaCore

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
        suggestion: isNull ? "save it as UTF-8 text" : "remove it", at: source.location(ofByte: offset))
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
