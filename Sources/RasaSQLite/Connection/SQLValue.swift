/// A value that is bound to a statement or read from a row.
package enum SQLValue: Sendable, Hashable {
  case null
  case integer(Int64)
  case real(Double)
  case text(String)
  case bytes([UInt8])

  package static func text(orNull text: String?) -> SQLValue { text.map(SQLValue.text) ?? .null }
  package static func integer(_ number: Int) -> SQLValue { .integer(Int64(number)) }
}

extension SQLValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
  package init(stringLiteral value: String) { self = .text(value) }
  package init(integerLiteral value: Int64) { self = .integer(value) }
}
