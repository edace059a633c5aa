import RasaSQLite

extension Schema {
  /// Durable runs: who runs a run, questions to people, and a journal that keeps everything once and
  /// shows when a bit of it has changed. What version 1 wrote is taken over as it is.
  static let version2 = """
    -- Names that rows repeat: kinds and keys of lines, personas, providers, models, users.
    CREATE TABLE words (number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
    INSERT INTO words (text)
      SELECT kind FROM events UNION SELECT key FROM events WHERE key IS NOT NULL
      UNION SELECT persona FROM runs UNION SELECT persona_digest FROM runs
      UNION SELECT user FROM runs UNION SELECT effect FROM reservations
      UNION SELECT persona FROM reservations UNION SELECT provider FROM reservations
      UNION SELECT model FROM reservations
      UNION SELECT outcome FROM reservations WHERE outcome IS NOT NULL;

    ALTER TABLE runs RENAME TO runs_1;
    ALTER TABLE bodies RENAME TO bodies_1;
    ALTER TABLE turns RENAME TO turns_1;
    ALTER TABLE reservations RENAME TO reservations_1;
    ALTER TABLE legs RENAME TO legs_1;

    -- A body is content that others refer to by its number, once for each digest: 16 bytes of
    -- SHA-256 over the content, with digests in place of references. A digest that is text is of
    -- version 1: the body is JSON without references, and the digest is all of it.
    CREATE TABLE bodies (
      number INTEGER PRIMARY KEY, digest ANY NOT NULL UNIQUE, bytes BLOB NOT NULL
    ) STRICT;
    INSERT INTO bodies SELECT number, digest, bytes FROM bodies_1;

    -- A long text is the number of its body, a short one stands where it belongs: `input` here,
    -- `input` and `output` of turns. Persona, digest and user are words. `epoch` counts who has
    -- owned the run; `owner` is the process that does now, until `lease_ends` or longer. The journal
    -- has so many `lines`; its `last` line and that one's `seal` are where it goes on, and show when
    -- a line is missing there.
    CREATE TABLE runs (
      number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, session TEXT,
      persona INTEGER NOT NULL, persona_digest INTEGER NOT NULL, user INTEGER NOT NULL,
      input ANY NOT NULL, started_at INTEGER NOT NULL, status TEXT NOT NULL, fork_of TEXT,
      epoch INTEGER NOT NULL DEFAULT 0, owner TEXT, lease_ends INTEGER, cancel_asked INTEGER,
      lines INTEGER NOT NULL DEFAULT 0, last INTEGER, seal BLOB, changed_at INTEGER NOT NULL
    ) STRICT;
    INSERT INTO runs (number, id, session, persona, persona_digest, user, input, started_at, status,
        lines, changed_at)
      SELECT runs_1.number, id, session, persona.number, digest.number, user.number, input,
        started_at, status, (SELECT count(*) FROM events WHERE run = runs_1.number),
        coalesce((SELECT max(time) FROM events WHERE run = runs_1.number), started_at)
      FROM runs_1 JOIN words AS persona ON persona.text = runs_1.persona
        JOIN words AS digest ON digest.text = persona_digest
        JOIN words AS user ON user.text = runs_1.user;

    -- Lines lie in the order in which they came, so that those of many runs fill few pages; each
    -- names the line of its run `before` it. The body is short content, the number of a body, or
    -- null. The seal covers the line and the seal before it; lines of version 1 have none, and their
    -- short bodies are JSON.
    CREATE TABLE lines (
      number INTEGER PRIMARY KEY, run INTEGER NOT NULL, before INTEGER, time INTEGER NOT NULL,
      kind INTEGER NOT NULL, key INTEGER, body ANY, seal BLOB
    ) STRICT;
    INSERT INTO lines
      SELECT row_number() OVER journals, run,
        iif(lag(run) OVER journals = run, row_number() OVER journals - 1, NULL), time, kind.number,
        key.number, coalesce(short_body, body), NULL
      FROM events JOIN words AS kind ON kind.text = events.kind
        LEFT JOIN words AS key ON key.text = events.key
      WINDOW journals AS (ORDER BY run, sequence);
    UPDATE runs SET last = journals.last
      FROM (SELECT run, max(number) AS last FROM lines GROUP BY run) AS journals
      WHERE journals.run = runs.number;
    DROP TABLE events;

    CREATE TABLE turns (
      number INTEGER PRIMARY KEY, session TEXT NOT NULL, run TEXT NOT NULL UNIQUE,
      time INTEGER NOT NULL, input ANY NOT NULL, output ANY NOT NULL
    ) STRICT;
    INSERT INTO turns SELECT number, session, run, time, input, output FROM turns_1;

    -- Effect, persona, provider, model and outcome are words. State: 0 held, 1 expired, 2 settled.
    CREATE TABLE reservations (
      id TEXT NOT NULL PRIMARY KEY, run INTEGER, effect INTEGER NOT NULL, persona INTEGER NOT NULL,
      provider INTEGER NOT NULL, model INTEGER NOT NULL, amount INTEGER NOT NULL,
      made_at INTEGER NOT NULL, lease_ends INTEGER NOT NULL, state INTEGER NOT NULL,
      actual INTEGER, outcome INTEGER, settled_at INTEGER, input_tokens INTEGER,
      output_tokens INTEGER, cached_tokens INTEGER, reasoning_tokens INTEGER, is_reported INTEGER
    ) STRICT, WITHOUT ROWID;
    INSERT INTO reservations
      SELECT old.id, runs.number, effect.number, persona.number, provider.number, model.number,
        amount, made_at, old.lease_ends,
        CASE state WHEN 'held' THEN 0 WHEN 'expired' THEN 1 ELSE 2 END, actual, outcome.number,
        NULL, input_tokens, output_tokens, cached_tokens, reasoning_tokens, is_reported
      FROM reservations_1 AS old JOIN words AS effect ON effect.text = old.effect
        JOIN words AS persona ON persona.text = old.persona
        JOIN words AS provider ON provider.text = old.provider
        JOIN words AS model ON model.text = old.model
        LEFT JOIN words AS outcome ON outcome.text = old.outcome
        LEFT JOIN runs ON runs.id = old.run;
    -- Needed until the reservation is settled, and gone then.
    CREATE TABLE legs (
      reservation TEXT NOT NULL, scope TEXT NOT NULL, PRIMARY KEY (reservation, scope)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO legs SELECT reservation, scope FROM legs_1
      WHERE (SELECT state FROM reservations WHERE id = reservation) <> 2;
    DROP TABLE legs_1;
    DROP TABLE reservations_1;
    DROP TABLE turns_1;
    DROP TABLE runs_1;
    DROP TABLE bodies_1;

    CREATE INDEX runs_of_session ON runs (session) WHERE session IS NOT NULL;
    CREATE INDEX turns_of_session ON turns (session, number);
    CREATE INDEX reservations_held ON reservations (lease_ends) WHERE state = 0;
    CREATE INDEX reservations_of_run ON reservations (run) WHERE run IS NOT NULL;

    -- Questions to people. Effect and name are words; question and answer are numbers of bodies.
    CREATE TABLE approvals (
      id TEXT NOT NULL PRIMARY KEY, run INTEGER NOT NULL, effect INTEGER NOT NULL,
      payload_digest TEXT NOT NULL, question INTEGER NOT NULL, asked_at INTEGER NOT NULL,
      expires_at INTEGER, standing TEXT NOT NULL
        CHECK (standing IN ('pending', 'answered', 'expired', 'withdrawn')),
      decision TEXT, answer INTEGER, answered_by TEXT, answered_at INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX approvals_of_run ON approvals (run);

    ALTER TABLE audits ADD COLUMN detail TEXT NOT NULL DEFAULT '';
    """
}
