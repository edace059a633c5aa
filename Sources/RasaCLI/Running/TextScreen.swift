import RasaCore
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
    var tokens: [Rasa.Step: Int64] = [:]
    /// What models think, up to the next line end.
    var thoughts: [Rasa.Step: String] = [:]
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
    _ console: Console, terminal: Terminal, settings: RunSettings, isCommentary: Bool = false
  ) {
    output = console.output
    protectsOutput = terminal.outputIsTerminal
    errors = console.errors
    self.isCommentary = isCommentary
    // In a file nothing can be taken back, and nobody reads along: it gets the answer when it is whole.
    streams = settings.streams && !isCommentary && !console.output.isRegularFile
    isQuiet = settings.isQuiet
    isVerbose = settings.isVerbose
    showsReasoning = settings.showsReasoning
    self.terminal = terminal
    style = terminal.style(of: .error)
    time = .system
    var state = State()
    if terminal.outputIsTerminal, !isCommentary {
      state.answer = MarkdownText(
        terminal.rendering(isPlain: settings.isPlain), glyphs: terminal.glyphs,
        columns: terminal.columns(of: .output) ?? 80)
    }
    self.state = Locked(state)
    progress = ProgressDisplay(
      terminal, isVerbose: settings.isVerbose,
      isQuiet: settings.isQuiet || (isCommentary && !settings.isVerbose), time: time)
  }

  func show(_ observation: Rasa.Observation) async throws {
    state.withLock { $0.beganAt = $0.beganAt ?? time.monotonic() }
    guard let event = observation.event else { return }
    switch event {
    case .output(let text): if streams { try write(text) }
    case .stepStarted(let step):
      try leaveLineForProgress()
      progress.begin(step.identity, frame: step.frameTitle, operator: step.name)
    case .modelChosen(let step, let provider, let model):
      progress.update(step.identity, model: "\(provider):\(model)")
    case .received(let step, let text): count(text, of: step)
    case .reasoning(let step, let text):
      count(text, of: step)
      if showsReasoning { try think(text, step) }
    case .stepFinished(let step, let calls):
      if showsReasoning { try think("\n", step) }
      try leaveLineForProgress()
      progress.update(
        step.identity, tokens: Int64(calls.map(\.outputTokens).reduce(0, +)),
        cost: Money(calls.map(\.cost).reduce(.zero, +)))
      progress.end(step.identity)
    case .restarted(let step, let restart):
      if restart.wasShown, streams {
        try endLine()
        try say(restart.line(of: step.name))
        // An empty line stands between it and what no longer counts.
        if restart.keptBytes == 0 { try write("\n\n") }
      }
    case .sentBack(let way): if !isQuiet, !isVerbose, terminal.errorIsTerminal { try say(way.line) }
    case .warning(let message): if !isQuiet { try say("warning: \(message)") }
    case .moved(let from, let to, let reason):
      if isVerbose { try say("\(from) → \(to)  (\(reason))") }
    case .tool(let step, let activity): try show(activity, of: step)
    case .started, .asked: break
    // Whom the run was given to was told before it began.
    case .notice(let notice): if !isQuiet, notice.kind != "chosen" { try say(notice.line) }
    }
  }

  /// Shown on a terminal, and elsewhere with `--verbose`.
  private func show(_ activity: Rasa.ToolActivity, of step: Rasa.Step) throws {
    guard !isQuiet, isVerbose || (terminal.errorIsTerminal && !isCommentary) else { return }
    switch activity.phase {
    case .started(let arguments):
      try say(
        "\(step.name) uses \(activity.tool) \(fit(TerminalText.line(arguments.description), to: 100))"
      )
    case .progressed(let done, let total, let message):
      guard isVerbose || !message.isEmpty else { return }
      let share = done.flatMap { done in total.map { " (\(Int($0 > 0 ? 100 * done / $0 : 0)) %)" } }
      try say("\(activity.tool): \(fit(TerminalText.line(message), to: 100))\(share ?? "")")
    case .ended(let isError): if isError { try say("\(activity.tool) failed") }
    }
  }

  private func count(_ text: String, of step: Rasa.Step) {
    let tokens = state.withLock { state in
      // About four bytes a token: a sense of motion, not a bill.
      state.tokens[step, default: 0] += Int64(max(1, text.utf8.count / 4))
      return state.tokens[step] ?? 0
    }
    progress.update(step.identity, tokens: tokens)
  }

  /// Whole lines, each with its operator's name: several may think at the same time.
  private func think(_ text: String, _ step: Rasa.Step) throws {
    let lines = state.withLock { state in
      var lines = ((state.thoughts[step] ?? "") + text)
        .byteLines.map(String.init)
      state.thoughts[step] = lines.popLast()
      return lines
    }
    for line in lines where !line.isEmpty { try say("\(step.name) thinks: \(line)") }
  }

  func finish(_ result: Rasa.RunResult, failure: Failure?) async throws {
    progress.finish()
    if !streams, !isCommentary, !result.output.isNull { try write(result.text) }
    try endLine()
    guard !isQuiet else { return }
    for file in result.files {
      let what =
        "\(file.attachment.summary), \(byteCountText(file.attachment.byteCount))"
      try say(
        file.path.map { "wrote \($0) (\(what))" }
          ?? "the tool returned \(file.attachment.name): \(what)")
    }
    if result.usedMock, !isCommentary {
      try say(
        "the mock model answered: made-up text, \(result.mockReason ?? "as requested")"
          + " (see `rasa doctor`)")
    }
    if !isVerbose, !isCommentary, terminal.outputIsTerminal, terminal.errorIsTerminal,
      result.pending.isEmpty, result.calls > 0
    {
      let began = state.withLock { state in
        defer { state.beganAt = nil }
        return state.beganAt ?? time.monotonic()
      }
      let line = result.closingLine(nanoseconds: time.monotonic() &- began)
      try say(line) { style.dim($0) }
    }
    if isVerbose {
      try say(
        "\(result.run): \(result.calls) calls, \(result.inputTokens) + \(result.outputTokens) tokens"
          + "\(result.isReported ? "" : " (estimated)"), \(result.cost)")
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

extension Rasa.Restart {
  /// What a reader has to know about the text that is on the screen already.
  fileprivate func line(of name: String) -> String {
    switch cause {
    case .reasoning: "\(reason); the answer starts here"
    case .toolCalls: "`\(name)` uses tools first; its answer comes after that"
    case .askedAgain: "`\(name)` is asked again; its answer starts again"
    case .leftOut: "ignore what `\(name)` has written so far"
    default: "the stream broke (\(reason)); the answer starts again"
    }
  }
}

extension Rasa.SentBack {
  /// `sent back: no figures for AMD (1 of 2)`
  fileprivate var line: String {
    let reason = reasons.first.map { TerminalText.line($0) } ?? "\(from) → \(to)"
    let more = reasons.count > 1 ? ", and \(reasons.count - 1) more" : ""
    let count = times.flatMap { times in most.map { " (\(times) of \($0))" } } ?? ""
    return "sent back: \(fit(reason, to: 160))\(more)\(count)"
  }
}

extension Rasa.RunResult {
  /// `gpt-4o-mini · 3.2 s · 812 + 240 tokens · $0.0003 · run r01…`
  fileprivate func closingLine(nanoseconds: UInt64) -> String {
    var models = answeredBy.map { name in
      name.utf8.firstIndex(of: UInt8(ascii: ":")).map { String(name[name.index(after: $0)...]) }
        ?? name
    }
    if models.isEmpty, usedMock { models = ["mock"] }
    var parts = models.isEmpty ? [] : [models.joined(separator: ", ")]
    if usedMock, let first = parts.first, !first.hasBytes("mock") { parts[0] = first + ", mock" }
    if let insteadOf, let first = parts.first { parts[0] = "\(first) instead of \(insteadOf)" }
    parts.append(durationText(milliseconds: Int64(clamping: nanoseconds / 1_000_000)))
    let estimated = isReported ? "" : " (estimated)"
    parts.append("\(inputTokens) + \(outputTokens) tokens\(estimated)")
    parts.append("\(cost)")
    parts.append("run \(run)")
    return parts.joined(separator: " · ")
  }
}

extension Rasa.Step {
  fileprivate var identity: String { "\(frame):\(visit)/\(name)#\(round)" }
}
