import RasaCore

/// One provider's door. Asking needs a `Hold`, and only the gate's reservation makes one, so no
/// call can reach a provider without its money being held.
protocol ChatAdapter: Sendable {
  /// Returns when the provider has accepted the request; throws `ProviderProblem` when it has not.
  /// The deadline is in nanoseconds of the monotonic clock.
  func ask(
    _ call: WireCall, under hold: borrowing Hold, deadline: UInt64
  ) async throws -> any ChatStream
}

/// An answer while it arrives.
protocol ChatStream {
  var progress: ChatProgress { get set }
  /// Waits for more and adds it to the progress. False at the end of the stream.
  mutating func advance(deadline: UInt64) async throws -> Bool
  /// Nothing more is waited for: what has come is all.
  mutating func conclude()
  /// Reads what may follow a complete answer, so that the connection can serve the next one.
  mutating func drain(deadline: UInt64) async
  /// Ends the call at the provider.
  func cancel()
}

extension ChatStream {
  mutating func conclude() { progress.endText() }
}
