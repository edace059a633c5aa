/// What the whole answers of one operator have taken of one model.
///
/// Holds begin with a percentile of it; scores can be reckoned from the same counts.
package struct OutputNeed: Sendable, Hashable {
  /// From so many whole answers on a percentile says something.
  package static let answersToTrust: Int64 = 10

  /// Whole answers, each counted with everything that it took to complete it.
  package var answers: Int64 = 0
  /// Answers that were cut.
  package var cut: Int64 = 0
  /// Output tokens of the whole answers, thoughts included.
  package var tokens: Int64 = 0
  package var histogram = TokenHistogram()

  package init() {}

  /// - Parameters:
  ///   - count: of the whole answer, or of what there is of it.
  ///   - already: what there was of it before, where this has gone on with it.
  package mutating func note(tokens count: Int64, isWhole: Bool, continuing already: Int64? = nil) {
    // Leaving out what was never completed would leave out the longest answers. Until its end is
    // known, one that was cut counts as twice what there is of it.
    if let already { histogram.remove(already.doubled) }
    histogram.note(isWhole ? count : count.doubled)
    guard isWhole else {
      cut = min(cut, .max - 1) + 1
      return
    }
    answers = min(answers, .max - 1) + 1
    let (sum, overflow) = tokens.addingReportingOverflow(max(0, count))
    tokens = overflow ? .max : sum
  }

  /// What 95 of 100 answers have not passed; nil while too few are known.
  package var usual: Int64? {
    answers >= Self.answersToTrust ? histogram.percentile(95) : nil
  }
}

/// Counts of tokens in classes that grow by an eighth: a percentile is at most that much too high,
/// and the whole takes some dozens of bytes. Older counts fade, so that it follows what changes.
package struct TokenHistogram: Sendable, Hashable {
  private static let mostCounted = 512
  private static let largest: Int64 = (1 << 27) - 1

  /// How many answers there are in each class that has any.
  private var counts: [UInt8: UInt16] = [:]

  package init() {}

  package mutating func note(_ tokens: Int64) {
    counts[Self.place(of: tokens), default: 0] += 1
    guard counts.values.reduce(0, { $0 + Int($1) }) >= Self.mostCounted else { return }
    counts = counts.mapValues { $0 / 2 }.filter { $0.value > 0 }
  }

  package mutating func remove(_ tokens: Int64) {
    let place = Self.place(of: tokens)
    guard let count = counts[place] else { return }
    counts[place] = count > 1 ? count - 1 : nil
  }

  /// The upper end of the class that the percentile falls into; nil when nothing was counted.
  package func percentile(_ percent: Int) -> Int64? {
    let total = counts.values.reduce(0) { $0 + Int($1) }
    guard total > 0 else { return nil }
    var left = (total * percent + 99) / 100
    for (place, count) in counts.sorted(by: { $0.key < $1.key }) {
      left -= Int(count)
      if left <= 0 { return Self.end(of: place) }
    }
    return nil
  }

  /// Up to 15 each number is a class of its own; from there on each doubling has eight.
  private static func place(of tokens: Int64) -> UInt8 {
    let tokens = min(max(0, tokens), largest)
    guard tokens >= 16 else { return UInt8(tokens) }
    let octave = 63 - tokens.leadingZeroBitCount
    return UInt8(16 + (octave - 4) * 8 + Int(tokens >> (octave - 3)) & 7)
  }

  private static func end(of place: UInt8) -> Int64 {
    guard place >= 16 else { return Int64(place) }
    let (octave, eighth) = (Int(place) - 16).quotientAndRemainder(dividingBy: 8)
    return Int64(8 + eighth + 1) << (octave + 1) - 1
  }
}

extension Int64 {
  fileprivate var doubled: Int64 { self > .max / 2 ? .max : self * 2 }
}

extension TokenHistogram {
  /// Three bytes for each class: its number, and the count from its high byte on.
  package var bytes: [UInt8] {
    counts.sorted { $0.key < $1.key }.flatMap { place, count in
      [place, UInt8(count >> 8), UInt8(count & 0xFF)]
    }
  }

  /// What cannot be read counts as nothing: it is learnt again.
  package init(bytes: [UInt8]) {
    guard bytes.count.isMultiple(of: 3) else { return }
    for start in stride(from: 0, to: bytes.count, by: 3) where bytes[start] < 200 {
      let count = UInt16(bytes[start + 1]) << 8 | UInt16(bytes[start + 2])
      if count > 0, count < Self.mostCounted { counts[bytes[start]] = count }
    }
  }
}
