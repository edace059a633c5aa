import Glibc
package import RasaCore
package import RasaSystem

/// Reads lines from a person, with editing and history, or from a pipe as they arrive.
///
/// Its owner reads one line at a time.
package final class LineReader: Sendable {
  package enum Line: Sendable, Hashable {
    case text(String)
    /// Ctrl-C: this line is discarded.
    case interrupted
    /// Ctrl-D on an empty line, or the end of the pipe.
    case end
  }

  private let source: Locked<Source>
  private let history: InputHistory?
  private let terminalBefore: TerminalSettings?
  private let output: Int32

  /// `output` is where the prompt and the typed line appear; on a pipe nothing does. Tab completes
  /// `words` at the start of a line.
  package init(
    input: Int32 = STDIN_FILENO, output: Int32 = STDERR_FILENO, history: InputHistory? = nil,
    completing words: [String] = [], environment: Environment
  ) {
    self.history = history
    self.output = output
    terminalBefore = TerminalSettings(of: input)
    let hasEditor =
      isatty(input) == 1 && isatty(output) == 1 && environment["TERM"] ?? "dumb" != "dumb"
    guard hasEditor, let keys = TerminalKeys(input: input),
      let editor = LineEditor(keys, input: input, output: output)
    else {
      // A terminal without editing still gets the prompt.
      let prompting = isatty(input) == 1 ? output : nil
      source = Locked(.plain(PlainLines(descriptor: input, promptOn: prompting)))
      return
    }
    editor.complete(words)
    for entry in history?.entries() ?? [] { editor.remember(entry) }
    source = Locked(.editor(editor))
  }

  package func readLine(prompt: String) async throws(Failure) -> Line {
    let outcome = await onOwnThread { [self] in
      Result { () throws(Failure) in
        try source.withLock { (source) throws(Failure) in try source.read(prompt: prompt) }
      }
    }
    let line = try outcome.get()
    if case .text(let text) = line, !text.allSatisfy(\.isWhitespace) { remember(text) }
    return line
  }

  /// Restores the terminal, for leaving while a line is being read.
  package func restoreTerminal() {
    guard let terminalBefore else { return }
    terminalBefore.apply()
    // Turns off bracketed paste.
    try? Output(descriptor: output).write("\u{1B}[?2004l\n")
  }

  private func remember(_ text: String) {
    source.withLock { if case .editor(let editor) = $0 { editor.remember(text) } }
    // A failure to save the history is not worth an interruption.
    try? history?.add(text)
  }

  private enum Source {
    case editor(LineEditor)
    case plain(PlainLines)

    mutating func read(prompt: String) throws(Failure) -> Line {
      switch self {
      case .editor(let editor): return editor.read(prompt: prompt)
      case .plain(var lines):
        defer { self = .plain(lines) }
        return try lines.read(prompt: prompt)
      }
    }
  }
}

/// Lines of a pipe or file.
private struct PlainLines {
  private let descriptor: Int32
  private let promptOn: Int32?
  private var buffer: [UInt8] = []
  private var hasEnded = false
  private static let longestLine = 1 << 20

  init(descriptor: Int32, promptOn: Int32?) {
    self.descriptor = descriptor
    self.promptOn = promptOn
  }

  mutating func read(prompt: String) throws(Failure) -> LineReader.Line {
    if let promptOn { try? Output(descriptor: promptOn).write(TerminalText.line(prompt)) }
    var searched = 0
    while true {
      if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: buffer[..<end], as: UTF8.self)
        buffer.removeSubrange(...end)
        return .text(line.hasSuffix("\r") ? String(line.dropLast()) : line)
      }
      searched = buffer.count
      if hasEnded {
        defer { buffer = [] }
        return buffer.isEmpty ? .end : .text(String(decoding: buffer, as: UTF8.self))
      }
      guard buffer.count <= Self.longestLine else {
        throw Failure(
          .usage, "a line of the input is longer than \(byteCountText(Self.longestLine))",
          suggestion: "pass a text of that length with `--input -`")
      }
      let more = try FileSystem.readSome(descriptor, name: "standard input")
      if more.isEmpty { hasEnded = true } else { buffer += more }
    }
  }
}
