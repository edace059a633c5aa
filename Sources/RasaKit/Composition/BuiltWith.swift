import RasaDocuments
import RasaEngine
import RasaHTTPClient
import RasaSQLite
import RasaStore

/// What this build of rasa writes and uses.
package enum BuiltWith {
  /// The newest heading of `CHANGELOG.md`.
  package static let rasa = "0.2.0"

  /// The newest form of each kind of file that it writes.
  package static var schemas: [(name: String, version: Int64)] {
    [("database", SQLiteStore.schemaVersion), ("recording", Recording.version)]
  }

  /// The libraries of others, with the versions that are in use.
  package static var libraries: [(name: String, version: String)] {
    var libraries = httpLibraries()
    libraries.append(("sqlite", sqliteVersion()))
    libraries.append(("libyaml", yamlVersion()))
    return libraries
  }
}
