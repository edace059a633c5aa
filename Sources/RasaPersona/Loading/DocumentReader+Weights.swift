import RasaCore
import RasaDocuments

/// Sets of weights for scores: `learning: {weights: {NAME: {share: 0.5, accuracy: 0.6, …}}}`.
extension DocumentReader {
  /// In the standard set, they come to one.
  private static let criteria = [
    ("accuracy", 0.35), ("relevance", 0.25), ("completeness", 0.25), ("clarity", 0.15),
  ]

  mutating func weightSets(_ node: DocumentNode?) -> [WeightSet] {
    var sets: [WeightSet] = []
    var shares = 0.0
    for entry in entries(node, "weights", mustBe: "a mapping of names to sets of weights") {
      guard let set = weightSet(entry) else { continue }
      shares += set.share
      if shares > 1 + 1e-6 {
        fail(
          entry.value, "the shares of the sets up to `\(set.name)` come to \(Self.figure(shares))",
          suggestion: "together they are at most 1; the rest of the runs has the standard weights")
      }
      sets.append(set)
    }
    return sets
  }

  private mutating func weightSet(_ entry: DocumentNode.Entry) -> WeightSet? {
    let name = entry.key
    guard Self.isName(name), name != "standard" else {
      fail(
        entry.value, "a set of weights cannot be called `\(Self.printable(name))`",
        suggestion: name == "standard"
          ? "the standard set is what rasa ships; give yours a name of its own"
          : "names consist of lowercase letters, digits, `_` and `-`")
      return nil
    }
    let names = Self.criteria.map(\.0)
    guard
      let fields = fields(
        entry.value, of: "the set of weights `\(name)`", known: ["share"] + names + ["efficiency"])
    else { return nil }
    guard fields["share"] != nil else {
      fail(
        entry.value, "the set of weights `\(name)` has no `share`",
        suggestion: "add `share: 0.5` for half of the runs")
      return nil
    }
    let before = failures.count
    let share = number(fields["share"], "share", in: 0...1)
    var values: [String: Double] = [:]
    for name in names + ["efficiency"] { values[name] = number(fields[name], name, in: 0...1) }
    guard failures.count == before, let share else { return nil }
    let sum = Self.criteria.reduce(0) { $0 + (values[$1.0] ?? $1.1) }
    guard (sum - 1).magnitude <= 1e-6 else {
      fail(
        entry.value,
        "\(names.dropLast().joined(separator: ", ")) and \(names.last ?? "") of `\(name)` come to \(Self.figure(sum))",
        suggestion: "together they must come to 1; those that are not given are "
          + Self.criteria.map { "\($0.0) \($0.1)" }.joined(separator: ", "))
      return nil
    }
    return WeightSet(name: name, share: share, values: values)
  }

  /// A sum, without what adding up leaves behind.
  private static func figure(_ sum: Double) -> String {
    var text = sum.fixed(6)
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }
}
