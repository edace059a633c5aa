import RasaCore

/// Finds out, before toml++ reads a file, how deep its tables and lists will be and how many values
/// it has at least. toml++ follows its tables by recursion when it frees them, and a dotted key of a
/// megabyte makes half a million of them; some of its look-ups go through all tables.
struct TOMLNesting {
  private let source: SourceText
  private let limits: DocumentLimits
  /// Of what the next key belongs to; the root has 1.
  private var depth = 1
  /// Of the key being read, and of the key whose value is being read.
  private var dots = 0
  private var keyDots = 0
  private var isHeader = false
  private var isStartOfLine = true
  /// What the open brackets stand in.
  private var open: [(depth: Int, keyDots: Int)] = []
  private var values = 0

  init(source: SourceText, limits: DocumentLimits) {
    self.source = source
    self.limits = limits
  }

  mutating func check(_ text: Span<UInt8>) throws(Failure) {
    var position = 0
    while position < text.count {
      let byte = text[position]
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        position = Self.endOfString(text, from: position)
        isStartOfLine = false
        continue
      }
      switch byte {
      case UInt8(ascii: "#"):
        while position + 1 < text.count, text[position + 1] != 0x0A { position += 1 }
      case 0x0A: endLine()
      case UInt8(ascii: "."): dots += 1
      case UInt8(ascii: "="):
        keyDots = dots
        dots = 0
        values += 1
      case UInt8(ascii: ","):
        keyDots = 0
        dots = 0
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        if isStartOfLine, open.isEmpty, byte == UInt8(ascii: "[") {
          isHeader = true
          depth = 2
          values += 1
        } else if !isHeader {
          open.append((depth, keyDots))
          depth += keyDots + 1
          keyDots = 0
          dots = 0
        }
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        if !isHeader, let outer = open.popLast() {
          (depth, keyDots) = outer
          dots = 0
        }
      default: break
      }
      if byte != 0x20, byte != 0x09, byte != 0x0A { isStartOfLine = false }
      if depth + dots > limits.depth { throw tooDeep(at: position) }
      if values > limits.nodes { throw tooMany(at: position) }
      position += 1
    }
  }

  private mutating func endLine() {
    isStartOfLine = true
    guard open.isEmpty else { return }
    if isHeader { depth += dots }
    isHeader = false
    dots = 0
    keyDots = 0
  }

  /// Where a text in quotes ends. One in single quotes of its kind also ends with its line.
  private static func endOfString(_ text: Span<UInt8>, from start: Int) -> Int {
    let quote = text[start]
    func isThree(_ position: Int) -> Bool {
      position + 2 < text.count && text[position] == quote && text[position + 1] == quote
        && text[position + 2] == quote
    }
    let isLong = isThree(start)
    var position = start + (isLong ? 3 : 1)
    while position < text.count {
      let byte = text[position]
      if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
        position += 2
      } else if isLong, isThree(position) {
        position += 3
        // The text itself may end with two quotes.
        for _ in 0..<2 where position < text.count && text[position] == quote { position += 1 }
        return position
      } else if !isLong, byte == quote {
        return position + 1
      } else if !isLong, byte == 0x0A {
        return position
      } else {
        position += 1
      }
    }
    return text.count
  }

  private func tooDeep(at offset: Int) -> Failure {
    source.failure(
      "the file is nested deeper than \(limits.depth) levels", suggestion: "make it flatter",
      at: source.location(ofByte: offset))
  }

  private func tooMany(at offset: Int) -> Failure {
    source.failure(
      "the file has more than \(limits.nodes) values", suggestion: "split it",
      at: source.location(ofByte: offset))
  }
}
