import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaPersona

/// Money that is held for one attempt, and with it the right to make that attempt: adapters want to
/// see it, and nothing but the reservation below can make one. It cannot be copied, and settling
/// consumes it.
struct Hold: ~Copyable, Sendable {
  let reservation: Identifier
  /// What the provider may recognise the request by if it is sent again.
  let idempotencyKey: String
  /// The most tokens that the answer may have, and is told to have; nil where nobody bounds it.
  let cap: Int64?
  /// The most that the answer may have in all, by its operator or its model; nil when neither says.
  let ceiling: Int64?
  let price: Price
  /// How much input was reckoned with.
  let estimate: TokenEstimate
  let amount: Money
  /// When the lease was last moved, in nanoseconds of the monotonic clock.
  var renewedAt: UInt64
  let lease: Duration
  /// Whether the request has left.
  let trace = RequestTrace()

  fileprivate init(
    reservation: Identifier, idempotencyKey: String, cap: Int64?, ceiling: Int64?, price: Price,
    estimate: TokenEstimate, amount: Money, renewedAt: UInt64, lease: Duration
  ) {
    self.estimate = estimate
    self.reservation = reservation
    self.idempotencyKey = idempotencyKey
    self.cap = cap
    self.ceiling = ceiling
    self.price = price
    self.amount = amount
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
  static let renewalInterval: UInt64 = 20_000_000_000
  private static let freshness: UInt64 = 500_000_000
  /// How often others may be quicker before a call gives up.
  private static let mostTries = 64
  /// How long a call that is paid by time is reckoned to take where nothing limits it.
  private static let longestPaidTime = 600.0

  /// Holds what an attempt is expected to need, under every limit it falls under. Where there is room
  /// for less, less is held and the answer capped at it; where only what others hold stands in the
  /// way, it waits for them.
  func reserve(
    _ plan: CallPlan, _ candidate: Candidate, _ call: WireCall, _ books: inout CallBooks,
    onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws -> Reservation {
    let known = price(of: candidate)
    let price: Price
    if let known {
      price = known
    } else if let ceiling = options.budget.ceiling {
      price = ceiling
    } else {
      let legs = plan.legs(on: day(at: time.now()), options: options, ignoringBudget: false)
      if legs.contains(where: { $0.limit != nil }), !options.allowBudgetExceed {
        return .refused(
          ProviderProblem(.unknownPrice, "its price is not known, and a budget is in force"),
          policy: .downgrade)
      }
      warn("the price of \(call.model) is not known; what it costs is counted as nothing")
      price = .free
    }
    let estimate = estimate(plan, candidate)
    let doubt = plan.context.doubt
    let room =
      if let doubt {
        OutputRoom(exactly: doubt.cap ?? 0, of: outputRoom(for: plan, candidate).whole)
      } else {
        outputRoom(for: plan, candidate)
      }
    var sizing = HoldSizing(
      price: price, input: estimate.tokens, room: room, seconds: paidSeconds(plan, price),
      overrun: state.withLock { $0.overrun(of: candidate.key) }, recorded: doubt?.amount)
    let lease = lease(for: candidate, plan)
    var exceeds = false
    var tries = 0
    while true {
      let now = time.now()
      let begun = time.monotonic()
      let day = day(at: now)
      // What costs nothing fits every budget, also one that is already used up.
      let legs = plan.legs(on: day, options: options, ignoringBudget: exceeds).map { leg in
        BudgetLeg(scope: leg.scope, limit: price.isFree ? nil : leg.limit)
      }
      let isLimited = legs.contains { $0.limit != nil }
      let cap = doubt != nil ? doubt?.cap : isLimited ? sizing.tokens : usualCap(call, room)
      let request = ReservationRequest(
        id: .make(prefix: "h", at: now, random: random()), run: plan.context.run,
        key: plan.context.key, persona: plan.context.persona,
        operatorName: plan.context.key.operatorName, provider: candidate.provider,
        model: call.model, price: known == nil && price.isFree ? "" : price.version, day: day,
        amount: sizing.amount, legs: legs, leaseEnds: now.advanced(by: lease))
      let intent = intentEntry(
        plan, request, sizing, price, cap: cap, adaptations: call.quirks.adaptations,
        isPriceKnown: known != nil, exceedsBudget: exceeds, attached: estimate.attached)
      let settlements = settlements.count
      switch try await ledger.reserve(request, recording: [intent]) {
      case .held:
        return .held(
          Hold(
            reservation: request.id,
            idempotencyKey: doubt?.idempotencyKey ?? request.id.text, cap: cap,
            ceiling: room.whole, price: price, estimate: estimate, amount: request.amount,
            renewedAt: begun, lease: lease))
      case .refused(let leg, let balance):
        let step = sizing.step(after: leg, balance)
        let payers = plan.context.payers
        tries += 1
        if step == .again, tries < Self.mostTries { continue }
        if step == .wait {
          try await wait(
            for: leg, balance, needing: sizing.amount, after: settlements, plan, &books,
            onEvent: onEvent)
          continue
        }
        if options.allowBudgetExceed, !exceeds {
          exceeds = true
          tries = 0
          warn("\(leg.name(among: payers)) is exceeded, as was allowed")
          continue
        }
        return .refused(
          .noRoom(leg, balance, among: payers, needed: sizing.amount),
          policy: leg.payer(among: payers)?.budget.policy ?? plan.context.budget.policy)
      }
    }
  }

  /// Waits until something that is held is settled, by this process or another one.
  private func wait(
    for leg: BudgetLeg, _ balance: Balance, needing amount: Money, after settlements: UInt64,
    _ plan: CallPlan, _ books: inout CallBooks,
    onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws {
    let obstacle = leg.obstacle(balance, among: plan.context.payers)
    if !books.hasSaidThatItWaits {
      books.hasSaidThatItWaits = true
      try await onEvent(.waiting(reason: "\(obstacle); the call needs \(amount) and waits"))
    }
    if let deadline = plan.deadline, time.monotonic() >= deadline {
      throw Failure(
        .timeout,
        "\(plan.title) waited for money until its \(secondsText(plan.request.timeout ?? 0)) seconds were over: \(obstacle)",
        mend: "raise the budget or the operator's timeout, or run fewer calls at the same time")
    }
    try await self.settlements.wait(after: settlements, atMost: books.patience, time)
    books.patience = min(books.patience * 2, CallBooks.longestPatience)
  }

  /// The day that a call counts into: where the budget lives, else where this machine is.
  func day(at now: Timestamp) -> LocalDay {
    options.budget.timeZone.flatMap { time.dayInZone(now, $0) } ?? time.localDay(now)
  }

  func estimate(_ plan: CallPlan, _ candidate: Candidate) -> TokenEstimate {
    TokenEstimate(
      plan.size, state.withLock { $0.standing(candidate.key) },
      attached: candidate.tokens(of: plan.attachments))
  }

  /// What an answer may take and is likely to take.
  func outputRoom(for plan: CallPlan, _ candidate: Candidate) -> OutputRoom {
    let known = state.withLock { $0.standing(candidate.key)?.needs[plan.operatorName]?.usual }
    let request = plan.request
    return OutputRoom(
      wanted: request.maxTokens.map(Int64.init), most: candidate.facts?.maxOutput,
      thinks: willThink(candidate, plan), effort: effort(for: plan, candidate),
      known: known, room: request.room, continuing: request.continuation?.tokens)
  }

  /// Whether a part of the answer will be thoughts. Anthropic's models think when they are asked to,
  /// all others that can do it always.
  func willThink(_ candidate: Candidate, _ plan: CallPlan) -> Bool {
    guard let facts = candidate.facts, facts.isThinking else { return false }
    return facts.vendor != "anthropic" || effort(for: plan, candidate) != nil
  }

  func effort(for plan: CallPlan, _ candidate: Candidate) -> ReasoningEffort? {
    plan.request.effort
      ?? (candidate.facts?.isThinking == true && plan.profile == .thinking ? .medium : nil)
  }

  /// The cap where no limit is in force: what the operator wants, else the most that the model
  /// writes. None where nobody says, or where the server knows better how much still fits.
  private func usualCap(_ call: WireCall, _ room: OutputRoom) -> Int64? {
    guard let ceiling = room.ceiling else { return call.requiredCap }
    if call.request.maxTokens != nil { return ceiling }
    guard call.quirks.takesModelCap else { return call.requiredCap }
    guard let context = call.context, context - call.inputEstimate < ceiling else { return ceiling }
    return call.requiredCap.map { min($0, max(1_024, context - call.inputEstimate), ceiling) }
  }

  /// How long the call may take at most, where time is paid for.
  func paidSeconds(_ plan: CallPlan, _ price: Price) -> Double {
    guard price.perSecond > .zero else { return 0 }
    guard let deadline = plan.deadline else { return Self.longestPaidTime }
    let now = time.monotonic()
    return deadline > now ? Double(deadline - now) / 1e9 : 0
  }

  /// A minute, or longer than the longest silence that the call is allowed: a lease is renewed when
  /// something arrives.
  private func lease(for candidate: Candidate, _ plan: CallPlan) -> Duration {
    let silence = max(
      firstContentTimeout(for: candidate, plan.profile) + timeToSend(plan),
      idleTimeout(for: candidate))
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

/// What one call keeps over its attempts.
struct CallBooks: Sendable {
  static let longestPatience = Duration.milliseconds(500)

  /// What attempts cost that did not become the answer.
  var wasted = Money.zero
  var hasSaidThatItWaits = false
  /// How long it waits before it looks whether another process has settled something.
  var patience = Duration.milliseconds(20)
}

extension ProviderProblem {
  fileprivate static func noRoom(
    _ leg: BudgetLeg, _ balance: Balance, among payers: [Payer], needed: Money
  ) -> ProviderProblem {
    ProviderProblem(
      .budget, "\(leg.obstacle(balance, among: payers)), and the call needs \(needed)",
      parameter: leg.isExecution ? "execution" : "period")
  }
}

extension BudgetLeg {
  fileprivate var isExecution: Bool { if case .execution = scope { true } else { false } }

  /// What stands in the way: what is spent and what others hold, apart.
  fileprivate func obstacle(_ balance: Balance, among payers: [Payer]) -> String {
    let limit = limit ?? .zero
    let named = "\(name(among: payers)) of \(limit)"
    if balance.held > .zero {
      return "\(named) has \(balance.settled) spent and \(balance.held) held by other calls"
    }
    return "\(named) has \(balance.room(under: limit)) left"
  }

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
      perSecond: unknownPricePerSecond ?? .zero, version: "ceiling")
  }
}

extension Timestamp {
  func advanced(by duration: Duration) -> Timestamp {
    let (sum, overflow) = milliseconds.addingReportingOverflow(
      Int64(clamping: duration.nanoseconds / 1_000_000))
    return Timestamp(milliseconds: overflow ? .max : sum)
  }
}
