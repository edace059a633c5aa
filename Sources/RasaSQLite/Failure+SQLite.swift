import CSQLite
import Glibc
import RasaCore

extension Failure {
  /// SQLite's error as a sentence and a suggestion.
  static func sqlite(
    _ code: Int32, _ connection: OpaquePointer?, path: String, sql: String
  ) -> Failure {
    let isOfSystem = [SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_FULL].contains(code & 0xFF)
    let cause = unsafe isOfSystem && connection != nil ? csqlite_system_error(connection) : 0
    // Without a connection SQLite answers `out of memory`, which is rarely what happened.
    let text = unsafe String(
      cString: connection == nil ? sqlite3_errstr(code) : sqlite3_errmsg(connection))
    var details = ["SQLite: \(text) (\(code))"]
    if cause != 0 { details.append("system: \(unsafe String(cString: strerror(cause)))") }

    var failure = Failure.file(cause, path: path) ?? general(code, path: path)
    let isOurs = [SQLITE_ERROR, SQLITE_CONSTRAINT, SQLITE_MISUSE, SQLITE_RANGE, SQLITE_MISMATCH]
    if isOurs.contains(code & 0xFF), !sql.isEmpty { details.append("in: \(sql.prefix(200))") }
    failure.details = details
    return failure
  }

  /// Errors of the system that have a suggestion of their own.
  static func file(_ cause: Int32, path: String) -> Failure? {
    switch cause {
    case ENOSPC, EDQUOT, EFBIG:
      Failure(
        .storage, "there is no room left to write \(path)",
        suggestion: "free some space and run it again; everything recorded so far is intact")
    case EACCES, EPERM, EROFS:
      Failure(
        .storage, "\(path) may not be written",
        suggestion:
          "allow this user to write the file and its folder, or choose another place")
    case ENOENT, ENOTDIR:
      Failure(
        .storage, "the folder of \(path) does not exist",
        suggestion: "create it, or choose another place for the data")
    case ENAMETOOLONG, ELOOP:
      Failure(
        .storage, "the system does not accept the name \(path)",
        suggestion: "choose another place for the data")
    case EMFILE, ENFILE:
      Failure(
        .storage, "\(path) cannot be opened: too many files are open",
        suggestion: "raise the limit of open files (`ulimit -n`)")
    default: nil
    }
  }

  private static func general(_ code: Int32, path: String) -> Failure {
    switch code & 0xFF {
    case SQLITE_FULL:
      Failure(
        .storage, "there is no room left to write \(path)",
        suggestion: "free some space and run it again; everything recorded so far is intact")
    case SQLITE_IOERR:
      Failure(
        .storage, "reading or writing \(path) failed",
        suggestion: "check the disk; everything recorded so far is intact")
    case SQLITE_BUSY, SQLITE_LOCKED:
      Failure(
        .storage, "\(path) is locked by another process",
        suggestion: "wait for it or end it (`fuser \(path)` names it), then run again")
    case SQLITE_CORRUPT:
      Failure(
        .storage, "\(path) is damaged",
        suggestion: "move it away; `sqlite3 FILE .recover` may recover its content"
      )
    case SQLITE_NOTADB:
      Failure(
        .storage, "\(path) is not a database",
        suggestion: "move the file away, or choose another place for the data")
    case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH:
      Failure(
        .storage, "\(path) may not be written",
        suggestion:
          "allow this user to write the file and its folder, or choose another place")
    case SQLITE_CANTOPEN:
      Failure(
        .storage, "\(path) cannot be opened", suggestion: "check the file, its folder and its disk")
    case SQLITE_TOOBIG:
      Failure(.storage, "a value is too large for \(path)", suggestion: "use smaller inputs")
    case SQLITE_NOMEM: Failure(.storage, "memory ran out while using \(path)")
    default: Failure(.storage, "\(path) could not be used")
    }
  }
}
