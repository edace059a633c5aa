package import RasaCore

/// A way to cut a stream of bytes into events, wherever the network happened to cut it.
package protocol EventFraming: Sendable {
  init()
  /// Calls `onEvent` with the bytes and the range of each event that the chunk completes.
  mutating func feed(
    _ chunk: [UInt8],
    _ onEvent: (_ bytes: [UInt8], _ event: Range<Int>) throws(Failure) -> Void
  ) throws(Failure)
  /// Flushes what the end of the input completes.
  mutating func finish(
    _ onEvent: (_ bytes: [UInt8], _ event: Range<Int>) throws(Failure) -> Void
  ) throws(Failure)
  /// JSON that came outside of events.
  var stray: [UInt8] { get }
}
