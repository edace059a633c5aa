import RasaCore
import RasaPersona

/// The effects of a run, as its journal tells them.
struct JournalFacts: Sendable {
  let start: RunStart
  let startedAt: Timestamp
  let context: Value
  private(set) var changes: [Recording.Change] = []
  /// Everything that was asked and how it came out; in no order that counts.
  private(set) var effects: [Recording.Effect] = []
  /// Passes that have an outcome, with the place of the line that says so.
  private var finished: [Step: Int] = [:]
  /// Why passes were done without.
  private var skipped: [Step: String] = [:]
  /// Why the run failed, and whose failure it was.
  private var failure: Failure?
  private var failing: Failing?

  private enum Failing: Sendable {
    case `operator`(FailedStep)
    case step(Step)
    /// A failure without a line in the journal: a refused reservation leaves none.
    case unrecorded
    /// The run itself, when this pass counted.
    case run(after: Step)
  }
  /// Effects whose last attempt the journal leaves in doubt.
  private var inDoubt: Set<EffectKey> = []
  /// Passes whose calls the journal knows.
  private var stepsWithCalls: Set<Step> = []

  static let noStart = Failure(
    .storage, "the journal does not begin with the start of a run",
    suggestion: "see what there is with `rasa runs show RUN`")

  init(_ entries: [JournalEntry]) throws(Failure) {
    guard let first = entries.first, let start = try RunStart(recordedIn: entries) else {
      throw JournalFacts.noStart
    }
    self.start = start
    startedAt = first.time
    context =
      entries.first { $0.kind == "context.opened" }.map { ConversationContext.flat($0.body) }
      ?? .null
    if let end = entries.last(where: { ["run.finished", "run.failed"].contains($0.kind) }) {
      failure = end.kind == "run.failed" ? Failure(journal: end.body) : nil
    }
    let place = failure?.steps.first
    failure?.withdrawPlace()
    var last: (step: Step, outcome: OperatorOutcome)?
    for (index, entry) in entries.enumerated() where entry.kind == "operator.finished" {
      guard case .operatorFinished(let step, let outcome) = RunEvent(folding: entry) else {
        continue
      }
      finished[step] = finished[step] ?? index
      last = (step, outcome)
      if case .skipped(let reason) = outcome { skipped[step] = reason }
      addRecall(step, outcome)
    }
    if let place { failing = .operator(place) }
    addQuestions(entries, last?.outcome)
    effects += entries.compactMap { ToolOffer($0) }.map { .offer($0) }
    addCalls(entries)
    settleRefusals(entries)
    dropQuestionsInside()
    if failure != nil, failing == nil { failing = last.map { .run(after: $0.step) } }
    addChanges(entries)
  }

  private func after(_ entry: JournalEntry) -> Int64 {
    max(0, entry.time.milliseconds - startedAt.milliseconds)
  }

  // MARK: Effects

  /// Only an operator that recalls can write there.
  private mutating func addRecall(_ step: Step, _ outcome: OperatorOutcome) {
    guard case .wrote(let updates) = outcome,
      let memories = updates.first(where: { $0.path == .memories })?.value
    else { return }
    effects.append(.recall(Recording.Recalled(step: step, memories: memories)))
  }

  private mutating func addCalls(_ entries: [JournalEntry]) {
    var keys: [EffectKey] = []
    var digests: [EffectKey: String] = [:]
    var outcomes: [EffectKey: (Recording.Call.Outcome?, after: Int64)] = [:]
    // The failures that operators received, word for word.
    var exact: Set<EffectKey> = []
    for entry in entries {
      guard let effect = EffectEvent(entry), !effect.key.isQuestionVector else { continue }
      let key = effect.key
      if outcomes[key] == nil { keys.append(key) }
      var outcome: Recording.Call.Outcome?
      inDoubt.remove(key)
      switch effect.phase {
      case .intent(let intent):
        digests[key] = intent.request
        inDoubt.insert(key)
      case .result(let result, _): outcome = Recording.Call.Outcome(result)
      case .reused(let result, _, let request):
        digests[key] = request
        outcome = Recording.Call.Outcome(result)
      case .failed(let failure, _):
        if !failure.isCancelled { outcome = .failure(Failure(.provider, failure.message)) }
      case .uncertain(let doubt, _):
        if doubt.decision == .fail { outcome = .inDoubt(Failure(.run, "the call is in doubt")) }
      case .ended(let failure, _):
        outcome = .failure(failure)
        exact.insert(key)
      }
      outcomes[key] = (outcome, after(entry))
    }
    stepsWithCalls = Set(keys.map(\.step))
    findFailing(keys, outcomes.mapValues { $0.0 })
    for key in keys {
      guard let known = outcomes[key], var outcome = known.0 else { continue }
      if isLast(key, among: keys) {
        if failure != nil, finished[key.step] == nil, !isFailing(key.step) {
          // It may have been answered: nothing came of it any more.
          outcome = .cutOff
        } else if case .failure(let recorded) = outcome {
          outcome = .failure(said(instead: recorded, at: key, isExact: exact.contains(key)))
        } else if case .inDoubt(let recorded) = outcome {
          outcome = .inDoubt(said(instead: recorded, at: key, isExact: false))
        }
      }
      effects.append(
        .call(
          Recording.Call(
            key: key, after: known.after, request: nil, digest: digests[key], outcome: outcome)))
    }
  }

