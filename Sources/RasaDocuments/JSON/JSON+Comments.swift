extension JSON {
  /// JSON as editors let people write it: `//` and `/* */` comments and commas before a closing bracket become
  /// blanks, so that every value stays where it is. Text is left alone.
  package static func withoutComments(_ bytes: [UInt8]) -> [UInt8] {
    var result = bytes
    let blank = UInt8(ascii: " ")
    /// A comma after which only blanks and comments have come.
    var comma: Int?
    var index = 0
    func next(_ byte: UInt8) -> Bool { index + 1 < bytes.count && bytes[index + 1] == byte }
    while index < bytes.count {
      let byte = bytes[index]
      switch byte {
      case UInt8(ascii: "\""):
        comma = nil
        index += 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
          index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        index += 1
      case UInt8(ascii: "/") where next(UInt8(ascii: "/")):
        while index < bytes.count, bytes[index] != 0x0A, bytes[index] != 0x0D {
          result[index] = blank
          index += 1
        }
      case UInt8(ascii: "/") where next(UInt8(ascii: "*")):
        let end = bytes[(index + 2)...].indices.dropLast().first {
          bytes[$0] == UInt8(ascii: "*") && bytes[$0 + 1] == UInt8(ascii: "/")
        }
        // One without an end is left for the error.
        guard let end else { return result }
        for place in index...(end + 1) where bytes[place] != 0x0A && bytes[place] != 0x0D {
          result[place] = blank
        }
        index = end + 2
      case UInt8(ascii: ","):
        comma = index
        index += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        if let comma { result[comma] = blank }
        comma = nil
        index += 1
      case 0x20, 0x09, 0x0A, 0x0D: index += 1
      default:
        comma = nil
        index += 1
      }
    }
    return result
  }
}
