import CSQLite

/// The version of SQLite that databases are read and written with.
package func sqliteVersion() -> String { unsafe String(cString: sqlite3_libversion()) }
