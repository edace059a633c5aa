import RasaKit

extension Rasa.Budget {
  func text(_ periods: Set<Rasa.BudgetPeriod>) -> String {
    var lines = ["Agent: \(owner)"]
    var resets: [String] = []
    for (period, name) in [(Rasa.BudgetPeriod.day, "Daily"), (.month, "Monthly")]
    where periods.contains(period) {
      lines.append("\(name) Budget: \(self[period].text)")
      resets.append("\(name): \(self[period].countedSinceDay)")
    }
    lines.append("Last Reset: \(resets.joined(separator: ", "))")
    return lines.joined(separator: "\n") + "\n"
  }
}

extension Rasa.Budget.Period {
  /// `$2.45 / $5.00 (49% used, $0.12 held)`.
  var text: String {
    let held = held == .zero ? "" : ", \(held.centsText) held"
    guard let limit, let percentSpent else { return "\(spent.centsText) (no limit\(held))" }
    return "\(spent.centsText) / \(limit.centsText) (\(percentSpent)% used\(held))"
  }
}
