import RasaCore
import RasaEngine
import RasaPersona

/// Money that is held for one attempt, and with it the right to make that attempt: adapters want to
/// see it, and nothing but the reservation below can make one. It cannot be copied, and settling
/// consumes it.
struct Hold: ~Copyable, Sendable {
  let reservation: Identifier
  /// What the provider may recognise the request by if it is sent again.
  let idempotencyKey: String
  /// The most tokens the answer may have.
  let cap: Int64
  let price: Price
  /// How much input was reckoned with.
  let estimate: TokenEstimate
  /// When the lease was last moved, in nanoseconds of the monotonic clock.
  var renewedAt: UInt64
  let lease: Duration

  fileprivate init(
    reservation: Identifier, idempotencyKey: String, cap: Int64, price: Price,
    estimate: TokenEstimate, renewedAt: UInt64, lease: Duration
  ) {
    self.estimate = estimate
    self.reservation = reservation
    self.idempotencyKey = idempotencyKey
    self.cap = cap
    self.price = price
    self.renewedAt = renewedAt
    self.lease = lease
  }
}

enum Reservation: ~Copyable {
  case held(Hold)
  /// No room; the budget's policy says what now.
  case refused(ProviderProblem, policy: BudgetPolicy)
}

extension Gate {
  /// Beyond what any model writes, and small enough to reckon with.
  private static let longestCap: Int64 = 100_000_000
  static let renewalInterval: UInt64 = 20_000_000_000
  private static let freshness: UInt64 = 500_000_000

  /// Holds the most that an attempt can cost under every limit it falls under. Where there is room
  /// for less, the answer's cap shrinks to it.
  func reserve(_ plan: CallPlan, _ candidate: Candidate, model: String) async throws -> Reservation
  {
    let now = time.now()
    let begun = time.monotonic()
    let day = day(at: now)
    let known = candidate.price(
      on: day, listed: state.withLock { $0.listed[candidate.provider] } ?? [])
    var legs = plan.legs(on: day, options: options, ignoringBudget: false)
    let price: Price
    if let known {
      price = known
    } else if let ceiling = options.budget.ceiling {
      price = ceiling
    } else {
      if legs.contains(where: { $0.limit != nil }), !options.allowBudgetExceed {
        return .refused(
          ProviderProblem(.unknownPrice, "its price is not known, and a budget is in force"),
          policy: .downgrade)
      }
      warn("the price of \(model) is not known; what it costs is counted as nothing")
      price = .free
    }
    // What costs nothing fits every budget, also one that is already used up.
    if price.isFree { legs = legs.map { BudgetLeg(scope: $0.scope, limit: nil) } }
    let estimate = estimate(plan, candidate)
    let lease = lease(for: candidate, plan)
    var cap = cap(for: plan, candidate)
    var exceeds = false
    // Each turn shrinks the cap or lifts the limits; others may be spending at the same time.
    for _ in 0..<6 {
      let request = ReservationRequest(
        id: .make(prefix: "h", at: now, random: random()), run: plan.context.run,
        key: plan.context.key, persona: plan.context.persona,
        operatorName: plan.context.key.operatorName, provider: candidate.provider, model: model,
        price: known == nil && price.isFree ? "" : price.version, day: day,
        amount: price.cost(input: estimate.tokens, output: cap), legs: legs,
        leaseEnds: now.advanced(by: lease))
      let intent = intentEntry(
        plan, request, estimate, price, cap: cap, isPriceKnown: known != nil,
        exceedsBudget: exceeds)
      switch try await ledger.reserve(request, recording: [intent]) {
      case .held:
        return .held(
          Hold(
            reservation: request.id,
            idempotencyKey: plan.context.idempotencyKey ?? request.id.text, cap: cap, price: price,
            estimate: estimate, renewedAt: begun, lease: lease))
      case .refused(let leg, let available):
        if let payable = price.outputTokens(payableWith: available, input: estimate.tokens),
          payable >= options.usefulMinimumTokens, payable < cap
        {
          cap = payable
        } else if options.allowBudgetExceed, !exceeds {
          exceeds = true
          legs = plan.legs(on: day, options: options, ignoringBudget: true)
          warn("\(leg.name(among: plan.context.payers)) is exceeded, as was allowed")
        } else {
          return .refused(
            .noRoom(
              leg, among: plan.context.payers, available: available, needed: request.amount),
            policy: leg.payer(among: plan.context.payers)?.budget.policy
              ?? plan.context.budget.policy)
        }
      }
    }
    return .refused(
      ProviderProblem(.budget, "other calls keep taking what is left of the budget"),
      policy: plan.context.budget.policy)
  }