  /// A use of a tool that was not made has a result without an intent. It is told once: by whoever refused it, or
  /// where nobody could be asked by its result.
  private mutating func settleRefusals(_ entries: [JournalEntry]) {
    let events = entries.compactMap { EffectEvent($0) }
    let made = Set(
      events.compactMap { if case .intent = $0.phase { $0.key } else { nil } })
    for event in events where event.kind == .tool && !made.contains(event.key) {
      guard case .result(.tool, _) = event.phase else { continue }
      let key = event.key
      let question = effects.firstIndex {
        if case .question(let asked) = $0 {
          asked.key == key.permission.firstOccurrence
        } else {
          false
        }
      }
      var isToldAlready = events.contains { $0.isRefusal(of: key) }
      if let question, case .question(let asked) = effects[question] {
        if let answer = asked.answer {
          isToldAlready = isToldAlready || ![.approve, .edit].contains(answer.decision)
        } else {
          effects.remove(at: question)
        }
      }
      guard isToldAlready else { continue }
      effects.removeAll { if case .call(let call) = $0 { call.key == key } else { false } }
    }
  }

  /// What a tool asked in the middle of its work is a part of what it returned: a replay does not use it.
  private mutating func dropQuestionsInside() {
    let asking = Set(
      effects.compactMap { effect -> EffectKey? in
        guard case .call(let call) = effect, case .inputRequired = call.outcome else { return nil }
        return call.key.firstOccurrence
      })
    effects.removeAll { effect in
      guard case .question(let asked) = effect, let use = asked.key.useThatAsked else {
        return false
      }
      return !asking.contains(use.firstOccurrence)
    }
  }

  /// Money, keys and the like are nobody's in particular in what the run failed of.
  private mutating func findFailing(
    _ keys: [EffectKey], _ outcomes: [EffectKey: Recording.Call.Outcome?]
  ) {
    guard let failure, failing == nil else { return }
    let open = keys.last { key in
      guard finished[key.step] == nil, outcomes[key]??.isFailure == true else {
        return false
      }
      return isLast(key, among: keys)
    }
    if let open {
      failing = .step(open.step)
    } else if [.budget, .authentication, .configuration, .storage, .provider].contains(failure.kind)
    {
      failing = .unrecorded
    }
  }

  private func isLast(_ key: EffectKey, among keys: [EffectKey]) -> Bool {
    keys.last { $0.step == key.step } == key
  }

  /// What the last failure of an operator's calls led to is known better than from the call's line.
  private func said(
    instead failure: Failure, at key: EffectKey, isExact: Bool
  ) -> Failure {
    if !isExact, let reason = skipped[key.step] { return Failure(failure.kind, reason) }
    guard finished[key.step] == nil, isFailing(key.step), let known = self.failure else {
      return failure
    }
    return known
  }

