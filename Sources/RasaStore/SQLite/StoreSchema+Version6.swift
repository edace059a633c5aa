import RasaSQLite

extension Schema {
  /// Several people can have to approve one question, a question says what follows when nobody answers, and
  /// what a person has granted is kept.
  static let version6 = """
    -- `deny` or `escalate`; null where a resumed run asks anew.
    ALTER TABLE approvals ADD COLUMN on_expiry TEXT;
    -- The number of the user of this machine who answered.
    ALTER TABLE approvals ADD COLUMN answered_uid INTEGER;
    -- Who has approved where more than one person has to.
    CREATE TABLE votes (
      approval TEXT NOT NULL, uid INTEGER NOT NULL, by TEXT NOT NULL, at INTEGER NOT NULL,
      PRIMARY KEY (approval, uid)
    ) STRICT, WITHOUT ROWID;

    -- What may be done without asking: for the session with that key, or for the run where there is none.
    -- The pattern is a rule as JSON.
    CREATE TABLE grants (
      id TEXT NOT NULL PRIMARY KEY, run INTEGER NOT NULL, session TEXT, pattern TEXT NOT NULL,
      approval TEXT NOT NULL UNIQUE, made_by TEXT NOT NULL, made_at INTEGER NOT NULL, revoked_by TEXT,
      revoked_at INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX grants_of_run ON grants (run);
    CREATE INDEX grants_of_session ON grants (session) WHERE session IS NOT NULL;
    """
}
