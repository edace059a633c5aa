import RasaCore
import RasaEngine
import RasaPersona

/// What the selection went by, in words.
extension Gate {
  func report(
    _ plan: CallPlan, _ chain: Selection.Chain, _ contenders: [CandidateModel]
  ) async throws -> SelectionReport {
    var choices: [SelectionReport.Choice] = []
    for contender in contenders {
      let candidate = contender.candidate
      choices.append(
        SelectionReport.Choice(
          provider: candidate.provider, model: candidate.model ?? "(the first that it lists)",
          terms: [
            role(of: candidate, plan), speed(of: candidate), standing(of: contender),
            try await money(for: candidate, plan),
            obstacle(of: candidate, plan).map { "attachments: \($0.message), so it is not asked" },
          ].compactMap(\.self)))
    }
    return SelectionReport(
      purpose: plan.request.name, profile: plan.profile, choices: choices, left: chain.unreachable)
  }

  private func role(of candidate: Candidate, _ plan: CallPlan) -> String {
    let persona = plan.context.persona
    switch candidate.role {
    case .named: return "named with --model"
    case .primary: return "primary of \(persona)" + (thinks(candidate, plan) ?? "")
    case .fallback: return "fallback of \(persona)"
    case .premium:
      let why =
        options.premium
        ? ", asked for with --premium"
        : plan.profile == .expert
          ? ", first for profile expert" : thinks(candidate, plan) ?? ", last"
      return "premium of \(persona)\(why)"
    case .fitting:
      let models = plan.context.models
      let wanted = [
        models.modelClass.map { "class \($0.rawValue)" },
        models.costTier.map { "cost up to \($0.rawValue)" },
        models.engine.map { "at \($0)" },
      ].compactMap(\.self)
      return "fits what \(persona) asks for: \(wanted.joined(separator: ", "))"
    case .configured: return "the configured default"
    case .provider:
      return candidate.isStandIn
        ? "what \(candidate.provider) has, if it knows none of the models before"
        : "the default of \(candidate.provider), because nothing else is recommended or reachable"
    case .mock:
      return configuration.prefersMock || options.model?.engine == "mock"
        ? "the mock, asked for by name" : "the mock: no provider is configured"
    }
  }

  private func thinks(_ candidate: Candidate, _ plan: CallPlan) -> String? {
    plan.profile == .thinking && candidate.facts?.isThinking == true ? ", because it thinks" : nil
  }

  private func speed(of candidate: Candidate) -> String? {
    guard !candidate.isMock else { return nil }
    guard let standing = state.withLock({ $0.standing(candidate.key) }),
      let first = standing.firstContent
    else { return "speed: not measured yet" }
    let rate = standing.tokensPerSecond.map { ", \(Int($0)) tokens/s" } ?? ""
    return "speed: first content after \(first / 1_000_000) ms\(rate)"
  }

  private func standing(of contender: CandidateModel) -> String? {
    guard !contender.candidate.isMock else { return nil }
    let now = time.now()
    if let obstacle = contender.obstacle, let until = obstacle.unavailableUntil {
      let seconds = max(0, until.milliseconds - now.milliseconds) / 1000
      let open =
        contender.hasOneTry ? "; failed \(obstacle.failures) times in a row, so it has one try" : ""
      return
        "availability: unavailable (\(obstacle.reason)) for \(seconds) s more, so it comes last"
        + open
    }
    let standing = state.withLock { $0.standing(contender.candidate.key) }
    switch standing?.availability(at: now) ?? .unknown {
    case .available:
      let age = (now.milliseconds - (standing?.seenAt.milliseconds ?? 0)) / 1000
      return "availability: available, seen \(age) s ago"
    case .unknown, .unavailable: return "availability: unknown until it is used"
    }
  }

  private func money(for candidate: Candidate, _ plan: CallPlan) async throws -> String? {
    guard !candidate.isMock, candidate.model != nil else { return nil }
    let tokens = estimate(plan, candidate).tokens
    let room = outputRoom(for: plan, candidate)
    let limits = plan.legs(on: day(at: time.now()), options: options, ignoringBudget: false)
      .filter { $0.limit != nil }
    guard let price = price(of: candidate) else {
      return limits.isEmpty
        ? "money: its price is not known"
        : "money: its price is not known, so it is not asked under a limit"
    }
    if price.isFree { return "money: free" }
    let sizing = HoldSizing(
      price: price, input: tokens, room: room, seconds: paidSeconds(plan, price),
      overrun: state.withLock { $0.overrun(of: candidate.key) })
    guard let left = try await ledger.headroom(limits) else {
      let output = room.ceiling ?? room.start
      let cost = price.cost(input: tokens, output: output) + price.cost(seconds: sizing.seconds)
      let bound = room.ceiling == nil ? "about" : "at most"
      return
        "money: \(bound) \(cost) (\(tokens) tokens in, \(output) out, price \(price.version))"
    }
    var term =
      "money: \(sizing.amount) is held (\(tokens) tokens in, \(room.start) out, price "
      + "\(price.version))"
    if sizing.amount <= left {
      term += ", fits the \(left) that are left"
    } else if let payable = sizing.payable(with: left), payable >= room.least {
      term += ", fits the \(left) that are left with \(payable) out"
    } else {
      term += ", more than the \(left) that are left"
    }
    return term
  }
}
