package import RasaCore

/// YAML files: one document of text keys, lists and the types of the YAML 1.2 core schema.
///
/// `<<` is a key like any other, and tags other than those of the core schema are refused.
package enum YAML {
  /// A document that could be read, with what is wrong in it all the same.
  package struct Document: Sendable {
    /// Of a key that repeats the last value.
    package var node: DocumentNode
    package var problems: [Problem] = []
  }

  /// What can be read, and is not what its author means.
  package struct Problem: Sendable {
    package enum Kind: Sendable {
      case repeatedKey
      /// A `- ` further in than the item above, whose text it belongs to by the rules.
      case item(line: Int, listColumn: Int)
    }
    package var kind: Kind
    package var failure: Failure
  }

  /// A file of rasa's own, in which everything has to be as it should be. The failure tells of all
  /// problems.
  package static func parse(
    _ bytes: [UInt8], file: String, limits: DocumentLimits = DocumentLimits()
  ) throws(Failure) -> DocumentNode {
    let document = try read(bytes, file: file, limits: limits)
    if let failure = Failure(allOf: document.problems.map(\.failure)) { throw failure }
    return document.node
  }

  package static func parse(
    _ text: String, file: String, limits: DocumentLimits = DocumentLimits()
  ) throws(Failure) -> DocumentNode {
    try parse(Array(text.utf8), file: file, limits: limits)
  }

  package static func read(
    _ bytes: [UInt8], file: String, limits: DocumentLimits = DocumentLimits()
  ) throws(Failure) -> Document {
    let (text, source) = try SourceText.open(bytes, file: file, limits: limits)
    try checkDirectives(text, source)
    let escapes = SurrogateEscapes(text)
    var builder = YAMLTreeBuilder(source: source, limits: limits, escapes: escapes)
    do throws(Failure) {
      let node = try builder.build(escapes.map { $0.text[...] } ?? text)
      return Document(node: node, problems: builder.problems)
    } catch {
      throw Failure(allOf: [error] + builder.problems.map(\.failure)) ?? error
    }
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
            "the file has too many lines that begin with '%'", suggestion: "indent them",
            at: source.location(ofByte: offset))
        }
      }
      previous = byte
    }
  }
}
