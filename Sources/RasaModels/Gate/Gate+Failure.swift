import RasaCore
import RasaEngine

/// The one error that a call ends in: every attempt, and what to do.
extension Gate {
  func failure(
    _ plan: CallPlan, _ contenders: [CandidateModel], _ chain: Selection.Chain
  ) -> Failure {
    let tried = contenders.filter { !$0.problems.isEmpty }
    guard let decisive = decisive(tried), let problem = decisive.problems.last else {
      return Failure(
        .provider, "no model could be asked", suggestion: "see `rasa doctor`",
        details: chain.unreachable)
    }
    let details = tried.map { contender in
      var seen: [(message: String, count: Int)] = []
      for problem in contender.problems {
        if let same = seen.firstIndex(where: { $0.message == problem.message }) {
          seen[same].count += 1
        } else {
          seen.append((problem.message, 1))
        }
      }
      let attempts = seen.map { $0.message + ($0.count > 1 ? " (tried \($0.count) times)" : "") }
      return "\(name(contender.candidate)): \(attempts.joined(separator: "; then "))"
    }
    let purpose = plan.request.name.isEmpty ? "" : " for \(plan.request.name)"
    let isUnfit = problem.kind == .unfit
    let isLong = problem.kind == .tooLong ? problem.sent : nil
    let single = tried.count == 1 && chain.unreachable.isEmpty
    var failure = Failure(
      kind(tried),
      "\(name(decisive.candidate)) \(isUnfit ? "cannot be asked" : "gave no answer")\(purpose): "
        + problem.message + (isLong.map { "; \($0.clause)" } ?? ""),
      suggestion: isUnfit
        ? mendOfAttachments(plan)
        : isLong?.suggestion
          ?? problem.suggestion(at: decisive.candidate.settings, model: decisive.candidate.model),
      details: single && decisive.problems.count == 1 ? [] : details + chain.unreachable)
    failure.reason = problem.kind.rawValue
    return failure
  }

  /// The error where a client was shown a part of the answer, which nobody can go on with.
  func brokenOff(_ candidate: Candidate, _ problem: ProviderProblem) -> Failure {
    var failure = Failure(
      problem.kind == .idle || problem.kind == .timeout ? .timeout : .provider,
      "the answer of \(name(candidate)) broke off: \(problem.message)",
      suggestion: "what was shown of it is not all; ask again")
    failure.reason = problem.kind.rawValue
    return failure
  }

  /// A refusal that ends the chain speaks for it; else the first choice does.
  private func decisive(_ tried: [CandidateModel]) -> CandidateModel? {
    tried.first { contender in
      contender.problems.last.map { $0.kind == .rejected || $0.kind == .budget } ?? false
    } ?? tried.first { $0.problems.last?.kind != .unfit } ?? tried.first
  }

  private func kind(_ tried: [CandidateModel]) -> Failure.Kind {
    var kinds = Set(tried.compactMap { $0.problems.last?.kind })
    if kinds == [.unfit] { return .configuration }
    kinds.remove(.unfit)
    if kinds.isSubset(of: [.authentication, .payment]) { return .authentication }
    if kinds.isSubset(of: [.budget, .unknownPrice]) { return .budget }
    if tried.last?.problems.last?.kind == .budget { return .budget }
    return kinds == [.timeout] ? .timeout : .provider
  }

  private func name(_ candidate: Candidate) -> String {
    candidate.model.map { "\(candidate.provider) \($0)" } ?? candidate.provider
  }
}

extension SentConversation {
  /// What was sent, for whoever has to make it shorter.
  fileprivate var clause: String {
    let size = "about \(tokens) tokens were sent"
    guard turns > 0 else { return "\(size), and the window is taken for \(window)" }
    let name = session.map { "the session `\($0)`" } ?? "the conversation"
    return
      "\(size), \(kept) of the \(turns) turns of \(name) among them, and the window is taken for \(window)"
  }

  fileprivate var suggestion: String? {
    guard turns > 0 else { return nil }
    return
      "begin another session with `--session NAME`, choose a model with a larger window with `--model`, or shorten the input"
  }
}
