import RasaAgents
import RasaCore
import RasaEngine
import RasaModels
import RasaPersona
import RasaStore

extension Rasa {
  /// A request in a provider's own words, to be passed on byte for byte.
  public struct ProviderRequest: Sendable {
    /// Which provider gets it, and the model that it names there: `provider:model`, an alias, a model's own name, or a
    /// class.
    public var model: String
    /// Asked in turn where the one before fails and nothing of an answer was handed on. They have to speak as
    /// `model` does.
    public var alternatives: [String] = []
    /// The place below the version of the provider's interface: `/chat/completions`, `/responses`,
    /// `/embeddings`; `/messages`, `/messages/count_tokens`; `/api/chat`, `/api/generate`, `/api/embed`;
    /// `/models/MODEL:generateContent` or `/models/MODEL:streamGenerateContent`.
    public var path: String
    /// The JSON document. It is sent byte for byte, with two exceptions. Where it calls the model by another name
    /// than its provider does (`openai:gpt-4o-mini`, an alias), that one value is replaced. And OpenAI says what
    /// a streamed chat completion took only if it is asked to: where `stream_options.include_usage` is not
    /// set, it is, and the event that only answers that is kept from the client. (Its other events then have
    /// `"usage":null`, which they have for everybody who asks.)
    public var body: [UInt8]
    /// Whether the model that the body names is replaced, whatever it is. Otherwise it has to be a name of `model`.
    public var replacesModel = false
    /// Sent beside those that the provider wants. Keys and what belongs to a connection are left out:
    /// the provider's own key is sent.
    public var headers: [(name: String, value: String)] = []
    /// The persona or agent whose budget pays; nil where only the budget of everybody holds.
    public var owner: String?
    /// Whose run it is; nil for the user of this `Rasa`.
    public var user: String?
    /// The most that it may cost.
    public var maxCost: Dollars?
    /// A further budget that pays, such as that of an access token.
    public var budget: ExtraBudget?

    /// A request for a model.
    public init(model: String, path: String, body: [UInt8]) {
      self.model = model
      self.path = path
      self.body = body
    }
  }

  /// A part of what a provider answered.
  @nonexhaustive
  public enum ProviderPart: Sendable {
    /// Comes first: the status and the headers, also of an error.
    case head(status: Int, headers: [(name: String, value: String)])
    /// The next bytes of the body, exactly as they came.
    case bytes([UInt8])
  }

  /// What a request that was passed on came to.
  public struct ForwardedCall: Sendable, Hashable {
    /// The run that the call is accounted and journalled under.
    public var run: String
    /// The provider that answered.
    public var provider: String
    /// The model that answered.
    public var model: String
    /// The status that it answered with.
    public var status: Int
    /// The tokens of its input.
    public var inputTokens: Int
    /// The tokens of its output.
    public var outputTokens: Int
    /// Whether the provider counted them. Otherwise they are estimates.
    public var isCounted: Bool
    /// What it cost, with the attempts that failed before it. An answer with an error costs nothing.
    public var cost: Dollars
    /// False where nobody knows what it costs, or a part of it: `cost` does not say that then.
    public var isPriceKnown: Bool
    /// How the answer ended: `stop`, `length`, `tool_calls`, or `cut_off` where it cost more than could
    /// be held and its bytes end early; more may come.
    public var finish: String
    /// What the provider said was wrong; nil for an answer.
    public var problem: String?
    /// The model that was asked for or came first, where another one answered, as `provider:model`.
    public var insteadOf: String?
    /// Why that one did not answer.
    public var because: String?
  }

  /// Passes a request on to a provider with its exact bytes, and hands on the answer with its own while
  /// it comes.
  ///
  /// The call goes through the gate as every other does: its cost is held before anything is sent, and
  /// it is settled and journalled in a run of its own. No model is asked twice. Where one fails (no connection, no
  /// content in time, 408, 429, 5xx, an unknown model, a refused key) and `alternatives` are left, the next one is
  /// asked, as long as nothing was handed on; the answer of the last one is handed on whatever it is. A streamed answer is cut off where a budget has less room than it
  /// takes. For one that is not streamed the whole of what it may take is held, or it is not sent.
  ///
  /// - Parameters:
  ///   - request: What is passed on.
  ///   - onPart: Is given the head and then the bytes. It is awaited, so a slow reader slows the provider
  ///     down; an error that it throws ends the call at the provider.
  /// - Returns: What the call came to, also where the provider answered with an error.
  /// - Throws: A `RasaError`: `budget` when nothing was sent, `provider` or `timeout` when no answer came or
  ///   it broke off, `usage` or `configuration` when the request cannot be passed on.
  public func forward(
    _ request: ProviderRequest, onPart: @Sendable (ProviderPart) async throws -> Void
  ) async throws(RasaError) -> ForwardedCall {
    try await redacted {
      var options = GateOptions()
      options.maxCost = request.maxCost?.money
      options.extra = request.budget?.own
      var models = RecommendedModels()
      Self.choose(request.model, request.alternatives, &options, &models)
      let gate = try services.gate(options, onWarning: { self.warn($0) })
      let run = composition.newIdentifier("r")
      let owner = request.owner ?? Self.forwarding
      var context = CallContext(
        run: run,
        key: EffectKey(
          frame: Self.forwarding, visit: 1, operatorName: Self.forwarding, label: "call",
          occurrence: 1), persona: owner)
      context.models = models
      if request.owner != nil { context.budget = try budget(of: owner) }
      var forwarded = ForwardedRequest(
        path: request.path, body: request.body, headers: request.headers)
      forwarded.replacesModel = request.replacesModel
      let answer = try await services.running(
        run, owner, input: "\(request.model) \(request.path)", user: composition.user(request.user)
      ) { [context, forwarded] in
        try await gate.forward(forwarded, for: context) { part in
          switch part {
          case .head(let status, let headers):
            try await onPart(.head(status: status, headers: headers))
          case .bytes(let bytes): try await onPart(.bytes(bytes))
          }
        }
      }
      return ForwardedCall(
        run: run.text, provider: answer.provider, model: answer.model, status: answer.status,
        inputTokens: Int(clamping: answer.usage.input),
        outputTokens: Int(clamping: answer.usage.output), isCounted: answer.usage.isReported,
        cost: Dollars(answer.cost + answer.wasted), isPriceKnown: answer.isPriceKnown,
        finish: answer.finish.rawValue, problem: answer.problem,
        insteadOf: answer.fallback?.insteadOf, because: answer.fallback?.because)
    }
  }

  /// Whom the books name where nobody is named.
  private static let forwarding = "forwarded"

  func budget(of owner: String) throws(Failure) -> CostBudget {
    if let persona = try composition.library.persona(strictlyNamed: owner) { return persona.budget }
    if let agent = registered.registry[owner]?.agent { return agent.budget }
    throw Failure(
      .usage, "there is no persona or agent \(quoted(owner)) to pay for the request",
      suggestion: "name one that `agents()` or `rasa personas list` shows, or nobody")
  }
}
