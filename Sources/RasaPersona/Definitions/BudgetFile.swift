package import RasaCore

/// What one persona or agent has spent of a day and a month, as budget files have it.
package struct BudgetFile: Sendable, Hashable {
  package struct Amounts: Sendable, Hashable {
    package var spent: Money
    /// Nil when there is none.
    package var limit: Money?
    package var held: Money

    package init(spent: Money, limit: Money?, held: Money = .zero) {
      self.spent = spent
      self.limit = limit
      self.held = held
    }
  }

  package struct Daily: Sendable, Hashable {
    package var date: LocalDay
    package var amounts: Amounts
    package init(date: LocalDay, amounts: Amounts) {
      self.date = date
      self.amounts = amounts
    }
  }

  package struct Monthly: Sendable, Hashable {
    /// As `2025-12`.
    package var month: String
    package var amounts: Amounts
    package init(month: String, amounts: Amounts) {
      self.month = month
      self.amounts = amounts
    }
  }

  package var agentID: String
  package var daily: Daily?
  package var monthly: Monthly?
  package var lastResetDaily: Timestamp?
  package var lastResetMonthly: Timestamp?

  package init(
    agentID: String, daily: Daily? = nil, monthly: Monthly? = nil,
    lastResetDaily: Timestamp? = nil, lastResetMonthly: Timestamp? = nil
  ) {
    self.agentID = agentID
    self.daily = daily
    self.monthly = monthly
    self.lastResetDaily = lastResetDaily
    self.lastResetMonthly = lastResetMonthly
  }
}

extension BudgetFile {
  /// The document. Amounts are numbers there, written digit by digit so that none is rounded.
  package var text: String {
    var members = ["\"agent_id\": \(Value.string(agentID).json())"]
    if let daily {
      members.append(Self.text("daily", "date", daily.date.description, daily.amounts))
    }
    if let monthly { members.append(Self.text("monthly", "month", monthly.month, monthly.amounts)) }
    if let lastResetDaily { members.append("\"last_reset_daily\": \"\(lastResetDaily.utcText)\"") }
    if let lastResetMonthly {
      members.append("\"last_reset_monthly\": \"\(lastResetMonthly.utcText)\"")
    }
    return "{\n" + members.map { "  \($0)" }.joined(separator: ",\n") + "\n}\n"
  }

  private static func text(
    _ name: String, _ key: String, _ period: String, _ amounts: Amounts
  ) -> String {
    """
    "\(name)": {
        "\(key)": "\(period)",
        "spent": \(number(amounts.spent)),
        "limit": \(amounts.limit.map(number) ?? "null"),
        "held": \(number(amounts.held))
      }
    """
  }

  /// With cents, as money is written.
  private static func number(_ amount: Money) -> String {
    let text = amount.decimalText
    let decimals = text.firstIndex(of: ".").map { text[$0...].count - 1 } ?? 0
    let missing = String(repeating: "0", count: max(0, 2 - decimals))
    return decimals == 0 ? "\(text).\(missing)" : text + missing
  }
}
