import RasaEngine

/// What the header of an image says of its size.
///
/// Only the size is needed, which is in the first bytes of all four formats. A library that
/// decodes images would bring its own history of faults into reach of every file that somebody names;
/// this reads a few numbers, each of them checked, and never follows one further than the file goes.
struct ImageHeader: Sendable, Hashable {
  enum Problem: Error, Sendable, Hashable {
    /// The file ends before the image does.
    case cutOff
    case damaged(String)
  }

  var pixels: Attachment.PixelSize

  /// Checks as well that the image has an end: what a download or a copy has cut is not sent.
  init(_ type: Attachment.MediaType, _ bytes: [UInt8]) throws(Problem) {
    let reader = ByteReader(bytes)
    switch type {
    case .png: pixels = try Self.png(reader)
    case .jpeg: pixels = try Self.jpeg(reader)
    case .gif: pixels = try Self.gif(reader)
    case .webp: pixels = try Self.webp(reader)
    case .pdf, .text: throw .damaged("it is no image")
    }
    guard pixels.width > 0, pixels.height > 0 else {
      throw .damaged("its header says that it is \(pixels.width)×\(pixels.height) pixels large")
    }
  }

  /// Chunks of a length, a name, their content and a checksum, up to `IEND`.
  private static func png(_ bytes: ByteReader) throws(Problem) -> Attachment.PixelSize {
    guard bytes.has("IHDR", at: 12) else {
      throw bytes.count < 33 ? .cutOff : .damaged("it does not begin with a header")
    }
    let size = Attachment.PixelSize(width: try bytes.big32(16), height: try bytes.big32(20))
    guard size.width <= Int64(Int32.max), size.height <= Int64(Int32.max) else {
      throw .damaged("its header says that it is \(size.width)×\(size.height) pixels large")
    }
    var place: Int64 = 8
    while place < bytes.count {
      let length = try bytes.big32(Int(place))
      if bytes.has("IEND", at: Int(place) + 4) { return size }
      place += 12 + length
    }
    throw .cutOff
  }

  /// Segments up to the frame header, and the mark of the end somewhere behind.
  private static func jpeg(_ bytes: ByteReader) throws(Problem) -> Attachment.PixelSize {
    var place = 2
    var size: Attachment.PixelSize?
    while true {
      guard try bytes.byte(place) == 0xFF else {
        throw .damaged("something stands between its segments")
      }
      let marker = try bytes.byte(place + 1)
      switch marker {
      case 0xFF:
        place += 1
        continue
      case 0x01, 0xD0...0xD8:
        place += 2
        continue
      case 0xD9: throw .damaged("it ends before there is a picture")
      case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
        size = Attachment.PixelSize(
          width: try bytes.big16(place + 7), height: try bytes.big16(place + 5))
      default: break
      }
      let length = Int(try bytes.big16(place + 2))
      guard length >= 2 else { throw .damaged("a segment of it has no length") }
      place += 2 + length
      if marker == 0xDA { break }
    }
    guard let size else { throw .damaged("it has no header of a picture") }
    guard bytes.lastPlace(of: [0xFF, 0xD9], from: place) != nil else { throw .cutOff }
    return size
  }

  private static func gif(_ bytes: ByteReader) throws(Problem) -> Attachment.PixelSize {
    let size = Attachment.PixelSize(
      width: try bytes.little16(6), height: try bytes.little16(8))
    var end = bytes.count - 1
    // Some writers fill up with zeros behind the trailer.
    while end > 13, try bytes.byte(end) == 0 { end -= 1 }
    guard end >= 13, try bytes.byte(end) == 0x3B else { throw .cutOff }
    return size
  }

  private static func webp(_ bytes: ByteReader) throws(Problem) -> Attachment.PixelSize {
    guard Int64(bytes.count) >= 8 + (try bytes.little32(4)) else { throw .cutOff }
    if bytes.has("VP8X", at: 12) {
      return Attachment.PixelSize(
        width: 1 + (try bytes.little24(24)), height: 1 + (try bytes.little24(27)))
    }
    if bytes.has("VP8L", at: 12) {
      guard try bytes.byte(20) == 0x2F else { throw .damaged("its picture has no header") }
      let bits = try bytes.little32(21)
      return Attachment.PixelSize(width: 1 + (bits & 0x3FFF), height: 1 + (bits >> 14 & 0x3FFF))
    }
    if bytes.has("VP8 ", at: 12) {
      guard bytes.has([0x9D, 0x01, 0x2A], at: 23) else {
        throw .damaged("its picture has no header")
      }
      return Attachment.PixelSize(
        width: try bytes.little16(26) & 0x3FFF, height: try bytes.little16(28) & 0x3FFF)
    }
    throw .damaged("there is no picture in it")
  }
}

/// Numbers at places of a file that may not be there.
struct ByteReader {
  private let bytes: [UInt8]
  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var count: Int { bytes.count }

  func byte(_ place: Int) throws(ImageHeader.Problem) -> UInt8 {
    guard bytes.indices.contains(place) else { throw .cutOff }
    return bytes[place]
  }

  func has(_ text: String, at place: Int) -> Bool { has(Array(text.utf8), at: place) }

  func has(_ wanted: [UInt8], at place: Int) -> Bool {
    guard place >= 0, place <= bytes.count, wanted.count <= bytes.count - place else {
      return false
    }
    for offset in wanted.indices where bytes[place + offset] != wanted[offset] { return false }
    return true
  }

  func holds(_ text: String) -> Bool { place(of: Array(text.utf8), in: 0..<count) != nil }

  /// The first place in a range where these begin.
  func place(of wanted: [UInt8], in range: Range<Int>) -> Int? {
    guard let first = wanted.first else { return nil }
    for place in range.clamped(to: bytes.indices)
    where bytes[place] == first && has(wanted, at: place) {
      return place
    }
    return nil
  }

  /// The last place, not before `start`, where these begin.
  func lastPlace(of wanted: [UInt8], from start: Int, before end: Int? = nil) -> Int? {
    var place = min(end ?? count, count) - 1
    while place >= max(0, start) {
      if bytes[place] == wanted.first, has(wanted, at: place) { return place }
      place -= 1
    }
    return nil
  }

  func big16(_ place: Int) throws(ImageHeader.Problem) -> Int64 {
    Int64(try byte(place)) << 8 | Int64(try byte(place + 1))
  }
  func big32(_ place: Int) throws(ImageHeader.Problem) -> Int64 {
    try big16(place) << 16 | (try big16(place + 2))
  }
  func little16(_ place: Int) throws(ImageHeader.Problem) -> Int64 {
    Int64(try byte(place)) | Int64(try byte(place + 1)) << 8
  }
  func little24(_ place: Int) throws(ImageHeader.Problem) -> Int64 {
    try little16(place) | Int64(try byte(place + 2)) << 16
  }
  func little32(_ place: Int) throws(ImageHeader.Problem) -> Int64 {
    try little16(place) | (try little16(place + 2)) << 16
  }
}
