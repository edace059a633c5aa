package import RasaCore

/// One place where two values differ; null stands for what is missing.
package struct ValueDifference: Sendable, Hashable {
  /// Dotted, list places as numbers from 0; empty for the values themselves.
  package var path: String
  package var left: Value
  package var right: Value

  /// Every place where the two differ, as deep as both are of the same shape.
  package static func between(
    _ left: Value, _ right: Value, at path: String = ""
  ) -> [ValueDifference] {
    func below(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
    switch (left, right) {
    case (.object(let first), .object(let second)):
      var found: [ValueDifference] = []
      for key in first.keys + second.keys.filter({ first[$0] == nil }) {
        found += between(first[key] ?? .null, second[key] ?? .null, at: below(key))
      }
      return found
    case (.array(let first), .array(let second)):
      var found: [ValueDifference] = []
      for index in 0..<max(first.count, second.count) {
        found += between(
          index < first.count ? first[index] : .null, index < second.count ? second[index] : .null,
          at: below("\(index)"))
      }
      return found
    default:
      return left == right ? [] : [ValueDifference(path: path, left: left, right: right)]
    }
  }
}
