package import RasaCore
package import RasaEngine
import RasaHTTPClient
package import RasaPersona
import RasaSystem

/// All that the gate does about money: what a call may cost, its reservation before anything is sent, the
/// ownership checks while it runs, and the settlement at its end.
extension Gate {
  static let renewalInterval: UInt64 = 20_000_000_000
  private static let freshness: UInt64 = 500_000_000
  /// How often others may be quicker before a call gives up.
  private static let mostTries = 64
  /// The assumed duration of a call that is paid by time and has no limit.
  private static let longestPaidTime = 600.0

  /// Holds what an attempt is expected to need, under every limit it falls under. Where there is room
  /// for less, less is held and the answer capped at it; where only what others hold stands in the
  /// way, it waits for them.
  func reserve(
    _ plan: CallPlan, _ candidate: Candidate, _ call: WireCall, _ books: inout CallAccounting,
    onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws -> Reservation {
    let known = plan.isFree ? .free : price(of: candidate)
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
      warn("the price of \(call.model) is not known; its cost is counted as zero")
      price = .free
    }
    let estimate = estimate(plan, candidate)
    let doubt = plan.context.doubt
    let room =
      if let doubt {
        OutputRoom(exactly: doubt.cap ?? 0, of: outputRoom(for: plan, candidate).whole)
      } else if let whole = plan.wholeAnswer {
        OutputRoom(exactly: whole, of: whole)
      } else {
        outputRoom(for: plan, candidate)
      }
    var sizing = HoldSizing(
      price: price, input: estimate.tokens, room: room, seconds: paidSeconds(plan, price),
      overrun: state.withLock { $0.overrun(of: candidate.key) }, recorded: doubt?.amount)
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
        amount: sizing.amount, legs: legs)
      let intent = intentEntry(
        plan, request, sizing, price, cap: cap, adaptations: call.quirks.adaptations,
        isPriceKnown: known != nil, exceedsBudget: exceeds, attached: estimate.attached)
      let settlements = settlements.count
      let terms = Hold.Terms(
        idempotencyKey: doubt?.idempotencyKey ?? request.id.text, cap: cap, ceiling: room.whole,
        price: price, isPriceKnown: known != nil, estimate: estimate, reservedAt: begun)
      switch try await Hold.reserve(request, terms, in: ledger, recording: intent) {
      case .held(let hold): return .held(hold)
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
        if options.allowBudgetExceed, !exceeds, !leg.isOf(options.extra) {
          exceeds = true
          tries = 0
          warn("\(leg.name(among: payers)) is exceeded, as was allowed")
          continue
        }
        return .refused(
          .noRoom(leg, balance, among: payers, needed: sizing.amount),
          policy: leg.isOf(options.extra)
            ? .downgrade : leg.payer(among: payers)?.budget.policy ?? plan.context.budget.policy)
      }
    }
  }

  /// Waits until something that is held is settled, by this process or another one.
  private func wait(
    for leg: BudgetLeg, _ balance: Balance, needing amount: Money, after settlements: UInt64,
    _ plan: CallPlan, _ books: inout CallAccounting,
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
        suggestion:
          "raise the budget or the operator's timeout, or run fewer calls at the same time")
    }
    try await self.settlements.wait(after: settlements, atMost: books.patience, time)
    books.patience = min(books.patience * 2, CallAccounting.longestPatience)
  }

  /// The day that a call counts into: where the budget lives, else where this machine is.
  func day(at now: Timestamp) -> LocalDay {
    options.budget.timeZone.flatMap { time.dayInZone(now, $0) } ?? time.localDay(now)
  }

  func estimate(_ plan: CallPlan, _ candidate: Candidate) -> TokenEstimate {
    TokenEstimate(
      size(of: plan, for: candidate), state.withLock { $0.standing(candidate.key) },
      attached: candidate.tokens(
        of: plan.attachments + plan.returned.filter { candidate.takes($0.kind) == true }))
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

  /// Checks now and then whether the run is still this process's. Before
  /// anything is sent that is asked again if it took long to get so far, as it does for a process
  /// that was stopped for a while.
  func renew(_ hold: inout Hold, at now: UInt64, isUnsent: Bool = false) async throws {
    let interval = isUnsent ? Self.freshness : Self.renewalInterval
    guard now >= hold.renewedAt &+ interval else { return }
    hold.renewedAt = now
    try await ledger.confirm(hold.run)
  }

  // MARK: What it came to

  /// What an attempt has used, and what that costs. A request that never left costs nothing.
  func used(_ reading: Reading, _ hold: borrowing Hold) -> (usage: Usage, cost: Money) {
    guard hold.trace.isSent else { return (Usage(isReported: false), .zero) }
    let usage = Usage.settled(
      reading.usage, estimate: hold.estimate, transcript: reading.transcript, cap: hold.cap,
      isComplete: reading.isComplete)
    let end = time.monotonic()
    let seconds = end > reading.startedAt ? Double(end - reading.startedAt) / 1e9 : 0
    return (usage, hold.price.cost(of: usage) + hold.price.cost(seconds: seconds))
  }

  /// Records what a call cost, and wakes the calls that wait for the rest of its hold.
  func settle(_ settlement: Settlement, recording entry: JournalEntry) async throws {
    try await ledger.settle(settlement, recording: [entry])
    settlements.note()
  }

  /// Settles what did not become an answer. It runs to its end even when the caller's task has been
  /// cancelled: the money has been spent either way.
  ///
  /// A request that was refused costs nothing, and neither does one that something else than a model
  /// answered; one that was left waiting may well have been worked on. Returns what it has cost.
  func settle(
    _ hold: borrowing Hold, _ plan: CallPlan, _ candidate: Candidate, model: String,
    _ reading: Reading, after problem: ProviderProblem? = nil, outcome: Settlement.Outcome,
    reason: String, message: String, partial: String, _ observation: ModelObservation? = nil
  ) async throws -> Money {
    let isFree =
      problem.map { problem in
        reading.isAccepted
          ? problem.isForeign && !reading.transcript.hasContent : problem.kind != .timeout
      } ?? false
    let (usage, cost) = isFree ? (Usage(isReported: false), Money.zero) : used(reading, hold)
    let settlement = Settlement(
      reservation: hold.reservation, actual: cost, usage: usage, outcome: outcome,
      observation: observation)
    let entry = failureEntry(
      plan, settlement, provider: candidate.provider, model: model, reason: reason,
      message: message, partial: partial)
    try await Task { try await settle(settlement, recording: entry) }.value
    return cost
  }

  package func giveUp(
    _ call: UncertainCall, of run: Identifier, decision: UncertainPolicy
  ) async throws {
    try await settle(
      Settlement(
        reservation: call.reservation, actual: call.amount, usage: Usage(isReported: false),
        outcome: .uncertain),
      recording: uncertainEntry(call, of: run, decision))
  }

  /// The most that the answer may have in all. Thoughts are not the operator's text: where they took
  /// more than was reckoned with, what is wanted still comes on top of them.
  func ceiling(
    of reading: Reading, _ usage: Usage, _ plan: CallPlan, _ candidate: Candidate,
    _ hold: borrowing Hold
  ) -> Int64? {
    let most = candidate.facts?.maxOutput
    guard let ceiling = hold.ceiling, let wanted = plan.request.maxTokens,
      willThink(candidate, plan), reading.finish.isCut
    else { return hold.ceiling }
    if reading.transcript.text.isEmpty { return most }
    let (sum, overflow) = usage.reasoning.addingReportingOverflow(Int64(wanted))
    return min(max(ceiling, overflow ? .max : sum), most ?? .max)
  }

  /// What the provider's counts cost, in thousandths of the most that they could be expected to;
  /// nil where it has not counted.
  func overrun(_ usage: Usage, _ hold: borrowing Hold) -> Int64? {
    guard usage.isReported else { return nil }
    let most = hold.price.cost(
      input: hold.estimate.tokens, output: hold.cap ?? usage.output)
    guard most > .zero, most < .max else { return nil }
    let ratio = Double(hold.price.cost(of: usage).picoDollars) / Double(most.picoDollars) * 1_000
    return Int64(min(ratio.rounded(.up), Double(ModelStanding.largestOverrun)))
  }

  /// Notices about the counts of an answer that were unexpected or could not be booked.
  func notices(
    about reading: Reading, _ usage: Usage, _ cost: Money, _ answer: ModelAnswer,
    _ hold: borrowing Hold
  ) -> [String] {
    let name = "\(answer.provider) \(answer.model)"
    if let absurd = reading.usage?.absurd.first {
      return [
        "\(name) reports \(absurd) tokens, which no call can have; \(usage.input) in and "
          + "\(usage.output) out are booked"
      ]
    }
    guard let overrun = overrun(usage, hold), overrun > 1_000 else { return [] }
    let capped = hold.cap.map { " and \($0) out" } ?? ""
    return [
      "\(name) reports \(usage.input) tokens in and \(usage.output) out where at most "
        + "\(hold.estimate.tokens) in\(capped) were expected; \(cost) is booked where \(hold.amount) "
        + "was held, and more is held for it from now on"
    ]
  }

  // MARK: What it would cost

  func price(of candidate: Candidate) -> Price? {
    let listed = candidate.settings.flatMap { settings in
      state.withLock { $0.listed(by: settings) }
    }
    return candidate.price(on: day(at: time.now()), listed: listed ?? [])
  }

  /// Whether a call would cost less there. A model without a known price may.
  func isCheaper(_ other: Candidate, than refused: Candidate, _ plan: CallPlan) -> Bool {
    guard let price = price(of: other), let dear = self.price(of: refused) else { return true }
    func cost(_ price: Price, _ candidate: Candidate) -> Money {
      price.cost(
        input: estimate(plan, candidate).tokens, output: outputRoom(for: plan, candidate).start)
    }
    return cost(price, other) < cost(dear, refused)
  }

  package func estimate(
    _ request: ModelRequest, for context: CallContext
  ) async throws -> CallEstimate {
    try await estimate(request, for: context, beside: 0)
  }

  package func estimate(
    _ request: ModelRequest, for context: CallContext, beside more: Int64
  ) async throws -> CallEstimate {
    let plan = CallPlan(request, context, options, startedAt: time.monotonic())
    await recall()
    let chain = try await chain(plan)
    var contenders = inOrderOfAvailability(chain.candidates)
    for index in contenders.indices {
      if let problem = obstacle(of: contenders[index].candidate, plan) {
        contenders[index].problems.append(problem)
      }
    }
    // A stand-in is for what a server does not know, and not for what is attached.
    guard
      var candidate = contenders.first(where: { $0.problems.isEmpty && !$0.candidate.isStandIn })?
        .candidate
    else {
      throw failure(plan, contenders, chain)
    }
    if candidate.model == nil, let resolved = try? await resolved(candidate, plan) {
      candidate = resolved
    }
    let price = price(of: candidate)
    let room = outputRoom(for: plan, candidate)
    let output = room.ceiling ?? room.start
    let input = self.estimate(plan, candidate)
    let tokens = input.tokens + more
    let cost = price.map { price in
      price.cost(input: tokens, output: output) + price.cost(seconds: paidSeconds(plan, price))
    }
    var estimate = CallEstimate(
      provider: candidate.provider, model: candidate.model ?? "default",
      inputTokens: tokens, outputTokens: output, cost: cost ?? .zero, isPriceKnown: price != nil,
      isBounded: room.ceiling != nil
        && candidate.bounds(plan.attachments))
    estimate.attachmentTokens = input.attached
    estimate.window = candidate.facts?.context
    return estimate
  }
}

