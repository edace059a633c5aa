import RasaCore
import RasaEngine
import RasaHTTPClient

/// Money that is held for one attempt, and with it the right to make that attempt: adapters want to
/// see it, and nothing but a reservation that the ledger has granted makes one. It cannot be copied, and
/// settling consumes it.
struct Hold: ~Copyable, Sendable {
  let reservation: Identifier
  let run: Identifier
  /// What the provider may recognise the request by if it is sent again.
  let idempotencyKey: String
  /// The most tokens that the answer may have, sent as its cap; nil where it has no bound.
  let cap: Int64?
  /// The most that the answer may have in all, by its operator or its model; nil when neither says.
  let ceiling: Int64?
  let price: Price
  let isPriceKnown: Bool
  /// The estimated input.
  let estimate: TokenEstimate
  let amount: Money
  /// When the run was last known to be this process's, in nanoseconds of the monotonic clock.
  var renewedAt: UInt64
  /// Whether the request has left.
  let trace = RequestTrace()

  /// What the reservation was computed from.
  struct Terms: Sendable {
    var idempotencyKey: String
    var cap: Int64?
    var ceiling: Int64?
    var price: Price
    /// Otherwise it is counted as free, or at what the configuration assumes.
    var isPriceKnown: Bool
    var estimate: TokenEstimate
    /// In nanoseconds of the monotonic clock.
    var reservedAt: UInt64
  }

  enum Answer: ~Copyable {
    case held(Hold)
    case refused(BudgetLeg, Balance)
  }

  /// The one way to a hold: the ledger grants it, in the commit that writes the intent down.
  static func reserve(
    _ request: ReservationRequest, _ terms: Terms, in ledger: any Ledger,
    recording intent: JournalEntry
  ) async throws -> Answer {
    switch try await ledger.reserve(request, recording: [intent]) {
    case .held: return .held(Hold(request, terms))
    case .refused(let leg, let balance): return .refused(leg, balance)
    }
  }

  private init(_ request: ReservationRequest, _ terms: Terms) {
    reservation = request.id
    run = request.run
    amount = request.amount
    idempotencyKey = terms.idempotencyKey
    cap = terms.cap
    ceiling = terms.ceiling
    price = terms.price
    isPriceKnown = terms.isPriceKnown
    estimate = terms.estimate
    renewedAt = terms.reservedAt
  }
}
