import CSystem
import Glibc
import RasaCore
import RasaSystem

/// A terminal that the test operates: the test reads what the program shows, and what it sends is
/// what a person types.
final class PseudoTerminal: Sendable {
  let path: String
  /// The program's side, kept open so that the terminal exists while no program has it open.
  let program: Int32
  private let person: Int32
  private let shown = Locked<[UInt8]>([])

  init(columns: UInt16 = 80) throws {
    person = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    // TIOCSPTLCK and TIOCGPTN: unlocks the terminal and asks for its number.
    var locked: Int32 = 0
    var number: Int32 = 0
    guard person >= 0, unsafe ioctl(person, 0x4004_5431, &locked) == 0,
      unsafe ioctl(person, 0x8004_5430, &number) == 0
    else { throw Failure(.run, systemError: errno, cannot: "open", "a pseudo-terminal") }
    path = "/dev/pts/\(number)"
    program = unsafe open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
    var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    _ = unsafe ioctl(program, UInt(TIOCSWINSZ), &size)
  }

  deinit {
    close(program)
    close(person)
  }

  func type(_ text: String) { try? Output(descriptor: person).write(text) }

  /// The number of unread bytes of input.
  var unreadBytes: Int {
    var count: Int32 = 0
    // FIONREAD.
    return unsafe ioctl(program, 0x541B, &count) == 0 ? Int(count) : -1
  }

  /// Whether the terminal is in the mode in which a shell leaves it.
  var editsLines: Bool {
    var settings = termios()
    return unsafe tcgetattr(program, &settings) == 0
      && settings.c_lflag & tcflag_t(ICANON) != 0 && settings.c_lflag & tcflag_t(ECHO) != 0
  }

  /// Reads and discards output until the text appears.
  func skip(to text: String) async {
    await onOwnThread { [person] in
      var last: [UInt8] = []
      while !String(decoding: last, as: UTF8.self).contains(text) {
        var wanted = pollfd(fd: person, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&wanted, 1, 20_000) > 0,
          let more = try? FileSystem.readSome(person, name: "the screen"), !more.isEmpty
        else { return }
        last = last.suffix(256) + more
      }
    }
  }

  /// Reads until the text appears; returns all output since the last call.
  @discardableResult
  func expect(_ text: String) async throws -> String {
    let found: String? = await onOwnThread { [self] in
      var all = shown.withLock { $0 }
      while true {
        let string = String(decoding: all, as: UTF8.self)
        if let end = Self.end(of: text, in: string) {
          let rest = Array(string[end...].utf8)
          shown.withLock { $0 = rest }
          return String(string[..<end])
        }
        var wanted = pollfd(fd: person, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&wanted, 1, 20_000) > 0,
          let more = try? FileSystem.readSome(person, name: "the screen"), !more.isEmpty
        else {
          shown.withLock { [all] in $0 = all }
          return nil
        }
        all += more
      }
    }
    guard let found else {
      let screen = String(decoding: shown.withLock { $0 }, as: UTF8.self)
      throw Failure(.timeout, "waited in vain for “\(text)”; on the screen: \(screen)")
    }
    return found
  }

  private static func end(of text: String, in string: String) -> String.Index? {
    var start = string.startIndex
    while start < string.endIndex {
      if string[start...].unicodeScalars.starts(with: text.unicodeScalars) {
        return string.unicodeScalars.index(start, offsetBy: text.unicodeScalars.count)
      }
      start = string.unicodeScalars.index(after: start)
    }
    return nil
  }
}
