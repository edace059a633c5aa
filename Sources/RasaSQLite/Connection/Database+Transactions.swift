extension Database {
  /// Runs the body in a transaction that holds the write lock from its start, so that what the body
  /// reads cannot change before it writes. An error takes everything back.
  package func transaction<Result>(_ body: () throws -> Result) throws -> Result {
    try begin()
    do {
      let result = try body()
      try commit()
      return result
    } catch {
      rollBack()
      throw error
    }
  }

  /// Runs the body so that its error takes back what it did and nothing else.
  package func savepoint<Result>(_ body: () throws -> Result) throws -> Result {
    try run("SAVEPOINT part")
    do {
      let result = try body()
      try run("RELEASE part")
      return result
    } catch {
      remembered = [:]
      // After a full disk SQLite has already rolled everything back: there is no part left to undo.
      if isInTransaction {
        try run("ROLLBACK TO part")
        try run("RELEASE part")
      }
      throw error
    }
  }

  package func begin() throws { try run("BEGIN IMMEDIATE") }

  package func commit() throws { try run("COMMIT") }

  package func rollBack() {
    remembered = [:]
    if isInTransaction { try? run("ROLLBACK") }
  }
}
