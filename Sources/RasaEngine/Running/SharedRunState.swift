import RasaCore
import RasaPersona

/// What running operators share: the output as far as it can be shown, the money spent, and the
/// time that is left.
final class SharedRunState: Sendable {
  private struct Shared {
    var output: LiveOutput
    var spent = Money.zero
    var answers: [ModelAnswer] = []
    var notices: [RunNotice] = []
    /// The last pass of every operator that has come to an end.
    var latest: [OperatorLocation: Step] = [:]
    /// Notices that have been shown and may turn out not to count.
    var shown: Set<RunNotice> = []
    /// Whether there is text worth reading even if the run fails.
    var hasText = false
    /// What the agents in the run want to be remembered.
    var remembered: [(persona: String, facts: Value)] = []
    var taint = Taint()
    /// Files that tools have returned to operators of kind `tool`.
    var files: [Attachment] = []
    /// Whether what earlier runs of the session had taken in has been looked up.
    var knowsSession = false
    /// Nanoseconds of the monotonic clock.
    var deadline: UInt64
    /// How many questions people are being asked, and since when there is one.
    var openQuestions = 0
    var askedSince: UInt64 = 0
    /// Nanoseconds in which people were asked, up to now.
    var asked: UInt64 = 0
    /// When the first text of the output was shown.
    var firstOutputAt: UInt64?

    /// The deadline as it is while people are being asked, which takes nothing of the run's time.
    func deadline(at now: UInt64) -> UInt64 {
      openQuestions > 0 ? deadline &+ (now &- askedSince) : deadline
    }
  }
  private struct OperatorLocation: Hashable {
    var frame: String
    var operatorName: String
    init(_ step: Step) {
      frame = step.frame
      operatorName = step.operatorName
    }
  }
  private let shared: Locked<Shared>
  private let startedAt: UInt64
  /// Nil where only the outer run bounds the time.
  private let seconds: Double?
  /// The state of the run that this one is a part of: money, answers and time are counted there, too.
  private let outer: SharedRunState?

  /// - Parameter seconds: how long the run may take; while a person is asked, the clock stands.
  init(
    parts: [Composition.Part], seconds: Double?, startedAt now: UInt64,
    inside outer: SharedRunState? = nil
  ) {
    self.seconds = seconds
    self.outer = outer
    startedAt = now
    let nanoseconds = UInt64(min(max(seconds ?? .infinity, 0), 1_000_000_000) * 1_000_000_000)
    shared = Locked(Shared(output: LiveOutput(parts: parts), deadline: now &+ nanoseconds))
  }

  func secondsLeft(at now: UInt64) -> Double {
    let deadline = shared.withLock { $0.deadline(at: now) }
    let left = deadline > now ? Double(deadline - now) / 1_000_000_000 : 0
    return min(left, outer?.secondsLeft(at: now) ?? left)
  }

  /// A person is being asked from now on. The clock stops, also for operators that work at the same time.
  func beginAsking(at now: UInt64) {
    shared.withLock { shared in
      if shared.openQuestions == 0 { shared.askedSince = now }
      shared.openQuestions += 1
    }
    outer?.beginAsking(at: now)
  }

  func endAsking(at now: UInt64) {
    shared.withLock { shared in
      shared.openQuestions -= 1
      guard shared.openQuestions == 0 else { return }
      shared.deadline &+= now &- shared.askedSince
      shared.asked &+= now &- shared.askedSince
    }
    outer?.endAsking(at: now)
  }

  /// Text of the output is being shown.
  func noteOutput(at now: @autoclosure () -> UInt64) {
    shared.withLock { shared in
      if shared.firstOutputAt == nil { shared.firstOutputAt = now() }
    }
  }

  /// From the start to the first text of the output; nil where there was none.
  var firstOutputMilliseconds: Int64? {
    shared.withLock { $0.firstOutputAt }.map { Int64(clamping: ($0 &- startedAt) / 1_000_000) }
  }

  /// Nanoseconds in which people were asked, which take nothing of an operator's time.
  func asked(at now: UInt64) -> UInt64 {
    shared.withLock { $0.asked &+ ($0.openQuestions > 0 ? now &- $0.askedSince : 0) }
  }

  /// The time is up: the whole run's, or only that of a part, which another part may make up for.
  func timeoutFailure(at now: UInt64) -> Failure {
    if let outer {
      guard outer.secondsLeft(at: now) > 0 else { return outer.timeoutFailure(at: now) }
      return Failure(
        .timeout, "it took longer than \(secondsText(seconds ?? 0)) seconds",
        suggestion: "raise `limits: {seconds: …}` in its own file, or use a faster model")
    }
    var failure = Failure(
      .timeout, "the run took longer than \(secondsText(seconds ?? 0)) seconds",
      suggestion:
        "`--max-seconds N` gives it more time, as does `limits: {seconds: N}` in the file of the "
        + "persona or agent; or use a faster model", details: [Failure.personsTime])
    failure.isOfWholeRun = true
    return failure
  }

