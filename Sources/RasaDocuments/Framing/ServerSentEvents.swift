package import RasaCore

/// Decodes `text/event-stream`: the data of each event, as bytes in place where possible.
///
/// Comments are skipped; of the fields other than `data` only `id` and `retry` are kept. Several `data` lines are joined with LF. An
/// event at the end of the input counts even when its blank line is missing. Lines that are JSON and
/// no field of an event are kept as `stray`: that is how some servers break off.
package struct ServerSentEvents: EventFraming {
  private static let longestStray = 65_536

  private let limit: Int
  private var lines: LineSplitter
  /// Data lines that could not stay in their chunk.
  private var held: [UInt8] = []
  private var hasHeld = false
  private var isFirstLine = true
  /// What came outside of events, from the first line that looks like JSON on.
  package private(set) var stray: [UInt8] = []
  /// The last `id`, from which a broken stream can be continued; empty if there was none.
  package private(set) var lastID: [UInt8] = []
  /// The milliseconds that the server asks to wait for before it is connected to again.
  package private(set) var retry: Int?

  package init() { self.init(longestEvent: LineSplitter.longestLine) }

  /// - Parameter limit: the most bytes of a line, and of an event's data.
  package init(longestEvent limit: Int) {
    self.limit = limit
    lines = LineSplitter(longestLine: limit)
  }

  /// Calls `onEvent` with the bytes and the range of each event's data that the chunk completes.
  package mutating func feed(
    _ chunk: [UInt8],
    _ onEvent: (_ bytes: [UInt8], _ data: Range<Int>) throws(Failure) -> Void
  ) throws(Failure) {
    var inChunk: Range<Int>? = nil
    var held = held
    var hasHeld = hasHeld
    var isFirstLine = isFirstLine
    var stray = stray
    let limit = limit
    var (lastID, retry) = (lastID, retry)
    self.held = []
    self.stray = []
    try lines.feed(chunk) { (bytes, line, isInChunk) throws(Failure) in
      var line = line
      if isFirstLine {
        isFirstLine = false
        line = Self.withoutByteOrderMark(bytes, line)
      }
      if line.isEmpty {
        if hasHeld {
          try onEvent(held, 0..<held.count)
          held.removeAll(keepingCapacity: held.count <= 65_536)
          hasHeld = false
        } else if let data = inChunk {
          inChunk = nil
          try onEvent(chunk, data)
        }
        return
      }
      guard let data = Self.data(bytes, line) else {
        Self.note(bytes, line, &lastID, &retry)
        return Self.keepStray(bytes, line, &stray)
      }
      if isInChunk, !hasHeld, inChunk == nil {
        inChunk = data
        return
      }
      if let first = inChunk {
        inChunk = nil
        try Self.join(chunk, first, to: &held, isFirst: !hasHeld, limit)
        hasHeld = true
      }
      try Self.join(bytes, data, to: &held, isFirst: !hasHeld, limit)
      hasHeld = true
    }
    if let data = inChunk {
      try Self.join(chunk, data, to: &held, isFirst: true, limit)
      hasHeld = true
    }
    self.held = held
    self.hasHeld = hasHeld
    self.isFirstLine = isFirstLine
    self.stray = stray
    self.lastID = lastID
    self.retry = retry
  }

  /// Flushes what the end of the input completes.
  package mutating func finish(
    _ onEvent: (_ bytes: [UInt8], _ data: Range<Int>) throws(Failure) -> Void
  ) throws(Failure) {
    var held = held
    var hasHeld = hasHeld
    var stray = stray
    let limit = limit
    try lines.finish { (bytes, line, _) throws(Failure) in
      guard let data = Self.data(bytes, line) else {
        return Self.keepStray(bytes, line, &stray)
      }
      try Self.join(bytes, data, to: &held, isFirst: !hasHeld, limit)
      hasHeld = true
    }
    self.held = []
    self.hasHeld = false
    self.stray = stray
    if hasHeld { try onEvent(held, 0..<held.count) }
  }

  /// The range of a data line's value; nil for comments and every other field.
  private static func data(_ bytes: [UInt8], _ line: Range<Int>) -> Range<Int>? {
    let start = line.lowerBound
    guard line.count >= 4, bytes[start] == UInt8(ascii: "d"),
      bytes[start + 1] == UInt8(ascii: "a"), bytes[start + 2] == UInt8(ascii: "t"),
      bytes[start + 3] == UInt8(ascii: "a")
    else { return nil }
    guard line.count > 4 else { return line.upperBound..<line.upperBound }
    guard bytes[start + 4] == UInt8(ascii: ":") else { return nil }
    let value = start + 5
    let hasSpace = value < line.upperBound && bytes[value] == UInt8(ascii: " ")
    return (hasSpace ? value + 1 : value)..<line.upperBound
  }

  private static func note(
    _ bytes: [UInt8], _ line: Range<Int>, _ lastID: inout [UInt8], _ retry: inout Int?
  ) {
    // Other fields, of which some providers send one with each event, cost one comparison.
    switch line.first.map({ bytes[$0] }) {
    case UInt8(ascii: "i"):
      // As the standard has it: one with a NUL counts for nothing.
      guard let id = value(of: idField, bytes, line), !id.contains(0), id.count <= 1_024 else {
        return
      }
      lastID = Array(id)
    case UInt8(ascii: "r"):
      if let text = value(of: retryField, bytes, line),
        let milliseconds = Int(String(decoding: text, as: UTF8.self)), milliseconds >= 0
      {
        retry = milliseconds
      }
    default: break
    }
  }

  private static let idField = Array("id:".utf8)
  private static let retryField = Array("retry:".utf8)

  private static func value(
    of field: [UInt8], _ bytes: [UInt8], _ line: Range<Int>
  ) -> ArraySlice<UInt8>? {
    guard bytes[line].starts(with: field) else { return nil }
    let value = bytes[line].dropFirst(field.count)
    return value.first == UInt8(ascii: " ") ? value.dropFirst() : value
  }

  private static func keepStray(_ bytes: [UInt8], _ line: Range<Int>, _ stray: inout [UInt8]) {
    if stray.isEmpty {
      guard let first = line.first,
        bytes[first] == UInt8(ascii: "{") || bytes[first] == UInt8(ascii: "[")
      else { return }
    }
    guard stray.count + line.count < longestStray else { return }
    stray += bytes[line]
    stray.append(0x0A)
  }

  private static func join(
    _ bytes: [UInt8], _ data: Range<Int>, to held: inout [UInt8], isFirst: Bool, _ limit: Int
  ) throws(Failure) {
    guard held.count + data.count < limit else { throw LineSplitter.tooLong(limit) }
    if !isFirst { held.append(0x0A) }
    held += bytes[data]
  }

  private static func withoutByteOrderMark(_ bytes: [UInt8], _ line: Range<Int>) -> Range<Int> {
    let start = line.lowerBound
    guard line.count >= 3, bytes[start] == 0xEF, bytes[start + 1] == 0xBB, bytes[start + 2] == 0xBF
    else { return line }
    return (start + 3)..<line.upperBound
  }
}
