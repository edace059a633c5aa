package import RasaCore
package import RasaSystem

/// Shows what is running on standard error: lines that are redrawn in place on a terminal, and, if
/// requested, one line per start and end.
///
/// All other output to the same screen goes through `write`, so that the lines are cleared first.
/// Progress never fails: what cannot be shown is not shown.
package final class ProgressDisplay: Sendable {
  private struct State {
    var model = ProgressModel()
    /// The columns of each line that is shown.
    var shownLines: [Int] = []
    /// Whether the cursor is at the start of a line; otherwise an answer is being written there.
    var isAtLineStart = true
    var pauses = 0
    var ticker: Task<Void, Never>?
  }

  private let state = Locked(State())
  private let error: Output
  private let isLive: Bool
  private let isVerbose: Bool
  /// On a terminal that cannot redraw lines, starts are printed: nothing else would move.
  private let announces: Bool
  private let sharedScreen: Bool
  private let style: Style
  private let columns: @Sendable () -> Int
  private let time: TimeSource

  /// - `isLive`: lines may be drawn again in place.
  /// - `isVerbose`: beginnings and ends are also told in lines that stay.
  /// - `announces`: beginnings are told in lines that stay.
  /// - `sharesScreenWithOutput`: standard output is the same terminal.
  package init(
    error: Output = .error, isLive: Bool, isVerbose: Bool, announces: Bool = false,
    sharesScreenWithOutput: Bool,
    style: Style, columns: @escaping @Sendable () -> Int, time: TimeSource
  ) {
    self.error = error
    self.isLive = isLive
    self.isVerbose = isVerbose
    self.announces = announces
    self.sharedScreen = sharesScreenWithOutput
    self.style = style
    self.columns = columns
    self.time = time
  }

  /// For the terminal that the program was started in.
  package convenience init(_ terminal: Terminal, isVerbose: Bool, isQuiet: Bool, time: TimeSource) {
    self.init(
      isLive: !isQuiet && terminal.canMoveCursor(on: .error), isVerbose: isVerbose && !isQuiet,
      announces: !isQuiet && terminal.errorIsTerminal && !terminal.canMoveCursor(on: .error),
      sharesScreenWithOutput: terminal.outputSharesScreenWithError,
      style: terminal.style(of: .error),
      columns: { terminal.columns(of: .error) ?? 80 }, time: time)
  }

  package func begin(_ id: String, frame: String, operator name: String) {
    guard isLive || isVerbose || announces else { return }
    let now = time.monotonic()
    state.withLock { state in
      state.model.begin(id, frame: frame, operator: name, at: now)
      if isVerbose || announces {
        let place = TerminalText.line(style.glyphs.own("\(frame) › \(name)"))
        say(style.dim("\(style.glyphs.pointer) ") + place, &state)
      }
      redraw(&state)
      if isLive, state.ticker == nil { state.ticker = startTicker() }
    }
  }

  package func update(
    _ id: String, model: String? = nil, tokens: Int64? = nil, cost: Money? = nil
  ) {
    guard isLive || isVerbose else { return }
    // Visible at the next tick: one more token is no reason to redraw.
    state.withLock { $0.model.update(id, model: model, tokens: tokens, cost: cost) }
  }

  /// `note` says how it ended if that matters: failed, skipped, sent back.
  package func end(_ id: String, note: String = "") {
    guard isLive || isVerbose else { return }
    let now = time.monotonic()
    let finished: Task<Void, Never>? = state.withLock { state in
      guard let ended = state.model.end(id) else { return nil }
      if isVerbose {
        let text = ended.text(at: now) + (note.isEmpty ? "" : " · \(TerminalText.line(note))")
        say(style.dim("\(style.glyphs.check) ") + style.glyphs.own(text), &state)
      }
      redraw(&state)
      guard state.model.isEmpty else { return nil }
      defer { state.ticker = nil }
      return state.ticker
    }
    finished?.cancel()
  }

  /// Removes the lines for good.
  package func finish() {
    let ticker: Task<Void, Never>? = state.withLock { state in
      erase(&state)
      state.model = ProgressModel()
      defer { state.ticker = nil }
      return state.ticker
    }
    ticker?.cancel()
  }

  /// Writes other output, after clearing the lines. After text that does not end its line they stay
  /// away until that line is ended.
  package func write(_ text: String, to output: Output) throws {
    try write(Array(text.utf8), to: output)
  }

  /// - Parameter endsLine: whether the cursor is then at the start of a line; by default, if the
  ///   last byte is a line feed.
  package func write(_ text: [UInt8], to output: Output, endsLine: Bool? = nil) throws {
    let isSeen = isLive || isVerbose || announces
    guard isSeen, output.descriptor == error.descriptor || sharedScreen, !text.isEmpty else {
      return try output.write(text)
    }
    try state.withLock { state in
      erase(&state)
      state.isAtLineStart = endsLine ?? (text.last == UInt8(ascii: "\n"))
      try output.write(text)
    }
  }

  /// Runs something that needs the screen for itself, such as a question to a person.
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
    state.shownLines = lines.map { displayWidth(printable($0)) }
    if !text.isEmpty { try? error.write(text) }
  }

  private func erase(_ state: inout State) {
    guard !state.shownLines.isEmpty else { return }
    try? error.write(eraseSequence(state.shownLines))
    state.shownLines = []
  }

  private func say(_ line: String, _ state: inout State) {
    erase(&state)
    let lineBreak = state.isAtLineStart || !sharedScreen ? "" : "\n"
    try? error.write("\(lineBreak)\(line)\n")
    state.isAtLineStart = true
  }

  /// The cursor is at the end of the last line: clears it and those above it.
  ///
  /// In a window that has become narrower since, a line takes more than one row.
  private func eraseSequence(_ lines: [Int]) -> String {
    guard !lines.isEmpty else { return "" }
    let columns = max(columns(), 1)
    let rows = lines.reduce(0) { $0 + max(($1 + columns - 1) / columns, 1) }
    return "\r\u{1B}[2K" + String(repeating: "\u{1B}[1A\u{1B}[2K", count: rows - 1)
  }
}
