import RasaCore

/// Tells, once a request is over, whether any of it can have reached its peer. What never left costs
/// nothing, which matters to a payer.
package final class RequestTrace: Sendable {
  private let sent = Locked(false)

  package init() {}

  /// False only while it is certain that not a byte of the request has left.
  package var isSent: Bool { sent.withLock { $0 } }

  /// A connection stands, and what comes next is the request.
  package func markSent() { sent.withLock { $0 = true } }
}
