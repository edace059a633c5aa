import CSQLite
import RasaCore

/// Changes that an operation collects and that are written at its end.
package protocol UnwrittenChanges: AnyObject {
  func write(to database: Database) throws
}

/// One connection to one SQLite file, closed when the last reference goes. It is not shared between
/// threads: `DatabaseWriter` gives it a thread of its own.
@safe
package final class Database {
  package let path: String
  private let handle: OpaquePointer
  private let busyTimeout: Int32
  /// SQLite writes the length of the write-ahead log here after every commit.
  private let logFrames: UnsafeMutablePointer<Int32>
  private var statements: [String: Statement] = [:]
  /// How many statements were run: what an operation costs.
  package private(set) var statementsRun = 0
  /// Numbers of rows that never change, by their text. Cleared by a rollback, which may have removed the rows.
  package var remembered: [String: Int64] = [:]
  /// What the current operation has changed but not written yet: a row that several of its steps change is
  /// written once, at its end.
  package var unwritten: (any UnwrittenChanges)?
  /// Compresses texts.
  package let deflate = Deflate()

  /// Opens the file, creating it and its folder for this user alone when they do not exist.
  /// `busyTimeout` is how long a statement waits for other processes, in milliseconds.
  package convenience init(path: String, busyTimeout: Int32 = 10_000) throws {
    try self.init(path: path, busyTimeout: busyTimeout, access: .write)
  }

  enum Access { case read, write }

  /// - Parameter access: for reading, the file has to exist.
  init(path: String, busyTimeout: Int32 = 10_000, access: Access) throws {
    guard Self.isConfigured else {
      throw Failure(
        .storage, "SQLite could not be initialised", suggestion: "check the SQLite library")
    }
    switch access {
    case .read: try DatabaseFile(path).check()
    case .write: try DatabaseFile(path).prepare()
    }

    // A name that starts with `file:` would be taken for a URI with parameters of its own.
    let name = path.hasPrefix("/") ? path : "./" + path
    var opened: OpaquePointer?
    let mode = access == .read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE
    let flags = mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
    let code = unsafe sqlite3_open_v2(name, &opened, flags, nil)
    guard code == SQLITE_OK, let connection = unsafe opened else {
      defer { unsafe sqlite3_close_v2(opened) }
      throw unsafe Failure.sqlite(code, opened, path: path, sql: "")
    }
    self.path = path
    self.busyTimeout = busyTimeout
    unsafe handle = connection
    unsafe logFrames = .allocate(capacity: 1)
    unsafe logFrames.initialize(to: 0)
    try configure()
  }

  deinit {
    statements.removeAll()
    unsafe sqlite3_wal_hook(handle, nil, nil)
    unsafe sqlite3_close_v2(handle)
    unsafe logFrames.deallocate()
  }

  /// Process-wide: every allocation would otherwise take a lock to be counted, and a query that needs a temporary table
  /// would get 90 kB for it, which the allocator returns to the system each time: half of what a commit costs.
  private static let isConfigured: Bool = {
    _ = csqlite_configure(SQLITE_CONFIG_MEMSTATUS, 0)
    _ = csqlite_allocate_pages_singly()
    return sqlite3_initialize() == SQLITE_OK
  }()

  private func configure() throws {
    unsafe sqlite3_busy_timeout(handle, busyTimeout)
    // A file may come from elsewhere: its schema may not call functions, its pages are checked, and
    // no statement may change what only SQLite itself should. A checkpoint when the last connection
    // closes would cost every short process two flushes; `checkpoint()` decides instead.
    let flags: [(option: Int32, value: Int32)] = [
      (SQLITE_DBCONFIG_DEFENSIVE, 1), (SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0),
      (SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0), (SQLITE_DBCONFIG_ENABLE_FKEY, 1),
      (SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1), (SQLITE_DBCONFIG_DQS_DDL, 0),
      (SQLITE_DBCONFIG_DQS_DML, 0),
    ]
    for flag in flags {
      let code = unsafe csqlite_configure_connection(handle, flag.option, flag.value)
      guard code == SQLITE_OK else { throw failure(code, sql: "") }
    }
    // SQLite flushes the log before it carries it over; after a commit `flush` does, when the lock
    // has been released.
    // Deleted and moved cells are zeroed; `scrub` removes the copies that this leaves out.
    try execute(
      """
      PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA synchronous = NORMAL;
      PRAGMA secure_delete = ON
      """)
    // The hook replaces automatic checkpoints.
    unsafe sqlite3_wal_hook(
      handle,
      { context, _, _, frames in
        unsafe context?.assumingMemoryBound(to: Int32.self).pointee = frames
        return SQLITE_OK
      }, logFrames)
  }

  private func failure(_ code: Int32, sql: String) -> Failure {
    unsafe Failure.sqlite(code, handle, path: path, sql: sql)
  }
}

extension Database {
  /// Runs a script of statements without values.
  package func execute(_ script: String) throws {
    let code = unsafe sqlite3_exec(handle, script, nil, nil, nil)
    if code != SQLITE_OK { throw failure(code, sql: script) }
  }

