import RasaSQLite

extension Schema {
  /// Criteria of an evaluation that count in no formula, as a JSON object of numbers from 0 to 1.
  static let version9 = "ALTER TABLE evaluations ADD COLUMN others TEXT;"
}
