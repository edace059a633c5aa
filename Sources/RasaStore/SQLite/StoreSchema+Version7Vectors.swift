import RasaSQLite

extension Schema {
  /// Vectors of items, for the similarity of meaning: a part of version 7.
  static let version7Vectors = """
    -- Vectors of one model, all of one length, can be compared with each other and with no others. The model is
    -- its provider, name and address.
    CREATE TABLE vector_spaces (
      number INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL, length INTEGER NOT NULL,
      used_at INTEGER NOT NULL, UNIQUE (model, length)
    ) STRICT;
    -- Vectors that are alike, with their mean. All are of items of the same kind and owner, with the values of
    -- `items`, so that a search reads nothing that it may not find: `persona` is null for what all personas of the
    -- user share, `session` for all but what belongs to one. A cell is stale while its mean still has a part of vectors
    -- that were deleted.
    CREATE TABLE vector_cells (
      number INTEGER PRIMARY KEY AUTOINCREMENT, space INTEGER NOT NULL, user INTEGER NOT NULL,
      scope INTEGER NOT NULL, kind INTEGER NOT NULL, persona INTEGER, session TEXT,
      count INTEGER NOT NULL, is_stale INTEGER NOT NULL DEFAULT 0, scale REAL NOT NULL,
      centroid BLOB NOT NULL
    ) STRICT;
    CREATE INDEX vector_cells_of_room
      ON vector_cells (space, user, scope, kind, persona, session);
    CREATE INDEX vector_cells_stale ON vector_cells (number) WHERE is_stale;
    -- A byte for each number of the vector, which is that many times `scale`. Its own number is the cell's in the
    -- upper 32 bits and the item's in the lower ones: a cell lies together.
    CREATE TABLE vectors (
      number INTEGER PRIMARY KEY, scale REAL NOT NULL, numbers BLOB NOT NULL
    ) STRICT;
    -- Where the vector of an item is; the cell is null where none can be made.
    CREATE TABLE vector_places (
      item INTEGER NOT NULL, space INTEGER NOT NULL, cell INTEGER, PRIMARY KEY (item, space)
    ) STRICT, WITHOUT ROWID;
    -- How far vectors have been made: of what the persona sees of the user, every item after `low` and up to `high`
    -- has a place.
    CREATE TABLE vector_progress (
      space INTEGER NOT NULL, user INTEGER NOT NULL, persona INTEGER NOT NULL, low INTEGER NOT NULL,
      high INTEGER NOT NULL, PRIMARY KEY (space, user, persona)
    ) STRICT, WITHOUT ROWID;
    """
}
