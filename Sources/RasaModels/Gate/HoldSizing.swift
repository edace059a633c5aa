package import RasaCore
package import RasaEngine

/// How much is held for a call, and what to do when a limit has no room for it. Pure, so that the
/// rules can be tried without anybody being asked.
package struct HoldSizing: Sendable {
  package enum Step: Sendable, Hashable {
    /// Try again: less is asked for, or others have settled meanwhile.
    case again
    /// There is room apart from what others hold.
    case wait
    case refused
  }

  let price: Price
  let input: Int64
  /// How long the call may take, for what is paid by time.
  let seconds: Double
  /// In thousandths: what the provider's counts have passed the expected ones by.
  let factor: Int64
  package let room: OutputRoom
  /// What is asked for now.
  package private(set) var tokens: Int64
  /// What was held for the same call before, and is held again.
  var recorded: Money?

  package init(
    price: Price, input: Int64, room: OutputRoom, seconds: Double = 0, overrun: Int64 = 0,
    recorded: Money? = nil
  ) {
    self.price = price
    self.input = input
    self.seconds = seconds
    self.room = room
    self.recorded = recorded
    factor = max(1_000, overrun)
    tokens = room.start
  }

  /// The most that the call can cost, if the provider respects the cap.
  var expected: Money {
    price.cost(input: input, output: tokens) + price.cost(seconds: seconds)
  }

  /// What is held.
  package var amount: Money { recorded ?? expected.scaled(thousandths: factor) }

  /// What follows from a refusal. As long as all that was ever held for others could come back, the
  /// call asks for as much of it as it needs.
  package mutating func step(after leg: BudgetLeg, _ balance: Balance) -> Step {
    guard let limit = leg.limit else { return .again }
    let most = balance.roomWithoutHolds(under: limit)
    let now = balance.room(under: limit)
    guard recorded == nil, let payable = payable(with: most) else {
      if amount > most { return .refused }
      return amount > now ? .wait : .again
    }
    guard payable >= room.least else { return .refused }
    tokens = min(tokens, payable)
    if amount > most { return .refused }
    return amount > now ? .wait : .again
  }

  /// How much output the money pays for; nil when output is free.
  package func payable(with money: Money) -> Int64? {
    let usable = money.unscaled(thousandths: factor) - price.cost(seconds: seconds)
    return price.outputTokens(payableWith: usable, input: input)
  }
}

extension Money {
  /// Rounded up.
  fileprivate func scaled(thousandths: Int64) -> Money {
    guard thousandths > 1_000, picoDollars > 0 else { return self }
    let product = picoDollars.multipliedFullWidth(by: thousandths)
    guard product.high < 500 else { return .max }
    let (quotient, remainder) = Int64(1_000).dividingFullWidth(product)
    return Money(picoDollars: quotient) + Money(picoDollars: remainder > 0 ? 1 : 0)
  }

  /// Rounded down, so that what it pays for fits when it is scaled again.
  fileprivate func unscaled(thousandths: Int64) -> Money {
    guard thousandths > 1_000, picoDollars > 0 else { return self }
    let product = picoDollars.multipliedFullWidth(by: 1_000)
    return Money(picoDollars: thousandths.dividingFullWidth(product).quotient)
  }
}
