import RasaCore

/// One measured row: what rasa took, what the floor took, and what was aimed at.
struct RowResult {
  var name: String
  var measured: String
  var floor: String
  /// Zero where there is no floor.
  var ratio: Double
  var target: String
  var isMet: Bool
  var notes: String

  static let heading =
    "row".column(38) + "rasa".column(22) + "floor".column(22)
    + "ratio".column(9) + "target".column(26) + "met"

  var line: String {
    name.column(38) + measured.column(22) + floor.column(22)
      + (ratio == 0 ? "" : ratio.short).column(9)
      + target.column(26) + (isMet ? "yes" : "NO") + (notes.isEmpty ? "" : "\n    \(notes)")
  }

  var value: Value {
    [
      "row": .string(name), "rasa": .string(measured), "floor": .string(floor),
      "ratio": .double(ratio), "target": .string(target), "met": .bool(isMet),
      "notes": .string(notes),
    ]
  }
}

extension String {
  fileprivate func column(_ width: Int) -> String {
    self + String(repeating: " ", count: max(1, width - count))
  }
}

extension Double {
  /// Three digits that matter.
  var short: String {
    if self >= 100 { return "\(Int(rounded()))" }
    if self >= 10 { return "\((self * 10).rounded() / 10)" }
    return "\((self * 100).rounded() / 100)"
  }
}

extension [Double] {
  var median: Double {
    let sorted = sorted()
    return isEmpty ? 0 : (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
  }

  func percentile(_ percent: Double) -> Double {
    let sorted = sorted()
    return isEmpty ? 0 : sorted[Swift.min(count - 1, Int(Double(count) * percent / 100))]
  }
}
