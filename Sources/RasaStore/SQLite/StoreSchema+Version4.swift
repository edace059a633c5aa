import RasaSQLite

extension Schema {
  /// Conversations belong to their users, and deleting goes on where it was left.
  static let version4 = """
    -- Two users may give their sessions the same name: what runs, turns and notes call their session
    -- is its key. That is the name where nobody else had it before. What was said under one name
    -- before this version belongs to whoever began.
    ALTER TABLE sessions RENAME TO sessions_3;
    CREATE TABLE sessions (
      key TEXT NOT NULL PRIMARY KEY, id TEXT NOT NULL, user TEXT NOT NULL, persona TEXT NOT NULL,
      started_at INTEGER NOT NULL, used_at INTEGER NOT NULL, UNIQUE (id, user)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO sessions SELECT id, id, user, persona, started_at, used_at FROM sessions_3;
    DROP TABLE sessions_3;
    CREATE INDEX sessions_by_use ON sessions (used_at);

    -- Runs that are deleted and whose lines, or bodies that only they needed, are still there: the
    -- line that is to go next, null when all are gone, and how many there should still be. A number
    -- is never used twice, so that it shows whether anything was deleted meanwhile.
    CREATE TABLE deletions (
      number INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, next INTEGER,
      lines INTEGER NOT NULL
    ) STRICT;
    """
}
