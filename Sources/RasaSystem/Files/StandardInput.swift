import CSystem
import Glibc
package import RasaCore

/// What standard input is, and its content.
package enum StandardInput {
  package enum Kind: Sendable, Hashable {
    case terminal
    /// Nothing is open there.
    case closed
    /// `/dev/null` and other devices.
    case device
    case file
    /// A pipe or a socket: nobody knows whether anything will come.
    case stream
  }

  package static var kind: Kind {
    var status = stat()
    guard unsafe fstat(STDIN_FILENO, &status) == 0 else { return .closed }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .file
    case S_IFIFO, S_IFSOCK: return .stream
    default: return isatty(STDIN_FILENO) == 1 ? .terminal : .device
    }
  }

  /// Everything up to the end.
  ///
  /// - Parameters:
  ///   - limit: in bytes; more is refused.
  ///   - patience: the milliseconds to wait for the first byte or the end; nil waits for ever.
  ///   - onWait: called once, when nothing has come for a second.
  /// - Returns: nil if neither came in time.
  package static func read(
    limit: Int, patience: Int? = nil, tooLarge: Failure,
    onWait: () throws -> Void = {}
  ) throws -> [UInt8]? {
    var bytes: [UInt8] = []
    var hasTold = false
    while true {
      if !hasTold {
        let isFirst = bytes.isEmpty
        if !isReady(within: min(isFirst ? patience ?? .max : .max, 1000)) {
          hasTold = true
          let rest = isFirst ? patience.map { $0 - 1000 } : nil
          if rest ?? 1 > 0 { try onWait() }
          if let rest, rest <= 0 || !isReady(within: rest) { return nil }
        }
      }
      let more = try FileSystem.readSome(STDIN_FILENO, name: "standard input")
      if more.isEmpty { return bytes }
      guard bytes.count + more.count <= limit else { throw tooLarge }
      bytes += more
    }
  }

  /// Whether a read returns at once: there are bytes, or the end.
  private static func isReady(within milliseconds: Int) -> Bool {
    var entry = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    var code: Int32
    repeat {
      code = unsafe poll(&entry, 1, Int32(clamping: max(0, milliseconds)))
    } while code < 0 && errno == EINTR
    // If `poll` fails, the read reports the problem.
    return code != 0
  }
}
