package import RasaCore
package import RasaKit

/// What was spent, as text for people and documents for programs.
package struct CostsReport: Sendable {
  package let costs: Rasa.Costs

  package init(_ costs: Rasa.Costs) { self.costs = costs }

  /// The figures of a row, under the names that programs know them by.
  private static func figures(_ row: Rasa.Costs.Row) -> [(name: String, value: Value)] {
    [
      ("calls", .int(row.calls)), ("failures", .int(row.failures)),
      ("input_tokens", .int(row.inputTokens)), ("output_tokens", .int(row.outputTokens)),
      ("cached_tokens", .int(row.cachedTokens)),
      ("cache_write_tokens", .int(row.cacheWriteTokens)),
      ("reasoning_tokens", .int(row.reasoningTokens)),
      ("spent_usd", .string(row.spent.decimalText)), ("held_usd", .string(row.held.decimalText)),
      ("unpriced_calls", .int(row.unpricedCalls)),
    ]
  }
}

// MARK: - For programs

extension CostsReport {
  package var value: Value {
    [
      "from": .string(costs.from.description), "to": .string(costs.to.description),
      "by": .array(costs.keys.map { .string($0.rawValue) }),
      "rows": .array(
        costs.rows.map { row in
          var object = ValueObject()
          for (key, text) in zip(costs.keys, row.keys) { object[key.rawValue] = .string(text) }
          for (name, value) in Self.figures(row) { object[name] = value }
          return .object(object)
        }),
      "total": .object(ValueObject(Self.figures(costs.total).map { ($0.name, $0.value) })),
    ]
  }

  /// As RFC 4180 has it, a line for each row and none for the sum.
  package var csv: String {
    let names = costs.keys.map(\.rawValue) + Self.figures(costs.total).map(\.name)
    let lines = costs.rows.map { row in
      row.keys.map(csvField) + Self.figures(row).map { $0.value.promptText }
    }
    return ([names] + lines).map { $0.joined(separator: ",") + "\r\n" }.joined()
  }
}
