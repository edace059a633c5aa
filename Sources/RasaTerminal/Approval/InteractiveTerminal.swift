import CSystem
import Glibc
import RasaCore
import RasaSystem

/// A terminal for a dialogue with a person.
///
/// Lines are read with the line editor, pastes as a whole. While it is open the terminal itself
/// does not edit lines; `leave` restores it, and discards typed input so that the next reader does
/// not get it.
final class InteractiveTerminal: Sendable {
  private let terminal: Descriptor
  /// Written to when the person's answer is no longer needed.
  private let wake: Descriptor
  private let before: TerminalSettings?
  private let keys: TerminalKeys
  private let hasEditor: Bool
  private let editor = Locked<LineEditor?>(nil)

  init(path: String, environment: Environment) throws(Failure) {
    let number = unsafe open(path, O_RDWR | O_CLOEXEC | O_NOCTTY)
    guard number >= 0 else {
      throw Failure(
        .approval, "there is no terminal to ask on",
        suggestion: "run it in a terminal, or decide in advance with --approval allow or deny")
    }
    terminal = Descriptor(owning: number)
    let wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    guard wake >= 0 else {
      throw Failure(.approval, systemError: errno, cannot: "listen at", path)
    }
    self.wake = Descriptor(owning: wake)
    guard let keys = TerminalKeys(input: number, wake: wake) else {
      throw Failure(.approval, systemError: ENOMEM, cannot: "listen at", path)
    }
    self.keys = keys
    before = TerminalSettings(of: number)
    hasEditor = environment["TERM"] ?? "dumb" != "dumb"
  }

  var descriptor: Int32 { terminal.number }

  var columns: Int {
    let columns = Int(rasa_terminal_columns(terminal.number))
    return columns > 0 ? columns : 80
  }

  func show(_ text: String) { try? Output(descriptor: terminal.number).write(text) }

  /// - Parameters:
  ///   - prompt: the text before the line; only its last line is redrawn while editing.
  ///   - isText: whether the line is a text that may be pasted, instead of a choice.
  func readLine(
    prompt: String, discardingTypedAhead: Bool, isText: Bool
  ) async -> LineReader.Line {
    // The last line of the prompt appears only after earlier input has been discarded: an answer
    // means that it has been seen.
    let lastLine = prompt.utf8.lastIndex(of: UInt8(ascii: "\n")).map { prompt.index(after: $0) }
    let split = lastLine ?? prompt.startIndex
    show(String(prompt[..<split]))
    if discardingTypedAhead { discardInput() }
    let last = String(prompt[split...])
    return await withTaskCancellationHandler {
      await onOwnThread { [self] in waitForLine(last, isText: isText) }
    } onCancel: { [wakeNumber = wake.number] in
      var one: UInt64 = 1
      _ = unsafe write(wakeNumber, &one, 8)
    }
  }

  private func waitForLine(_ prompt: String, isText: Bool) -> LineReader.Line {
    keys.gatherPastes(isText)
    let line = hasEditor ? editedLine(prompt) : rawLine(prompt)
    return isWoken ? .interrupted : line
  }

  private func editedLine(_ prompt: String) -> LineReader.Line {
    editor.withLock { editor in
      editor = editor ?? LineEditor(keys, input: terminal.number, output: terminal.number)
      return editor?.read(prompt: prompt) ?? rawLine(prompt)
    }
  }

  private func rawLine(_ prompt: String) -> LineReader.Line {
    before?.applyRaw()
    show(TerminalText.line(prompt))
    defer { show("\r\n") }
    var line = RawLine()
    while true {
      guard case .character(let key) = keys.next() else { return .end }
      switch line.receive(key) {
      case .incomplete(let echo): if !echo.isEmpty { show(echo) }
      case .finished(let line): return line
      }
    }
  }

  private var isWoken: Bool {
    var wanted = pollfd(fd: wake.number, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&wanted, 1, 0) > 0
  }

  /// Discards typed input, and the rest of a paste: terminals send one in pieces.
  private func discardInput() {
    keys.discard()
    tcflush(terminal.number, TCIFLUSH)
    var wanted = pollfd(fd: terminal.number, events: Int16(POLLIN), revents: 0)
    var pieces = 0
    while pieces < 10_000, unsafe poll(&wanted, 1, 20) > 0, wanted.revents == Int16(POLLIN) {
      tcflush(terminal.number, TCIFLUSH)
      pieces += 1
    }
  }

  /// Whether the terminal is gone: nobody can have typed anything since.
  var isGone: Bool {
    var wanted = pollfd(fd: terminal.number, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&wanted, 1, 0) > 0 && wanted.revents & Int16(POLLHUP | POLLERR) != 0
  }

  /// Lets another program use the terminal for a while, in the state in which the shell left it.
  func lend() { before?.apply() }

  /// Restores the terminal, with no input left in it for the shell.
  func leave() {
    editor.withLock { $0 = nil }
    discardInput()
    before?.apply(discardingInput: true)
  }
}
