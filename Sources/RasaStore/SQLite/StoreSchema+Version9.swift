import RasaLearning
import RasaSQLite

extension Schema {
  /// Criteria of an evaluation that count in no formula, as a JSON object of numbers from 0 to 1.
  static let version9 = "ALTER TABLE evaluations ADD COLUMN others TEXT;"
}

extension Database {
  /// Sums of costs are in billionths of a dollar now, and squares are of rounded numbers. There was one set of weights.
  func convertToVersion9() throws { _ = try rebuildSums { ScoringWeights(name: $0) } }
}
