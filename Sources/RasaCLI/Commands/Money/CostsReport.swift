package import RasaCore
package import RasaEngine

/// What was spent in some days, added up by some keys.
package struct CostsReport: Sendable {
  package var from: LocalDay
  package var to: LocalDay
  package var keys: [SpendingKey]
  package var rows: [SpendingRow]
  /// Over all rows, also those that are too many to be listed.
  package var total: SpendingRow

  package init(
    from: LocalDay, to: LocalDay, keys: [SpendingKey], rows: [SpendingRow], total: SpendingRow
  ) {
    self.from = from
    self.to = to
    self.keys = keys
    self.rows = rows
    self.total = total
  }

  /// The figures of a row, under the names that programs know them by.
  private static func figures(_ row: SpendingRow) -> [(name: String, value: Value)] {
    [
      ("calls", .int(row.calls)), ("failures", .int(row.failures)),
      ("input_tokens", .int(row.usage.input)), ("output_tokens", .int(row.usage.output)),
      ("cached_tokens", .int(row.usage.cachedInput)),
      ("cache_write_tokens", .int(row.usage.cacheWrites)),
      ("reasoning_tokens", .int(row.usage.reasoning)),
      ("spent_usd", .string(row.spent.decimalText)), ("held_usd", .string(row.held.decimalText)),
      ("unpriced_calls", .int(row.unpriced)),
    ]
  }
}

// MARK: - For programs

extension CostsReport {
  package var value: Value {
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

  /// As RFC 4180 has it, a line for each row and none for the sum.
  package var csv: String {
    let names = keys.map(\.rawValue) + Self.figures(total).map(\.name)
    let lines = rows.map { row in
      row.keys.map(Self.field) + Self.figures(row).map { $0.value.promptText }
    }
    return ([names] + lines).map { $0.joined(separator: ",") + "\r\n" }.joined()
  }

  /// A text that a spreadsheet shows and does not reckon with.
  private static func field(_ text: String) -> String {
    var text = text
    if let first = text.unicodeScalars.first, "=+-@\t\r\n".unicodeScalars.contains(first) {
      text = "'" + text
    }
    let isPlain = !text.utf8.contains { byte in
      byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\"") || byte < 0x20
    }
    if isPlain { return text }
    return "\""
      + text.split(atByte: "\"")
      .joined(separator: "\"\"") + "\""
  }
}
