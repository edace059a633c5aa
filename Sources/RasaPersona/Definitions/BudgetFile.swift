package import RasaCore
import RasaDocuments

/// The amounts that a persona or agent has spent in a day and a month, in the format of budget
/// files.
package struct BudgetFile: Sendable, Hashable {
  package struct Amounts: Sendable, Hashable {
    package var spent: Money
    /// Nil if there is none.
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
  /// The document. Amounts are numbers in it, written digit by digit so that none is rounded.
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

  /// With cents, like money.
  private static func number(_ amount: Money) -> String {
    let text = amount.decimalText
    let decimals = text.firstIndex(of: ".").map { text[$0...].count - 1 } ?? 0
    let missing = String(repeating: "0", count: max(0, 2 - decimals))
    return decimals == 0 ? "\(text).\(missing)" : text + missing
  }
}

extension BudgetFile {
  /// Reads a budget file, including those that other programs keep in `~/.radium/budgets`.
  package static func read(_ document: SourceDocument) -> Reading<BudgetFile> {
    do {
      let node = try JSON.document(document.bytes, file: document.path)
      var reader = DocumentReader(text: SourceText(document))
      let file = reader.budgetFile(node)
      return Reading(
        read: file ?? BudgetFile(agentID: ""), failures: reader.failures,
        warnings: reader.warnings)
    } catch {
      return Reading(failure: error)
    }
  }
}

extension DocumentReader {
  fileprivate mutating func budgetFile(_ node: DocumentNode) -> BudgetFile? {
    let known = ["agent_id", "daily", "monthly", "last_reset_daily", "last_reset_monthly"]
    guard let fields = fields(node, of: "a budget file", known: known) else { return nil }
    if fields["agent_id"] == nil {
      fail(node, "the budget file has no owner", suggestion: "add `\"agent_id\": \"…\"`")
    }
    if fields["daily"] == nil, fields["monthly"] == nil {
      fail(node, "the budget file has neither `daily` nor `monthly`")
    }
    let agent = name(fields["agent_id"], "agent_id")
    let daily = period(fields["daily"], "daily", "date", mustBe: "a day such as 2025-12-07") {
      LocalDay($0)
    }
    let monthly = period(fields["monthly"], "monthly", "month", mustBe: "a month such as 2025-12") {
      LocalDay(month: $0)
    }
    return BudgetFile(
      agentID: agent ?? "",
      daily: daily.map { BudgetFile.Daily(date: $0.begins, amounts: $0.amounts) },
      monthly: monthly.map {
        BudgetFile.Monthly(month: $0.begins.monthText, amounts: $0.amounts)
      })
  }

  private mutating func period(
    _ node: DocumentNode?, _ label: String, _ key: String, mustBe expected: String,
    _ read: (String) -> LocalDay?
  ) -> (begins: LocalDay, amounts: BudgetFile.Amounts)? {
    guard let node,
      let fields = fields(node, of: "`\(label)`", known: [key, "spent", "limit", "held"])
    else { return nil }
    for key in [key, "spent"] where fields[key] == nil {
      fail(node, "`\(label)` has no `\(key)`")
    }
    var begins: LocalDay?
    if let place = fields[key], let text = text(place, key) {
      begins = read(text)
      if begins == nil { fail(place, key, mustBe: expected) }
    }
    let spent = amount(fields["spent"], "spent")
    let limit = amount(fields["limit"], "limit")
    guard let begins, let spent else { return nil }
    return (begins, BudgetFile.Amounts(spent: spent, limit: limit))
  }

  /// Like `money`, but a computed amount may have more digits than count.
  private mutating func amount(_ node: DocumentNode?, _ label: String) -> Money? {
    guard let node else { return nil }
    guard case .scalar(let value) = node.content,
      let amount = node.rawText.flatMap({ Money(decimal: $0) }) ?? Money(value), amount >= .zero
    else {
      fail(node, label, mustBe: "an amount in dollars such as 2.45")
      return nil
    }
    return amount
  }
}
