import RasaSQLite

extension Schema {
  /// The store's tables. A script that has been released is never changed: what comes later is a
  /// further script, and every version's files are kept as fixtures of the tests.
  static let store = Schema(
    applicationID: 0x5241_5341,
    scripts: [
      version1, version2, version3, version4, version5, version6, version7, version8, version9,
    ],
    conversions: [7: { try $0.convertToVersion7() }, 9: { try $0.convertToVersion9() }])

  /// Amounts are in pico-dollars, times in milliseconds since 1970 in UTC.
  private static let version1 = """
    CREATE TABLE runs (
      number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, session TEXT, persona TEXT NOT NULL,
      persona_digest TEXT NOT NULL, user TEXT NOT NULL, input TEXT NOT NULL,
      started_at INTEGER NOT NULL, status TEXT NOT NULL
    ) STRICT;
    CREATE INDEX runs_of_session ON runs (session) WHERE session IS NOT NULL;

    -- What a journal line says, once for each content, unless it is short.
    CREATE TABLE bodies (
      number INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, bytes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE events (
      run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, sequence INTEGER NOT NULL,
      time INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT, short_body BLOB,
      body INTEGER REFERENCES bodies, PRIMARY KEY (run, sequence)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX events_with_body ON events (body) WHERE body IS NOT NULL;

    CREATE TABLE sessions (
      id TEXT NOT NULL PRIMARY KEY, persona TEXT NOT NULL, user TEXT NOT NULL,
      started_at INTEGER NOT NULL, used_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sessions_by_use ON sessions (used_at);
    CREATE TABLE turns (
      number INTEGER PRIMARY KEY, session TEXT NOT NULL, run TEXT NOT NULL UNIQUE,
      time INTEGER NOT NULL, input TEXT NOT NULL, output TEXT NOT NULL
    ) STRICT;
    CREATE INDEX turns_of_session ON turns (session, number);
    CREATE TABLE notes (
      number INTEGER PRIMARY KEY, session TEXT NOT NULL, run TEXT NOT NULL,
      time INTEGER NOT NULL, text TEXT NOT NULL
    ) STRICT;
    CREATE INDEX notes_of_session ON notes (session, number);

    CREATE TABLE memories (
      id INTEGER PRIMARY KEY AUTOINCREMENT, persona TEXT NOT NULL, user TEXT NOT NULL,
      text TEXT NOT NULL, source_run TEXT NOT NULL, time INTEGER NOT NULL, trust TEXT NOT NULL,
      UNIQUE (persona, user, text)
    ) STRICT;
    -- Kept in step by the program: an untrusted schema's triggers may not write to it.
    CREATE VIRTUAL TABLE memory_words USING fts5 (
      text, content = 'memories', content_rowid = 'id',
      tokenize = 'unicode61 remove_diacritics 2'
    );

    -- What has been spent and is held under each limit: `execution:<run>`, `day:<owner>:<date>`,
    -- `month:<owner>:<month>`. A new period is a new row; nothing is ever reset.
    CREATE TABLE balances (
      scope TEXT NOT NULL PRIMARY KEY, settled INTEGER NOT NULL, held INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE reservations (
      id TEXT NOT NULL PRIMARY KEY, run TEXT NOT NULL, effect TEXT NOT NULL, persona TEXT NOT NULL,
      operator TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
      amount INTEGER NOT NULL, made_at INTEGER NOT NULL, lease_ends INTEGER NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('held', 'expired', 'settled')),
      actual INTEGER, outcome TEXT, input_tokens INTEGER, output_tokens INTEGER,
      cached_tokens INTEGER, reasoning_tokens INTEGER, is_reported INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX reservations_held ON reservations (lease_ends) WHERE state = 'held';
    CREATE TABLE legs (
      reservation TEXT NOT NULL REFERENCES reservations ON DELETE CASCADE, scope TEXT NOT NULL,
      PRIMARY KEY (reservation, scope)
    ) STRICT, WITHOUT ROWID;

    -- What was corrected in the accounts after the fact, and why.
    CREATE TABLE audits (
      number INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind TEXT NOT NULL,
      subject TEXT NOT NULL, amount INTEGER NOT NULL
    ) STRICT;
    """
}