  /// By the whole run.
  var spent: Money { outer?.spent ?? shared.withLock { $0.spent } }

  /// What has come into the whole run, its agents included, and from where.
  var taint: Taint { outer?.taint ?? shared.withLock { $0.taint } }

  func note(_ source: Taint.Source) {
    if let outer { return outer.note(source) }
    shared.withLock { $0.taint.note(source) }
  }

  var files: [Attachment] { outer?.files ?? shared.withLock { $0.files } }

  func note(files: [Attachment]) {
    if let outer { return outer.note(files: files) }
    guard !files.isEmpty else { return }
    shared.withLock { $0.files += files }
  }

  /// True only once.
  func takeSessionTaint() -> Bool {
    if let outer { return outer.takeSessionTaint() }
    return shared.withLock { shared in
      defer { shared.knowsSession = true }
      return !shared.knowsSession
    }
  }

  var remembered: [(persona: String, facts: Value)] { shared.withLock { $0.remembered } }

  func remember(_ facts: Value, of persona: String) {
    if let outer { return outer.remember(facts, of: persona) }
    shared.withLock { $0.remembered.append((persona, facts)) }
  }

  /// Every answer of the run, those of earlier processes included.
  var answers: [ModelAnswer] { shared.withLock { $0.answers } }

  func note(_ answer: ModelAnswer) {
    outer?.note(answer)
    shared.withLock { shared in
      shared.answers.append(answer)
      shared.spent += answer.cost + answer.wasted
    }
  }

  /// Counts what did not become an answer and cost money all the same.
  func pay(_ amount: Money) {
    outer?.pay(amount)
    shared.withLock { $0.spent += amount }
  }

  /// What the run had received, spent and noted before this process resumed it.
  func begin(with answers: [ModelAnswer], spent: Money, notices: [RunNotice]) {
    shared.withLock { shared in
      shared.answers = answers
      shared.spent = spent
      for notice in notices where !shared.notices.contains(notice) { shared.notices.append(notice) }
    }
  }

  /// What the reader of the whole run's output has to know, in order. What is about a text or verdict
  /// that the operator has replaced since is not among it.
  var notices: [RunNotice] {
    if let outer { return outer.notices }
    return shared.withLock { shared in
      shared.notices.filter { notice in
        switch notice.kind {
        case .cut, .continued, .skipped, .objection, .limit: break
        case .fallback, .waiting, .accounting, .chosen, .hook, .context, .recall, .refused,
          .history, .memory:
          return true
        }
        var step = notice.step
        while let known = step {
          if let latest = shared.latest[OperatorLocation(known)], !latest.isSamePass(as: known) {
            return false
          }
          step = known.outer
        }
        return true
      }
    }
  }

  func noteEnd(of step: Step) {
    if let outer { return outer.noteEnd(of: step) }
    shared.withLock { $0.latest[OperatorLocation(step)] = step }
  }

  /// Keeps it for the run's result; false if it need not be shown again.
  func note(_ notice: RunNotice) -> Bool {
    if let outer { return outer.note(notice) }
    return shared.withLock { shared in
      guard !shared.notices.contains(notice) else { return false }
      shared.notices.append(notice)
      return !shared.shown.contains(notice)
    }
  }

  /// Remembers that it is being shown, without keeping it for the result; false when it was before.
  func noteShown(_ notice: RunNotice) -> Bool {
    if let outer { return outer.noteShown(notice) }
    return shared.withLock { shared in
      shared.shown.insert(notice).inserted && !shared.notices.contains(notice)
    }
  }

  /// Whether there is something to read of a run that failed.
  var hasText: Bool { outer?.hasText ?? shared.withLock { $0.hasText } }

  func noteText() {
    if let outer { return outer.noteText() }
    shared.withLock { $0.hasText = true }
  }

  /// Whether nothing of the output has been shown; true only once.
  func takeUnemitted() -> Bool { shared.withLock { $0.output.takeUnemitted() } }

  func emit(_ text: String, of path: StatePath) -> String? {
    shared.withLock { $0.output.emit(text, of: path) }
  }

  func restart(_ path: StatePath) -> Int? { shared.withLock { $0.output.restart(path) } }

  /// What can be shown now; `open` are the parts, as bits, that may still change.
  func advance(open: UInt64, _ state: State) -> String? {
    shared.withLock { shared in
      shared.output.advance { place, path in
        open & (1 << UInt64(min(place, 63))) == 0 ? state[path] : nil
      }
    }
  }
}
