/// A time zone of the system's zone database (TZif, RFC 8536): its offsets from UTC over time.
struct ZoneData: Sendable, Hashable {
  /// Seconds since 1970, in ascending order.
  private(set) var transitions: [Int64] = []
  /// Seconds ahead of UTC from each transition on.
  private var offsets: [Int64] = []
  /// Before the first transition.
  private var firstOffset: Int64 = 0
  /// For the time after the last transition; without a rule, the last offset stays.
  private var rule: ZoneRule?

  func offset(at seconds: Int64) -> Int64 {
    guard let last = transitions.last else { return rule?.offset(at: seconds) ?? firstOffset }
    if seconds >= last { return rule?.offset(at: seconds) ?? offsets[offsets.count - 1] }
    // Count the transitions before that moment.
    var (low, high) = (0, transitions.count)
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle] <= seconds { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? firstOffset : offsets[low - 1]
  }
}

extension ZoneData {
  /// What the standard allows.
  static let largestOffset: Int64 = 167 * 3600

  /// Nil if the bytes are not a complete and consistent zone file, or count leap seconds.
  init?(_ bytes: [UInt8]) {
    var reader = ZoneReader(bytes)
    guard let head = ZoneHead(&reader) else { return nil }
    if head.version == 0 {
      self.init(&reader, head, timeSize: 4)
      return
    }
    // The first block is for readers without 64-bit times.
    guard reader.skip(head.size(timeSize: 4)), let head = ZoneHead(&reader), head.version != 0
    else { return nil }
    self.init(&reader, head, timeSize: 8)
    guard let rule = reader.line() else { return nil }
    if !rule.isEmpty {
      guard let rule = ZoneRule(rule) else { return nil }
      self.rule = rule
    }
  }

  private init?(_ reader: inout ZoneReader, _ head: ZoneHead, timeSize: Int) {
    // Check that every count fits before reading anything.
    guard head.leaps == 0, head.types > 0, reader.left >= head.size(timeSize: timeSize)
    else { return nil }
    for _ in 0..<head.times {
      guard let time = reader.number(timeSize) else { return nil }
      if let last = transitions.last, last >= time { return nil }
      transitions.append(time)
    }
    var places: [Int] = []
    for _ in 0..<head.times {
      guard let place = reader.byte(), place < head.types else { return nil }
      places.append(Int(place))
    }
    var types: [Int64] = []
    for _ in 0..<head.types {
      guard let offset = reader.number(4), abs(offset) <= Self.largestOffset, reader.skip(2)
      else { return nil }
      types.append(offset)
    }
    offsets = places.map { types[$0] }
    firstOffset = types[0]
    guard reader.skip(head.characters + head.isStandard + head.isUniversal) else { return nil }
  }
}

private struct ZoneHead {
  var version: UInt8
  var isUniversal: Int
  var isStandard: Int
  var leaps: Int
  var times: Int
  var types: Int
  var characters: Int

  /// More than any zone has, and small enough not to overflow.
  private static let most: Int64 = 10_000

  init?(_ reader: inout ZoneReader) {
    for expected in Array("TZif".utf8) {
      guard reader.byte() == expected else { return nil }
    }
    guard let version = reader.byte(), reader.skip(15) else { return nil }
    var counts: [Int] = []
    for _ in 0..<6 {
      guard let count = reader.number(4), (0...Self.most).contains(count) else { return nil }
      counts.append(Int(count))
    }
    self.version = version
    (isUniversal, isStandard, leaps) = (counts[0], counts[1], counts[2])
    (times, types, characters) = (counts[3], counts[4], counts[5])
  }

  /// The size of the block that follows.
  func size(timeSize: Int) -> Int {
    times * (timeSize + 1) + types * 6 + characters + leaps * (timeSize + 4) + isStandard
      + isUniversal
  }
}

private struct ZoneReader {
  private let bytes: [UInt8]
  private var place = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var left: Int { bytes.count - place }

  mutating func byte() -> UInt8? {
    guard left > 0 else { return nil }
    defer { place += 1 }
    return bytes[place]
  }

  mutating func skip(_ count: Int) -> Bool {
    guard count <= left else { return false }
    place += count
    return true
  }

  /// A signed big-endian number of 4 or 8 bytes.
  mutating func number(_ size: Int) -> Int64? {
    guard size <= left else { return nil }
    defer { place += size }
    let bits = bytes[place..<place + size].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return size == 8 ? Int64(bitPattern: bits) : Int64(Int32(truncatingIfNeeded: bits))
  }

  /// The text between two line feeds.
  mutating func line() -> [UInt8]? {
    guard byte() == UInt8(ascii: "\n") else { return nil }
    let rest = bytes[place...]
    guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    place = end + 1
    return Array(rest[..<end])
  }
}
