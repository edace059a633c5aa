import RasaCore

/// A place in a JSON document (RFC 6901): `/quotes/0/price`.
struct JSONPointer: Sendable, Hashable {
  let steps: [String]

  /// All of the document.
  static let whole = JSONPointer(steps: [])
  private init(steps: [String]) { self.steps = steps }

  /// Nil for text that is none.
  init?(_ text: String) {
    guard text.isEmpty || text.hasBytePrefix("/") else { return nil }
    var steps: [String] = []
    for part in text.split(atByte: "/").dropFirst() {
      var step: [UInt8] = []
      var rest = Array(part.utf8)[...]
      while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "~") else {
          step.append(byte)
          continue
        }
        switch rest.popFirst() {
        case UInt8(ascii: "0"): step.append(UInt8(ascii: "~"))
        case UInt8(ascii: "1"): step.append(UInt8(ascii: "/"))
        default: return nil
        }
      }
      steps.append(String(decoding: step, as: UTF8.self))
    }
    self.steps = steps
  }

  /// What is there, or in words what is missing.
  func value(in document: Value) -> Result<Value, Missing> {
    var value = document
    for (depth, step) in steps.enumerated() {
      let place = depth == 0 ? "the answer" : "/" + steps[..<depth].joined(separator: "/")
      switch value {
      case .object(let object):
        guard let member = object[step] else {
          let names = object.keys.prefix(12).map { $0.printable(atMost: 40) }
          return .failure(
            Missing(
              "\(place) has no `\(step)`; it has \(names.isEmpty ? "no members" : names.joined(separator: ", "))"
            ))
        }
        value = member
      case .array(let elements):
        guard step == "0" || (!step.hasBytePrefix("0") && !step.hasBytePrefix("+")),
          let index = Int(step),
          elements.indices.contains(index)
        else {
          return .failure(Missing("\(place) has \(elements.count) elements, and none at `\(step)`"))
        }
        value = elements[index]
      default: return .failure(Missing("\(place) is a \(value.typeName), which has no `\(step)`"))
      }
    }
    return .success(value)
  }

  struct Missing: Error, Hashable {
    var message: String
    init(_ message: String) { self.message = message }
  }
}
