import RasaCore
import RasaEngine
import RasaMemory
import RasaSQLite

extension Schema {
  /// Everything that can be recalled is an item of one index: both sides of a turn, notes and facts. Facts end, and
  /// the statements that they come from are kept.
  static let version7 =
    version7Items + "\n" + version7Terms + "\n" + version7Vectors
    + "\n" + version7Summaries

  private static let version7Items = """
    -- Kind: 0 turn, 1 note, 2 fact. Scope: 0 user, 1 persona, 2 session. Trust: 0 person, 1 tool, 2 model. User,
    -- persona and speaker are words, the session is its key. The text of a turn is the number of a body where it is
    -- long. A turn has two items: the person's side, with trust 0, and after it the persona's. IDs grow in the order
    -- of the commits and are never given twice. `bytes` is the length of the text; the language is what the index of
    -- words found.
    CREATE TABLE items (
      id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, scope INTEGER NOT NULL,
      user INTEGER NOT NULL, persona INTEGER NOT NULL, session TEXT, speaker INTEGER,
      text ANY NOT NULL, run TEXT NOT NULL, time INTEGER NOT NULL, trust INTEGER NOT NULL,
      bytes INTEGER NOT NULL, language TEXT NOT NULL DEFAULT ''
    ) STRICT;
    -- Names that only items have.
    INSERT OR IGNORE INTO words (text)
      SELECT user FROM sessions UNION SELECT persona FROM sessions
      UNION SELECT user FROM memories UNION SELECT persona FROM memories UNION SELECT '';

    -- By time, but in each session in the order in which its turns and notes came, whatever the clock said.
    INSERT INTO items (kind, scope, user, persona, session, speaker, text, run, time, trust, bytes)
      WITH
        said AS (
          SELECT turns.*, max(time) OVER (PARTITION BY session ORDER BY number) AS place FROM turns
        ),
        noted AS (
          SELECT notes.*, max(time) OVER (PARTITION BY session ORDER BY number) AS place FROM notes
        ),
        old AS (
          SELECT 0 AS kind, session, run, place, number, 0 AS side, input AS text, time, 0 AS trust,
            NULL AS user, NULL AS persona FROM said
          UNION ALL
          SELECT 0, session, run, place, number, 1, output, time, 2, NULL, NULL FROM said
          UNION ALL
          SELECT 1, session, run, place, number, 0, text, time, 2, NULL, NULL FROM noted
          UNION ALL
          SELECT 2, NULL, source_run, time, id, 0, text, time,
            CASE trust WHEN 'person' THEN 0 WHEN 'tool' THEN 1 ELSE 2 END, user, persona FROM memories
        )
      SELECT old.kind, 1, owner.number, keeper.number, old.session,
        CASE WHEN old.kind = 0 AND old.side = 0 THEN owner.number WHEN old.kind = 0 THEN keeper.number END,
        old.text, old.run, old.time, old.trust,
        iif(typeof(old.text) = 'text', length(CAST(old.text AS BLOB)), 0)
      FROM old
        LEFT JOIN sessions ON sessions.key = old.session
        LEFT JOIN runs ON runs.id = old.run AND old.kind < 2
        JOIN words AS owner
          ON owner.text = coalesce(old.user, sessions.user, (SELECT text FROM words WHERE number = runs.user), '')
        JOIN words AS keeper
          ON keeper.text = coalesce(old.persona, (SELECT text FROM words WHERE number = runs.persona),
            sessions.persona, '')
      ORDER BY old.place, old.kind, old.number, old.side;
    DROP TABLE turns;
    DROP TABLE notes;
    DROP TABLE memory_words;
    DROP TABLE memories;

    -- With the length, so that no row is read for counting.
    CREATE INDEX items_of_session ON items (session, kind, id, bytes) WHERE session IS NOT NULL;
    CREATE INDEX items_of_owner ON items (user, kind, persona, id, bytes);
    CREATE INDEX items_of_run ON items (run);
    -- What people stated, which goes along with every question of theirs.
    CREATE INDEX items_stated ON items (user, id) WHERE kind = 2 AND trust = 0;
    CREATE INDEX items_with_body ON items (text) WHERE typeof(text) = 'integer';
    -- How many items of turns a session has: two for each, unless one of them has been forgotten.
    ALTER TABLE sessions ADD COLUMN sides INTEGER NOT NULL DEFAULT 0;
    UPDATE sessions SET sides =
      (SELECT count(*) FROM items WHERE items.session = sessions.key AND items.kind = 0);

    -- What only facts have. `learnt` is when it was first stated, as the item's time is when it was last. `valid_from` is
    -- the first day that its statements name, `stated_from` that or when it was learnt, `stated_until` what the last
    -- one says. The rest follows from the statements of all: since when it holds and until when, the first beginning
    -- of all that come after it in its chain, and what ends it. `replaced_by` is the correction that a person has made
    -- at that time.
    CREATE TABLE facts (
      item INTEGER PRIMARY KEY, kind TEXT NOT NULL, slot TEXT, learnt INTEGER NOT NULL,
      valid_from INTEGER, stated_from INTEGER NOT NULL, stated_until INTEGER, expires INTEGER,
      begin INTEGER NOT NULL, until INTEGER, next_begin INTEGER, next_item INTEGER,
      superseded_by INTEGER, replaced_by INTEGER, replaced_at INTEGER
    ) STRICT;
    CREATE INDEX facts_replaced ON facts (replaced_by) WHERE replaced_by IS NOT NULL;
    CREATE INDEX facts_superseded ON facts (superseded_by) WHERE superseded_by IS NOT NULL;

    -- Each time that a fact was stated. The chain is a digest of who remembers, for whom, and the slot, or the form
    -- where there is none; within it they stand in their order, which is that of when they were learnt for what is said
    -- about the present. Those of one form that follow each other are one fact; those of other forms that come later
    -- end it. So does one that denies it, from a chain of its own: `denies` is a digest of the chain and the form that
    -- it is about.
    CREATE TABLE statements (
      chain BLOB NOT NULL, place INTEGER NOT NULL, time INTEGER NOT NULL, form BLOB NOT NULL,
      run TEXT NOT NULL, item INTEGER NOT NULL, trust INTEGER NOT NULL, kind TEXT NOT NULL,
      valid_from INTEGER, stated_until INTEGER, expires INTEGER, denies BLOB,
      PRIMARY KEY (chain, place, time, form, run)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX statements_of_item ON statements (item);
    -- The user, a word, of whom all items up to the one in `lines` are to be deleted; null otherwise.
    ALTER TABLE deletions ADD COLUMN user INTEGER;
    CREATE INDEX statements_of_run ON statements (run);
    CREATE INDEX statements_of_form ON statements (chain, form, place, time, run);
    CREATE INDEX statements_denying ON statements (denies, chain, place, time, form, run)
      WHERE denies IS NOT NULL;
    """
}

