package import RasaEngine
import RasaCore
import RasaPersona

extension Gate {
  /// Why a model cannot be sent the request with what is attached; nil when nothing speaks against it.
  func obstacle(of candidate: Candidate, _ plan: CallPlan) -> ProviderProblem? {
    if let reason = candidate.obstacle(to: plan.request, forClient: options.servesClient) {
      return ProviderProblem(.unfit, reason)
    }
    let attachments = plan.attachments
    guard !attachments.isEmpty, !candidate.isMock else { return nil }
    if let reason = candidate.obstacle(to: attachments) { return ProviderProblem(.unfit, reason) }
    guard !candidate.bounds(attachments), price(of: candidate)?.isFree != true,
      !options.allowBudgetExceed
    else { return nil }
    let legs = plan.legs(on: day(at: time.now()), options: options, ignoringBudget: false)
    guard legs.contains(where: { $0.limit != nil }) else { return nil }
    return ProviderProblem(
      .unfit,
      "how many tokens it counts for \(attachments[0].kind.plural) is not known, and a budget is in "
        + "force")
  }

  /// Whether a request may have been refused for what is attached, so that the next model may take it.
  func mayLieInAttachments(_ plan: CallPlan, _ candidate: Candidate) -> Bool {
    plan.attachments.contains { candidate.takes($0.kind) == nil }
  }

  /// What is unknown is tried, with a notice.
  func warnOfUnknownAttachments(_ plan: CallPlan, _ candidate: Candidate) {
    guard !candidate.isMock else { return }
    for kind in Attachment.Kind.allCases
    where plan.attachments.contains(where: { $0.kind == kind }) && candidate.takes(kind) == nil {
      warn(
        "whether \(candidate.provider) \(candidate.model ?? "") takes \(kind.plural) is not known; "
          + "they are sent all the same (`\(kind == .pdf ? "pdf" : "vision"): true` in config.yaml "
          + "says that it does)")
    }
  }

  package func admit(_ request: ModelRequest, for context: CallContext) async throws {
    let plan = CallPlan(request, context, options, startedAt: time.monotonic())
    let chain = try await chain(plan)
    // A stand-in is only asked where the others are unknown to its server.
    var contenders = chain.candidates.filter { !$0.isStandIn }.map { CandidateModel(candidate: $0) }
    for index in contenders.indices {
      // What a provider offers first is not known before it is asked.
      guard contenders[index].candidate.isMock || contenders[index].candidate.model != nil,
        let problem = obstacle(of: contenders[index].candidate, plan)
      else { return }
      contenders[index].problems.append(problem)
    }
    throw failure(plan, contenders, chain)
  }

  /// Models of the configured providers that would take what is attached.
  func mendOfAttachments(_ plan: CallPlan) -> String {
    guard !plan.attachments.isEmpty else {
      return "ask another model, or leave that part of the request out"
    }
    var fitting: [String] = []
    for settings in configuration.providers where settings.isVendor {
      guard let seller = BuiltIn.allCases.first(where: { $0.vendor == settings.vendor }) else {
        continue
      }
      for modelClass in [ModelClass.balanced, .fast, .reasoning] {
        for model in (try? catalogue.models(of: modelClass, at: seller.rawValue)) ?? [] {
          let candidate = Candidate(
            settings: settings, model: model, facts: (try? catalogue.facts(for: model)) ?? nil)
          let name = "\(settings.name):\(model)"
          if fitting.count < 3, !fitting.contains(name),
            plan.attachments.allSatisfy({ candidate.takes($0.kind) == true }),
            obstacle(of: candidate, plan) == nil
          {
            fitting.append(name)
          }
        }
      }
    }
    guard !fitting.isEmpty else {
      return
        "name a model that takes it with --model, or say `vision: true` (for PDFs `pdf: true`) "
        + "for the provider in config.yaml"
    }
    return "name one that takes it, such as --model \(fitting.joined(separator: " or "))"
  }
}
