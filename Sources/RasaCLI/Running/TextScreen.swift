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
    var isOutputOpen = false
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
  private let state = Locked(State())

  init(house: House, terminal: Terminal, settings: RunSettings, isCommentary: Bool = false) {
    output = house.output
    protectsOutput = terminal.outputIsTerminal
    errors = house.errors
    self.isCommentary = isCommentary
    // In a file nothing can be taken back, and nobody reads along: it gets the answer when it is whole.
    streams = settings.streams && !isCommentary && !house.output.isRegularFile
    isQuiet = settings.isQuiet
    isVerbose = settings.isVerbose
    showsReasoning = settings.showsReasoning
    progress = ProgressDisplay(
      terminal, isVerbose: settings.isVerbose,
      isQuiet: settings.isQuiet || (isCommentary && !settings.isVerbose), time: house.time)
  }

  func show(_ event: RunProgress) async throws {
    switch event {
    case .output(let text): if streams { try write(text) }
    case .operatorStarted(let step, _):
      progress.begin(step.identity, frame: frameTitle(step.frame), operator: step.operatorName)
    case .modelChosen(let step, let provider, let model):
      progress.update(step.identity, model: "\(provider):\(model)")
    case .textArrived(let step, let text): count(text, of: step)
    case .reasoning(let step, let text):
      count(text, of: step)
      if showsReasoning { try think(text, step) }
    case .operatorEnded(let step, let answers):
      if showsReasoning { try think("\n", step) }
      progress.update(
        step.identity, tokens: answers.map(\.usage.output).reduce(0, +),
        cost: answers.map(\.cost).reduce(.zero, +))
      progress.end(step.identity)
    case .restarted(_, let reason, let wasShown):
      if wasShown, streams {
        try endLine()
        try say("the stream broke (\(reason)); the answer starts again")
      }
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
        "the mock model answered: made-up text, \(result.mockReason ?? "as it was asked to")"
          + " (see `rasa doctor`)")
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
  func say(_ line: String) throws {
    try progress.write("\(isCommentary ? "rasa: " : "")\(printable(line))\n", to: errors)
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
    let clean: String? = state.withLock { state in
      if state.isAsking {
        state.held += text
        return nil
      }
      let clean = protectsOutput ? state.cleaner.clean(text) : text
      if !clean.isEmpty { state.isOutputOpen = clean.utf8.last != UInt8(ascii: "\n") }
      return clean
    }
    if let clean, !clean.isEmpty { try progress.write(clean, to: output) }
  }

  private func endLine() throws {
    let rest = state.withLock { state in
      defer { state.isOutputOpen = false }
      let rest = protectsOutput ? state.cleaner.finish() : ""
      return rest + (state.isOutputOpen || !rest.isEmpty ? "\n" : "")
    }
    if !rest.isEmpty { try progress.write(rest, to: output) }
  }
}

extension Step {
  fileprivate var identity: String { "\(frame):\(visit)/\(operatorName)#\(round)" }
}
