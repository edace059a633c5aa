/// The last bytes of what a program wrote to standard error.
struct ErrorTail: Sendable {
  static let size = 8192

  private var bytes: [UInt8] = []
  private(set) var isCut = false

  mutating func append(_ more: Span<UInt8>) {
    let count = more.count
    let kept = max(0, count - Self.size)
    if kept > 0 { bytes.removeAll(keepingCapacity: true) }
    for index in kept..<count { bytes.append(more[index]) }
    isCut = isCut || kept > 0
    // Moved seldom, so that many small pieces cost no more than one large one.
    if bytes.count > 2 * Self.size {
      bytes.removeFirst(bytes.count - Self.size)
      isCut = true
    }
  }

  /// Whole characters, and a whole first line if there is more than one.
  var text: String {
    var rest = bytes[...]
    if rest.count > Self.size || isCut {
      rest = rest.suffix(Self.size)
      if let end = rest.firstIndex(of: UInt8(ascii: "\n")), end + 1 < rest.endIndex {
        rest = rest[(end + 1)...]
      } else {
        rest = rest.drop { $0 & 0xC0 == 0x80 }
      }
    }
    return String(decoding: rest, as: UTF8.self)
  }
}
