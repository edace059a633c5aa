package import RasaCore

/// YAML files: one document of text keys, lists and the types of the YAML 1.2 core schema.
///
/// Keys that repeat are refused, `<<` is a key like any other, and tags other than those of the
/// core schema are refused.
package enum YAML {
  package static func parse(
    _ bytes: [UInt8], file: String, limits: DocumentLimits = DocumentLimits()
  ) throws(Failure) -> DocumentNode {
    let place = SourceLocation(file: file, line: 0, column: 0)
    if bytes.count > limits.bytes {
      throw Failure(
        .configuration, "the file has \(bytes.count) bytes; \(limits.bytes) are allowed",
        mend: "split it, or move long texts to files of their own", at: place)
    }
    let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
    let source = SourceText(text, file: file)
    try check(text, source)
    var builder = YAMLTreeBuilder(source: source, limits: limits)
    return try builder.build(text)
  }

  package static func parse(
    _ text: String, file: String, limits: DocumentLimits = DocumentLimits()
  ) throws(Failure) -> DocumentNode {
    try parse(Array(text.utf8), file: file, limits: limits)
  }

  /// What libyaml would report poorly, late or, for thousands of directives, not before minutes.
  private static func check(_ text: ArraySlice<UInt8>, _ source: SourceText) throws(Failure) {
    var directives = 0
    var previous: UInt8 = 0x0A
    for (offset, byte) in text.enumerated() {
      if byte < 0x20 || byte == 0x7F, byte != 0x09, byte != 0x0A, byte != 0x0D {
        throw source.failure(
          byte == 0 ? "the file contains a NUL byte" : "the file contains a control character",
          mend: byte == 0 ? "save it as UTF-8 text" : "remove it",
          at: source.location(ofByte: offset))
      }
      if byte == UInt8(ascii: "%"), previous == 0x0A || previous == 0x0D {
        directives += 1
        if directives > 16 {
          throw source.failure(
            "the file has too many lines that begin with '%'", mend: "indent them",
            at: source.location(ofByte: offset))
        }
      }
      previous = byte
    }
    guard let offset = firstInvalidByte(in: text) else { return }
    throw source.failure(
      "the file is not UTF-8", mend: "save it as UTF-8 text",
      at: source.location(ofByte: offset))
  }

  private static func firstInvalidByte(in text: ArraySlice<UInt8>) -> Int? {
    do {
      _ = try UTF8Span(validating: text.span)
      return nil
    } catch {
      return error.byteOffsets.lowerBound
    }
  }
}
