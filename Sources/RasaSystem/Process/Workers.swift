import Glibc
import RasaCore
import Synchronization

/// Runs many similar parts of a job on all processors.
package enum Workers {
  /// The number of threads: one per processor, within reason.
  package static var count: Int { min(max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))), 8) }

  /// Runs the parts numbered from 0 and waits for all; the results are in the order of the numbers.
  /// The calling thread works too, so a single part, or a system that has no more threads, needs no
  /// other.
  package static func map<Result: Sendable>(
    _ parts: Int, _ body: @escaping @Sendable (Int) -> Result
  ) -> [Result] {
    guard parts > 1, count > 1 else { return (0..<max(0, parts)).map(body) }
    let next = Next()
    let results = Locked<[Result?]>(Array(repeating: nil, count: parts))
    let work: @Sendable () -> Void = {
      while true {
        let part = next.take()
        guard part < parts else { return }
        let result = body(part)
        results.withLock { $0[part] = result }
      }
    }
    var threads: [pthread_t] = []
    for _ in 1..<min(count, parts) {
      if let thread = startJoinableThread(work) { threads.append(thread) }
    }
    work()
    for thread in threads { pthread_join(thread, nil) }
    return results.withLock { $0.compactMap { $0 } }
  }

  private final class Next: Sendable {
    private let number = Atomic<Int>(0)
    func take() -> Int { number.wrappingAdd(1, ordering: .relaxed).oldValue }
  }
}

/// Nil if the system has no more threads.
private func startJoinableThread(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
  final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  let work = unsafe Unmanaged.passRetained(Work(body))
  var thread = pthread_t()
  let status = unsafe pthread_create(
    &thread, nil,
    { pointer in
      guard let pointer = unsafe pointer else { return nil }
      unsafe Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().body()
      return nil
    }, work.toOpaque())
  if status == 0 { return thread }
  unsafe work.release()
  return nil
}
