import RasaCore
import RasaEngine
import RasaStore

extension Rasa {
  /// Where two runs diverge. Steps are compared by their place, never by time.
  public struct RunComparison: Sendable {
    /// Something that is not the same in both runs.
    public struct Difference: Sendable, Hashable {
      /// What is different. More subjects may come.
      public struct Subject: Sendable, Hashable, Codable, CustomStringConvertible {
        private enum Name: String, Sendable, Hashable, Codable {
          case start, prompt, schema, model, answer, state, decision, hook, path
        }
        private let name: Name
        private init(_ name: Name) { self.name = name }

        init(of subject: RasaEngine.RunComparison.Subject) {
          name =
            switch subject {
            case .start: .start
            case .prompt: .prompt
            case .schema: .schema
            case .model: .model
            case .answer: .answer
            case .state: .state
            case .decision: .decision
            case .hook: .hook
            case .path: .path
            }
        }

        /// The word that JSON has for it.
        public var description: String { name.rawValue }

        /// What the runs began with.
        public static let start = Subject(.start)
        /// A message to a model.
        public static let prompt = Subject(.prompt)
        /// The form of the answer.
        public static let schema = Subject(.schema)
        /// The model that answered.
        public static let model = Subject(.model)
        /// The answer.
        public static let answer = Subject(.answer)
        /// What an operator wrote.
        public static let state = Subject(.state)
        /// What a person decided.
        public static let decision = Subject(.decision)
        /// What a hook answered.
        public static let hook = Subject(.hook)
        /// Which operator ran, or whether it came to its end.
        public static let path = Subject(.path)
      }

      /// What is different.
      public var subject: Subject
      /// Which of them: a key such as `critique.verdict`, the place and role of a message; empty where
      /// there is only one.
      public var path: String
      /// What the first run has; `null` for nothing.
      public var left: JSON
      /// What the second run has.
      public var right: JSON

      init(_ difference: RasaEngine.RunComparison.Difference) {
        subject = Subject(of: difference.subject)
        path =
          switch difference.subject {
          case .start(let path), .prompt(let path), .state(let path), .hook(let path): path
          case .schema, .model, .answer, .decision, .path: ""
          }
        left = JSON(difference.left)
        right = JSON(difference.right)
      }

      fileprivate var value: Value {
        [
          "what": .string(subject.description), "path": .string(path), "a": left.value,
          "b": right.value,
        ]
      }
    }

    /// The first step that is not the same.
    public struct Divergence: Sendable, Hashable {
      /// The step of the first run; nil when it takes no further one.
      public var left: Step?
      /// The step of the second run; nil when it takes no further one.
      public var right: Step?
      /// What is different in a step that both runs take.
      public var differences: [Difference]
      /// How many steps follow in the first run.
      public var stepsAfterLeft: Int
      /// How many steps follow in the second run.
      public var stepsAfterRight: Int
    }

    /// The first run.
    public var left: Timeline
    /// The second run.
    public var right: Timeline
    /// What the runs began with differently.
    public var start: [Difference]
    /// The steps that are the same.
    public var same: [Step]
    /// Where they diverge; nil when they do not.
    public var divergence: Divergence?
    /// Whether prompts were compared: both runs have to keep a copy of their personas.
    public var knowsPrompts: Bool
    /// Whether both came to the same answer; nil unless both came to one.
    public var hasSameOutput: Bool?
  }

  /// Compares two runs.
  ///
  /// - Throws: A `RasaError` of code `usage` when one of them is not there, or both are the same. A
  ///   damaged journal is no error: see `Timeline.damage` of the two.
  public func compare(
    _ first: String, _ second: String
  ) async throws(RasaError) -> RunComparison {
    try await redacted {
      let left = try await archive.account(of: try await archive.find(first))
      let right = try await archive.account(of: try await archive.find(second))
      guard left.found.id != right.found.id else {
        throw Failure(
          .usage, "\(quoted(first)) and \(quoted(second)) are the same run",
          suggestion: "name two; `rasa runs list` shows them")
      }
      return RunComparison(left, right)
    }
  }
}

extension Rasa.RunComparison {
  init(_ left: RunArchive.Account, _ right: RunArchive.Account) {
    let found = RasaEngine.RunComparison(
      ComparedRun(timeline: left.timeline, walk: left.walk),
      ComparedRun(timeline: right.timeline, walk: right.walk))
    self.left = Rasa.Timeline(left)
    self.right = Rasa.Timeline(right)
    start = found.start.map { Difference($0) }
    same = found.same.map { Rasa.Step($0) }
    divergence = found.parting.map { parting in
      Divergence(
        left: parting.left.map { Rasa.Step($0) }, right: parting.right.map { Rasa.Step($0) },
        differences: parting.differences.map { Difference($0) }, stepsAfterLeft: found.after.left,
        stepsAfterRight: found.after.right)
    }
    knowsPrompts = found.knowsPrompts
    if case .finished(let first) = left.timeline.end,
      case .finished(let second) = right.timeline.end
    {
      hasSameOutput = first == second
    }
  }

  /// The comparison as `rasa runs compare --json` prints it.
  public var json: Rasa.JSON {
    var object: ValueObject = [
      "a": left.account.summary, "b": right.account.summary, "same_steps": .int(Int64(same.count)),
      "knows_prompts": .bool(knowsPrompts), "begin": .array(start.map(\.value)),
      "output_equal": hasSameOutput.map { .bool($0) } ?? .null, "parts_at": .null,
    ]
    if let divergence {
      object["parts_at"] = [
        "a": divergence.left?.value ?? .null, "b": divergence.right?.value ?? .null,
        "differences": .array(divergence.differences.map(\.value)),
        "steps_after": [
          "a": .int(Int64(divergence.stepsAfterLeft)), "b": .int(Int64(divergence.stepsAfterRight)),
        ],
      ]
    }
    return Rasa.JSON(.object(object))
  }
}

extension RunArchive.Account {
  fileprivate var summary: Value {
    let totals = timeline.totals
    return [
      "run": .string(found.id.text), "persona": .string(found.run.record.persona),
      "status": .string(found.run.record.status.rawValue),
      "condition": .string(found.condition.rawValue),
      "calls": .int(Int64(totals.answered)), "reused": .int(Int64(totals.reused)),
      "failed": .int(Int64(totals.failed)), "in_doubt": .int(Int64(totals.doubted)),
      "usage": totals.usage.document,
      "cost_usd": .string(found.run.cost.decimalText),
      "active_ms": .int(timeline.activeMilliseconds),
    ]
  }
}

extension Rasa.Step {
  fileprivate var value: Value {
    [
      "frame": .string(frame), "visit": .int(Int64(visit)), "operator": .string(name),
      "round": .int(Int64(round)),
    ]
  }
}
