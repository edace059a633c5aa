import RasaCore

extension Database {
  /// Runs the body in a transaction that holds the write lock from its start, so that what the body reads
  /// cannot change before it writes. An error rolls everything back.
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

  /// Runs the body in a savepoint: an error rolls back what the body did and nothing else.
  package func savepoint<Result>(_ body: () throws -> Result) throws -> Result {
    try run("SAVEPOINT part")
    do {
      let result = try body()
      try run("RELEASE part")
      return result
    } catch {
      forget()
      // On a full disk SQLite has already rolled back the whole transaction.
      if isInTransaction {
        try run("ROLLBACK TO part")
        try run("RELEASE part")
      }
      throw error
    }
  }

  /// Throws if the file has been deleted or replaced: nobody would find what is written to it.
  package func begin() throws {
    if hasMoved {
      throw Failure(
        .storage, "\(path) has been deleted or replaced while it was in use",
        suggestion: "restore it, or restart the program")
    }
    try run("BEGIN IMMEDIATE")
  }

  /// Durable when it returns.
  package func commit() throws {
    try publish()
    try flush()
  }

  /// Writes the collected changes. Every operation ends with this, so that the next one finds the rows up to
  /// date.
  package func writeCollected() throws {
    guard let changes = unwritten else { return }
    unwritten = nil
    try changes.write(to: self)
  }

  private func forget() {
    remembered = [:]
    unwritten = nil
  }

  /// Commits: every connection sees the changes, and the next `flush`, of any process, makes them durable. Other
  /// writers need not wait for the disk in between: whoever reads changes that are not flushed yet, and writes,
  /// flushes both.
  func publish() throws { try run("COMMIT") }

  package func rollBack() {
    forget()
    if isInTransaction { try? run("ROLLBACK") }
  }
}
