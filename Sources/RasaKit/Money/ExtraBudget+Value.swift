import RasaCore
import RasaModels

/// How a run keeps it in its options.
extension ExtraBudget {
  var value: Value {
    var object: ValueObject = ["name": .string(name)]
    for (key, limit) in [("per_run", perRun), ("daily", daily), ("monthly", monthly)] {
      if let limit { object[key] = .string(limit.decimalText) }
    }
    return .object(object)
  }

  init?(_ value: Value) {
    guard let name = value["name"].string else { return nil }
    func limit(_ key: String) -> Money? { value[key].string.flatMap { Money(decimal: $0) } }
    self.init(
      name: name, perRun: limit("per_run"), daily: limit("daily"), monthly: limit("monthly"))
  }
}

extension ExtraBudget {
  func check() throws(Failure) {
    guard name.utf8.contains(UInt8(ascii: ":")), name.utf8.count <= 200 else {
      throw Failure(
        .usage, "\(quoted(name)) cannot be the name of a further budget",
        suggestion: "take one with a colon, such as `token:ci`, of at most 200 bytes")
    }
  }
}
