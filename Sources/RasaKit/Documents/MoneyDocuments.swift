package import RasaCore

extension Rasa.Costs {
  /// The figures of a row, under the names that programs know them by.
  package static func figures(_ row: Row) -> [(name: String, value: RasaCore.Value)] {
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

  /// What `rasa costs --json` prints.
  package var document: RasaCore.Value {
    [
      "from": .string(from.description), "to": .string(to.description),
      "by": .array(keys.map { .string($0.rawValue) }),
      "rows": .array(
        rows.map { row in
          var object = ValueObject()
          for (key, text) in zip(keys, row.keys) { object[key.rawValue] = .string(text) }
          for (name, value) in Self.figures(row) { object[name] = value }
          return .object(object)
        }),
      "total": .object(ValueObject(Self.figures(total).map { ($0.name, $0.value) })),
    ]
  }
}
