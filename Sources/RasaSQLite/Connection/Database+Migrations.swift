import RasaCore

/// The schema of a database: one script for each version, run in order and never changed once released.
/// `applicationID` marks the file as ours.
package struct Schema: Sendable {
  package var applicationID: Int32
  package var scripts: [String]
  /// What a script cannot do: runs after the script of that version, in the same transaction.
  package var conversions: [Int64: @Sendable (Database) throws -> Void]

  package init(
    applicationID: Int32, scripts: [String],
    conversions: [Int64: @Sendable (Database) throws -> Void] = [:]
  ) {
    self.applicationID = applicationID
    self.scripts = scripts
    self.conversions = conversions
  }

  package var version: Int64 { Int64(scripts.count) }
}

extension Database {
  /// The version of the schema that the file has; 0 for a new file.
  package func schemaVersion() throws -> Int64 {
    try first("PRAGMA user_version") { $0.integer(0) } ?? 0
  }

  /// Migrates the file to the newest version in one transaction. The caller holds the write lock, because
  /// switching to a write-ahead log does not wait for other processes.
  package func migrate(to schema: Schema) throws {
    if try schemaVersion() == 0 {
      try refuseForeignFile(schema)
      let mode = try first("PRAGMA journal_mode = WAL") { $0.text(0) }
      guard mode == "wal" else {
        throw Failure(
          .storage, "the folder of \(path) cannot hold a write-ahead log",
          suggestion: "keep the database on a local disk")
      }
    }
    try transaction {
      let version = try schemaVersion()
      try refuseFutureVersion(version, schema)
      for (index, script) in schema.scripts.enumerated().dropFirst(Int(clamping: version)) {
        try execute(script)
        // A new file has nothing to convert.
        if version > 0 { try schema.conversions[Int64(index) + 1]?(self) }
      }
      try execute("PRAGMA user_version = \(schema.version)")
      try execute("PRAGMA application_id = \(schema.applicationID)")
    }
  }

  /// The version alone does not tell whose file it is: other programs use that field as well.
  package func refuseForeignFile(_ schema: Schema) throws {
    let mark = try first("PRAGMA application_id") { $0.integer(0) } ?? 0
    let version = try schemaVersion()
    let isOfFuture = version > schema.version || version < 0
    let isOurs: Bool
    if version == 0 {
      let tables = try first("SELECT count(*) FROM sqlite_schema") { $0.integer(0) } ?? 0
      isOurs = tables == 0 && mark == 0
    } else {
      isOurs = mark == Int64(schema.applicationID) || (mark == 0 && isOfFuture)
    }
    guard isOurs else {
      throw Failure(
        .storage, "\(path) is a database of another program",
        suggestion: "move the file away, or choose another place for the data")
    }
  }

  /// Why a statement failed: a newer version of the program may have changed the tables.
  func explained(_ error: any Error, _ schema: Schema) -> Failure {
    guard let version = try? schemaVersion() else { return Failure(reporting: error) }
    do {
      try refuseFutureVersion(version, schema)
    } catch let newer {
      return Failure(reporting: newer)
    }
    return Failure(reporting: error)
  }

  package func refuseFutureVersion(_ version: Int64, _ schema: Schema) throws {
    guard version > schema.version || version < 0 else { return }
    throw Failure(
      .storage,
      "\(path) was written by a newer version (its schema is \(version), this program knows "
        + "\(schema.version))",
      suggestion: "use the newer version, or choose another place for the data")
  }
}