  /// Runs one statement and forgets its rows.
  package func run(_ sql: String, _ values: SQLValue...) throws {
    try run(sql, values: values)
  }

  package func run(_ sql: String, values: [SQLValue]) throws {
    try withStatement(sql, values) { statement in while try statement.step() {} }
  }

  /// Every row of a query, each made into a value at once. `transform` runs no statements.
  package func rows<Element>(
    _ sql: String, _ values: SQLValue..., transform: (Row) throws -> Element
  ) throws -> [Element] {
    try rows(sql, values: values, transform: transform)
  }

  package func rows<Element>(
    _ sql: String, values: [SQLValue], transform: (Row) throws -> Element
  ) throws -> [Element] {
    try withStatement(sql, values) { statement in
      var elements: [Element] = []
      while try statement.step() { elements.append(try transform(Row(statement))) }
      return elements
    }
  }

  /// The first row of a query, or nil. `transform` runs no statements.
  package func first<Element>(
    _ sql: String, _ values: SQLValue..., transform: (Row) throws -> Element
  ) throws -> Element? {
    try first(sql, values: values, transform: transform)
  }

  package func first<Element>(
    _ sql: String, values: [SQLValue], transform: (Row) throws -> Element
  ) throws -> Element? {
    try withStatement(sql, values) { statement in
      try statement.step() ? try transform(Row(statement)) : nil
    }
  }

  private func withStatement<Result>(
    _ sql: String, _ values: [SQLValue], _ body: (Statement) throws -> Result
  ) throws -> Result {
    let statement: Statement
    if let cached = statements[sql] {
      statement = cached
    } else {
      statement = try unsafe Statement(sql, connection: handle, path: path)
      statements[sql] = statement
    }
    defer { statement.reset() }
    statementsRun += 1
    try statement.bind(values)
    return try body(statement)
  }

  /// How many rows the last statement inserted, changed or deleted.
  package var changes: Int { Int(unsafe sqlite3_changes64(handle)) }

  /// The row that the last insert made.
  package var lastInsertedRow: Int64 { unsafe sqlite3_last_insert_rowid(handle) }

  /// False also when an error has made SQLite roll back on its own.
  package var isInTransaction: Bool { unsafe sqlite3_get_autocommit(handle) == 0 }
}

extension Database {
  /// Whether another file, or none, has the name of the open file by now.
  var hasMoved: Bool { unsafe csqlite_has_moved(handle) != 0 }

  /// Makes durable what any process has committed so far.
  func flush() throws {
    let code = unsafe csqlite_flush_log(handle)
    if code != SQLITE_OK { throw failure(code, sql: "") }
  }

  /// Pages in the write-ahead log after the last commit of this connection.
  package var pagesInLog: Int { Int(unsafe logFrames.pointee) }

  /// Writes the pages of the write-ahead log to the database file. With `emptying`, it also truncates the log,
  /// so that the next process has none to read. False if other connections prevent it, for which it waits
  /// `patience` milliseconds.
  @discardableResult
  package func checkpoint(emptying: Bool = false, patience: Int32 = 0) throws -> Bool {
    wait(atMost: patience)
    defer { wait(atMost: busyTimeout) }
    let mode = emptying ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE
    let code = unsafe sqlite3_wal_checkpoint_v2(handle, nil, mode, nil, nil)
    if emptying, code == SQLITE_OK { unsafe logFrames.pointee = 0 }
    // Others are reading or writing, or this is in a transaction: a later checkpoint will succeed.
    if code != SQLITE_OK, ![SQLITE_BUSY, SQLITE_LOCKED].contains(code & 0xFF) {
      throw failure(code, sql: "")
    }
    return code == SQLITE_OK
  }

  /// The length of the write-ahead log's file; -1 when it cannot be told.
  var bytesInLog: Int64 { unsafe csqlite_log_size(handle) }

  /// Fills the buffer from the database file, past SQLite and its log.
  func readFile(into buffer: inout [UInt8], at offset: Int64) throws {
    let code = unsafe buffer.withUnsafeMutableBytes { bytes in
      unsafe csqlite_read_file(handle, bytes.baseAddress, Int32(clamping: bytes.count), offset)
    }
    if code != SQLITE_OK { throw failure(code, sql: "") }
  }

  /// Writes to the database file, past SQLite and its log: only where no page has any content.
  func writeFile(_ bytes: [UInt8], at offset: Int64) throws {
    let code = unsafe bytes.withUnsafeBytes { bytes in
      unsafe csqlite_write_file(handle, bytes.baseAddress, Int32(clamping: bytes.count), offset)
    }
    if code != SQLITE_OK { throw failure(code, sql: "") }
  }

  func flushFile() throws {
    let code = unsafe csqlite_flush_file(handle)
    if code != SQLITE_OK { throw failure(code, sql: "") }
  }

  /// Drops the pages that this connection has in memory and is not working on.
  func dropCachedPages() { unsafe sqlite3_db_release_memory(handle) }

  /// How many milliseconds the next statements wait for other processes.
  func wait(atMost milliseconds: Int32) { unsafe sqlite3_busy_timeout(handle, milliseconds) }
}
