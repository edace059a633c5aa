import RasaCore
import RasaEngine

extension Rasa {
  /// What was found wrong with a persona or an agent, and odd about it.
  public struct Validation: Sendable, Hashable {
    /// What keeps it from being run, each with its place.
    public var problems: [RasaError]
    /// What is odd about it.
    public var warnings: [String]
    /// How many models' answers one run takes at most; nil for what cannot be run.
    public var mostCalls: Int?
    /// The tools that it can use without a person on the way, by rules and by what they are declared to do.
    public var unattendedTools: [UnattendedTool]
    /// Whether it can be run.
    public var isValid: Bool { problems.isEmpty }

    init(_ findings: DefinitionFindings) {
      problems = findings.failures.map { RasaError($0) }
      warnings = findings.warnings.map(\.description)
      mostCalls = findings.mostCalls
      unattendedTools = findings.unattended.map { UnattendedTool($0) }
    }
  }

  /// A tool that can be used without a person on the way.
  public struct UnattendedTool: Sendable, Hashable {
    /// The tool, as its operator names it.
    public var tool: String
    /// The operator that can use it.
    public var name: String
    /// Where the operator stands.
    public var place: String
    /// Why nobody is asked.
    public var because: String
    /// Whether it may change something.
    public var mayChange: Bool
    /// As `rasa personas validate --json` prints it.
    public var json: JSON

    init(_ found: RasaEngine.UnattendedTool) {
      tool = found.tool
      name = found.operatorName
      place = found.location.description
      because = found.because
      mayChange = found.mayChange
      json = JSON(
        .object([
          "tool": .string(tool), "operator": .string(name), "location": .string(place),
          "because": .string(because), "may_change": .bool(mayChange),
        ]))
    }
  }

  /// Everything that is wrong with a persona, at once.
  ///
  /// - Parameter name: Its name, alias or path.
  public func validate(persona name: String) async throws(RasaError) -> Validation {
    try await prepared { rasa throws(Failure) in
      Validation(rasa.composition.findings(onPersona: name))
    }
  }

  /// Everything that is wrong with an agent, at once.
  ///
  /// - Parameter id: Its id, name or path.
  public func validate(agent id: String) async throws(RasaError) -> Validation {
    try await prepared { rasa throws(Failure) in Validation(rasa.composition.findings(onAgent: id))
    }
  }
}

// MARK: Dry run

extension Rasa {
  /// What a run would ask, and what that costs at most. Nobody has been asked.
  public struct Forecast: Sendable, Hashable {
    /// One call of a model, as it would be asked first.
    public struct Call: Sendable, Hashable {
      /// The frame that it belongs to.
      public var frame: String
      /// The frame as people read it: `planner › short_term_frame` for one of delegated work.
      public var frameTitle: String { RasaEngine.frameTitle(frame) }
      /// The operator that asks.
      public var name: String
      /// The provider that would be asked.
      public var provider: String
      /// The model that would be asked.
      public var model: String
      /// The tokens of its prompt.
      public var inputTokens: Int
      /// The tokens that its answer may have.
      public var outputTokens: Int
      /// What one such call costs at most; nil where the price is not known.
      public var cost: Dollars?
      /// How often it is made at most, repairs and further tries included.
      public var most: Int
      /// Whether the answer has a bound. Otherwise `outputTokens` is what is likely.
      public var isBounded: Bool
      /// The JSON Schema of the answer; nil for a text.
      public var schema: JSON?
      /// The files that the model is shown.
      public var attachments: [Attachment]
      /// How many tokens each of them is.
      public var attachmentTokens: [Int]
      /// Why which models would be asked; nil unless that was wanted.
      public var selection: ModelSelection?
      /// What the model is shown, with `‹key›` where a run puts what others wrote before.
      public var messages: [ModelRequest.Message]
    }

    /// The calls, in the order of the persona.
    public var calls: [Call]
    /// What all of it costs at most, every loop and repair taken, as far as prices are known.
    public var mostCost: Dollars
    /// Whether the prices of all models are known.
    public var knowsPrices: Bool
    /// Whether every answer has a bound. Otherwise `mostCost` is what is likely.
    public var isBounded: Bool

    init(_ rehearsal: PricedRehearsal) {
      calls = rehearsal.calls.map { priced in
        let (call, estimate) = (priced.call, priced.estimate)
        return Call(
          frame: call.frame, name: call.operatorName, provider: estimate.provider,
          model: estimate.model, inputTokens: Int(clamping: estimate.inputTokens),
          outputTokens: Int(clamping: estimate.outputTokens),
          cost: estimate.isPriceKnown ? Dollars(estimate.cost) : nil, most: call.most,
          isBounded: estimate.isBounded, schema: call.request.schema.map { JSON($0) },
          attachments: call.request.attachments.map { Attachment($0) },
          attachmentTokens: estimate.attachmentTokens.map { Int(clamping: $0) },
          selection: priced.selection.map { ModelSelection($0) },
          messages: call.request.messages.map {
            ModelRequest.Message(role: $0.role.rawValue, text: $0.text)
          })
      }
      mostCost = Dollars(rehearsal.total)
      knowsPrices = rehearsal.isComplete
      isBounded = rehearsal.isBounded
    }
  }

  /// What a run of a persona would ask and cost. Nobody is asked.
  public func forecast(
    persona name: String, input: String, options: RunOptions = RunOptions()
  ) async throws(RasaError) -> Forecast {
    try await prepare(persona: name)
      .forecast(input, options: options, warn: { self.warn(Warning($0)) })
  }

  /// What a run of an agent would ask and cost. Nobody is asked.
  public func forecast(
    agent id: String, input: String, options: RunOptions = RunOptions()
  ) async throws(RasaError) -> Forecast {
    try await prepare(agent: id)
      .forecast(input, options: options, warn: { self.warn(Warning($0)) })
  }
}
