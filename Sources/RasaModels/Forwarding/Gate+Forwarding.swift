import RasaCore
import RasaDocuments
package import RasaEngine
import RasaHTTPClient
import RasaPersona
import RasaSystem

/// Passes a request on with its exact bytes, and the answer back with its own. Money is held before
/// anything is sent, and settled by the usage that the answer reports. No model is asked twice; another one
/// is asked as long as nothing has been handed on.
extension Gate {
  package func forward(
    _ request: ForwardedRequest, for context: CallContext,
    emit: @Sendable (ForwardedPart) async throws -> Void
  ) async throws -> ForwardedAnswer {
    let words = try ForwardedWords(request.body)
    let body = try ForwardedBody(request.body)
    var plan = CallPlan(words.request, context, options, startedAt: time.monotonic())
    plan.digest = Digest.sha256(request.body)
    await recall()
    let chain = try await chain(plan)
    let dialect = try dialect(of: chain)
    var contenders = inOrderOfAvailability(chain.candidates).filter { contender in
      guard let settings = contender.candidate.settings else { return false }
      return settings.native == nil && settings.dialect == dialect && !contender.candidate.isStandIn
    }
    try checkCost(of: words, plan)
    var wasted = Money.zero
    for index in contenders.indices where !contenders[index].isOut {
      var candidate = contenders[index].candidate
      guard let settings = candidate.settings else { continue }
      let endpoint = try settings.endpoint(at: request.path)
      let isLast = contenders[(index + 1)...].allSatisfy(\.isOut)
      let problem: ProviderProblem
      do {
        candidate = try await resolved(candidate, plan)
        guard let model = candidate.model else { continue }
        candidate.facts = try candidate.facts ?? catalogue.facts(for: model)
        contenders[index].candidate = candidate
        let passing = ForwardedPassing(
          request: request, body: body, words: words, endpoint: endpoint, candidate: candidate,
          settings: settings, model: model,
          newName: try newName(for: model, request, words, candidate, chain), isLast: isLast)
        switch try await attempt(passing, plan, emit) {
        case .handedOn(var answer):
          answer.fallback = fallback(to: contenders[index], among: contenders, chain, plan)
          answer.wasted = wasted
          return answer
        case .next(let reason, let cost):
          problem = reason
          wasted += cost
        }
      } catch let reason as ProviderProblem where !isLast {
        problem = reason
      } catch let reason as ProviderProblem {
        throw failure(of: candidate, reason)
      }
      contenders[index].note(
        problem, longestDelay: options.longestRetryDelay, at: time.monotonic())
      if problem.condemnsProvider {
        for other in contenders.indices
        where contenders[other].candidate.provider == candidate.provider {
          contenders[other].isOut = true
        }
      }
    }
    // Where the last one that was left is out with its provider, its own failure says why.
    guard contenders.contains(where: { !$0.problems.isEmpty }) else { throw Self.nobody }
    throw failure(plan, contenders, chain)
  }

  private static let nobody = Failure(
    .configuration, "no provider accepts forwarded requests for that model",
    suggestion: "name one that is configured, as `provider:model`; `rasa llm info` shows them")

  /// What the first of them speaks: others that speak otherwise cannot be sent the same bytes.
  private func dialect(of chain: Selection.Chain) throws(Failure) -> ProviderSettings.Dialect {
    guard let first = chain.candidates.first?.settings, first.native == nil else {
      throw Self.nobody
    }
    for candidate in chain.candidates.dropFirst() where candidate.role == .fallback {
      guard let settings = candidate.settings, settings.dialect != first.dialect else { continue }
      throw Failure(
        .usage,
        "\(settings.name) does not speak as \(first.name) does, so it cannot be sent the same request",
        suggestion: "name models of providers that take the same request")
    }
    return first.dialect
  }

  private func checkCost(of words: ForwardedWords, _ plan: CallPlan) throws(Failure) {
    if words.isInBackground {
      throw Failure(
        .usage, "an answer in the background (`background`) says too late what it costs",
        suggestion: "leave `background` out, and ask for a stream")
    }
    guard let part = words.unknownCost, !options.allowBudgetExceed else { return }
    let legs = plan.legs(on: day(at: time.now()), options: options, ignoringBudget: false)
    guard legs.contains(where: { $0.limit != nil }) else { return }
    throw Failure(
      .budget,
      "what `\(part)` costs cannot be known before, and a budget is in force",
      suggestion: "leave it out of the request, or ask without a budget")
  }

  /// The name that the body is to have for the model; nil where its own will do. What is held and booked is the
  /// price of one model, so the request must not be about another one.
  private func newName(
    for model: String, _ request: ForwardedRequest, _ words: ForwardedWords,
    _ candidate: Candidate, _ chain: Selection.Chain
  ) throws -> String? {
    guard let settings = candidate.settings,
      let named = words.model ?? settings.model(inPath: request.path)
    else { return nil }
    if named == model { return nil }
    if request.replacesModel, words.model != nil { return model }
    let reference = configuration.resolved(ModelConfiguration.reference(named))
    let isProper =
      try reference.engine == nil && catalogue.properName(of: reference.model) == named
    // Other names of the same model cost the same, and its provider knows them.
    if isProper, let facts = candidate.facts, try catalogue.facts(for: named)?.id == facts.id {
      return nil
    }
    let selection = Selection(
      configuration: configuration, options: options, catalogue: catalogue,
      today: day(at: time.now()), standing: { _ in nil })
    let first = chain.candidates.first?.key
    if words.model != nil, let first,
      try selection.candidate(for: ModelConfiguration.reference(named))?.key == first
    {
      return model
    }
    throw Failure(
      .usage, "the request is for the model \(quoted(named)), and \(quoted(model)) would be paid",
      suggestion: "name the same model in both")
  }

  /// The error where no answer came, or it broke off.
  func failure(of candidate: Candidate, _ problem: ProviderProblem) -> Failure {
    var failure = Failure(
      problem.kind == .timeout || problem.kind == .idle ? .timeout : .provider,
      "\(candidate.provider) \(candidate.model ?? ""): \(problem.message)",
      suggestion: problem.suggestion(at: candidate.settings))
    failure.reason = problem.kind.rawValue
    return failure
  }
}

/// One model that a request is passed on to.
struct ForwardedPassing: Sendable {
  var request: ForwardedRequest
  var body: ForwardedBody
  var words: ForwardedWords
  var endpoint: ForwardedEndpoint
  var candidate: Candidate
  var settings: ProviderSettings
  var model: String
  /// What the body calls the model instead.
  var newName: String?
  /// Nobody else is left to be asked.
  var isLast: Bool
  /// The provider is asked for a count that the client did not ask for, and does not get.
  var asksForUsage = false
}

enum ForwardedOutcome: Sendable {
  case handedOn(ForwardedAnswer)
  /// Nothing has been handed on, and what it cost all the same.
  case next(ProviderProblem, Money)
}
