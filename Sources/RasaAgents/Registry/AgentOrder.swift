import RasaPersona
package import RasaCore

/// One key for sorting agents.
package struct AgentOrder: Sendable, Hashable {
  package enum Field: String, Sendable, Hashable, CaseIterable {
    case id, name, category, engine, model
  }
  package var field: Field
  package var isDescending: Bool

  package init(_ field: Field, isDescending: Bool = false) {
    self.field = field
    self.isDescending = isDescending
  }

  /// Parses `category,-name`: fields separated by commas, with `-` for descending order.
  package static func parse(_ text: String) throws(Failure) -> [AgentOrder] {
    var orders: [AgentOrder] = []
    for part in text.split(atByte: ",") {
      let word = trimmed(String(part)).lowercased()
      let isDescending = word.hasBytePrefix("-")
      let name = isDescending ? String(word.dropFirst()) : word
      guard let field = Field(rawValue: name) else {
        let names = Field.allCases.map(\.rawValue)
        let guess = nearestName(to: name, among: names).map { "did you mean `\($0)`? " } ?? ""
        throw Failure(
          .usage,
          name.isEmpty
            ? "a field to sort by is missing in `\(text)`"
            : "agents cannot be sorted by `\(name)`",
          suggestion: "\(guess)use \(names.joined(separator: ", ")); `-` reverses the order")
      }
      orders.append(AgentOrder(field, isDescending: isDescending))
    }
    return orders
  }
}

extension [AgentRegistry.Entry] {
  /// Ignores case. Agents without the field come last in either direction; agents that are equal in
  /// all fields are sorted by ID.
  package func sorted(by orders: [AgentOrder]) -> [AgentRegistry.Entry] {
    let orders = orders + [AgentOrder(.id)]
    // The keys are computed once, not for each comparison.
    let keyed = map { entry in (entry, orders.map { entry.agent.key($0.field) }) }
    return keyed.sorted { left, right in
      for (index, order) in orders.enumerated() {
        switch (left.1[index], right.1[index]) {
        case (nil, nil): continue
        case (nil, _): return false
        case (_, nil): return true
        case (let one?, let other?):
          if one != other { return order.isDescending ? one > other : one < other }
        }
      }
      return false
    }.map(\.0)
  }
}

extension Agent {
  fileprivate func key(_ field: AgentOrder.Field) -> String? {
    switch field {
    case .id: id
    case .name: name.lowercased()
    case .category: category?.lowercased()
    case .engine: engines.first?.lowercased()
    case .model: modelNames.first?.lowercased()
    }
  }
}
