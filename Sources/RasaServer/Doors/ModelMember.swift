/// The member `model` of a request that is passed on: its value is the only thing that changes, because a client says
/// `provider:model` where the provider knows its own name alone.
enum ModelMember {
  /// The same document with another model; nil where it is no object with that member.
  ///
  /// - Parameter body: A document that was parsed before.
  static func replace(in body: [UInt8], by name: String) -> [UInt8]? {
    guard let range = range(in: body) else { return nil }
    return Array(body[..<range.lowerBound]) + Array("\"".utf8) + Array(name.utf8)
      + Array("\"".utf8) + Array(body[range.upperBound...])
  }

  /// Where the value of the member stands, with its quotes.
  private static func range(in body: [UInt8]) -> Range<Int>? {
    var depth = 0
    var index = 0
    /// The name of the member whose value comes next.
    var name: Range<Int>?
    while index < body.count {
      switch body[index] {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        name = nil
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: ","): name = nil
      case UInt8(ascii: "\""):
        let end = stringEnd(in: body, from: index)
        if depth == 1 {
          if let known = name {
            if body[known].elementsEqual("\"model\"".utf8) { return index..<end }
          } else {
            name = index..<end
          }
        }
        index = end
        continue
      default: break
      }
      index += 1
    }
    return nil
  }

  /// Behind the quote that ends the text.
  private static func stringEnd(in body: [UInt8], from start: Int) -> Int {
    var index = start + 1
    while index < body.count {
      switch body[index] {
      case UInt8(ascii: "\\"): index += 2
      case UInt8(ascii: "\""): return index + 1
      default: index += 1
      }
    }
    return body.count
  }
}
