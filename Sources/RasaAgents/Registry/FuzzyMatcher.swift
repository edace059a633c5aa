/// How close a text comes to others: 1 − Levenshtein ÷ the longer length, over Unicode scalars.
///
/// A column of the table of distances is kept as bits, sixty-four rows to a word (Myers, Hyyrö), so
/// that a short pattern costs a few instructions for each scalar of the other text.
struct FuzzyMatcher {
  let threshold: Double
  private let length: Int
  private let blocks: Int
  /// Where a scalar stands in the pattern, one word for each block: those below 128 by their number.
  private var ascii: [UInt64]
  private var others: [UInt32: [UInt64]] = [:]

  init(to pattern: [UInt32], atLeast threshold: Double) {
    self.threshold = Self.bounded(threshold)
    length = pattern.count
    blocks = max(1, (pattern.count + 63) / 64)
    ascii = Array(repeating: 0, count: 128 * blocks)
    for (place, scalar) in pattern.enumerated() {
      let bit: UInt64 = 1 << UInt64(place % 64)
      if scalar < 128 {
        ascii[Int(scalar) * blocks + place / 64] |= bit
      } else {
        others[scalar, default: Array(repeating: 0, count: blocks)][place / 64] |= bit
      }
    }
  }

  /// What is no share of a whole is taken for the nearest one.
  static func bounded(_ threshold: Double) -> Double {
    threshold.isNaN ? usual : min(max(threshold, 0), 1)
  }

  static let usual = 0.7

  /// Whether so many changes to a text of that length are few enough. A hair's breadth is given, for
  /// thresholds such as 0.7 are not what they look like in binary.
  static func isEnough(_ distance: Int, of longer: Int, threshold: Double) -> Bool {
    closeness(distance, of: longer) >= threshold - 1e-9
  }

  static func closeness(_ distance: Int, of longer: Int) -> Double {
    longer == 0 ? 1 : 1 - Double(distance) / Double(longer)
  }

  /// The closeness to that text; nil below the threshold.
  func callAsFunction(to text: Span<UInt32>) -> Double? {
    let longer = max(length, text.count)
    // As many changes as the lengths differ by are needed in any case.
    guard Self.isEnough(abs(length - text.count), of: longer, threshold: threshold) else {
      return nil
    }
    let limit = mostChanges(longer)
    let distance =
      length == 0 || text.count == 0
      ? longer : blocks == 1 ? short(text, limit) : long(text, limit)
    guard distance <= limit else { return nil }
    return Self.closeness(distance, of: longer)
  }

  /// The most changes that are few enough.
  private func mostChanges(_ longer: Int) -> Int {
    var most = Int((1 - threshold) * Double(longer))
    while most < longer, Self.isEnough(most + 1, of: longer, threshold: threshold) { most += 1 }
    while most > 0, !Self.isEnough(most, of: longer, threshold: threshold) { most -= 1 }
    return most
  }

  /// The distance, or something above the limit.
  private func short(_ text: Span<UInt32>, _ limit: Int) -> Int {
    let last: UInt64 = 1 << UInt64(length - 1)
    var higher = UInt64.max
    var lower: UInt64 = 0
    var distance = length
    var left = text.count
    for index in text.indices {
      let scalar = text[index]
      let equal = scalar < 128 ? ascii[Int(scalar)] : others[scalar]?[0] ?? 0
      let vertical = equal | lower
      let diagonal = ((equal & higher) &+ higher) ^ higher | equal
      var plus = lower | ~(diagonal | higher)
      var minus = higher & diagonal
      if plus & last != 0 { distance += 1 }
      if minus & last != 0 { distance -= 1 }
      left -= 1
      // Each scalar that is left can take one away at most.
      if distance - left > limit { return .max }
      plus = plus << 1 | 1
      minus <<= 1
      higher = minus | ~(vertical | plus)
      lower = plus & vertical
    }
    return distance
  }

  private func long(_ text: Span<UInt32>, _ limit: Int) -> Int {
    let last: UInt64 = 1 << UInt64((length - 1) % 64)
    var higher = Array(repeating: UInt64.max, count: blocks)
    var lower = Array(repeating: UInt64(0), count: blocks)
    var distance = length
    var left = text.count
    for index in text.indices {
      let scalar = text[index]
      let rare = scalar < 128 ? nil : others[scalar]
      // What the row above the block has: the first row grows by one with each column.
      var above = 1
      for block in 0..<blocks {
        var equal = scalar < 128 ? ascii[Int(scalar) * blocks + block] : rare?[block] ?? 0
        let vertical = equal | lower[block]
        if above < 0 { equal |= 1 }
        let diagonal = ((equal & higher[block]) &+ higher[block]) ^ higher[block] | equal
        var plus = lower[block] | ~(diagonal | higher[block])
        var minus = higher[block] & diagonal
        let bottom = block == blocks - 1 ? last : 1 << 63
        let below = plus & bottom != 0 ? 1 : minus & bottom != 0 ? -1 : 0
        plus <<= 1
        minus <<= 1
        if above > 0 { plus |= 1 } else if above < 0 { minus |= 1 }
        higher[block] = minus | ~(vertical | plus)
        lower[block] = plus & vertical
        above = below
      }
      distance += above
      left -= 1
      if distance - left > limit { return .max }
    }
    return distance
  }
}
