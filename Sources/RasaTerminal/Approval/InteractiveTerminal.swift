import CSystem
import Glibc
import RasaCore
import RasaSystem

/// A terminal to talk with a person on: lines as the terminal itself edits them.
final class InteractiveTerminal: Sendable {
  private let terminal: Descriptor
  /// Written to when nobody waits for the person's answer any more.
  private let wake: Descriptor

  init(path: String) throws(Failure) {
    let number = unsafe open(path, O_RDWR | O_CLOEXEC | O_NOCTTY)
    guard number >= 0 else {
      throw Failure(
        .approval, "there is no terminal to ask at",
        mend: "run it in a terminal, or decide beforehand with --approval allow or deny")
    }
    terminal = Descriptor(owning: number)
    let wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    guard wake >= 0 else {
      throw Failure(.approval, systemError: errno, cannot: "listen at", path)
    }
    self.wake = Descriptor(owning: wake)
  }

  var descriptor: Int32 { terminal.number }

  var columns: Int {
    let columns = Int(rasa_terminal_columns(terminal.number))
    return columns > 0 ? columns : 80
  }

  func show(_ text: String) { try? Output(descriptor: terminal.number).write(text) }

  func readLine(prompt: String, discardingTypedAhead: Bool) async -> LineReader.Line {
    // The last line of the prompt appears after what was typed before it is thrown away: whoever
    // answers has seen it.
    let lastLine = prompt.utf8.lastIndex(of: UInt8(ascii: "\n")).map { prompt.index(after: $0) }
    let split = lastLine ?? prompt.startIndex
    show(String(prompt[..<split]))
    if discardingTypedAhead { tcflush(terminal.number, TCIFLUSH) }
    show(String(prompt[split...]))
    return await withTaskCancellationHandler {
      await onOwnThread { [self] in waitForLine() }
    } onCancel: { [wakeNumber = wake.number] in
      var one: UInt64 = 1
      _ = unsafe write(wakeNumber, &one, 8)
    }
  }

  private static let longestLine = 1 << 16

  private func waitForLine() -> LineReader.Line {
    var line: [UInt8] = []
    while true {
      var wanted = [
        pollfd(fd: terminal.number, events: Int16(POLLIN), revents: 0),
        pollfd(fd: wake.number, events: Int16(POLLIN), revents: 0),
      ]
      if unsafe poll(&wanted, 2, -1) < 0 {
        if errno == EINTR { continue }
        return .end
      }
      if wanted[1].revents != 0 { return .interrupted }
      // The terminal edits lines itself and hands them over whole.
      guard let bytes = try? FileSystem.readSome(terminal.number, name: "the terminal"),
        !bytes.isEmpty, line.count + bytes.count <= Self.longestLine
      else { return .end }
      line += bytes
      if let end = line.firstIndex(of: UInt8(ascii: "\n")) {
        return .text(String(decoding: line[..<end], as: UTF8.self))
      }
    }
  }
}