  private mutating func addQuestions(_ entries: [JournalEntry], _ last: OperatorOutcome?) {
    var asked: [Recording.Asked] = []
    for entry in entries {
      guard let key = entry.key.flatMap({ EffectKey($0) })?.firstOccurrence,
        !key.isQuestionInDoubt
      else { continue }
      switch entry.kind {
      case "human.asked":
        let question = Question(key: key, entry.body)
        guard !asked.contains(where: { $0.key == key && $0.payload == question.payload }) else {
          continue
        }
        asked.append(
          Recording.Asked(
            key: key, after: after(entry), payload: question.payload, answer: nil))
      case "human.answered":
        guard let answer = HumanAnswer(entry.body) else { continue }
        let digest = entry.body["payload_digest"].string
        let place = asked.firstIndex { known in
          known.key == key && known.answer == nil
            && (digest ?? known.payloadDigest) == known.payloadDigest
        }
        if let place {
          asked[place].answer = answer
          asked[place].after = after(entry)
        } else if !asked.contains(where: { $0.key == key && $0.payloadDigest == digest }) {
          // Taken over from the run that this one is a fork of: what was shown is not in the journal.
          asked.append(
            Recording.Asked(key: key, after: after(entry), payload: .null, answer: answer))
        }
      default: break
      }
    }
    // Nobody was there to be asked, or nobody may be.
    if let failure, failure.kind == .approval {
      let isRefusal = failing == nil && (last?.isRejection ?? false)
      let place = asked.lastIndex { question in
        question.answer == nil && (failing == nil || isFailing(question.key.step))
      }
      if !isRefusal, let place {
        asked[place].failure = failure
        failing = .step(asked[place].key.step)
      }
    }
    effects += asked.map { .question($0) }
  }

  /// A fork's changes stand behind what the operator of that pass wrote itself.
  private mutating func addChanges(_ entries: [JournalEntry]) {
    let atBeginning = entries.first { $0.kind == "state.changed" }?.body.object ?? ValueObject()
    for (key, value) in start.fork?.changes ?? ValueObject() {
      var after: Step?
      if atBeginning[key] == nil {
        for entry in entries where after == nil {
          guard case .operatorFinished(let step, .wrote(let updates)) = RunEvent(folding: entry),
            updates.contains(Update(StatePath(key), value))
          else { continue }
          after = step
        }
      }
      changes.append(Recording.Change(after: after, key: key, value: value))
    }
  }

  // MARK: Going through it once more

  func isFinished(_ key: EffectKey) -> Bool {
    var review = key.step
    review.isReview = true
    return finished[key.step] != nil || finished[review] != nil
  }

  private func isFailing(_ step: Step) -> Bool {
    switch failing {
    case .operator(let place): place.isSamePass(as: step)
    case .step(let known): known.isSamePass(as: step)
    case .unrecorded: finished[step] == nil && !stepsWithCalls.contains(step)
    case .run(let last): last == step
    case nil: false
    }
  }

  /// As they finished; what was under way when the run ended comes after, and what ended it last.
  var rank: @Sendable (Step) -> Int {
    { [self] step in
      guard let place = finished[step] else { return isFailing(step) ? .max : .max - 1 }
      if case .run(let last) = failing, last == step { return .max }
      return place
    }
  }

  /// What became of something that has no outcome of its own in the journal; nil where there has to
  /// be one.
  var outcome: @Sendable (EffectKey) -> Recording.Call.Outcome? {
    { [self] key in
      guard !isFinished(key) else { return nil }
      guard let failure, failure.isOfWholeRun || isFailing(key.step) else { return .cutOff }
      let isInDoubt = inDoubt.contains(key) && !failure.isOfWholeRun
      return failure.kind == .run || isInDoubt ? .inDoubt(failure) : .failure(failure)
    }
  }
}

extension Recording.Call.Outcome {
  fileprivate var isFailure: Bool {
    switch self {
    case .failure, .inDoubt: true
    case .answer, .tool, .inputRequired, .cutOff: false
    }
  }

  /// Nil for results that no operator receives.
  fileprivate init?(_ result: EffectResult) {
    switch result {
    case .answer(let answer, _): self = .answer(answer)
    case .tool(let result): self = .tool(result)
    case .inputRequired(let request): self = .inputRequired(request)
    case .value(let value): self = .tool(ToolResult(structured: value))
    case .vectors: return nil
    }
  }
}

extension EffectEvent {
  /// Whether a hook refused that use of a tool before it was made.
  fileprivate func isRefusal(of use: EffectKey) -> Bool {
    guard kind == .hook, let (place, _) = HookPlace.reading(key), place.point == .beforeTool,
      place.step == use.step, place.subject == String(use.labelInAnyRound)
    else { return false }
    switch phase {
    case .result(.value(let value), _), .reused(.value(let value), _, _):
      if case .refuse = HookAnswer(recorded: value) { return true }
      return false
    case .failed, .ended: return true
    default: return false
    }
  }
}

extension OperatorOutcome {
  fileprivate var isRejection: Bool {
    if case .answered(let answer) = self { answer.decision == .reject } else { false }
  }
}
