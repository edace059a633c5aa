import RasaSQLite

extension Schema {
  /// The index of words (`Database+Terms.swift`).
  static let version7Terms = """
    -- Items of one kind that the same people see: what one user has for all personas (persona 0, no session), for one
    -- persona (no session), or for one conversation (persona 0), with the values of `items`. An item has a place on
    -- its shelf, in the order of adding; `places` is the next one.
    CREATE TABLE shelves (
      number INTEGER PRIMARY KEY AUTOINCREMENT, user INTEGER NOT NULL, scope INTEGER NOT NULL, kind INTEGER NOT NULL,
      persona INTEGER NOT NULL, session TEXT NOT NULL, items INTEGER NOT NULL, places INTEGER NOT NULL,
      length INTEGER NOT NULL, speakers BLOB NOT NULL, languages TEXT NOT NULL,
      UNIQUE (user, scope, kind, persona, session)
    ) STRICT;
    CREATE TABLE shelved (item INTEGER PRIMARY KEY, shelf INTEGER NOT NULL, place INTEGER NOT NULL) STRICT;
    -- What the ranking knows of 32 items.
    CREATE TABLE shelf_items (
      shelf INTEGER NOT NULL, block INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (shelf, block)
    ) STRICT, WITHOUT ROWID;
    -- At which places a term stands: in block 0 the last of them, with the frequency of the term and the last place;
    -- earlier ones in blocks that have their first place and one as a number. Terms are hashes.
    CREATE TABLE postings (
      shelf INTEGER NOT NULL, term INTEGER NOT NULL, block INTEGER NOT NULL, frequency INTEGER NOT NULL,
      last INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (shelf, term, block)
    ) STRICT, WITHOUT ROWID;
    -- By which version of the program's rules the terms were made. Items with an ID from `first` to before `end` are
    -- not in the index yet.
    CREATE TABLE indexing (
      name TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, first INTEGER NOT NULL, end INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    """
}
