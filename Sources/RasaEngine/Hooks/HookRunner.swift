package import RasaCore
package import RasaPersona

/// Asks hooks: starts their programs, sends their requests.
package protocol HookRunner: Sendable {
  /// Whether there may be hooks of the user's own.
  var hasOwn: Bool { get }
  /// The user's own hooks that apply there, which come after those of the persona.
  ///
  /// - Parameter place: where they are asked; `HookPlace` says which part of the run that is.
  func hooks(at place: HookPlace) -> [HookDefinition]
  /// Asks once. The answer is a JSON value, or null from a hook that says nothing.
  ///
  /// Is cancelled when the hook's time is over, and has to end what it has started then. Throws a `Failure` for a hook
  /// that gives no answer.
  func ask(_ call: HookCall) async throws -> Value
}

/// One question to a hook.
package struct HookCall: Sendable {
  package var hook: HookDefinition
  package var key: EffectKey
  /// What the hook may look at and change.
  package var payload: ValueObject
  /// The whole document that the hook gets.
  package var document: Value
  /// The same for every attempt at this question.
  package var idempotencyKey: String

  package init(
    hook: HookDefinition, key: EffectKey, payload: ValueObject, document: Value,
    idempotencyKey: String
  ) {
    self.hook = hook
    self.key = key
    self.payload = payload
    self.document = document
    self.idempotencyKey = idempotencyKey
  }
}

/// Where hooks are asked: a point, and what in the run it belongs to.
package struct HookPlace: Sendable, Hashable {
  package var point: HookPoint
  package var step: Step
  /// The effect that it is about, as in `call` or `tool:quote`; empty where it is about the step or the run.
  package var subject: String
  package var occurrence: Int
  package var tool: String?

  /// The pass that stands for a run as a whole. No frame or operator can have such a name.
  static func ofRun(in scope: String?) -> Step {
    Step(frame: (scope.map { "\($0)>" } ?? "") + "(run)", visit: 1, operatorName: "hooks")
  }

  init(
    _ point: HookPoint, step: Step, subject: String = "", occurrence: Int = 1, tool: String? = nil
  ) {
    self.point = point
    self.step = step
    self.subject = subject
    self.occurrence = occurrence
    self.tool = tool
  }

  /// About an effect.
  init(_ point: HookPoint, _ key: EffectKey, tool: String? = nil) {
    self.init(
      point, step: key.step, subject: String(key.labelInAnyRound), occurrence: key.occurrence,
      tool: tool)
  }

  private static let mark = "hook:"
  /// Before the names of the user's own hooks.
  package static let userPrefix = "user."

  /// The key of a hook's effect: `hook:before_model:guard:call`.
  package func key(of hook: String) -> EffectKey {
    step.effect(
      "\(Self.mark)\(point.rawValue):\(hook)" + (subject.isEmpty ? "" : ":\(subject)"),
      occurrence: occurrence)
  }

  /// The place and the hook's name; nil for the key of another kind of effect.
  package static func reading(_ key: EffectKey) -> (place: HookPlace, hook: String)? {
    let label = key.labelInAnyRound
    guard label.utf8.starts(with: mark.utf8) else { return nil }
    let parts = label.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count >= 3, let point = HookPoint(rawValue: String(parts[1])) else { return nil }
    let place = HookPlace(
      point, step: key.step, subject: parts.count > 3 ? String(parts[3]) : "",
      occurrence: key.occurrence)
    return (place, String(parts[2]))
  }
}

/// What a hook answered.
package enum HookAnswer: Sendable, Hashable {
  case pass
  /// The members of the payload that it replaces.
  case change(ValueObject)
  case refuse(reason: String)
  /// It gave no usable answer, and its definition lets that pass.
  case failed(message: String)

  /// What stands for the provider where effects are listed.
  package static let provider = "hook"

  /// As the journal has it.
  package var value: Value {
    switch self {
    case .pass: [:]
    case .change(let members): ["change": .object(members)]
    case .refuse(let reason): ["refuse": .string(reason)]
    case .failed(let message): ["failed": .string(message)]
    }
  }

  /// Nil for a value that no version has written.
  package init?(recorded value: Value) {
    guard let members = value.object else { return nil }
    if let change = members["change"]?.object {
      self = .change(change)
    } else if let reason = members["refuse"]?.string {
      self = .refuse(reason: reason)
    } else if let message = members["failed"]?.string {
      self = .failed(message: message)
    } else {
      self = .pass
    }
  }

  /// Reads what a hook said.
  init(_ said: Value) throws(Failure) {
    if said.isNull {
      self = .pass
      return
    }
    guard let members = said.object else { throw Self.unusable("it is not a JSON object") }
    for key in members.keys where key != "change" && key != "refuse" {
      throw Self.unusable("it has an unknown member `\(key.printable(atMost: 40, ellipsis: "…"))`")
    }
    switch (members["change"] ?? .null, members["refuse"] ?? .null) {
    case (.null, .null): self = .pass
    case (.object(let change), .null): self = change.isEmpty ? .pass : .change(change)
    case (.null, .string(let reason)): self = .refuse(reason: String(reason.prefix(2_000)))
    case (_, .null): throw Self.unusable("`change` is not an object")
    case (.null, _): throw Self.unusable("`refuse` is not a text")
    default: throw Self.unusable("it has both `change` and `refuse`")
    }
  }

  static func unusable(_ what: String) -> Failure {
    Failure(
      .run, "its answer cannot be used: \(what)",
      suggestion: "it may answer `{}`, `{\"change\": {…}}` or `{\"refuse\": \"reason\"}`")
  }
}
