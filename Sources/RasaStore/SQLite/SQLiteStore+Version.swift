import RasaSQLite

extension SQLiteStore {
  /// The form of the database that this version writes.
  package static var schemaVersion: Int64 { Schema.store.version }
}
