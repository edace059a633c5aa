package import Synchronization

/// A value that is only ever touched under its lock.
///
/// Inlinable, because it is generic and on every hot path: other targets get code for their own
/// type, and not one look-up of it for each call.
package final class Locked<Value: ~Copyable>: Sendable {
  @usableFromInline let mutex: Mutex<Value>

  @inlinable
  package init(_ value: consuming sending Value) { mutex = Mutex(value) }

  @inlinable
  package borrowing func withLock<Result: ~Copyable, Thrown: Error>(
    _ body: (inout sending Value) throws(Thrown) -> sending Result
  ) throws(Thrown) -> sending Result {
    try mutex.withLock(body)
  }
}
