import RasaSQLite

extension Schema {
  /// Summaries of the oldest turns of sessions. `turns` counts from the first one, `up_to` is the run of the last, `run`
  /// is the one that makes the summary. The text is empty until that is done, and again once another covers more turns:
  /// the row stays, so that forgetting a turn finds all runs that have read it.
  static let version7Summaries = """
    CREATE TABLE summaries (
      session TEXT NOT NULL, up_to TEXT NOT NULL, turns INTEGER NOT NULL, run TEXT NOT NULL,
      text TEXT NOT NULL DEFAULT '', PRIMARY KEY (session, up_to)
    ) STRICT, WITHOUT ROWID;
    """
}
