package import RasaCore

/// The bytes of a file and its path for messages.
package struct SourceDocument: Sendable, Hashable {
  package var bytes: [UInt8]
  package var path: String
  package init(bytes: [UInt8], path: String) {
    self.bytes = bytes
    self.path = path
  }
}

/// A place with definitions: a folder, or what is embedded in the binary. Code that reads files
/// implements this; this target has no implementation that reads a disk.
package protocol DefinitionSource: Sendable {
  /// Its name in lists: `shipped`, or the folder.
  var label: String { get }
  /// Whether it belongs to the current project, and so not to the user.
  var isProject: Bool { get }
  /// Whether that definition does.
  func isProject(_ name: String) -> Bool
  /// The names of all definitions there: file names without the extension.
  func list() throws(Failure) -> [String]
  /// The definition with that name; nil if there is none.
  func read(_ name: String) throws(Failure) -> SourceDocument?
  /// A file beside the definitions, such as `prompts/critic.md`, named by the definition with that
  /// path. The path is relative and contains no `..`; the source must not follow links out of the
  /// folder.
  func readSibling(_ path: String, of document: String) throws(Failure) -> SourceDocument
}

extension DefinitionSource {
  package var isProject: Bool { false }
  package func isProject(_ name: String) -> Bool { isProject }
}
