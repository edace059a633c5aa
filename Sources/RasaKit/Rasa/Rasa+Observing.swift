import RasaCore
import RasaEngine
import RasaPersona

extension Rasa {
  /// Something that happened in a run, as an ``Observer`` gets it.
  public struct Observation: Sendable {
    private let source: Source
    private enum Source: Sendable {
      case progress(RunProgress)
      case line(RasaCore.Value)
    }
    /// The event; nil for a line of the journal that is no event of its own.
    public let event: Event?

    init(_ progress: RunProgress) {
      source = .progress(progress)
      event = Event(progress)
    }

    /// What a server tells.
    init(event: Event?, line: RasaCore.Value) {
      source = .line(line)
      self.event = event
    }

    /// What happened as a line of `rasa run --output-format stream-json`; nil for what has none.
    public var json: JSON? {
      switch source {
      case .progress(let progress): progress.line.map { JSON($0) }
      case .line(let line): JSON(line)
      }
    }
  }

  /// Gets what happens in a run at the moment in which it happens, without a queue in between.
  ///
  /// ```swift
  /// let observer = Rasa.Observer { observation in
  ///   if case .output(let text) = observation.event { try await socket.write(text) }
  /// }
  /// ```
  ///
  /// For most programs ``Rasa/Run``, which is a sequence of events, is simpler.
  public struct Observer: Sendable {
    /// Gets everything in order, one after the other. An error that it throws ends the run.
    public var observe: @Sendable (Observation) async throws -> Void
    /// Whether `observe` would return now without waiting for anybody. What it could not take waits for
    /// it, so that it never delays a call that is paid for. Nil for one that never waits.
    public var takesNow: (@Sendable (Observation) -> Bool)?
    /// Whether what happens is withheld until the run is on the disk, so that who reads its ID can rely on
    /// it. Nothing waits for that: it is there with the first call.
    public var waitsForJournal = false
    /// Gets at once what is odd about settings and files and does not stop the run. It may be called from
    /// any thread.
    public var warn: (@Sendable (String) -> Void)?
    /// Gets before each call why which models are asked. It may be called from any thread.
    public var explain: (@Sendable (ModelSelection) -> Void)?

    /// An observer.
    ///
    /// - Parameters:
    ///   - takesNow: Whether `observe` would return now without waiting for anybody.
    ///   - observe: Gets what happens.
    public init(
      takesNow: (@Sendable (Observation) -> Bool)? = nil,
      _ observe: @escaping @Sendable (Observation) async throws -> Void
    ) {
      self.observe = observe
      self.takesNow = takesNow
    }
  }

  /// Why what a step has written so far no longer counts.
  public struct Restart: Sendable, Hashable {
    /// What kind of reason it is. More may come.
    public struct Cause: Sendable, Hashable, Codable, CustomStringConvertible {
      private enum Name: String, Sendable, Hashable, Codable {
        case reasoning
        case brokenStream = "broken_stream"
        case toolCalls = "tool_calls"
        case askedAgain = "asked_again"
        case leftOut = "left_out"
      }
      private let name: Name
      private init(_ name: Name) { self.name = name }

      init(of cause: RasaEngine.Restart.Cause) {
        name =
          switch cause {
          case .brokenStream: .brokenStream
          case .reasoning: .reasoning
          case .toolCalls: .toolCalls
          case .askedAgain: .askedAgain
          case .leftOut: .leftOut
          }
      }

      /// Such as `broken_stream`.
      public var description: String { name.rawValue }

      /// The stream broke, and another attempt begins.
      public static let brokenStream = Cause(.brokenStream)
      /// The text was no answer: the model was thinking.
      public static let reasoning = Cause(.reasoning)
      /// The model went on to call tools: the text was not its answer.
      public static let toolCalls = Cause(.toolCalls)
      /// The operator asks again.
      public static let askedAgain = Cause(.askedAgain)
      /// The operator failed, and the run continues without it.
      public static let leftOut = Cause(.leftOut)
    }

