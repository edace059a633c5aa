import RasaCore
package import RasaKit

/// What was spent, as text for people and documents for programs.
package struct CostsReport: Sendable {
  package let costs: Rasa.Costs

  package init(_ costs: Rasa.Costs) { self.costs = costs }
}

// MARK: - For programs

extension CostsReport {
  /// As RFC 4180 has it, a line for each row and none for the sum.
  package var csv: String {
    let names = costs.keys.map(\.rawValue) + Rasa.Costs.figures(costs.total).map(\.name)
    let lines = costs.rows.map { row in
      row.keys.map(csvField) + Rasa.Costs.figures(row).map { $0.value.promptText }
    }
    return ([names] + lines).map { $0.joined(separator: ",") + "\r\n" }.joined()
  }
}
