package import RasaCore

/// The effects of a run by key: an index of its journal. A resumed run consults it before it
/// performs anything.
package struct EffectLog: Sendable {
  /// An effect that has a result.
  package struct Done: Sendable {
    package var key: EffectKey
    /// The digest of what was asked.
    package var request: String
    package var result: EffectResult
  }
  private enum RequestMatch {
    case unique(Int)
    /// The same was asked in several places.
    case ambiguous
  }

  /// In the order of the journal.
  package private(set) var done: [Done] = []
  /// What was paid for, answers or not, in this run itself.
  package private(set) var spent = Money.zero
  private var positions: [EffectKey: Int] = [:]
  /// By operator and request.
  private var byRequest: [String: RequestMatch] = [:]
  private var intents: [Identifier: InDoubtEffect] = [:]
  /// What was given up as uncertain, or cut off, and not asked for again yet.
  private var doubted: [EffectKey: InDoubtEffect] = [:]
  private var latest: [String: Int] = [:]
  /// How many attempts have an intent.
  private var attempts: [EffectKey: Int] = [:]
  private var questions: [EffectKey: String] = [:]
  private var decisions: [EffectKey: (payloadDigest: String, answer: HumanAnswer)] = [:]
  /// What agents that finished inside the run want to be remembered.
  package var delegated: [(persona: String, facts: Value)] { Array(remembered.values) }
  private var remembered: [String: (persona: String, facts: Value)] = [:]
  /// The lines of agents inside the run, which continue from them.
  private var lines: [String: [JournalEntry]] = [:]
  private var permissions: [EffectKey: ToolPermissionRecord] = [:]
  /// What tools were used with, the last time at each place.
  private var arguments: [EffectKey: Value] = [:]
  /// What the run has taken in, as far as its lines tell.
  private(set) var taint = Taint()
  private var finished: [(sequence: Int, step: Step, updates: [Update])] = []
  /// The tools that operators had.
  private var offers: [EffectKey: ToolOffer] = [:]
  private var recalls: Set<EffectKey> = []
  /// Passes of operators that have written something or were left out, in order.
  private(set) var finishedSteps: [Step] = []

  package init() {}

  /// - Parameter entries: a run's journal from its beginning.
  package init(_ entries: some Sequence<JournalEntry>) {
    for (index, entry) in entries.enumerated() { note(entry, sequence: index + 1) }
  }

  private mutating func note(_ entry: JournalEntry, sequence: Int) {
    if let scope = entry.key, entry.kind.hasPrefix("agent.") {
      lines[scope, default: []].append(entry)
      if entry.kind == "agent.finished", !entry.body["remembered"].isNull {
        remembered[scope] = (entry.body["persona"].string ?? "", entry.body["remembered"])
      }
      return
    }
    if let scope = entry.key, Self.isTold(entry.kind) {
      lines[scope, default: []].append(entry)
      if entry.kind != "operator.finished" { return }
    }
    if entry.kind == "operator.finished" {
      switch RunEvent(folding: entry) {
      case .operatorFinished(let step, .wrote(let updates)):
        finished.append((sequence, step, updates))
        let recalled = updates.last { $0.path == .memories }
        for source in recalled?.value.memoryTaint ?? [] { taint.note(source) }
        finishedSteps.append(step)
      case .operatorFinished(let step, .skipped): finishedSteps.append(step)
      default: break
      }
      return
    }
    if let effect = EffectEvent(entry) { return note(effect) }
    if let offer = ToolOffer(entry) {
      offers[offer.key] = offer
      return
    }
    guard let key = entry.key.flatMap({ EffectKey($0) }) else { return }
    switch entry.kind {
    case RecallRecord.kind: recalls.insert(key)
    case "tool.permitted", "tool.refused":
      guard let record = ToolPermissionRecord(entry) else { return }
      permissions[key] = record
      if record.refusal == nil { taint.note(Taint.Source(record.flow, "`\(record.tool)`")) }
    case "human.asked":
      questions[key] = Question(key: key, entry.body).payloadDigest
    case "human.answered":
      guard let answer = HumanAnswer(entry.body) else { return }
      let digest = entry.body["payload_digest"].string ?? questions[key] ?? ""
      decisions[key] = (digest, answer)
    default: break
    }
  }

  private mutating func note(_ effect: EffectEvent) {
    let key = effect.key
    switch effect.phase {
    case .intent(let intent):
      guard !intent.attempt.text.isEmpty else { return }
      latest[key.withoutOccurrence] = max(latest[key.withoutOccurrence] ?? 0, key.occurrence)
      intents[intent.attempt] = InDoubtEffect(key: key, intent: intent)
      if case .tool(_, let used) = intent.subject { arguments[key] = used }
      attempts[key, default: 0] += 1
    case .result(let result, let attempt):
      guard !attempt.text.isEmpty else { return }
      let request = intents.removeValue(forKey: attempt)?.intent.request ?? ""
      spent += result.cost
      keep(effect.kind, key, request, result)
    case .reused(let result, _, let request):
      latest[key.withoutOccurrence] = max(latest[key.withoutOccurrence] ?? 0, key.occurrence)
      keep(effect.kind, key, request, result)
    case .failed(let failure, let attempt):
      let open = intents.removeValue(forKey: attempt)
      // Who was cut off may have been answered whole; what failed otherwise is asked as something new.
      doubted[key] = failure.isCancelled ? open : nil
      spent += failure.cost
    case .uncertain(let doubt, let attempt):
      doubted[key] = intents.removeValue(forKey: attempt)
      spent += doubt.cost
    case .ended: break
    }
  }

  private mutating func keep(
    _ kind: EffectKind, _ key: EffectKey, _ request: String, _ result: EffectResult
  ) {
    positions[key] = done.count
    let name = EffectLog.name(key, request)
    byRequest[name] = byRequest[name] == nil ? .unique(done.count) : .ambiguous
    done.append(Done(key: key, request: request, result: result))
  }

  private static func isTold(_ kind: String) -> Bool {
    ["frame.entered", "run.moved", "run.warned", "run.objected", "operator.finished"]
      .contains(kind)
  }

  private static func name(_ key: EffectKey, _ request: String) -> String {
    "\(key.operatorName)/\(key.kind)/\(request)"
  }
}

