package import RasaCore

/// Decodes newline-delimited JSON: the bytes of each line that is not blank.
package struct JSONLines: EventFraming {
  private var lines = LineSplitter()

  package init() {}

  package var stray: [UInt8] { [] }

  package mutating func feed(
    _ chunk: [UInt8],
    _ onLine: (_ bytes: [UInt8], _ line: Range<Int>) throws(Failure) -> Void
  ) throws(Failure) {
    try lines.feed(chunk) { (bytes, line, _) throws(Failure) in
      if !Self.isBlank(bytes, line) { try onLine(bytes, line) }
    }
  }

  package mutating func finish(
    _ onLine: (_ bytes: [UInt8], _ line: Range<Int>) throws(Failure) -> Void
  ) throws(Failure) {
    try lines.finish { (bytes, line, _) throws(Failure) in
      if !Self.isBlank(bytes, line) { try onLine(bytes, line) }
    }
  }

  private static func isBlank(_ bytes: [UInt8], _ line: Range<Int>) -> Bool {
    line.allSatisfy { bytes[$0] == UInt8(ascii: " ") || bytes[$0] == UInt8(ascii: "\t") }
  }
}
