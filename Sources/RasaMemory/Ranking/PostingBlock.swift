/// Postings as bytes: the distance from the place before, and for a term that stands there more than once, how often.
/// Most postings are one or two bytes.
package enum PostingBlock {
  /// A fuller block is closed, and another one begun.
  package static let room = 900

  /// - Parameter last: the place before it, which is lower; -1 in an empty block.
  package static func append(
    _ place: Int32, count: UInt8, after last: Int32, to bytes: inout [UInt8]
  ) {
    var number = UInt64(max(1, Int64(place) - Int64(last))) << 1 | (count > 1 ? 1 : 0)
    while number >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: number) | 0x80)
      number >>= 7
    }
    bytes.append(UInt8(number))
    if count > 1 { bytes.append(count) }
  }

  /// Adds what a block says to postings. What is damaged is left out.
  package static func read(_ bytes: [UInt8], into postings: inout Postings) {
    var place = -1
    var position = 0
    while position < bytes.count {
      var number = 0
      var shift = 0
      while position < bytes.count, shift < 42 {
        let byte = bytes[position]
        position += 1
        number |= Int(byte & 0x7F) << shift
        shift += 7
        if byte < 0x80 { break }
      }
      place += number >> 1
      var count: UInt8 = 1
      if number & 1 == 1 {
        guard position < bytes.count else { return }
        count = bytes[position]
        position += 1
      }
      guard number > 1, place < Int(Int32.max) else { return }
      postings.places.append(Int32(place))
      postings.counts.append(count)
    }
  }

  package static func bytes(of postings: Postings) -> [UInt8] {
    var bytes: [UInt8] = []
    var last: Int32 = -1
    for (place, count) in zip(postings.places, postings.counts) {
      append(place, count: count, after: last, to: &bytes)
      last = place
    }
    return bytes
  }
}
