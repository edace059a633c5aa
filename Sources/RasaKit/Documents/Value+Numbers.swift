package import RasaCore

extension Value {
  package static func orNull(_ number: Int?) -> Value { number.map { .int(Int64($0)) } ?? .null }
  package static func orNull(_ number: Int64?) -> Value { number.map { .int($0) } ?? .null }
  package static func orNull(_ number: Double?) -> Value { number.map { .double($0) } ?? .null }
  /// A mean, to a millionth of a dollar.
  package static func dollars(_ number: Double?) -> Value {
    number.map { .string(Rasa.Dollars(($0 * 1e6).rounded() / 1e6).decimalText) } ?? .null
  }
}