    /// What kind of reason it is.
    public var cause: Cause
    /// What happened.
    public var reason: String
    /// Whether some of the text was given as output already.
    public var wasShown: Bool
    /// How many bytes of the output so far still count; nil where none is taken back.
    public var keptBytes: Int?

    init(_ restart: RasaEngine.Restart) {
      cause = Cause(of: restart.cause)
      reason = restart.reason
      wasShown = restart.wasShown
      keptBytes = restart.keeps
    }
  }

  /// A route that led back to an earlier operator.
  public struct SentBack: Sendable, Hashable, Codable {
    /// The operator that sent it back.
    public var from: String
    /// The operator that runs again.
    public var to: String
    /// What the operator that sent it back had to say.
    public var reasons: [String]
    /// How often the route has been taken by now; nil for one without a bound.
    public var times: Int?
    /// How often it may be taken.
    public var most: Int?

    init(_ way: RasaEngine.SentBack) {
      from = way.from
      to = way.to
      reasons = way.reasons
      times = way.times
      most = way.most
    }
  }
}

extension RunProgress {
  /// The event as a line of `stream-json`; nil for what is not shown there.
  fileprivate var line: Value? {
    func step(_ type: String, _ step: Step, _ more: (String, Value)...) -> Value {
      .object(
        ValueObject(
          [
            ("type", .string(type)), ("frame", .string(step.frame)),
            ("visit", .int(Int64(step.visit))), ("operator", .string(step.operatorName)),
          ] + more))
    }
    switch self {
    case .event(.operatorFinished), .event(.contextOpened), .event(.finished): return nil
    case .event(let event):
      var value = event.body.object ?? ValueObject()
      value["type"] = .string(event.kind)
      return .object(value)
    case .operatorStarted(let at, let kind):
      return step("operator.started", at, ("kind", .string(kind)))
    case .modelChosen(let at, let provider, let model):
      return step("model.chosen", at, ("provider", .string(provider)), ("model", .string(model)))
    case .textArrived, .sentBack: return nil
    case .restarted(let at, let restart):
      return step(
        "restart", at, ("reason", .string(restart.reason)), ("was_shown", .bool(restart.wasShown)),
        ("keeps_bytes", restart.keeps.map { .int(Int64($0)) } ?? .null))
    case .operatorEnded(let at, let answers):
      return step("operator.ended", at, ("calls", .array(answers.map { .object($0.line) })))
    case .output(let text): return ["type": "text", "text": .string(text)]
    case .reasoning(let at, let text): return step("reasoning", at, ("text", .string(text)))
    case .tool(let at, let activity):
      let tool = ("tool", Value.string(activity.tool))
      let use = ("use", Value.string(activity.key.description))
      switch activity.phase {
      case .started(let arguments):
        return step("tool.started", at, tool, use, ("arguments", arguments))
      case .progressed(let progress):
        return step(
          "tool.progress", at, tool, use, ("done", progress.done.map { .double($0) } ?? .null),
          ("total", progress.total.map { .double($0) } ?? .null),
          ("message", .string(progress.message)))
      case .ended(let isError, let bytes):
        return step(
          "tool.ended", at, tool, use, ("is_error", .bool(isError)), ("bytes", .int(Int64(bytes))))
      }
    case .notice(let notice):
      var value = notice.value.object ?? ValueObject()
      value["type"] = "notice"
      return .object(value)
    }
  }
}

extension ModelAnswer {
  fileprivate var line: ValueObject {
    var call: ValueObject = [
      "provider": .string(provider), "model": .string(model),
      "input_tokens": .int(usage.input), "output_tokens": .int(usage.output),
      "finish": .string(finish.rawValue), "cost_usd": .string(cost.decimalText),
      "mock": .bool(isMock),
    ]
    if let fallback {
      call["instead_of"] = .string(fallback.insteadOf)
      call["because"] = .string(fallback.because)
    }
    return call
  }
}
