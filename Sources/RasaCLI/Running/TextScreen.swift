import RasaCore
import RasaEngine
import RasaKit
import RasaSystem
import RasaTerminal

/// The answer as text on standard output, while it comes or at the end; progress on standard error.
///
/// As a commentary it has standard error alone: the answer goes to a program in another form.
final class TextScreen: RunScreen {
  private struct State {
    var cleaner = TerminalText()
    /// How the answer is laid out on a terminal; nil for a file or a pipe.
    var answer: MarkdownText?
    var isOutputOpen = false
    /// When the run was first heard of, by the monotonic clock.
    var beganAt: UInt64?
    var tokens: [Step: Int64] = [:]
    /// What models think, up to the next line end.
    var thoughts: [Step: String] = [:]
    var isAsking = false
    /// Output that came while a person was being asked.
    var held = ""
  }

  private let output: Output
  /// Whether a terminal has to be protected from what the answer says; a file or a pipe gets it as it
  /// is.
  private let protectsOutput: Bool
  private let errors: Output
  let progress: ProgressDisplay
  private let isCommentary: Bool
  private let streams: Bool
  private let isQuiet: Bool
  private let isVerbose: Bool
  private let showsReasoning: Bool
  private let terminal: Terminal
  private let style: Style
  private let time: TimeSource
  private let state: Locked<State>

  init(
    house: CompositionRoot, terminal: Terminal, settings: RunSettings, isCommentary: Bool = false
  ) {
    output = house.output
    protectsOutput = terminal.outputIsTerminal
    errors = house.errors
    self.isCommentary = isCommentary
    // In a file nothing can be taken back, and nobody reads along: it gets the answer when it is whole.
    streams = settings.streams && !isCommentary && !house.output.isRegularFile
    isQuiet = settings.isQuiet
    isVerbose = settings.isVerbose
    showsReasoning = settings.showsReasoning
    self.terminal = terminal
    style = terminal.style(of: .error)
    time = house.time
    var state = State()
    if terminal.outputIsTerminal, !isCommentary {
      state.answer = MarkdownText(
        terminal.rendering(isPlain: settings.isPlain), glyphs: terminal.glyphs,
        columns: terminal.columns(of: .output) ?? 80)
    }
    self.state = Locked(state)
    progress = ProgressDisplay(
      terminal, isVerbose: settings.isVerbose,
      isQuiet: settings.isQuiet || (isCommentary && !settings.isVerbose), time: house.time)
  }

  func show(_ event: RunProgress) async throws {
    state.withLock { $0.beganAt = $0.beganAt ?? time.monotonic() }
    switch event {
    case .output(let text): if streams { try write(text) }
    case .operatorStarted(let step, _):
      try leaveLineForProgress()
      progress.begin(step.identity, frame: frameTitle(step.frame), operator: step.operatorName)
    case .modelChosen(let step, let provider, let model):
      progress.update(step.identity, model: "\(provider):\(model)")
    case .textArrived(let step, let text): count(text, of: step)
    case .reasoning(let step, let text):
      count(text, of: step)
      if showsReasoning { try think(text, step) }
    case .operatorEnded(let step, let answers):
      if showsReasoning { try think("\n", step) }
      try leaveLineForProgress()
      progress.update(
        step.identity, tokens: answers.map(\.usage.output).reduce(0, +),
        cost: answers.map(\.cost).reduce(.zero, +))
      progress.end(step.identity)
    case .restarted(let step, let restart, let wasShown):
      if wasShown, streams {
        try endLine()
        try say(restart.line(of: step.operatorName))
      }
    case .sentBack(let way): if !isQuiet, !isVerbose, terminal.errorIsTerminal { try say(way.line) }
    case .event(.warned(let message)): if !isQuiet { try say("warning: \(message)") }
    case .event(.moved(let from, let to, let reason)):
      if isVerbose { try say("\(from) → \(to)  (\(reason))") }
    case .event: break
    // Whom the run was given to was told before it began.
    case .notice(let notice): if !isQuiet, notice.kind != .chosen { try say(notice.line) }
    }
  }

  private func count(_ text: String, of step: Step) {
    let tokens = state.withLock { state in
      // About four bytes a token: a sense of motion, not a bill.
      state.tokens[step, default: 0] += Int64(max(1, text.utf8.count / 4))
      return state.tokens[step] ?? 0
    }
    progress.update(step.identity, tokens: tokens)
  }

  /// Whole lines, each with its operator's name: several may think at the same time.
  private func think(_ text: String, _ step: Step) throws {
    let lines = state.withLock { state in
      var lines = ((state.thoughts[step] ?? "") + text)
        .byteLines.map(String.init)
      state.thoughts[step] = lines.popLast()
      return lines
    }
    for line in lines where !line.isEmpty { try say("\(step.operatorName) thinks: \(line)") }
  }

  func finish(_ result: RunResult, of run: Identifier, failure: Failure?) async throws {
    progress.finish()
    if !streams, !isCommentary, !result.output.isNull { try write(result.output.promptText) }
    try endLine()
    guard !isQuiet else { return }
    if result.usedMock, !isCommentary {
      try say(
        "the mock model answered: made-up text, \(result.mockReason ?? "as requested")"
          + " (see `rasa doctor`)")
    }
    if !isVerbose, !isCommentary, terminal.outputIsTerminal, terminal.errorIsTerminal,
      result.waitsFor.isEmpty, result.calls > 0
    {
      let began = state.withLock { state in
        defer { state.beganAt = nil }
        return state.beganAt ?? time.monotonic()
      }
      let line = result.closingLine(run, nanoseconds: time.monotonic() &- began)
      try say(line) { style.dim($0) }
    }
    if isVerbose {
      try say(
        "\(run): \(result.calls) calls, \(result.usage.input) + \(result.usage.output) tokens"
          + "\(result.usage.isReported ? "" : " (estimated)"), \(result.cost)")
    }
  }

