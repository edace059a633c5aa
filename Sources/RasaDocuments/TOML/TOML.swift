package import RasaCore

/// TOML files, as the same nodes that YAML gives: tables are mappings with their keys in the order
/// of the file.
///
/// Dates and times become text as they are written. A number's `rawText` is what is written without
/// `_` and a leading `+`, so that money can be read from it; `inf` and `nan` are numbers.
package enum TOML {
  package static func parse(
    _ bytes: [UInt8], file: String, limits: DocumentLimits = DocumentLimits()
  ) throws(Failure) -> DocumentNode {
    let (text, source) = try SourceText.open(bytes, file: file, limits: limits)
    var nesting = TOMLNesting(source: source, limits: limits)
    try nesting.check(text.span)
    let document = TOMLDocument(text)
    if let problem = document.problem { throw problem.failure(in: source, text) }
    var builder = TOMLTreeBuilder(source: source, text: text, limits: limits)
    return try builder.build(document)
  }

  package static func parse(
    _ text: String, file: String, limits: DocumentLimits = DocumentLimits()
  ) throws(Failure) -> DocumentNode {
    try parse(Array(text.utf8), file: file, limits: limits)
  }
}
