import RasaSQLite

extension Schema {
  /// Conversations belong to their users, deleting goes on where it was left, and models are known
  /// by what operators need of them and how far a provider's counts can be trusted.
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

    -- What answers of one operator have taken of one model: how many were whole and how many cut, the
    -- tokens of the whole ones, and how many of them fell into which class of lengths: three bytes
    -- for each class, its number and the count.
    CREATE TABLE needs (
      provider TEXT NOT NULL, account TEXT NOT NULL, model TEXT NOT NULL, operator TEXT NOT NULL,
      answers INTEGER NOT NULL, cut INTEGER NOT NULL, tokens INTEGER NOT NULL,
      histogram BLOB NOT NULL, PRIMARY KEY (provider, account, model, operator)
    ) STRICT, WITHOUT ROWID;
    -- By how much the counts pass what was expected, in thousandths; 0 while they do not.
    ALTER TABLE standings ADD COLUMN overrun INTEGER NOT NULL DEFAULT 0;
    -- How many counts have to be within the estimate until it is trusted again.
    ALTER TABLE countings ADD COLUMN distrusted INTEGER NOT NULL DEFAULT 0;
    UPDATE countings SET distrusted = 20 WHERE exceeded > 0;
    """
}
