import RasaCore

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
      forget()
      // After a full disk SQLite has already rolled everything back: there is no part left to undo.
      if isInTransaction {
        try run("ROLLBACK TO part")
        try run("RELEASE part")
      }
      throw error
    }
  }

  /// Throws when the file has been deleted or replaced: what is written to it now nobody would find.
  package func begin() throws {
    if hasMoved {
      throw Failure(
        .storage, "\(path) has been deleted or replaced while it was in use",
        suggestion: "put it back, or end the program and start again")
    }
    try run("BEGIN IMMEDIATE")
  }

  /// Durable when it returns.
  package func commit() throws {
    try publish()
    try flush()
  }

  /// Writes what was collected. Every piece of work ends with this, so that the next one finds the
  /// rows as they are.
  package func writeCollected() throws {
    guard let changes = unwritten else { return }
    unwritten = nil
    try changes.write(to: self)
  }

  private func forget() {
    remembered = [:]
    unwritten = nil
  }

  /// Ends the transaction: everybody sees what it did, and it is as durable as what `flush` flushes
  /// next. Between the two nobody has to wait for the disk; who reads what is not flushed yet, and
  /// writes on, flushes it along with what is written.
  func publish() throws { try run("COMMIT") }

  package func rollBack() {
    forget()
    if isInTransaction { try? run("ROLLBACK") }
  }
}
