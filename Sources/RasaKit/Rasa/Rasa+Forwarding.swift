import RasaAgents
import RasaCore
import RasaEngine
import RasaModels
import RasaPersona
import RasaStore

extension Rasa {
  /// A request in a provider's own words, to be passed on byte for byte.
  public struct ProviderRequest: Sendable {
    /// Which provider gets it, and the model that it names there, as `provider:model`.
    public var model: String
    /// The place below the version of the provider's interface: `/chat/completions`, `/messages`,
    /// `/api/chat`, `/models/MODEL:generateContent` or `/models/MODEL:streamGenerateContent`.
    public var path: String
    /// The JSON document. Not a byte of it is changed.
    public var body: [UInt8]
    /// Sent beside those that the provider wants. Keys and what belongs to a connection are left out:
    /// the provider's own key is sent.
    public var headers: [(name: String, value: String)] = []
    /// The persona or agent whose budget pays; nil where only the budget of everybody holds.
    public var owner: String?
    /// Whose run it is; nil for the user of this `Rasa`.
    public var user: String?
    /// The most that it may cost.
    public var maxCost: Dollars?

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
    /// What it cost. An answer with an error costs nothing.
    public var cost: Dollars
    /// How the answer ended: `stop`, `length`, `tool_calls`, or `cut_off` where it cost more than could
    /// be held and its bytes end early; more may come.
    public var finish: String
    /// What the provider said was wrong; nil for an answer.
    public var problem: String?
  }

  /// Passes a request on to a provider with its exact bytes, and hands on the answer with its own while
  /// it comes.
  ///
  /// The call goes through the gate as every other does: its cost is held before anything is sent, and
  /// it is settled and journalled in a run of its own. Nothing is asked twice and no other model is
  /// asked: the caller decides about that. A streamed answer is cut off where a budget has less room than it
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
      options.model = ModelConfiguration.reference(request.model)
      options.maxCost = request.maxCost?.money
      let gate = try services.gate(options, onWarning: { self.warn($0) })
      let run = composition.newIdentifier("r")
      let owner = request.owner ?? Self.forwarding
      var context = CallContext(
        run: run,
        key: EffectKey(
          frame: Self.forwarding, visit: 1, operatorName: Self.forwarding, label: "call",
          occurrence: 1), persona: owner)
      if request.owner != nil { context.budget = try budget(of: owner) }
      let forwarded = ForwardedRequest(
        path: request.path, body: request.body, headers: request.headers)
      let answer = try await services.running(
        run, owner, input: "\(request.model) \(request.path)", user: composition.user(request.user)
      ) {
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
        outputTokens: Int(clamping: answer.usage.output), cost: Dollars(answer.cost),
        finish: answer.finish.rawValue, problem: answer.problem)
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