enum Reservation: ~Copyable {
  case held(Hold)
  /// No room; the budget's policy says what now.
  case refused(ProviderProblem, policy: BudgetPolicy)
}

/// What one call keeps over its attempts.
struct CallAccounting: Sendable {
  static let longestPatience = Duration.milliseconds(500)

  /// What attempts cost that did not become the answer.
  var wasted = Money.zero
  var hasSaidThatItWaits = false
  /// How long it waits before it looks whether another process has settled something.
  var patience = Duration.milliseconds(20)
}

extension ProviderProblem {
  fileprivate static func noRoom(
    _ leg: BudgetLeg, _ balance: Balance, among payers: [BudgetHolder], needed: Money
  ) -> ProviderProblem {
    ProviderProblem(
      .budget, "\(leg.obstacle(balance, among: payers)), and the call needs \(needed)",
      parameter: leg.isExecution ? "execution" : "period")
  }
}

extension BudgetLeg {
  fileprivate var isExecution: Bool { if case .execution = scope { true } else { false } }

  /// Why there is no room: what is spent and what others hold, separately.
  fileprivate func obstacle(_ balance: Balance, among payers: [BudgetHolder]) -> String {
    let limit = limit ?? .zero
    let named = "\(name(among: payers)) of \(limit)"
    if balance.held > .zero {
      return "\(named) has \(balance.settled) spent and \(balance.held) held by other calls"
    }
    return "\(named) has \(balance.room(under: limit)) left"
  }

  func isOf(_ extra: ExtraBudget?) -> Bool {
    guard let extra else { return false }
    switch scope {
    case .execution: return false
    case .day(let owner, _), .month(let owner, _): return owner == extra.name
    }
  }

  /// Whose limit it is; nil for everybody's.
  func payer(among payers: [BudgetHolder]) -> BudgetHolder? {
    payers.first { payer in
      switch scope {
      case .execution(let run): payer.execution == run
      case .day(let owner, _), .month(let owner, _): payer.persona == owner
      }
    }
  }

  func name(among payers: [BudgetHolder]) -> String {
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
  /// The assumed price of a model without a known one; nil when none is configured.
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
