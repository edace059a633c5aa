import RasaSQLite

/// What has to be known of a PDF before it is sent: whether it is encrypted, and how many pages it has
/// at most, for they are what is paid for.
///
/// Pages are counted where they stand: every object of the type `Page`, also those in compressed
/// object streams. A number that the file gives of itself only counts when it is larger, so a file that
/// says too little costs nobody more than was held. Earlier revisions of a page that are still in the
/// file are counted as well: it is a bound, and the provider's own count is what is booked. A library
/// that reads whole documents would be fifty times as large, for one number.
struct PDFScan: Sendable, Hashable {
  /// Nil when some of it cannot be looked into.
  private(set) var pages: Int64?
  private(set) var isEncrypted = false

  /// Object streams hold some hundred objects each.
  private static let mostStreams = 20_000
  private static let largestStream = 8 << 20
  private static let mostExpanded = 256 << 20
  private static let mostPages: Int64 = 1_000_000

  private static let type = Array("/Type".utf8)
  private static let pagesName = Array("/Pages".utf8)
  private static let pageName = Array("/Page".utf8)
  private static let objectStream = Array("/ObjStm".utf8)
  private static let encrypt = Array("/Encrypt".utf8)
  private static let countName = Array("/Count".utf8)

  private var found: Int64 = 0
  private var claimed: Int64 = 0
  private var isOpaque = false

  init(_ bytes: [UInt8]) {
    var streams: [Int] = []
    scan(bytes, streams: &streams)
    if streams.count > Self.mostStreams { isOpaque = true }
    var expanded = 0
    for place in streams.prefix(Self.mostStreams) where !isOpaque && !isEncrypted {
      guard let content = Self.stream(at: place, in: bytes) else {
        isOpaque = true
        break
      }
      expanded += content.count
      guard expanded <= Self.mostExpanded else {
        isOpaque = true
        break
      }
      var inner: [Int] = []
      scan(content, streams: &inner)
    }
    pages = isOpaque ? nil : min(max(found, claimed), Self.mostPages)
  }

  private mutating func scan(_ bytes: [UInt8], streams: inout [Int]) {
    let reader = ByteReader(bytes)
    var place = 0
    while place < bytes.count {
      guard bytes[place] == UInt8(ascii: "/") else {
        place += 1
        continue
      }
      switch bytes.indices.contains(place + 1) ? bytes[place + 1] : 0 {
      case UInt8(ascii: "T"):
        if reader.has(Self.type, at: place) {
          let value = Self.skipBlanks(bytes, place + 5)
          if reader.has(Self.pagesName, at: value), Self.endsName(bytes, value + 6) {
            claimed = max(claimed, Self.count(bytes, around: place))
          } else if reader.has(Self.pageName, at: value), Self.endsName(bytes, value + 5) {
            found += 1
          }
        }
      case UInt8(ascii: "O"):
        if reader.has(Self.objectStream, at: place), Self.endsName(bytes, place + 7) {
          streams.append(place)
        }
      case UInt8(ascii: "E"):
        if reader.has(Self.encrypt, at: place), Self.endsName(bytes, place + 8) {
          let value = Self.skipBlanks(bytes, place + 8)
          let isReference = bytes.indices.contains(value) && (0x30...0x39).contains(bytes[value])
          if isReference || reader.has("<<", at: value) { isEncrypted = true }
        }
      default: break
      }
      place += 1
    }
  }

  /// The `/Count` of the dictionary that a place is in, without looking further than its object.
  private static func count(_ bytes: [UInt8], around place: Int) -> Int64 {
    let reader = ByteReader(bytes)
    let window = 512
    let begin =
      reader.lastPlace(of: Array("obj".utf8), from: place - window, before: place)
      ?? max(0, place - window)
    let end =
      reader.place(of: Array("endobj".utf8), in: place..<min(bytes.count, place + window))
      ?? min(bytes.count, place + window)
    var largest: Int64 = 0
    var next = begin
    while let index = reader.place(of: countName, in: next..<max(next, end)) {
      next = index + 6
      var digit = skipBlanks(bytes, next)
      var number: Int64 = 0
      while digit < bytes.count, (0x30...0x39).contains(bytes[digit]), number < mostPages {
        number = number * 10 + Int64(bytes[digit] - 0x30)
        digit += 1
      }
      largest = max(largest, number)
    }
    return largest
  }

  /// The content of the object stream whose dictionary the place is in; nil when it is kept in a way
  /// that cannot be read here.
  private static func stream(at place: Int, in bytes: [UInt8]) -> [UInt8]? {
    let reader = ByteReader(bytes)
    let limit = min(bytes.count, place + 4_096)
    guard var start = reader.place(of: Array("stream".utf8), in: place..<limit) else { return nil }
    let begin =
      reader.lastPlace(of: Array("obj".utf8), from: place - 4_096, before: place)
      ?? max(0, place - 4_096)
    let dictionary = ByteReader(Array(bytes[begin..<start]))
    start += 6
    if reader.has([0x0D, 0x0A], at: start) { start += 2 } else { start += 1 }
    guard start <= bytes.count else { return nil }
    // What is not compressed was looked through with the file itself.
    guard dictionary.holds("/Filter") else { return [] }
    let others = ["/Predictor", "DCTDecode", "ASCII85Decode", "ASCIIHexDecode", "LZWDecode"]
    guard dictionary.holds("/FlateDecode"), !others.contains(where: dictionary.holds) else {
      return nil
    }
    let end = reader.place(of: Array("endstream".utf8), in: start..<bytes.count) ?? bytes.count
    return Deflate.expandWrapped(Array(bytes[start..<end]), atMost: largestStream)
  }

  private static func skipBlanks(_ bytes: [UInt8], _ place: Int) -> Int {
    var place = place
    while place < bytes.count, [0, 9, 10, 12, 13, 32].contains(bytes[place]) { place += 1 }
    return place
  }

  /// Whether a name ends there.
  private static func endsName(_ bytes: [UInt8], _ place: Int) -> Bool {
    guard bytes.indices.contains(place) else { return true }
    switch bytes[place] {
    case 0, 9, 10, 12, 13, 32: return true
    case UInt8(ascii: "/"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "["),
      UInt8(ascii: "]"), UInt8(ascii: "("), UInt8(ascii: "%"):
      return true
    default: return false
    }
  }
}
