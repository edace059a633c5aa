package import RasaCore
package import RasaSystem

/// Shows what is running on standard error while it runs: lines that are drawn again in place on a
/// terminal, and, when asked for, one line for each beginning and end.
///
/// Everything else that goes to the same screen meanwhile goes through `write`, so that the lines
/// are out of its way. Showing progress never fails: what cannot be shown is not shown.
package final class ProgressDisplay: Sendable {
  private struct State {
    var model = ProgressModel()
    var shownLines = 0
    /// Whether the cursor stands where a line begins: else an answer is being written there.
    var isAtLineStart = true
    var pauses = 0
    var ticker: Task<Void, Never>?
  }

  private let state = Locked(State())
  private let error: Output
  private let isLive: Bool
  private let isVerbose: Bool
  private let sharedScreen: Bool
  private let style: Style
  private let columns: @Sendable () -> Int
  private let time: TimeSource

  /// - `isLive`: lines may be drawn again in place.
  /// - `isVerbose`: beginnings and ends are also told in lines that stay.
  /// - `sharesScreenWithOutput`: standard output is the same terminal.
  package init(
    error: Output = .error, isLive: Bool, isVerbose: Bool, sharesScreenWithOutput: Bool,
    style: Style, columns: @escaping @Sendable () -> Int, time: TimeSource
  ) {
    self.error = error
    self.isLive = isLive
    self.isVerbose = isVerbose
    self.sharedScreen = sharesScreenWithOutput
    self.style = style
    self.columns = columns
    self.time = time
  }

  /// For the terminal that the program was started in.
  package convenience init(_ terminal: Terminal, isVerbose: Bool, isQuiet: Bool, time: TimeSource) {
    self.init(
      isLive: !isQuiet && terminal.canMoveCursor(on: .error), isVerbose: isVerbose && !isQuiet,
      sharesScreenWithOutput: terminal.outputSharesScreenWithError,
      style: terminal.style(of: .error),
      columns: { terminal.columns(of: .error) ?? 80 }, time: time)
  }

  package func begin(_ id: String, frame: String, operator name: String) {
    guard isLive || isVerbose else { return }
    let now = time.monotonic()
    state.withLock { state in
      state.model.begin(id, frame: frame, operator: name, at: now)
      if isVerbose { say(style.dim("▸ ") + TerminalText.line("\(frame) › \(name)"), &state) }
      redraw(&state)
      if isLive, state.ticker == nil { state.ticker = startTicker() }
    }
  }

  package func update(
    _ id: String, model: String? = nil, tokens: Int64? = nil, cost: Money? = nil
  ) {
    guard isLive || isVerbose else { return }
    // Seen at the next tick: a token more is no reason to draw.
    state.withLock { $0.model.update(id, model: model, tokens: tokens, cost: cost) }
  }

  /// `note` says how it ended when that is worth saying: failed, skipped, sent back.
  package func end(_ id: String, note: String = "") {
    guard isLive || isVerbose else { return }
    let now = time.monotonic()
    let finished: Task<Void, Never>? = state.withLock { state in
      guard let ended = state.model.end(id) else { return nil }
      if isVerbose {
        let text = ended.text(at: now) + (note.isEmpty ? "" : " · \(TerminalText.line(note))")
        say(style.dim("✓ ") + text, &state)
      }
      redraw(&state)
      guard state.model.isEmpty else { return nil }
      defer { state.ticker = nil }
      return state.ticker
    }
    finished?.cancel()
  }

  /// Takes the lines away for good.
  package func finish() {
    let ticker: Task<Void, Never>? = state.withLock { state in
      erase(&state)
      state.model = ProgressModel()
      defer { state.ticker = nil }
      return state.ticker
    }
    ticker?.cancel()
  }

  /// Writes something else to the screen, the lines out of its way. After text that does not end
  /// its line they stay away until that line is ended.
  package func write(_ text: String, to output: Output) throws {
    guard isLive, output.descriptor == error.descriptor || sharedScreen, !text.isEmpty else {
      return try output.write(text)
    }
    try state.withLock { state in
      erase(&state)
      state.isAtLineStart = text.utf8.last == UInt8(ascii: "\n")
      try output.write(text)
    }
  }

  /// Does something that has the screen for itself, such as asking a person.
  package func withScreenFree<Result>(_ body: () async throws -> Result) async rethrows -> Result {
    state.withLock { state in
      state.pauses += 1
      erase(&state)
    }
    defer {
      state.withLock { state in
        state.pauses -= 1
        state.isAtLineStart = true
        redraw(&state)
      }
    }
    return try await body()
  }

  private func startTicker() -> Task<Void, Never> {
    Task { [weak self, time] in
      while (try? await time.sleep(.milliseconds(100))) != nil {
        guard let self else { return }
        self.state.withLock { self.redraw(&$0) }
      }
    }
  }

  private func redraw(_ state: inout State) {
    guard isLive, state.isAtLineStart, state.pauses == 0 else { return }
    let lines = state.model.lines(at: time.monotonic(), columns: columns(), style: style)
    var text = eraseSequence(state.shownLines)
    text += lines.joined(separator: "\n")
    state.shownLines = lines.count
    if !text.isEmpty { try? error.write(text) }
  }

  private func erase(_ state: inout State) {
    guard state.shownLines > 0 else { return }
    try? error.write(eraseSequence(state.shownLines))
    state.shownLines = 0
  }

  private func say(_ line: String, _ state: inout State) {
    erase(&state)
    let lineBreak = state.isAtLineStart || !sharedScreen ? "" : "\n"
    try? error.write("\(lineBreak)\(line)\n")
    state.isAtLineStart = true
  }

  /// The cursor stands at the end of the last line: clears it and those above it.
  private func eraseSequence(_ lines: Int) -> String {
    guard lines > 0 else { return "" }
    return "\r\u{1B}[2K" + String(repeating: "\u{1B}[1A\u{1B}[2K", count: lines - 1)
  }
}