extension EffectLog {
  /// The answers of models, in the order of the journal.
  package var answers: [ModelAnswer] {
    done.compactMap { if case .answer(let answer, _) = $0.result { answer } else { nil } }
  }

  /// What is recorded under this key, whatever the request was.
  package func done(at key: EffectKey) -> Done? { positions[key].map { done[$0] } }

  /// The result of exactly this request: under this key, or wherever the operator made it, if that was
  /// in only one place.
  package func done(_ request: String, at key: EffectKey) -> Done? {
    if let known = done(at: key), known.request == request { return known }
    guard case .unique(let position) = byRequest[EffectLog.name(key, request)] else { return nil }
    return done[position]
  }

  /// Whether it is on record what was left out when something was recalled there.
  func hasRecalled(_ key: EffectKey) -> Bool { recalls.contains(key) }

  /// The tools that were offered there.
  package func offer(at key: EffectKey) -> ToolOffer? { offers[key] }

  /// How many attempts at this effect have begun.
  func attempts(at key: EffectKey) -> Int { attempts[key] ?? 0 }

  /// Attempts at this place that were in flight when the journal ended, the earliest first.
  func open(at key: EffectKey) -> [InDoubtEffect] {
    intents.values.filter { $0.key == key }
      .sorted { $0.intent.attempt.text < $1.intent.attempt.text }
  }

  /// The attempt at this place that was given up as uncertain, when its process ended before it asked
  /// again.
  func doubted(at key: EffectKey) -> InDoubtEffect? { doubted[key] }

  /// The same for calls to models.
  package func doubt(at key: EffectKey) -> UncertainCall? {
    doubted[key].flatMap { UncertainCall($0.key, $0.intent) }
  }

  /// The lines about what works inside the run under that name, in order.
  func lines(in scope: String) -> [JournalEntry] { lines[scope] ?? [] }

  /// Calls to models that were in flight when the journal ended.
  package var uncertain: [UncertainCall] {
    intents.values.compactMap { UncertainCall($0.key, $0.intent) }
      .sorted { $0.reservation.text < $1.reservation.text }
  }

  /// The last try that an operator is known to have made at an effect; 0 when there was none.
  package func tries(of key: EffectKey) -> Int { latest[key.withoutOccurrence] ?? 0 }

  package func humanAnswer(at key: EffectKey, payloadDigest: String) -> HumanAnswer? {
    guard let known = decisions[key], known.payloadDigest == payloadDigest else { return nil }
    return known.answer
  }

  /// What a tool was used with there; nil where it was not, or another run's result was taken over.
  func arguments(at key: EffectKey) -> Value? { arguments[key] }

  /// What was decided about a use of a tool.
  func permission(at key: EffectKey) -> ToolPermissionRecord? { permissions[key] }

  /// Whether a draft or output is among what was written.
  var hasWrittenText: Bool {
    finished.contains { _, _, updates in
      updates.contains { update in
        ["draft", "output"].contains(update.path.key) && !update.value.promptText.isEmpty
      }
    }
  }

  /// What the operator wrote in that step.
  package func updates(of step: Step) -> [Update]? {
    finished.first { $0.step == step }?.updates
  }

  /// The last step that wrote something, or wrote this key.
  package func lastStep(writing key: String? = nil) -> Step? {
    finished.last {
      !$0.step.isInside && (key == nil || $0.updates.contains { $0.path.key == key })
    }?.step
  }
}

/// An attempt whose intent is recorded and whose outcome is not.
struct InDoubtEffect: Sendable, Hashable {
  var key: EffectKey
  var intent: EffectIntent
}

extension EffectKey {
  /// The effect without its occurrence.
  fileprivate var withoutOccurrence: String { "\(frame):\(visit)/\(operatorName)/\(label)" }
  /// The label without the round that it was asked in.
  fileprivate var kind: Substring { label.prefix { $0 != "@" } }
}
