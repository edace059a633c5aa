#if RASA_THREAD_SANITIZER
  import Glibc

  /// The sanitizer does not see the standard library's futex and would report races that are none;
  /// it knows this lock.
  package final class Locked<Value: ~Copyable>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    nonisolated(unsafe) private var value: Value

    package init(_ value: consuming sending Value) {
      self.value = value
      unsafe pthread_mutex_init(mutex, nil)
    }

    deinit {
      unsafe pthread_mutex_destroy(mutex)
      unsafe mutex.deallocate()
    }

    package func withLock<Result: ~Copyable, Thrown: Error>(
      _ body: (inout sending Value) throws(Thrown) -> sending Result
    ) throws(Thrown) -> sending Result {
      unsafe pthread_mutex_lock(mutex)
      defer { unsafe pthread_mutex_unlock(mutex) }
      return try unsafe body(&value)
    }
  }
#else
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
#endif
