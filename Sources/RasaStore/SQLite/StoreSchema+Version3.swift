import RasaSQLite

extension Schema {
  /// The books: what a call cost by day and price, and what is remembered of models. Lists of runs
  /// by their status without going through all of them.
  static let version3 = """
    -- The price that a call is reckoned with is a word, empty when none was known, and null where it
    -- was not written down yet. The day that it counts into is a number such as 20260131; of earlier
    -- calls the day on which they were made where this machine is.
    ALTER TABLE reservations ADD COLUMN price INTEGER;
    ALTER TABLE reservations ADD COLUMN day INTEGER NOT NULL DEFAULT 19700101;
    ALTER TABLE reservations ADD COLUMN written_tokens INTEGER;
    -- The names of the balances that it counts into, an array in JSON. Needed until it is settled,
    -- and null then.
    ALTER TABLE reservations ADD COLUMN legs TEXT;
    UPDATE reservations SET day = coalesce(
        CAST(strftime('%Y%m%d', made_at / 1000, 'unixepoch', 'localtime') AS INTEGER), 19700101),
      legs = iif(state = 2, NULL,
        (SELECT json_group_array(scope) FROM legs WHERE reservation = reservations.id));
    DROP TABLE legs;
    -- What is held is in neither of these, so that little is written before a call: it is found by
    -- the index of its lease.
    DROP INDEX reservations_of_run;
    CREATE INDEX reservations_of_run ON reservations (run) WHERE state <> 0;
    CREATE INDEX reservations_by_day ON reservations (day) WHERE state <> 0;

    CREATE INDEX runs_by_status ON runs (status);
    CREATE INDEX audits_of_subject ON audits (subject);

    -- What is remembered of a model at a provider, asked with one key; of all of the provider's
    -- models where the model is empty. Times are in milliseconds since 1970, the time to the first
    -- content in nanoseconds.
    CREATE TABLE standings (
      provider TEXT NOT NULL, account TEXT NOT NULL, model TEXT NOT NULL, seen_at INTEGER NOT NULL,
      unavailable_until INTEGER, reason TEXT NOT NULL, failures INTEGER NOT NULL,
      calls INTEGER NOT NULL, first_content INTEGER, tokens_per_second REAL,
      PRIMARY KEY (provider, account, model)
    ) STRICT, WITHOUT ROWID;
    -- How the estimates of one kind of text have fared with it.
    CREATE TABLE countings (
      provider TEXT NOT NULL, account TEXT NOT NULL, model TEXT NOT NULL, kind TEXT NOT NULL,
      calls INTEGER NOT NULL, bytes INTEGER NOT NULL, estimated INTEGER NOT NULL,
      tokens INTEGER NOT NULL, densest INTEGER NOT NULL, exceeded INTEGER NOT NULL,
      PRIMARY KEY (provider, account, model, kind)
    ) STRICT, WITHOUT ROWID;
    """
}