  func clear() async {
    progress.finish()
    try? endLine()
  }

  /// A line for the person on standard error, out of the way of everything else.
  func say(_ line: String) throws { try say(line) { $0 } }

  private func say(_ line: String, tint: (String) -> String) throws {
    try leaveLine()
    let text = terminal.laidOut("\(isCommentary ? "rasa: " : "")\(printable(line))", on: .error)
    try progress.write(tint(text) + "\n", to: errors)
  }

  /// Lines about operators that stay on the screen begin on one of their own.
  private func leaveLineForProgress() throws {
    if isVerbose || (!isQuiet && !terminal.canMoveCursor(on: .error)) { try leaveLine() }
  }

  /// On a screen that shows both, a line of an answer ends where another one is told; the answer goes
  /// on below it.
  private func leaveLine() throws {
    guard terminal.outputSharesScreenWithError else { return }
    let rest = state.withLock { state -> [UInt8] in
      var rest = state.answer?.settle() ?? []
      if state.answer?.isInsideLine == true { rest.append(UInt8(ascii: "\n")) }
      state.answer?.lineWasEnded()
      return rest
    }
    if !rest.isEmpty { try progress.write(rest, to: output, endsLine: true) }
  }

  /// Gives the screen to a question; the answer's text waits meanwhile.
  func withScreenFree<Result>(_ body: () async throws -> Result) async throws -> Result {
    try endLine()
    state.withLock { $0.isAsking = true }
    let result: Result
    do {
      result = try await progress.withScreenFree(body)
    } catch {
      state.withLock { $0.isAsking = false }
      throw error
    }
    let held = state.withLock { state in
      state.isAsking = false
      defer { state.held = "" }
      return state.held
    }
    if !held.isEmpty { try write(held) }
    return result
  }

  private func write(_ text: String) throws {
    let columns = terminal.columns(of: .output) ?? 80
    let (shown, isOpen) = state.withLock { state -> ([UInt8], Bool) in
      if state.isAsking {
        state.held += text
        return ([], false)
      }
      let clean = protectsOutput ? state.cleaner.clean(text) : text
      let shown = state.answer?.take(clean, columns: columns) ?? Array(clean.utf8)
      if !shown.isEmpty {
        state.isOutputOpen = state.answer?.isInsideLine ?? (shown.last != UInt8(ascii: "\n"))
      }
      return (shown, state.isOutputOpen)
    }
    if !shown.isEmpty { try progress.write(shown, to: output, endsLine: !isOpen) }
  }

  /// Shows what was held back, and ends the line.
  private func endLine() throws {
    let columns = terminal.columns(of: .output) ?? 80
    let rest = state.withLock { state -> [UInt8] in
      let clean = protectsOutput ? state.cleaner.finish() : ""
      var rest = state.answer?.take(clean, columns: columns) ?? Array(clean.utf8)
      rest += state.answer?.finish() ?? []
      let isOpen = state.answer?.isInsideLine ?? (state.isOutputOpen || !rest.isEmpty)
      if isOpen { rest.append(UInt8(ascii: "\n")) }
      state.answer?.lineWasEnded()
      state.isOutputOpen = false
      return rest
    }
    if !rest.isEmpty { try progress.write(rest, to: output, endsLine: true) }
  }
}

extension Restart {
  /// What a reader has to know about the text that is on the screen already.
  fileprivate func line(of name: String) -> String {
    switch cause {
    case .brokenStream: "the stream broke (\(reason)); the answer starts again"
    case .reasoning: "\(reason); the answer starts here"
    case .askedAgain: "`\(name)` is asked again; its answer starts again"
    case .leftOut: "ignore what `\(name)` has written so far"
    }
  }
}

extension SentBack {
  /// `sent back: no figures for AMD (1 of 2)`
  fileprivate var line: String {
    let reason = reasons.first.map { TerminalText.line($0) } ?? "\(from) → \(to)"
    let more = reasons.count > 1 ? ", and \(reasons.count - 1) more" : ""
    let count = times.flatMap { times in most.map { " (\(times) of \($0))" } } ?? ""
    return "sent back: \(fit(reason, to: 160))\(more)\(count)"
  }
}

extension RunResult {
  /// `gpt-4o-mini · 3.2 s · 812 + 240 tokens · $0.0003 · run r01…`
  fileprivate func closingLine(_ run: Identifier, nanoseconds: UInt64) -> String {
    var models = answeredBy.map { name in
      name.utf8.firstIndex(of: UInt8(ascii: ":")).map { String(name[name.index(after: $0)...]) }
        ?? name
    }
    if models.isEmpty, usedMock { models = ["mock"] }
    var parts = models.isEmpty ? [] : [models.joined(separator: ", ")]
    if usedMock, let first = parts.first, !first.contains("mock") { parts[0] = first + ", mock" }
    if let fallback, let first = parts.first {
      parts[0] = "\(first) instead of \(fallback.insteadOf)"
    }
    parts.append(durationText(milliseconds: Int64(clamping: nanoseconds / 1_000_000)))
    let estimated = usage.isReported ? "" : " (estimated)"
    parts.append("\(usage.input) + \(usage.output) tokens\(estimated)")
    parts.append(cost.displayText)
    parts.append("run \(run)")
    return parts.joined(separator: " · ")
  }
}

extension Step {
  fileprivate var identity: String { "\(frame):\(visit)/\(operatorName)#\(round)" }
}
