/// The similarity of a text to others: 1 − Levenshtein distance ÷ the longer length, over Unicode
/// scalars.
///
/// A column of the distance table is stored as bits, sixty-four rows per word (Myers, Hyyrö), so
/// that a short pattern costs a few instructions per scalar of the other text.
struct FuzzyMatcher {
  let threshold: Double
  private let length: Int
  private let blocks: Int
  /// The positions of a scalar in the pattern, one word per block: ASCII scalars by value.
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

  /// Clamps the threshold to 0…1.
  static func bounded(_ threshold: Double) -> Double {
    threshold.isNaN ? usual : min(max(threshold, 0), 1)
  }

  static let usual = 0.7

  /// Whether this many changes to a text of that length are few enough. The tolerance is needed
  /// because thresholds such as 0.7 are not exact in binary.
  static func isEnough(_ distance: Int, of longer: Int, threshold: Double) -> Bool {
    closeness(distance, of: longer) >= threshold - 1e-9
  }

  static func closeness(_ distance: Int, of longer: Int) -> Double {
    longer == 0 ? 1 : 1 - Double(distance) / Double(longer)
  }

  /// The similarity to that text; nil below the threshold.
  func callAsFunction(to text: Span<UInt32>) -> Double? {
    let longer = max(length, text.count)
    // The difference of the lengths is a lower bound of the distance.
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

  /// The largest acceptable distance.
  private func mostChanges(_ longer: Int) -> Int {
    var most = Int((1 - threshold) * Double(longer))
    while most < longer, Self.isEnough(most + 1, of: longer, threshold: threshold) { most += 1 }
    while most > 0, !Self.isEnough(most, of: longer, threshold: threshold) { most -= 1 }
    return most
  }

  /// The distance, or a value above the limit.
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
      // Each remaining scalar can reduce it by one at most.
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
      // The carry from the row above the block: the first row grows by one per column.
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
