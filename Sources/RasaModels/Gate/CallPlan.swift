import RasaCore
import RasaDocuments
import RasaEngine
import RasaPersona

/// What is the same for every attempt at one call.
struct CallPlan: Sendable {
  var request: ModelRequest
  var context: CallContext
  var estimate: TokenEstimate
  /// SHA-256 of what is asked, whoever is asked: it goes into the journal in place of the prompt.
  var digest: String
  /// When the whole call has to be over, in nanoseconds of the monotonic clock.
  var deadline: UInt64?

  init(_ request: ModelRequest, _ context: CallContext, startedAt now: UInt64) {
    self.request = request
    self.context = context
    let schema = request.schema?.json(.canonical) ?? ""
    estimate = TokenEstimate(request, schema: schema)
    digest = Self.digest(request, schema: schema)
    deadline = request.timeout.flatMap { seconds in
      guard seconds.isFinite else { return nil }
      return now.advanced(by: .milliseconds(Int64(min(max(seconds, 0), 1_000_000) * 1000)))
    }
  }

  /// Every text is preceded by its length, so that no two requests give the same bytes.
  private static func digest(_ request: ModelRequest, schema: String) -> String {
    var bytes: [UInt8] = []
    func add(_ text: String) {
      bytes += "\(text.utf8.count):".utf8
      bytes += text.utf8
    }
    for message in request.messages {
      add(message.role.rawValue)
      add(message.text)
    }
    add(schema)
    return Digest.sha256(bytes)
  }

  func legs(
    on day: LocalDay, options: GateOptions, ignoringBudget: Bool
  ) -> [BudgetLeg] {
    let budget = context.budget
    let execution =
      [
        options.force || ignoringBudget ? nil : budget.maxPerExecution,
        ignoringBudget ? nil : context.runLimit, options.maxCost,
      ].compactMap(\.self).min()
    let owner = context.persona
    return [
      BudgetLeg(scope: .execution(context.run), limit: execution),
      BudgetLeg(
        scope: .day(owner: owner, day), limit: ignoringBudget ? nil : budget.maxDaily),
      BudgetLeg(
        scope: .month(owner: owner, day.monthText),
        limit: ignoringBudget ? nil : budget.maxMonthly),
    ]
  }
}
