import RasaSQLite

extension Schema {
  /// What operators need of models, and how far a provider's counts can be trusted.
  static let version4 = """
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
