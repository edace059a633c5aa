/// How far a plain request's body goes. What a program writes beyond it would be another request, whose host nobody
/// has checked, so it is not sent.
enum RequestBody: Sendable, Hashable {
  /// Bytes that are still to come.
  case counted(Int)
  case chunked(Chunks)

  static let none = RequestBody.counted(0)

  struct Chunks: Sendable, Hashable {
    fileprivate enum Place: Sendable, Hashable {
      case size(digits: Int), sizeEnd, data, dataEnd(hasReturn: Bool)
      case trailer(length: Int, hasReturn: Bool)
      case done
    }
    fileprivate var place = Place.size(digits: 0)
    fileprivate var left = 0
  }

  /// How many of these bytes belong to it; nil where it is not well formed.
  mutating func take(_ bytes: some Collection<UInt8>) -> Int? {
    switch self {
    case .counted(let left):
      let count = min(left, bytes.count)
      self = .counted(left - count)
      return count
    case .chunked(var chunks):
      guard let count = chunks.take(Array(bytes)) else { return nil }
      self = .chunked(chunks)
      return count
    }
  }

  /// What a head says about the body. Servers disagree about a head that says it twice, so such a head is refused.
  struct Framing {
    private var length: Int?
    private var isChunked = false

    /// False for a field that is not well formed.
    mutating func read(_ name: String, _ text: Substring) -> Bool {
      let value = text.drop { $0 == " " || $0 == "\t" }
      var trimmed = value[...]
      while trimmed.last == " " || trimmed.last == "\t" { trimmed.removeLast() }
      switch name {
      case "content-length":
        guard length == nil, !isChunked, (1...18).contains(trimmed.utf8.count),
          trimmed.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let count = Int(trimmed)
        else { return false }
        length = count
      case "transfer-encoding":
        guard length == nil, !isChunked, trimmed.lowercased() == "chunked" else { return false }
        isChunked = true
      default: break
      }
      return true
    }

    var body: RequestBody? { isChunked ? .chunked(Chunks()) : .counted(length ?? 0) }
  }
}

extension RequestBody.Chunks {
  /// Sizes without extensions, and lines that end as they should: whatever else servers may read differently.
  fileprivate mutating func take(_ bytes: [UInt8]) -> Int? {
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      switch place {
      case .size(let digits):
        if byte == 0x0D, digits > 0 {
          place = .sizeEnd
        } else if let digit = Self.digit(byte), digits < 12 {
          left = left * 16 + digit
          place = .size(digits: digits + 1)
        } else {
          return nil
        }
      case .sizeEnd:
        guard byte == 0x0A else { return nil }
        place = left == 0 ? .trailer(length: 0, hasReturn: false) : .data
      case .data:
        let count = min(left, bytes.count - index)
        left -= count
        index += count
        if left == 0 { place = .dataEnd(hasReturn: false) }
        continue
      case .dataEnd(let hasReturn):
        guard byte == (hasReturn ? 0x0A : 0x0D) else { return nil }
        place = hasReturn ? .size(digits: 0) : .dataEnd(hasReturn: true)
      case .trailer(let length, let hasReturn):
        if hasReturn {
          guard byte == 0x0A else { return nil }
          place = length == 0 ? .done : .trailer(length: 0, hasReturn: false)
        } else if byte == 0x0D {
          place = .trailer(length: length, hasReturn: true)
        } else if byte >= 0x20, byte != 0x7F, length < 4_096 {
          place = .trailer(length: length + 1, hasReturn: false)
        } else {
          return nil
        }
      case .done: return index
      }
      index += 1
    }
    return index
  }

  private static func digit(_ byte: UInt8) -> Int? {
    switch byte {
    case 0x30...0x39: Int(byte) - 0x30
    case 0x41...0x46: Int(byte) - 0x41 + 10
    case 0x61...0x66: Int(byte) - 0x61 + 10
    default: nil
    }
  }
}
