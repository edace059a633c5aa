/// A response's body while it arrives. One consumer at a time; dropping the last reference aborts
/// the transfer, and so does cancelling the task that waits.
package final class HTTPBody: Sendable {
  private let transfer: Transfer
  /// Keeps the loop running for as long as there is something to read.
  private let client: HTTPClient

  init(transfer: Transfer, client: HTTPClient) {
    self.transfer = transfer
    self.client = client
  }

  /// All bytes that have arrived since the last call, or, when there are none, the next ones; nil
  /// at the end.
  ///
  /// The deadline is in nanoseconds of `CLOCK_MONOTONIC`, as `TimeSource.monotonic` counts; waiting beyond it aborts the transfer
  /// and throws `.timeout`. What had arrived before is still handed out, once, so a slow consumer
  /// is not taken for a silent peer.
  package func next(deadline: UInt64? = nil) async throws -> [UInt8]? {
    try await transfer.next(deadline: deadline)
  }

  /// The whole body, for error documents: a body that is longer is aborted and cut at the limit.
  package func collect(limit: Int, deadline: UInt64? = nil) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    while let chunk = try await next(deadline: deadline) {
      bytes += chunk.prefix(max(0, limit - bytes.count))
      if bytes.count >= limit {
        cancel()
        break
      }
    }
    return bytes
  }

  /// Ends the transfer; the peer sees its connection closed within milliseconds.
  package func cancel() { transfer.cancel() }

  deinit { transfer.cancel() }
}