  /// The day that a call counts into: where the budget lives, else where this machine is.
  func day(at now: Timestamp) -> LocalDay {
    options.budget.timeZone.flatMap { time.dayInZone(now, $0) } ?? time.localDay(now)
  }

  func estimate(_ plan: CallPlan, _ candidate: Candidate) -> TokenEstimate {
    TokenEstimate(plan.size, state.withLock { $0.standing(candidate.key) })
  }

  func cap(for plan: CallPlan, _ candidate: Candidate) -> Int64 {
    let usual =
      candidate.facts?.isThinking == true
      ? options.defaultThinkingMaxTokens : options.defaultMaxTokens
    let asked = plan.request.maxTokens.map(Int64.init) ?? usual
    // Vectors are made without a token being written.
    let least: Int64 = asked == 0 ? 0 : 1
    return max(least, min(asked, Self.longestCap, candidate.facts?.maxOutput ?? .max))
  }

  /// A minute, or longer than the longest silence that the call is allowed: a lease is renewed when
  /// something arrives.
  private func lease(for candidate: Candidate, _ plan: CallPlan) -> Duration {
    let silence = max(
      firstContentTimeout(for: candidate, plan.profile), idleTimeout(for: candidate))
    return max(.seconds(60), silence + .seconds(30))
  }

  /// Moves the lease's end when that is due: it shows whether the run is still this process's. Before
  /// anything is sent that is asked again if it took long to get so far, as it does for a process
  /// that was stopped for a while.
  func renew(_ hold: inout Hold, at now: UInt64, isUnsent: Bool = false) async throws {
    let interval = isUnsent ? Self.freshness : Self.renewalInterval
    guard now >= hold.renewedAt &+ interval else { return }
    hold.renewedAt = now
    try await ledger.renew(hold.reservation, leaseEnds: time.now().advanced(by: hold.lease))
  }
}

extension ProviderProblem {
  fileprivate static func noRoom(
    _ leg: BudgetLeg, among payers: [Payer], available: Money, needed: Money
  ) -> ProviderProblem {
    let limit = leg.limit.map { " of \($0)" } ?? ""
    return ProviderProblem(
      .budget,
      "\(leg.name(among: payers))\(limit) has \(max(available, .zero)) left, and the call could cost "
        + "\(needed)",
      parameter: leg.isExecution ? "execution" : "period")
  }
}

extension BudgetLeg {
  fileprivate var isExecution: Bool { if case .execution = scope { true } else { false } }

  /// Whose limit it is; nil for everybody's.
  func payer(among payers: [Payer]) -> Payer? {
    payers.first { payer in
      switch scope {
      case .execution(let run): payer.execution == run
      case .day(let owner, _), .month(let owner, _): payer.persona == owner
      }
    }
  }

  func name(among payers: [Payer]) -> String {
    func whose(_ owner: String) -> String {
      owner == Self.everyone ? "everything" : owner
    }
    switch scope {
    case .execution:
      return "the limit for one run of \(payer(among: payers)?.persona ?? "this persona")"
    case .day(let owner, _): return "the daily limit of \(whose(owner))"
    case .month(let owner, _): return "the monthly limit of \(whose(owner))"
    }
  }
}

extension GlobalBudget {
  /// What a model without a known price is reckoned at; nil when nobody has said.
  fileprivate var ceiling: Price? {
    guard let unknownOutputPrice else { return nil }
    return Price(
      rates: Price.Rates(
        input: unknownInputPrice ?? unknownOutputPrice, output: unknownOutputPrice),
      version: "ceiling")
  }
}

extension Timestamp {
  func advanced(by duration: Duration) -> Timestamp {
    let (sum, overflow) = milliseconds.addingReportingOverflow(
      Int64(clamping: duration.nanoseconds / 1_000_000))
    return Timestamp(milliseconds: overflow ? .max : sum)
  }
}
