import RasaSQLite

extension Schema {
  /// What a server does not take of a request is known to every process, and each process has one lease,
  /// which its runs point to, in place of one for each run and each hold.
  static let version5 = """
    -- The words of the adaptation, the settings under which it was learnt, and when; null where the
    -- server takes everything.
    ALTER TABLE standings ADD COLUMN adapted TEXT;
    ALTER TABLE standings ADD COLUMN adapted_under TEXT;
    ALTER TABLE standings ADD COLUMN adapted_at INTEGER;

    -- Whoever owns runs, as long as its lease lasts and it lives. `id` is this opening of the file and
    -- `name` the process, by which others tell whether it still lives. A number is never given twice, so
    -- that no run comes to belong to somebody else.
    CREATE TABLE workers (
      number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
      lease_ends INTEGER NOT NULL
    ) STRICT;
    INSERT INTO workers (id, name, lease_ends)
      SELECT owner, owner, max(coalesce(lease_ends, 0)) FROM runs WHERE owner IS NOT NULL
      GROUP BY owner;

    -- Who owns the run; null while nobody does. Earlier versions looked for `owner` and `lease_ends`: one
    -- that still runs cannot take up, renew or end a run any more, and its epochs keep it from writing
    -- about one that somebody else has taken up.
    ALTER TABLE runs ADD COLUMN worker INTEGER;
    UPDATE runs SET worker = (SELECT number FROM workers WHERE name = owner)
      WHERE owner IS NOT NULL;
    ALTER TABLE runs DROP COLUMN owner;
    ALTER TABLE runs DROP COLUMN lease_ends;
    CREATE INDEX runs_of_worker ON runs (worker) WHERE worker IS NOT NULL;

    -- A hold has no lease of its own: whether anybody will settle it is told by who owns its run.
    DROP INDEX reservations_held;
    ALTER TABLE reservations DROP COLUMN lease_ends;
    CREATE INDEX reservations_held ON reservations (run) WHERE state = 0;
    """
}
