import CSQLite
import RasaCore

/// A compiled statement. It belongs to the thread of its database.
@safe
package final class Statement {
  private let handle: OpaquePointer
  private let path: String

  init(_ sql: String, connection: OpaquePointer, path: String) throws(Failure) {
    var prepared: OpaquePointer?
    let code = unsafe sqlite3_prepare_v3(
      connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
    guard code == SQLITE_OK, let prepared = unsafe prepared else {
      throw unsafe Failure.sqlite(code, connection, path: path, sql: sql)
    }
    unsafe handle = prepared
    self.path = path
  }

  deinit { unsafe sqlite3_finalize(handle) }

  func bind(_ values: [SQLValue]) throws(Failure) {
    let expected = Int(unsafe sqlite3_bind_parameter_count(handle))
    guard values.count == expected else {
      throw Failure(
        .storage, "a statement for \(path) takes \(expected) values, not \(values.count)")
    }
    for (index, value) in values.enumerated() {
      let code = bind(value, at: Int32(index + 1))
      if code != SQLITE_OK { throw failure(code) }
    }
  }

  private func bind(_ value: SQLValue, at index: Int32) -> Int32 {
    switch value {
    case .null: return unsafe sqlite3_bind_null(handle, index)
    case .integer(let number): return unsafe sqlite3_bind_int64(handle, index, number)
    case .real(let number): return unsafe sqlite3_bind_double(handle, index, number)
    case .text(var text):
      return text.withUTF8 { utf8 in
        unsafe utf8.withMemoryRebound(to: CChar.self) { characters in
          unsafe csqlite_bind_text(
            handle, index, characters.baseAddress, UInt64(characters.count))
        }
      }
    case .bytes(let bytes):
      return unsafe bytes.withUnsafeBytes { buffer in
        unsafe csqlite_bind_bytes(handle, index, buffer.baseAddress, UInt64(buffer.count))
      }
    }
  }

  /// Moves to the next row; false when there is none.
  func step() throws(Failure) -> Bool {
    let code = unsafe sqlite3_step(handle)
    switch code {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    default: throw failure(code)
    }
  }

  /// Makes it ready to be bound again, and releases what was bound.
  func reset() {
    unsafe sqlite3_reset(handle)
    unsafe sqlite3_clear_bindings(handle)
  }

  private func failure(_ code: Int32) -> Failure {
    let sql = unsafe sqlite3_sql(handle).map { unsafe String(cString: $0) } ?? ""
    return unsafe Failure.sqlite(code, sqlite3_db_handle(handle), path: path, sql: sql)
  }
}

/// The current row of a statement, valid until the next `step`. A column that is read as another type is converted
/// by SQLite's rules; a missing column is null.
package struct Row {
  fileprivate let statement: Statement

  init(_ statement: Statement) { self.statement = statement }

  package func integer(_ column: Int) -> Int64 { statement.integer(Int32(clamping: column)) }
  package func real(_ column: Int) -> Double { statement.real(Int32(clamping: column)) }
  package func text(_ column: Int) -> String { statement.text(Int32(clamping: column)) }
  package func bytes(_ column: Int) -> [UInt8] { statement.bytes(Int32(clamping: column)) }
  package func isNull(_ column: Int) -> Bool { statement.isNull(Int32(clamping: column)) }

  /// Bytes where they are, without a copy: many rows are only looked at.
  package func withBytes<Result>(
    _ column: Int, _ body: (Span<UInt8>) throws -> Result
  ) rethrows -> Result {
    try statement.withBytes(Int32(clamping: column), body)
  }

  /// The value with the type that it has in the file.
  package func value(_ column: Int) -> SQLValue { statement.value(Int32(clamping: column)) }

  package func textOrNil(_ column: Int) -> String? { isNull(column) ? nil : text(column) }
  package func integerOrNil(_ column: Int) -> Int64? { isNull(column) ? nil : integer(column) }
}

extension Statement {
  fileprivate func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(handle, column) }

  fileprivate func real(_ column: Int32) -> Double { unsafe sqlite3_column_double(handle, column) }

  fileprivate func isNull(_ column: Int32) -> Bool {
    unsafe sqlite3_column_type(handle, column) == SQLITE_NULL
  }

  fileprivate func value(_ column: Int32) -> SQLValue {
    switch unsafe sqlite3_column_type(handle, column) {
    case SQLITE_INTEGER: .integer(integer(column))
    case SQLITE_FLOAT: .real(real(column))
    case SQLITE_TEXT: .text(text(column))
    case SQLITE_BLOB: .bytes(bytes(column))
    default: .null
    }
  }

  fileprivate func text(_ column: Int32) -> String {
    guard let start = unsafe sqlite3_column_text(handle, column) else { return "" }
    let count = Int(unsafe sqlite3_column_bytes(handle, column))
    return unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  fileprivate func bytes(_ column: Int32) -> [UInt8] {
    guard let start = unsafe sqlite3_column_blob(handle, column) else { return [] }
    let count = Int(unsafe sqlite3_column_bytes(handle, column))
    return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
  }

  fileprivate func withBytes<Result>(
    _ column: Int32, _ body: (Span<UInt8>) throws -> Result
  ) rethrows -> Result {
    let start = unsafe sqlite3_column_blob(handle, column)?.assumingMemoryBound(to: UInt8.self)
    let count = unsafe start == nil ? 0 : Int(sqlite3_column_bytes(handle, column))
    return try unsafe body(UnsafeBufferPointer(start: start, count: count).span)
  }
}
