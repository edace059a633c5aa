import RasaCore
import Testing

@testable import RasaDocuments

/// Feeds the bytes cut into these pieces and returns the events' texts.
private func events(_ pieces: [[UInt8]]) throws -> [String] {
  var decoder = ServerSentEvents()
  var events: [String] = []
  for piece in pieces {
    try decoder.feed(piece) { (bytes, data) throws(Failure) in
      events.append(String(decoding: bytes[data], as: UTF8.self))
    }
  }
  try decoder.finish { (bytes, data) throws(Failure) in
    events.append(String(decoding: bytes[data], as: UTF8.self))
  }
  return events
}

private func lines(_ pieces: [[UInt8]]) throws -> [String] {
  var decoder = JSONLines()
  var lines: [String] = []
  for piece in pieces {
    try decoder.feed(piece) { (bytes, line) throws(Failure) in
      lines.append(String(decoding: bytes[line], as: UTF8.self))
    }
  }
  try decoder.finish { (bytes, line) throws(Failure) in
    lines.append(String(decoding: bytes[line], as: UTF8.self))
  }
  return lines
}

@Suite struct FramingTests {
  static let streams: [(name: String, stream: String, events: [String])] = [
    ("one event", "data: a\n\n", ["a"]),
    ("two events", "data: a\n\ndata: b\n\n", ["a", "b"]),
    ("carriage returns and line feeds", "data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]),
    ("carriage returns alone", "data: a\r\rdata: b\r\r", ["a", "b"]),
    ("mixed line ends", "data: a\r\n\ndata: b\n\r\n", ["a", "b"]),
    ("no space after the colon", "data:a\n\n", ["a"]),
    ("only one space is taken off", "data:  a\n\n", [" a"]),
    ("several data lines", "data: a\ndata: b\ndata: c\n\n", ["a\nb\nc"]),
    ("an empty data line", "data: a\ndata\ndata:\n\n", ["a\n\n"]),
    ("comments", ": ping\n\n: ping\ndata: a\n: ping\n\n", ["a"]),
    ("other fields", "event: x\nid: 7\nretry: 1\ndata: a\n\n", ["a"]),
    ("a field that begins like data", "database: x\ndata: a\n\n", ["a"]),
    ("blank lines without data", "\n\n\n\ndata: a\n\n\n\n", ["a"]),
    ("a missing blank line at the end", "data: a\n\ndata: b", ["a", "b"]),
    ("a missing blank line after a line end", "data: a\n", ["a"]),
    ("a byte order mark", "\u{FEFF}data: a\n\n", ["a"]),
    ("letters of several bytes", "data: grüße 🌍\n\n", ["grüße 🌍"]),
    ("nothing", "", []),
  ]

  @Test(arguments: streams)
  func readsEventsHoweverTheyAreCut(_ row: (name: String, stream: String, events: [String])) throws
  {
    let bytes = Array(row.stream.utf8)
    #expect(try events([bytes]) == row.events)
    #expect(try events(bytes.map { [$0] }) == row.events)
    for cut in bytes.indices {
      #expect(try events([Array(bytes[..<cut]), Array(bytes[cut...])]) == row.events)
      for second in bytes.indices[cut...] {
        let pieces = [bytes[..<cut], bytes[cut..<second], bytes[second...]].map { Array($0) }
        #expect(try events(pieces) == row.events)
      }
    }
  }

  @Test func readsJSONLinesHoweverTheyAreCut() throws {
    let bytes = Array("{\"a\":1}\n\r\n  \n{\"b\":\"ü\"}\r\n{\"c\":3}".utf8)
    let expected = ["{\"a\":1}", "{\"b\":\"ü\"}", "{\"c\":3}"]
    for cut in bytes.indices {
      #expect(try lines([Array(bytes[..<cut]), Array(bytes[cut...])]) == expected)
    }
    #expect(try lines(bytes.map { [$0] }) == expected)
  }

  @Test func refusesALineThatNeverEnds() {
    let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 65_536)
    #expect(throws: Failure.self) { try events(Array(repeating: piece, count: 20)) }
    #expect(throws: Failure.self) { try lines(Array(repeating: piece, count: 20)) }
  }

  @Test func refusesAnEventThatNeverEnds() {
    let line = Array("data: ".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: 60_000) + [10]
    #expect(throws: Failure.self) { try events(Array(repeating: line, count: 20)) }
  }

  @Test func readsALineOfJustTheLimit() throws {
    let text = String(repeating: "x", count: LineSplitter.longestLine - 6)
    let bytes = Array("data: \(text)\n\n".utf8)
    #expect(try events([bytes]).map(\.count) == [text.count])
    #expect(
      try events([Array(bytes[..<500_000]), Array(bytes[500_000...])]).map(\.count) == [text.count])
  }

  @Test func knowsWhereABrokenStreamIsToBeContinued() throws {
    let bytes = Array("id: 7\nretry: 20\ndata: a\n\nid:8\nretry: soon\n: id: 9\ndata: b\n\n".utf8)
    for cut in bytes.indices {
      var decoder = ServerSentEvents()
      var count = 0
      for piece in [Array(bytes[..<cut]), Array(bytes[cut...])] {
        try decoder.feed(piece) { (_, _) throws(Failure) in count += 1 }
      }
      #expect(count == 2)
      #expect(decoder.lastID == Array("8".utf8))
      #expect(decoder.retry == 20)
    }
  }

  @Test func takesLongerEventsWhereItsReaderSaysSo() throws {
    let text = String(repeating: "x", count: 2 * LineSplitter.longestLine)
    var decoder = ServerSentEvents(longestEvent: 3 * LineSplitter.longestLine)
    var counts: [Int] = []
    for piece in [Array("data: \(text)".utf8), [10, 10]] {
      try decoder.feed(piece) { (_, data) throws(Failure) in counts.append(data.count) }
    }
    #expect(counts == [text.count])
  }
}
