import RasaSQLite

extension Schema {
  /// What a server does not take of a request is known to every process.
  static let version5 = """
    -- The words of the adaptation, the settings under which it was learnt, and when; null where the
    -- server takes everything.
    ALTER TABLE standings ADD COLUMN adapted TEXT;
    ALTER TABLE standings ADD COLUMN adapted_under TEXT;
    ALTER TABLE standings ADD COLUMN adapted_at INTEGER;
    """
}
