package import RasaCore
import RasaPersona

/// One run as it is compared: its timeline, and the way it took when its persona is known.
package struct ComparedRun: Sendable {
  package var timeline: RunTimeline
  package var walk: JournalFold?

  /// - Parameter timeline: with its rules filled in, when there is a walk to fill them from.
  package init(timeline: RunTimeline, walk: JournalFold?) {
    self.timeline = timeline
    self.walk = walk
  }
}

/// Where two runs part: aligned by step, never by time, so that runs of which parts overlap
/// differently are still the same.
package struct RunComparison: Sendable {
  package enum Subject: Sendable, Hashable {
    /// What the runs were begun with: `input`, `preferences.…`, `persona`.
    case start(String)
    /// A message to a model, by its place and role.
    case prompt(String)
    /// What the answer has to look like.
    case schema
    case model
    case answer
    /// A key of the state that was written.
    case state(String)
    case decision
    /// What a hook answered, by its name and point.
    case hook(String)
    /// Which operator ran, or whether it finished.
    case path
  }

  package struct Difference: Sendable, Hashable {
    package var subject: Subject
    package var left: Value
    package var right: Value

    package init(_ subject: Subject, _ left: Value, _ right: Value) {
      self.subject = subject
      self.left = left
      self.right = right
    }
  }

  /// The first step that is not the same.
  package struct Parting: Sendable {
    /// Nil where a run has no further step.
    package var left: Step?
    package var right: Step?
    package var differences: [Difference]
  }

  package private(set) var start: [Difference] = []
  package private(set) var same: [Step] = []
  package private(set) var parting: Parting?
  /// How many steps come after the parting in each run.
  package private(set) var after = (left: 0, right: 0)
  /// Whether prompts could be worked out on both sides.
  package private(set) var knowsPrompts: Bool

  package init(_ left: ComparedRun, _ right: ComparedRun) {
    knowsPrompts = left.walk != nil && right.walk != nil
    start = Self.start(left.timeline.start, right.timeline.start)
    let first = Self.steps(of: left)
    let second = Self.steps(of: right)
    let known = Set(first.map(\.step))
    let others = Dictionary(second.map { ($0.step, $0) }, uniquingKeysWith: { one, _ in one })
    for (index, step) in first.enumerated() {
      let other = others[step.step]
      let differences = other.map { Self.differences(step, $0) } ?? []
      if other != nil, differences.isEmpty {
        same.append(step.step)
        continue
      }
      let next = other ?? second.first { !known.contains($0.step) }
      parting = Parting(
        left: step.step, right: next?.step,
        differences: other == nil
          ? [Difference(.path, Self.name(step.step), Self.name(next?.step))] : differences)
      after = (first.count - index - 1, second.count - same.count - (next == nil ? 0 : 1))
      return
    }
    if let more = second.first(where: { !known.contains($0.step) }) {
      parting = Parting(
        left: nil, right: more.step, differences: [Difference(.path, .null, Self.name(more.step))])
      after = (0, second.count - same.count - 1)
    }
  }

  private static func name(_ step: Step?) -> Value {
    step.map { .string($0.title) } ?? .null
  }

  // MARK: What is compared

  private struct Compared {
    var step: Step
    var pass: RunTimeline.Pass
    var stop: JournalFold.Stop?
  }

  private static func steps(of run: ComparedRun) -> [Compared] {
    let stops = Dictionary(
      (run.walk?.stops ?? []).map { ($0.step, $0) }, uniquingKeysWith: { one, _ in one })
    let passes = run.timeline.passes.map { pass in
      Compared(step: pass.step, pass: pass, stop: stops[pass.step])
    }
    guard let walk = run.walk else { return passes }
    // The order that counts, where it is known.
    let order = Dictionary(
      walk.stops.enumerated().map { ($1.step, $0) }, uniquingKeysWith: { one, _ in one })
    return passes.enumerated().sorted { left, right in
      (order[left.element.step] ?? .max, left.offset)
        < (order[right.element.step] ?? .max, right.offset)
    }.map(\.element)
  }

  private static func start(_ left: RunStart?, _ right: RunStart?) -> [Difference] {
    guard let left, let right else { return [] }
    var found: [Difference] = []
    func compare(_ name: String, _ first: Value, _ second: Value) {
      for difference in ValueDifference.between(first, second, at: name) {
        found.append(Difference(.start(difference.path), difference.left, difference.right))
      }
    }
    compare("persona", .string(left.persona), .string(right.persona))
    if left.persona == right.persona, left.personaDigest != right.personaDigest {
      compare(
        "persona_digest", .string(String(left.personaDigest.prefix(12))),
        .string(String(right.personaDigest.prefix(12))))
    }
    compare("input", .string(left.input), .string(right.input))
    if left.attachments != right.attachments {
      compare(
        "attachments", .array(left.attachments.map { .object($0.facts) }),
        .array(right.attachments.map { .object($0.facts) }))
    }
    compare("preferences", .object(left.preferences), .object(right.preferences))
    compare(
      "session", left.session.map { .string($0) } ?? .null,
      right.session.map { .string($0) } ?? .null)
    compare("user", .string(left.user), .string(right.user))
    return found
  }

  private static func differences(_ left: Compared, _ right: Compared) -> [Difference] {
    var found: [Difference] = []
    if let first = left.stop?.request, let second = right.stop?.request {
      found += prompts(first, second)
    }
    let calls = (answered(left.pass), answered(right.pass))
    if let first = calls.0, let second = calls.1 {
      if first.model != second.model || first.provider != second.provider {
        found.append(
          Difference(.model, .string(first.name), .string(second.name)))
      }
    }
    let before = found.count
    found += written(left.pass.updates, right.pass.updates)
    // What an operator made of an answer says more than the answer itself.
    if found.count == before, let first = calls.0, let second = calls.1, first.text != second.text {
      found.append(Difference(.answer, .string(first.text), .string(second.text)))
    }
    let hooks = (hooks(left.pass), hooks(right.pass))
    for name in hooks.0.keys + hooks.1.keys.filter({ hooks.0[$0] == nil })
    where hooks.0[name] != hooks.1[name] {
      found.append(Difference(.hook(name), hooks.0[name] ?? .null, hooks.1[name] ?? .null))
    }
    let decisions = (decision(left.pass), decision(right.pass))
    if decisions.0 != decisions.1 {
      found.append(Difference(.decision, decisions.0, decisions.1))
    }
    let ended = (left.pass.finished != nil, right.pass.finished != nil)
    if ended.0 != ended.1 {
      found.append(
        Difference(
          .path, .string(ended.0 ? "ended" : "not ended"),
          .string(ended.1 ? "ended" : "not ended")))
    }
    return found
  }

  private static func answered(_ pass: RunTimeline.Pass) -> RunTimeline.Call? {
    pass.calls.last { call in
      switch call.outcome {
      case .answered, .reused: !call.isHook
      case .open, .failed, .uncertain: false
      }
    }
  }

  /// What hooks answered in it; of those that were asked more than once, the last answer.
  private static func hooks(_ pass: RunTimeline.Pass) -> ValueObject {
    var answers = ValueObject()
    for call in pass.calls {
      guard let (place, hook) = HookPlace.reading(call.key) else { continue }
      switch call.outcome {
      case .answered, .reused: answers["\(place.point.rawValue):\(hook)"] = .string(call.text)
      case .failed(_, let message): answers["\(place.point.rawValue):\(hook)"] = .string(message)
      case .open, .uncertain: break
      }
    }
    return answers
  }

  private static func decision(_ pass: RunTimeline.Pass) -> Value {
    .array(
      pass.questions.compactMap(\.answer).map { answer in
        ["decision": .string(answer.decision.rawValue), "text": answer.text]
      })
  }

  private static func prompts(_ left: ModelRequest, _ right: ModelRequest) -> [Difference] {
    var found: [Difference] = []
    for index in 0..<max(left.messages.count, right.messages.count) {
      let first = index < left.messages.count ? left.messages[index] : nil
      let second = index < right.messages.count ? right.messages[index] : nil
      guard first != second else { continue }
      let role = (first ?? second)?.role.rawValue ?? ""
      let place =
        left.messages.count > 2 || right.messages.count > 2 ? "\(role) \(index + 1)" : role
      found.append(
        Difference(
          .prompt(place), first.map { .string($0.text) } ?? .null,
          second.map { .string($0.text) } ?? .null))
    }
    if left.schema != right.schema {
      found.append(Difference(.schema, left.schema ?? .null, right.schema ?? .null))
    }
    return found
  }

  private static func written(_ left: [Update], _ right: [Update]) -> [Difference] {
    var first = State()
    var second = State()
    first.apply(left)
    second.apply(right)
    return ValueDifference.between(first.value, second.value).map {
      Difference(.state($0.path), $0.left, $0.right)
    }
  }
}

extension RunTimeline.Call {
  /// `provider:model`.
  package var name: String { "\(provider):\(model)" }
}

extension Step {
  /// As people read it: `critic_agent in session_frame, visit 2`.
  package var title: String {
    "\(operatorName) in \(frame)" + (visit > 1 ? ", visit \(visit)" : "")
      + (round > 1 ? ", round \(round)" : "")
  }
}
