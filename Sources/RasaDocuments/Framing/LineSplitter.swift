package import RasaCore

/// Cuts a byte stream into lines at LF, CRLF and CR, wherever the network happened to cut it.
///
/// A line that lies within one chunk is handed on in place; only a line that continues into the
/// next chunk is copied, so memory is bounded by the longest line and not by the stream.
package struct LineSplitter: Sendable {
  /// What is refused unless its reader says otherwise: no provider sends longer lines, and a line that never ends
  /// must not fill the memory.
  package static let longestLine = 1_048_576

  private let limit: Int
  private var unfinished: [UInt8] = []
  private var endedInCarriageReturn = false

  package init(longestLine limit: Int = longestLine) { self.limit = limit }

  /// Calls `onLine` with every line that the chunk completes: the bytes it lies in, its range, and
  /// whether these bytes are the chunk itself.
  package mutating func feed(
    _ chunk: [UInt8],
    _ onLine: (_ bytes: [UInt8], _ line: Range<Int>, _ isInChunk: Bool) throws(Failure) -> Void
  ) throws(Failure) {
    var start = 0
    let count = chunk.count
    if endedInCarriageReturn, count > 0 {
      endedInCarriageReturn = false
      if chunk[0] == 0x0A { start = 1 }
    }
    while start < count {
      guard let end = Self.endOfLine(in: chunk, from: start) else {
        try keep(chunk, start..<count)
        return
      }
      if unfinished.isEmpty {
        guard end - start <= limit else { throw Self.tooLong(limit) }
        try onLine(chunk, start..<end, true)
      } else {
        try keep(chunk, start..<end)
        try onLine(unfinished, 0..<unfinished.count, false)
        unfinished.removeAll(keepingCapacity: unfinished.count <= 65_536)
      }
      start = end + 1
      if chunk[end] == 0x0D {
        if start == count {
          endedInCarriageReturn = true
        } else if chunk[start] == 0x0A {
          start += 1
        }
      }
    }
  }

  /// The last line of an input that did not end in a line end.
  package mutating func finish(
    _ onLine: (_ bytes: [UInt8], _ line: Range<Int>, _ isInChunk: Bool) throws(Failure) -> Void
  ) throws(Failure) {
    guard !unfinished.isEmpty else { return }
    let last = unfinished
    unfinished = []
    try onLine(last, 0..<last.count, false)
  }

  private mutating func keep(_ chunk: [UInt8], _ range: Range<Int>) throws(Failure) {
    guard unfinished.count + range.count <= limit else { throw Self.tooLong(limit) }
    unfinished += chunk[range]
  }

  private static func endOfLine(in chunk: [UInt8], from start: Int) -> Int? {
    let bytes = chunk.span
    let count = bytes.count
    var index = start
    // Many at a time while none of them is below 0x0E: lines are long, and line ends are rare. The lengths are
    // constants, and the bounds are checked once for each block, so that these are vector instructions.
    while index + 32 <= count {
      let block = bytes.extracting(index..<index + 32)
      var lowest: UInt8 = 0xFF
      for offset in 0..<32 { lowest = min(lowest, block[offset]) }
      if lowest <= 0x0D { break }
      index += 32
    }
    while index + 8 <= count {
      let block = bytes.extracting(index..<index + 8)
      var lowest: UInt8 = 0xFF
      for offset in 0..<8 { lowest = min(lowest, block[offset]) }
      if lowest <= 0x0D { break }
      index += 8
    }
    while index < count {
      let byte = bytes[index]
      if byte == 0x0A || byte == 0x0D { return index }
      index += 1
    }
    return nil
  }

  static func tooLong(_ limit: Int) -> Failure {
    Failure(
      .provider, "the provider sent a line longer than \(limit / 1_048_576) MB",
      suggestion: "check that the address is that of a model server")
  }
}
