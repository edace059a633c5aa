package import RasaCore

/// How a choice is made: data, so that another policy can be judged on the choices of this one.
package struct RoutingPolicy: Sendable, Hashable {
  /// Whether uncertain arms are tried. Without, the best score is chosen.
  package var explores = true
  /// How much uncertainty counts: 1 draws from what is believed (Thompson sampling), less keeps closer to the best.
  package var exploration = 0.2
  /// The share of choices that is spread evenly over all arms, so that each has been possible.
  package var floor = 0.02
  /// From so many runs on, a success rate is trusted without exploration.
  package var trustedFrom = 5
  /// In a category an arm's other categories count as so many runs, at most.
  package var pooling = 6.0
  /// What the description of an arm without runs counts, in runs.
  package var prior = 4.0
  /// How much of the score depends on relevance: 1 multiplies by it, 0 leaves it out.
  package var relevance = 0.25
  /// How much of the score depends on load.
  package var load = 1.0
  /// The dollars that a success is worth.
  package var worth = 1.0
  /// The dollars that a second of waiting costs.
  package var second = 0.001

  package init() {}

  /// Base × success × (1 − load), and always the best: the plain rule, to compare with.
  package static var plain: RoutingPolicy {
    var policy = RoutingPolicy()
    policy.explores = false
    policy.floor = 0
    policy.pooling = 0
    policy.prior = 0
    policy.relevance = 1
    policy.second = 0
    policy.worth = 1e12
    return policy
  }
}

// MARK: - In files

extension RoutingPolicy {
  private static let numbers: [(key: String, range: ClosedRange<Double>)] = [
    ("exploration", 0...10), ("floor", 0...1), ("trusted_from", 0...1e9), ("pooling", 0...1e9),
    ("prior", 0...1e9), ("relevance", 0...1), ("load", 0...1), ("worth", 0...1e12),
    ("second", 0...1e12),
  ]

  /// Reads a mapping; what it does not name has its default.
  package init(_ value: Value) throws(Failure) {
    guard let object = value.object else {
      throw Failure(
        .configuration, "a routing policy is a mapping, not \(value.typeName)",
        suggestion: "write `key: value` lines, such as `worth: 0.5`")
    }
    for (key, member) in object {
      if key == "explores" {
        guard let flag = member.bool else {
          throw Failure(
            .configuration, "`explores` is \(member.typeName)", suggestion: "write true or false")
        }
        explores = flag
        continue
      }
      guard let (_, range) = Self.numbers.first(where: { $0.key == key }) else {
        let known = ["explores"] + Self.numbers.map(\.key)
        throw Failure(
          .configuration, "a routing policy has no key `\(key)`",
          suggestion: nearestName(to: key, among: known).map { "did you mean `\($0)`?" }
            ?? "the keys are: \(known.joined(separator: ", "))")
      }
      guard let number = member.double, range.contains(number) else {
        throw Failure(
          .configuration, "`\(key)` is \(member.json())",
          suggestion: "write a number from \(range.lowerBound.plain) to \(range.upperBound.plain)")
      }
      set(key, number)
    }
    guard worth > 0 else {
      throw Failure(
        .configuration, "`worth` is 0", suggestion: "write the dollars that a success is worth")
    }
  }

  private mutating func set(_ key: String, _ number: Double) {
    switch key {
    case "exploration": exploration = number
    case "floor": floor = number
    case "trusted_from": trustedFrom = Int(number)
    case "pooling": pooling = number
    case "prior": prior = number
    case "relevance": relevance = number
    case "load": load = number
    case "worth": worth = number
    default: second = number
    }
  }

  package var value: Value {
    [
      "explores": .bool(explores), "exploration": .double(exploration), "floor": .double(floor),
      "trusted_from": .int(Int64(trustedFrom)), "pooling": .double(pooling),
      "prior": .double(prior), "relevance": .double(relevance), "load": .double(load),
      "worth": .double(worth), "second": .double(second),
    ]
  }

  /// Equal for equal policies.
  package var digest: String { Digest.of(value) }
}

extension Double {
  /// As people write it: without `.0`, where it is whole.
  var plain: String { Int64(exactly: self).map { "\($0)" } ?? "\(self)" }
}
