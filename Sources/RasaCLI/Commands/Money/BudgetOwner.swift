import RasaCore
import RasaEngine
import RasaPersona

/// Whose limits and balances are looked at: a persona, a name that only the books still have, or
/// all together.
struct BudgetOwner: Sendable {
  /// As the books call it.
  var name: String
  /// As people call it.
  var title: String
  var daily: Money?
  var monthly: Money?

  var hasLimit: Bool { daily != nil || monthly != nil }
}

/// How one owner stands.
struct BudgetStatus: Sendable {
  struct Period: Sendable {
    var balance: Balance
    var limit: Money?
    /// When what counts began to count: with the period, or with a correction by hand.
    var countsFrom: Timestamp
    var countsFromDay: LocalDay
  }

  var owner: BudgetOwner
  var day: LocalDay
  var daily: Period
  var monthly: Period

  var isUntouched: Bool {
    !owner.hasLimit && daily.balance == Balance() && monthly.balance == Balance()
  }
}

extension BudgetStatus {
  var file: BudgetFile {
    func amounts(_ period: Period) -> BudgetFile.Amounts {
      BudgetFile.Amounts(
        spent: period.balance.settled, limit: period.limit, held: period.balance.held)
    }
    return BudgetFile(
      agentID: owner.title, daily: .init(date: day, amounts: amounts(daily)),
      monthly: .init(month: day.monthText, amounts: amounts(monthly)),
      lastResetDaily: daily.countsFrom, lastResetMonthly: monthly.countsFrom)
  }

  /// Only the requested periods.
  func file(daily showsDay: Bool, monthly showsMonth: Bool) -> BudgetFile {
    var file = file
    if !showsDay { (file.daily, file.lastResetDaily) = (nil, nil) }
    if !showsMonth { (file.monthly, file.lastResetMonthly) = (nil, nil) }
    return file
  }

  func text(daily showsDay: Bool, monthly showsMonth: Bool) -> String {
    var lines = ["Agent: \(owner.title)"]
    var resets: [String] = []
    if showsDay {
      lines.append("Daily Budget: \(daily.text)")
      resets.append("Daily: \(daily.countsFromDay)")
    }
    if showsMonth {
      lines.append("Monthly Budget: \(monthly.text)")
      resets.append("Monthly: \(monthly.countsFromDay)")
    }
    lines.append("Last Reset: \(resets.joined(separator: ", "))")
    return lines.joined(separator: "\n") + "\n"
  }
}

extension BudgetStatus.Period {
  /// `$2.45 / $5.00 (49% used, $0.12 held)`.
  var text: String {
    let held = balance.held == .zero ? "" : ", \(balance.held.budgetText) held"
    guard let limit else { return "\(balance.settled.budgetText) (no limit\(held))" }
    let share = "\(balance.settled.percent(of: limit))% used\(held)"
    return "\(balance.settled.budgetText) / \(limit.budgetText) (\(share))"
  }
}

extension Money {
  /// With cents, and with more digits only where there is more to see.
  var budgetText: String {
    if self == .zero { return "$0.00" }
    var text = displayText
    guard let point = text.firstIndex(of: ".") else { return text }
    while text[point...].count > 3, text.last == "0" { text.removeLast() }
    return text
  }

  /// Rounded down, so that 100 means that nothing is left; of nothing everything is used.
  func percent(of limit: Money) -> UInt64 {
    guard limit > .zero else { return 100 }
    let product = UInt64(Swift.max(0, picoDollars)).multipliedFullWidth(by: 100)
    let divisor = UInt64(limit.picoDollars)
    return product.high < divisor ? divisor.dividingFullWidth(product).quotient : .max
  }
}
