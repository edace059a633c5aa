import RasaCore
import RasaKit

/// What a token allows.
package enum Scope: String, Sendable, Hashable, CaseIterable {
  /// To start, cancel and fork runs, and to ask models.
  case run
  /// To answer questions.
  case approve
  /// To see runs, memories, money.
  case read
  /// All of it, and to change what there is.
  case admin
}

/// Who asks: a token, and what it allows.
struct Client: Sendable, Hashable {
  /// The token's name in audit log and books; never the token.
  var name: String
  var scopes: Set<Scope>
  /// Models, personas and agents that may be asked, as patterns with `*`; empty for all.
  var models: [String] = []
  /// Whose memories and conversations are used; nil for the user of the machine.
  var user: String?
  /// The most that a single run or call may cost.
  var maxCost: Rasa.Dollars?
  /// The most that all of its runs and calls may cost in a day and in a month.
  var daily: Rasa.Dollars?
  var monthly: Rasa.Dollars?
  /// Requests for runs and models in a minute; nil for any number.
  var requestsPerMinute: Int?
  /// Runs and calls at the same time; nil for any number.
  var concurrency: Int?
  /// It came by a cookie, so that what changes something needs the page's own header.
  var isBrowser = false

  /// What pays beside the budgets of persona, agent and everybody; nil for a token without limits.
  var budget: Rasa.ExtraBudget? {
    guard daily != nil || monthly != nil else { return nil }
    var budget = Rasa.ExtraBudget(name: "token:\(name)")
    budget.daily = daily
    budget.monthly = monthly
    return budget
  }

  func may(_ scope: Scope) -> Bool { scopes.contains(scope) || scopes.contains(.admin) }

  /// Whoever runs the server.
  static let owner = Client(name: "owner", scopes: Set(Scope.allCases))
  /// A front end without a token.
  static let anonymous = Client(name: "anonymous", scopes: [])

  /// Whether a model, persona or agent of that name may be asked.
  func mayAsk(_ name: String) -> Bool {
    models.isEmpty || models.contains { Self.matches(name, $0) }
  }

  /// `*` stands for any text.
  static func matches(_ name: String, _ pattern: String) -> Bool {
    let parts = pattern.split(atByte: "*")
    guard let first = parts.first, let last = parts.last, name.hasBytePrefix(String(first)) else {
      return false
    }
    guard parts.count > 1 else { return name == pattern }
    var rest = name.dropFirst(first.count)
    for part in parts.dropFirst().dropLast() {
      guard let found = rest.firstRange(ofBytes: part) else { return false }
      rest = rest[found.upperBound...]
    }
    return rest.utf8.count >= last.utf8.count && rest.hasByteSuffix(String(last))
  }
}
