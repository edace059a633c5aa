import RasaCore
import RasaEngine

extension LocalDay {
  /// As a number, such as 20260131: days sort by it.
  var number: Int64 {
    let (years, overflow) = Int64(year).multipliedReportingOverflow(by: 10_000)
    let (sum, overflow2) = years.addingReportingOverflow(Int64(month * 100 + day))
    return overflow || overflow2 ? (year < 0 ? .min : .max) : sum
  }

  init(number: Int64) {
    self.init(
      year: Int(number / 10_000), month: Int(number / 100 % 100), day: Int(number % 100))
  }
}

/// The rules of both stores.
enum SpendingRules {
  /// Of more rows, those with less spending or of earlier days are left out.
  static let rowsAtMost = 10_000

  static func isByTime(_ keys: [SpendingKey]) -> Bool { keys.first == .day || keys.first == .month }

  /// By what was spent, the most first; by time first where that is the first key.
  static func sorted(_ rows: [SpendingRow], by keys: [SpendingKey]) -> [SpendingRow] {
    let isByTime = isByTime(keys)
    let sorted = rows.sorted { left, right in
      if isByTime, left.keys[0] != right.keys[0] { return left.keys[0] < right.keys[0] }
      if left.spent != right.spent { return left.spent > right.spent }
      return left.keys.lexicographicallyPrecedes(right.keys)
    }
    return Array(isByTime ? sorted.suffix(rowsAtMost) : sorted.prefix(rowsAtMost))
  }
}

extension AccountBalance {
  /// By owner, the day before the month.
  static func precedes(_ left: AccountBalance, _ right: AccountBalance) -> Bool {
    if left.owner != right.owner { return left.owner < right.owner }
    if case .day = left.period, case .month = right.period { return true }
    return false
  }
}

extension Balance {
  /// What counts as spent after a correction by hand; what is held stays.
  mutating func apply(_ change: Adjustment.Change) {
    switch change {
    case .to(let amount): settled = amount
    case .atLeast(let amount): settled = max(settled, amount)
    }
  }
}

extension Adjustment {
  func refuseImpossible() throws {
    let amount =
      switch change {
      case .to(let amount), .atLeast(let amount): amount
      }
    if amount < .zero { throw Failure.negativeAmount(amount) }
  }

  func audit(_ difference: Money) -> Audit {
    Audit(time: time, kind: kind.rawValue, subject: scope.row, amount: difference, detail: by)
  }
}
