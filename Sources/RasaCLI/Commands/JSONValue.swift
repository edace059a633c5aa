import RasaCore
import RasaKit

extension Value {
  /// A value of the library as documents of commands have it.
  init(_ json: Rasa.JSON) {
    if let text = json.string {
      self = .string(text)
    } else if let members = json.members {
      self = .object(ValueObject(members.map { ($0.name, Value($0.value)) }))
    } else if let elements = json.array {
      self = .array(elements.map { Value($0) })
    } else if let flag = json.bool {
      self = .bool(flag)
    } else if let number = json.integer {
      self = .int(number)
    } else if let number = json.double {
      self = .double(number)
    } else {
      self = .null
    }
  }
}

extension Money {
  /// An amount of the library, for what counts in the units of the terminal.
  init(_ dollars: Rasa.Dollars) { self = Money(decimal: dollars.decimalText) ?? .zero }
}
