import RasaCore

/// What the ranking has to know of 32 items that stand beside each other on a shelf, as bytes: of each what differs from
/// the one before it, which is about seven bytes in a conversation. A search looks at hundreds of items, and reads fewer
/// pages the shorter they are.
///
/// An item is a byte whose bits are: it is there, it is a question, it belongs to the conversation of the one before, and in
/// the upper five the speaker, 31 for one in a byte of its own. Then come the ID, the conversation where it is another one,
/// the length, and the time. Numbers have seven bits to a byte; IDs and times are the distance from the ones before.
package enum ShelfRow {
  /// So many places a row has.
  package static let places: Int32 = 32
  private static let longest: Int64 = 0x7F_FFFF
  private static let latest: Int64 = 1 << 48 - 1

  /// The items in the order of their places. What is damaged is left out.
  package static func forEach(
    _ bytes: [UInt8], _ row: Int32, _ body: (ShelfItem) throws -> Void
  ) rethrows {
    var reader = Reader(bytes)
    let (first, overflow) = row.multipliedReportingOverflow(by: places)
    if overflow || first > .max - places { return }
    var (id, conversation, time): (Int64, Int64, Int64) = (0, 0, 0)
    for place in first..<first + places {
      guard let head = reader.byte() else { return }
      if head & 1 == 0 { continue }
      id &+= reader.signed()
      if head & 4 == 0 { conversation = reader.word() }
      let length = reader.number()
      time &+= reader.signed()
      var speaker = Int(head >> 3)
      if speaker == 31 { speaker = Int(reader.byte() ?? 0) }
      if reader.isOver { return }
      try body(
        ShelfItem(
          place: place, item: id, conversation: conversation,
          length: Int(min(length, UInt64(longest))), isQuestion: head & 2 != 0,
          time: Timestamp(milliseconds: time), speaker: speaker))
    }
  }

  package static func item(_ bytes: [UInt8], at place: Int32) -> ShelfItem? {
    var found: ShelfItem?
    forEach(bytes, place / places) { if $0.place == place { found = $0 } }
    return found
  }

  /// The row with that item, or with nil at its place.
  package static func bytes(
    of row: [UInt8], setting item: ShelfItem?, at place: Int32
  ) -> [UInt8] {
    var items: [ShelfItem?] = Array(repeating: nil, count: Int(places))
    forEach(row, place / places) { items[Int($0.place % places)] = $0 }
    items[Int(place % places)] = item
    while let last = items.last, last == nil { items.removeLast() }
    var bytes: [UInt8] = []
    var (id, conversation, time): (Int64, Int64, Int64) = (0, 0, 0)
    for item in items {
      guard let item else {
        bytes.append(0)
        continue
      }
      let moment = min(max(0, item.time.milliseconds), latest)
      let speaker = UInt8(clamping: item.speaker)
      let isSame = item.conversation == conversation
      bytes.append(1 | (item.isQuestion ? 2 : 0) | (isSame ? 4 : 0) | min(speaker, 31) << 3)
      append(signed: item.item &- id, to: &bytes)
      if !isSame {
        for shift in (0..<6).reversed() {
          bytes.append(UInt8(truncatingIfNeeded: item.conversation >> (8 * Int64(shift))))
        }
      }
      append(UInt64(min(max(0, Int64(item.length)), longest)), to: &bytes)
      append(signed: moment - time, to: &bytes)
      if speaker >= 31 { bytes.append(speaker) }
      (id, conversation, time) = (item.item, item.conversation, moment)
    }
    return bytes
  }

  private static func append(signed number: Int64, to bytes: inout [UInt8]) {
    append(UInt64(bitPattern: number << 1 ^ number >> 63), to: &bytes)
  }

  private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
    var number = number
    while number >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: number) | 0x80)
      number >>= 7
    }
    bytes.append(UInt8(number))
  }

  private struct Reader {
    private let bytes: [UInt8]
    private var position = 0
    /// Whether more has been asked for than there is.
    private(set) var isOver = false

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func byte() -> UInt8? {
      guard position < bytes.count else {
        isOver = true
        return nil
      }
      defer { position += 1 }
      return bytes[position]
    }

    mutating func number() -> UInt64 {
      var number: UInt64 = 0
      var shift: UInt64 = 0
      while shift < 64, let byte = byte() {
        number |= UInt64(byte & 0x7F) << shift
        if byte < 0x80 { break }
        shift += 7
      }
      return number
    }

    mutating func signed() -> Int64 {
      let number = number()
      return Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1)
    }

    /// Six bytes.
    mutating func word() -> Int64 {
      (0..<6).reduce(0) { word, _ in word << 8 | Int64(byte() ?? 0) }
    }
  }
}

extension ShelfSpeaker {
  /// Each speaker with the number of names and of items.
  package static func bytes(of speakers: [ShelfSpeaker]) -> [UInt8] {
    var bytes: [UInt8] = []
    for speaker in speakers {
      bytes.append(UInt8(clamping: speaker.names.count))
      for number in [Int64(speaker.items)] + speaker.names.prefix(255).map(\.bits) {
        for shift in (0..<6).reversed() {
          bytes.append(UInt8(truncatingIfNeeded: number >> (8 * Int64(shift))))
        }
      }
    }
    return bytes
  }

  package static func all(in bytes: [UInt8]) -> [ShelfSpeaker] {
    var speakers: [ShelfSpeaker] = []
    var position = 0
    func number() -> Int64 {
      defer { position += 6 }
      return bytes[position..<position + 6].reduce(0) { $0 << 8 | Int64($1) }
    }
    while position < bytes.count {
      let names = Int(bytes[position])
      position += 1
      guard position + (names + 1) * 6 <= bytes.count else { break }
      let items = Int(number())
      speakers.append(
        ShelfSpeaker(names: (0..<names).map { _ in Term(bits: number()) }, items: items))
    }
    return speakers
  }
}