extension Database {
  /// What texts say can only be told by the program.
  func convertToVersion7() throws {
    try run(
      """
      UPDATE items SET bytes = (
        SELECT length(bytes) FROM bodies WHERE bodies.number = items.text) WHERE typeof(text) = 'integer'
      """)
    let long = try rows("SELECT id, text FROM items WHERE typeof(text) = 'integer'") {
      (id: $0.integer(0), text: $0.value(1))
    }
    // A damaged one is reported when it is read.
    for item in long {
      guard let text = try? BodyReader(self).text(item.text) else { continue }
      try run(
        "UPDATE items SET bytes = ? WHERE id = ?", .integer(text.utf8.count), .integer(item.id))
    }
    let facts = try rows(
      """
      SELECT items.id, user.text, persona.text, items.text, run, time, trust FROM items
      JOIN words AS user ON user.number = user JOIN words AS persona ON persona.number = persona
      WHERE kind = 2 ORDER BY items.id
      """
    ) { row in
      (
        id: row.integer(0),
        fact: NewFact(
          user: row.text(1), persona: row.text(2), text: row.text(3), run: Identifier(row.text(4)),
          time: Timestamp(milliseconds: row.integer(5)), trust: MemoryTrust(column: row.integer(6)))
      )
    }
    for (id, fact) in facts {
      try run("DELETE FROM items WHERE id = ?", .integer(id))
      _ = try add(StoredFact(fact), as: id)
    }
  }
}
