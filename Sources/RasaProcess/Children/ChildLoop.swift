import CSystem
import Glibc
import RasaCore

/// The one thread that starts children and waits for them: for output, for room for input, for their end.
///
/// Children belong to the whole process, and so does this. The thread never ends, since the kernel kills a child
/// when the thread that started it does.
@safe final class ChildLoop: Sendable {
  static let ofProcess = Result { () throws(Failure) in try ChildLoop() }

  private struct Contents {
    var children: [UInt64: Child] = [:]
    var lastNumber: UInt64 = 0
    var starts: [ChildStart] = []
    /// When a child is to be killed, by its number.
    var deadlines: [UInt64: UInt64] = [:]
  }

  private let poll: Int32
  private let wakeDescriptor: Int32
  private let contents = Locked(Contents())

  private init() throws(Failure) {
    poll = epoll_create1(Int32(EPOLL_CLOEXEC))
    wakeDescriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    var event = unsafe epoll_event()
    unsafe event.events = EPOLLIN.rawValue
    unsafe event.data.u64 = 0
    guard poll >= 0, wakeDescriptor >= 0,
      unsafe epoll_ctl(poll, EPOLL_CTL_ADD, wakeDescriptor, &event) == 0, startThread()
    else {
      if poll >= 0 { close(poll) }
      if wakeDescriptor >= 0 { close(wakeDescriptor) }
      throw Failure(
        .run, "the system has no descriptor or thread left to start programs with",
        suggestion: "raise the limits (ulimit -n, ulimit -u) or run fewer things at once")
    }
  }

  private func startThread() -> Bool {
    // Signals are for the program's own threads, so this one is born with all of them blocked.
    var all = sigset_t()
    var previous = sigset_t()
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_SETMASK, &all, &previous)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &previous, nil) }
    let loop = unsafe Unmanaged.passRetained(self)
    var thread = pthread_t()
    let result = unsafe pthread_create(
      &thread, nil,
      { context in
        guard let context = unsafe context else { return nil }
        let loop = unsafe Unmanaged<ChildLoop>.fromOpaque(context).takeRetainedValue()
        loop.run()
      }, loop.toOpaque())
    if result != 0 { unsafe loop.release() }
    return result == 0
  }

  // MARK: - Called from anywhere

  /// Starts the program on the loop's thread, and waits for that: about as long as the kernel takes to load it.
  func start(_ start: ChildStart) -> Result<Child, Failure> {
    contents.withLock { $0.starts.append(start) }
    wake()
    return start.wait()
  }

  /// At that moment, of the monotonic clock, the child is killed with its group.
  func kill(_ child: Child, at moment: UInt64) {
    contents.withLock { contents in
      guard contents.children[child.number] != nil else { return }
      contents.deadlines[child.number] = min(moment, contents.deadlines[child.number] ?? .max)
    }
    wake()
  }

  /// Watches a descriptor. Those of input and output are told of once, until they are armed again.
  func add(_ descriptor: Int32, _ role: Role, of number: UInt64) -> Bool {
    switch role {
    case .error, .end: control(EPOLL_CTL_ADD, descriptor, role, number, EPOLLIN.rawValue)
    case .input, .output: control(EPOLL_CTL_ADD, descriptor, role, number, EPOLLONESHOT.rawValue)
    }
  }

  func arm(_ descriptor: Int32, _ role: Role, of number: UInt64) {
    let event = role == .input ? EPOLLOUT : EPOLLIN
    _ = control(EPOLL_CTL_MOD, descriptor, role, number, event.rawValue | EPOLLONESHOT.rawValue)
  }

  func remove(_ descriptor: Int32) { _ = epoll_ctl(poll, EPOLL_CTL_DEL, descriptor, nil) }

  private func control(
    _ operation: Int32, _ descriptor: Int32, _ role: Role, _ number: UInt64, _ events: UInt32
  ) -> Bool {
    var event = unsafe epoll_event()
    unsafe event.events = events
    unsafe event.data.u64 = number << 2 | UInt64(role.rawValue)
    return unsafe epoll_ctl(poll, operation, descriptor, &event) == 0
  }

  enum Role: UInt8 { case input, output, error, end }

  private func wake() { eventfd_write(wakeDescriptor, 1) }

  // MARK: - The thread

  private func run() -> Never {
    let capacity = 64
    let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)
    var buffer = [UInt8](repeating: 0, count: Child.pieceSize)
    while true {
      let count = unsafe epoll_wait(poll, events, Int32(capacity), waitingTime())
      for index in 0..<max(0, Int(count)) {
        let data = unsafe events[index].data.u64
        guard data != 0 else {
          acknowledge()
          continue
        }
        guard let role = Role(rawValue: UInt8(truncatingIfNeeded: data & 3)),
          let child = contents.withLock({ $0.children[data >> 2] })
        else { continue }
        switch role {
        case .input: child.continueWriting()
        case .output: child.continueReading(&buffer)
        case .error: child.readErrors(&buffer)
        case .end: if child.reap(&buffer) { forget(child) }
        }
      }
      killOverdue()
      for start in contents.withLock({ contents in
        defer { contents.starts = [] }
        return contents.starts
      }) { perform(start) }
    }
  }

  private func acknowledge() {
    var count: eventfd_t = 0
    unsafe eventfd_read(wakeDescriptor, &count)
  }

  /// Milliseconds until something is due, rounded up so that it is due then.
  private func waitingTime() -> Int32 {
    let due = contents.withLock { contents in
      contents.starts.isEmpty ? contents.deadlines.values.min() : 0
    }
    guard let due else { return -1 }
    let now = monotonicNanoseconds()
    guard due > now else { return 0 }
    return Int32(clamping: (due - now - 1) / 1_000_000 + 1)
  }

  private func killOverdue() {
    let now = monotonicNanoseconds()
    let children = contents.withLock { contents in
      guard !contents.deadlines.isEmpty else { return [Child]() }
      let numbers = contents.deadlines.filter { $0.value <= now }.keys
      for number in numbers { contents.deadlines[number] = nil }
      return numbers.compactMap { contents.children[$0] }
    }
    for child in children { child.kill() }
  }

  private func perform(_ start: ChildStart) {
    let number = contents.withLock { contents in
      contents.lastNumber += 1
      return contents.lastNumber
    }
    switch start.perform() {
    case .failure(let failure): start.finish(.failure(failure))
    case .success(let (process, descriptor)):
      let child = Child(
        number: number, process: process, isSupervisor: start.command.isSupervisor,
        descriptors: start.takeOwnEnds(), end: descriptor, loop: self)
      contents.withLock { $0.children[number] = child }
      if child.watch() {
        start.finish(.success(child))
      } else {
        child.abandon()
        start.finish(
          .failure(Failure(.run, "the system has no room to watch another process")))
      }
    }
  }

  private func forget(_ child: Child) {
    contents.withLock { contents in
      contents.children[child.number] = nil
      contents.deadlines[child.number] = nil
    }
  }
}

/// Nanoseconds of the clock that never goes back.
func monotonicNanoseconds() -> UInt64 {
  var time = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
