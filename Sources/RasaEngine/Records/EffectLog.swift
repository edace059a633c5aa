package import RasaCore

/// What a run has had from the outside, by identity: an index of its journal, which a run that goes
/// on asks before it asks anyone.
package struct EffectLog: Sendable {
  package struct Call: Sendable {
    package var key: EffectKey
    /// The digest of what was asked.
    package var request: String
    package var answer: ModelAnswer
  }

  /// In the order of the journal.
  package private(set) var calls: [Call] = []
  /// What was paid for, answers or not, in this run itself.
  package private(set) var spent = Money.zero
  private var places: [EffectKey: Int] = [:]
  /// Answers by operator and request; nil where the same was asked in several places.
  private var byRequest: [String: Int?] = [:]
  private var intents: [Identifier: (call: UncertainCall, request: String)] = [:]
  /// What the provider may know a call by that was given up as uncertain, or cut off, and not asked
  /// again yet.
  private var doubted: [EffectKey: UncertainCall] = [:]
  private var latest: [String: Int] = [:]
  private var questions: [EffectKey: String] = [:]
  private var answers: [EffectKey: (payloadDigest: String, answer: HumanAnswer)] = [:]
  /// What those want to be remembered that have come to their end inside the run.
  package var delegated: [(persona: String, facts: Value)] { Array(remembered.values) }
  private var remembered: [String: (persona: String, facts: Value)] = [:]
  /// The lines of what works inside the run, which go on from them.
  private var lines: [String: [JournalEntry]] = [:]
  private var finished: [(sequence: Int, step: Step, updates: [Update])] = []
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
        finishedSteps.append(step)
      case .operatorFinished(let step, .skipped): finishedSteps.append(step)
      default: break
      }
      return
    }
    guard let key = entry.key.flatMap({ EffectKey($0) }) else { return }
    let body = entry.body
    let reservation = body["reservation"].string.map { Identifier($0) }
    switch entry.kind {
    case "call.intent":
      guard let reservation else { return }
      let place = key.place
      latest[place] = max(latest[place] ?? 0, key.occurrence)
      let call = UncertainCall(
        key: key, reservation: reservation, provider: body["provider"].string ?? "",
        model: body["model"].string ?? "", amount: Money(body["estimate"]["cost"]) ?? .zero,
        idempotencyKey: body["idempotency"].string ?? reservation.text,
        cap: body["uncapped"] == true ? nil : body["cap"].int ?? body["estimate"]["output"].int,
        adaptations: body["adapted"].string ?? "")
      intents[reservation] = (call, body["request"].string ?? "")
    case "call.result":
      guard let reservation else { return }
      let request = intents.removeValue(forKey: reservation)?.request ?? ""
      let answer = ModelAnswer(body)
      spent += answer.cost
      keep(Call(key: key, request: request, answer: answer))
    case "call.reused":
      latest[key.place] = max(latest[key.place] ?? 0, key.occurrence)
      keep(Call(key: key, request: body["request"].string ?? "", answer: ModelAnswer(body)))
    case "call.failed", "call.uncertain":
      let call = reservation.flatMap { intents.removeValue(forKey: $0)?.call }
      // Who was cut off may have been answered whole; what failed otherwise is asked as something new.
      let mayBeAnswered = entry.kind == "call.uncertain" || body["reason"] == "cancelled"
      doubted[key] = mayBeAnswered ? call : nil
      spent += Money(body["cost"]) ?? .zero
    case "human.asked":
      questions[key] = Question(key: key, body).payloadDigest
    case "human.answered":
      guard let answer = HumanAnswer(body) else { return }
      let digest = body["payload_digest"].string ?? questions[key] ?? ""
      answers[key] = (digest, answer)
    default: break
    }
  }

  private mutating func keep(_ call: Call) {
    places[call.key] = calls.count
    let name = EffectLog.name(call.key, call.request)
    byRequest[name] = byRequest[name] == nil ? .some(calls.count) : .some(nil)
    calls.append(call)
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
  /// The answer recorded at this place, whatever was asked there.
  package func answer(at key: EffectKey) -> Call? { places[key].map { calls[$0] } }

  /// The answer to this very request: at this place, else wherever the operator asked it, when that
  /// was in one place only.
  package func answer(to request: String, at key: EffectKey) -> Call? {
    if let call = answer(at: key), call.request == request { return call }
    guard case .some(.some(let place)) = byRequest[EffectLog.name(key, request)] else { return nil }
    return calls[place]
  }

  /// Attempts at this place that were in flight when the journal ended, the earliest first.
  package func uncertain(at key: EffectKey) -> [UncertainCall] {
    uncertain.filter { $0.key == key }
  }

  /// The attempt at this place that was given up as uncertain, when its process ended before it asked
  /// again.
  package func doubt(at key: EffectKey) -> UncertainCall? { doubted[key] }

  /// The lines about what works inside the run under that name, in order.
  func lines(in scope: String) -> [JournalEntry] { lines[scope] ?? [] }

  package var uncertain: [UncertainCall] {
    intents.values.map(\.call).sorted { $0.reservation.text < $1.reservation.text }
  }

  /// The last try that an operator is known to have made at an effect; 0 when there was none.
  package func tries(of key: EffectKey) -> Int { latest[key.place] ?? 0 }

  package func humanAnswer(at key: EffectKey, payloadDigest: String) -> HumanAnswer? {
    guard let known = answers[key], known.payloadDigest == payloadDigest else { return nil }
    return known.answer
  }

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

extension EffectKey {
  /// The effect without its occurrence.
  fileprivate var place: String { "\(frame):\(visit)/\(operatorName)/\(label)" }
  /// The label without the round that it was asked in.
  fileprivate var kind: Substring { label.prefix { $0 != "@" } }
}
