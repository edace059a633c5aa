package import RasaCore

/// The bytes of a file and the path to show for it.
package struct SourceDocument: Sendable, Hashable {
  package var bytes: [UInt8]
  package var path: String
  package init(bytes: [UInt8], path: String) {
    self.bytes = bytes
    self.path = path
  }
}

/// A place that definitions come from: a folder, or what is embedded in the binary. Whoever reads
/// files implements this; nothing here knows any.
package protocol DefinitionSource: Sendable {
  /// What lists call it: `shipped`, or the folder.
  var label: String { get }
  /// Whether it came with the folder that the user is in, and so not from the user.
  var isProject: Bool { get }
  /// The names of all definitions there: file names without the ending.
  func list() throws(Failure) -> [String]
  /// The definition of that name; nil when it is not there.
  func read(_ name: String) throws(Failure) -> SourceDocument?
  /// A file beside the definitions, such as `prompts/critic.md`, that the definition with that path
  /// names. The path is relative and has no `..` in it; not to follow links out of the folder is the
  /// source's part.
  func readSibling(_ path: String, of document: String) throws(Failure) -> SourceDocument
}

extension DefinitionSource {
  package var isProject: Bool { false }
}
