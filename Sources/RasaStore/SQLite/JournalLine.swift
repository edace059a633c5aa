import RasaCore
import RasaEngine
import RasaSQLite

/// An entry that is to be written, encoded by the caller, so that the writer's thread only has to write.
struct JournalLine: Sendable {
  var time: Int64
  var kind: String
  var key: String?
  /// Nil for null.
  var content: Content?
  private var sealed: [UInt8]

  init(_ entry: JournalEntry) {
    time = entry.time.milliseconds
    kind = entry.kind
    key = entry.key
    let body = entry.body
    content = body.isNull ? nil : Content(body)
    sealed = LineSeal.content(time: time, kind: kind, key: key, body: content?.root.bytes ?? [])
  }

  func seal(after seal: [UInt8], at sequence: Int64) -> [UInt8] {
    LineSeal.next(after: seal, sequence: sequence, content: sealed)
  }
}

/// Proves that a line and its position are unchanged: the first 8 bytes of SHA-256 over the previous seal, the line's
/// number and its content.
enum LineSeal {
  /// Takes the place of a previous seal for the first line.
  static func beginning(of run: String) -> [UInt8] { Array(run.utf8) }

  static func content(time: Int64, kind: String, key: String?, body: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(body.count + 96)
    bytes.appendNumber(UInt64(bitPattern: time))
    bytes.appendNumber(UInt64(kind.utf8.count))
    bytes += kind.utf8
    if let key {
      bytes.appendNumber(UInt64(key.utf8.count) + 1)
      bytes += key.utf8
    } else {
      bytes.append(0)
    }
    bytes += body
    return bytes
  }

  static func next(after seal: [UInt8], sequence: Int64, content: [UInt8]) -> [UInt8] {
    var bytes = seal
    bytes.reserveCapacity(seal.count + content.count + 10)
    bytes.appendNumber(UInt64(bitPattern: sequence))
    bytes += content
    return Array(ContentDigest.of(bytes).prefix(8))
  }
}

/// Lines of one run, which are written if this store still owns the run.
struct OwnedLines: Sendable {
  var run: String
  var epoch: Int64
  var lines: [JournalLine]
}
