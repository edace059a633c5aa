package import RasaCore

/// YAML files: one document of text keys, lists and the types of the YAML 1.2 core schema.
///
/// Keys that repeat are refused, `<<` is a key like any other, and tags other than those of the
/// core schema are refused.
package enum YAML {
  package static func parse(
    _ bytes: [UInt8], file: String, limits: DocumentLimits = DocumentLimits()
  ) throws(Failure) -> DocumentNode {
    let (text, source) = try SourceText.open(bytes, file: file, limits: limits)
    try checkDirectives(text, source)
    var builder = YAMLTreeBuilder(source: source, limits: limits)
    return try builder.build(text)
  }

  package static func parse(
    _ text: String, file: String, limits: DocumentLimits = DocumentLimits()
  ) throws(Failure) -> DocumentNode {
    try parse(Array(text.utf8), file: file, limits: limits)
  }

  /// libyaml takes minutes for thousands of directives.
  private static func checkDirectives(
    _ text: ArraySlice<UInt8>, _ source: SourceText
  ) throws(Failure) {
    var directives = 0
    var previous: UInt8 = 0x0A
    for (offset, byte) in text.enumerated() {
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
  }
}
