import CSystem
import Glibc
import RasaCore

/// What the loop and the owner of a child share. Every descriptor is used and closed under the lock; who waits is
/// resumed after it.
final class Child: Sendable {
  static let pieceSize = 64 * 1024

  let number: UInt64
  private let loop: ChildLoop
  private let isSupervisor: Bool
  private let state: Locked<State>

  private struct State {
    /// 0 once it is reaped: from then on the number may be another process's.
    var process: pid_t
    /// The number for messages.
    let id: pid_t
    var input: Int32
    var output: Int32
    var error: Int32
    var end: Int32
    var tail = ErrorTail()
    var status: ExitStatus?
    var waiters: [CheckedContinuation<ExitStatus, Never>] = []

    var writes: [PendingWrite] = []
    var closesInputAfterwards = false
    var reader: (ticket: UInt64, continuation: ReadContinuation)?
    /// Calls that were cancelled before they waited.
    var cancelled: Set<UInt64> = []
    var lastTicket: UInt64 = 0
  }

  typealias ReadContinuation = CheckedContinuation<Result<[UInt8]?, Failure>, Never>
  typealias WriteContinuation = CheckedContinuation<Result<Void, Failure>, Never>

  private struct PendingWrite {
    let ticket: UInt64
    var rest: ArraySlice<UInt8>
    var isBegun: Bool
    /// Nil if its caller has been cancelled in the middle: a message that is begun is also finished.
    var continuation: WriteContinuation?
  }

  /// What to do once the lock is free.
  private struct Resumptions {
    var read: (ReadContinuation, Result<[UInt8]?, Failure>)?
    var writes: [(WriteContinuation, Result<Void, Failure>)] = []
    var ends: ([CheckedContinuation<ExitStatus, Never>], ExitStatus)?

    func perform() {
      if let (continuation, result) = read { continuation.resume(returning: result) }
      for (continuation, result) in writes { continuation.resume(returning: result) }
      if let (waiters, status) = ends { for waiter in waiters { waiter.resume(returning: status) } }
    }
  }

  init(
    number: UInt64, process: pid_t, isSupervisor: Bool, descriptors: ChildStart.OwnEnds,
    end: Int32, loop: ChildLoop
  ) {
    self.number = number
    self.isSupervisor = isSupervisor
    self.loop = loop
    state = Locked(
      State(
        process: process, id: process, input: descriptors.input, output: descriptors.output,
        error: descriptors.error, end: end))
  }

  deinit {
    state.withLock { state in
      for descriptor in [state.input, state.output, state.error, state.end] where descriptor >= 0 {
        close(descriptor)
      }
    }
  }

  /// False if the system watches no more descriptors.
  func watch() -> Bool {
    state.withLock { state in
      // The end comes last: after it the loop may forget this child.
      loop.add(state.input, .input, of: number) && loop.add(state.output, .output, of: number)
        && loop.add(state.error, .error, of: number) && loop.add(state.end, .end, of: number)
    }
  }

  var id: pid_t { state.withLock { $0.id } }
  var errorTail: String { state.withLock { $0.tail.text } }
  var status: ExitStatus? { state.withLock { $0.status } }

  func newTicket() -> UInt64 {
    state.withLock { state in
      state.lastTicket += 1
      return state.lastTicket
    }
  }

  func forgetTicket(_ ticket: UInt64) { state.withLock { _ = $0.cancelled.remove(ticket) } }

  private static let cancellation = Failure(.cancelled, "waiting for a program was cancelled")

  // MARK: - Output

  /// Nil if nothing can be read now.
  func readNow() -> Result<[UInt8]?, Failure>? {
    unsafe withUnsafeTemporaryAllocation(byteCount: Self.pieceSize, alignment: 16) { buffer in
      state.withLock { state in unsafe read(&state, into: buffer) }
    }
  }

  func wait(_ ticket: UInt64, toRead continuation: ReadContinuation) {
    let result: Result<[UInt8]?, Failure>? = state.withLock { state in
      if state.cancelled.contains(ticket) { return .failure(Self.cancellation) }
      if state.reader != nil {
        return .failure(Failure(.run, "the output of a program is being read by somebody else"))
      }
      // Its end may have been noticed since the last look, and its last words with it.
      if state.output < 0 || state.status != nil {
        return unsafe withUnsafeTemporaryAllocation(byteCount: Self.pieceSize, alignment: 16) {
          unsafe read(&state, into: $0)
        }
      }
      state.reader = (ticket, continuation)
      loop.arm(state.output, .output, of: number)
      return nil
    }
    if let result { continuation.resume(returning: result) }
  }

  func continueReading(_ buffer: inout [UInt8]) {
    var resumptions = Resumptions()
    unsafe buffer.withUnsafeMutableBytes { buffer in
      state.withLock { state in
        guard let reader = state.reader else { return }
        guard let result = unsafe read(&state, into: buffer) else {
          return loop.arm(state.output, .output, of: number)
        }
        state.reader = nil
        resumptions.read = (reader.continuation, result)
      }
    }
    resumptions.perform()
  }

  private func read(
    _ state: inout State, into buffer: UnsafeMutableRawBufferPointer
  ) -> Result<[UInt8]?, Failure>? {
    guard state.output >= 0 else { return .success(nil) }
    while true {
      let count = unsafe Glibc.read(state.output, buffer.baseAddress, buffer.count)
      if count > 0 { return .success(unsafe [UInt8](buffer[..<count])) }
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN {
        // Whoever still holds the other end has left the program's group: nothing of it counts.
        guard state.status != nil else { return nil }
      }
      closeOutput(&state)
      return .success(nil)
    }
  }

  private func closeOutput(_ state: inout State) {
    loop.remove(state.output)
    close(state.output)
    state.output = -1
  }

  // MARK: - Input

  /// Writes what can be written now and keeps the rest; nil if that has to be waited for.
  func write(_ bytes: [UInt8], ticket: UInt64) -> Result<Void, Failure>? {
    state.withLock { state in
      guard state.input >= 0, !state.closesInputAfterwards else {
        return .failure(inputIsClosed(state))
      }
      guard state.writes.isEmpty else {
        state.writes.append(
          PendingWrite(ticket: ticket, rest: bytes[...], isBegun: false, continuation: nil))
        return nil
      }
      var rest = bytes[...]
      switch Self.write(&rest, to: state.input) {
      case 0: return .success(())
      case EAGAIN:
        state.writes.append(
          PendingWrite(
            ticket: ticket, rest: rest, isBegun: rest.count < bytes.count, continuation: nil))
        loop.arm(state.input, .input, of: number)
        return nil
      case let code:
        closeInput(&state)
        return .failure(cannotWrite(code, state))
      }
    }
  }

  func wait(_ ticket: UInt64, toWrite continuation: WriteContinuation) {
    let result: Result<Void, Failure>? = state.withLock { state in
      let place = state.writes.firstIndex { $0.ticket == ticket }
      if state.cancelled.contains(ticket) {
        if let place { giveUpWrite(at: place, &state) }
        return .failure(Self.cancellation)
      }
      guard let place else {
        // Written since, unless the input was closed meanwhile.
        return state.input >= 0 || state.closesInputAfterwards
          ? .success(()) : .failure(inputIsClosed(state))
      }
      state.writes[place].continuation = continuation
      return nil
    }
    if let result { continuation.resume(returning: result) }
  }

  func continueWriting() {
    var resumptions = Resumptions()
    state.withLock { state in
      while let first = state.writes.first {
        var rest = first.rest
        let code = state.input >= 0 ? Self.write(&rest, to: state.input) : EPIPE
        if code == EAGAIN {
          state.writes[0].isBegun = first.isBegun || rest.count < first.rest.count
          state.writes[0].rest = rest
          loop.arm(state.input, .input, of: number)
          return
        }
        guard code == 0 else {
          failWrites(cannotWrite(code, state), &state, &resumptions)
          return closeInput(&state)
        }
        state.writes.removeFirst()
        if let continuation = first.continuation {
          resumptions.writes.append((continuation, .success(())))
        }
      }
      if state.closesInputAfterwards { closeInput(&state) }
    }
    resumptions.perform()
  }

  func closeInput() {
    state.withLock { state in
      state.closesInputAfterwards = true
      if state.writes.isEmpty { closeInput(&state) }
    }
  }

  /// 0, or the error number; `rest` loses what was written.
  private static func write(_ rest: inout ArraySlice<UInt8>, to descriptor: Int32) -> Int32 {
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { bytes in
        unsafe rasa_write_pipe(descriptor, bytes.baseAddress, bytes.count)
      }
      if count >= 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        return errno
      }
    }
    return 0
  }

  private func closeInput(_ state: inout State) {
    guard state.input >= 0 else { return }
    loop.remove(state.input)
    close(state.input)
    state.input = -1
  }

  private func failWrites(
    _ failure: Failure, _ state: inout State, _ resumptions: inout Resumptions
  ) {
    for write in state.writes {
      if let continuation = write.continuation {
        resumptions.writes.append((continuation, .failure(failure)))
      }
    }
    state.writes = []
  }

  private func giveUpWrite(at place: Int, _ state: inout State) {
    if state.writes[place].isBegun {
      state.writes[place].continuation = nil
    } else {
      state.writes.remove(at: place)
    }
  }

  private func cannotWrite(_ code: Int32, _ state: State) -> Failure {
    guard code == EPIPE else {
      return Failure(.run, "cannot write to a program: \(ProgramLookup.text(of: code))")
    }
    return inputIsClosed(state)
  }

  private func inputIsClosed(_ state: State) -> Failure {
    var failure = Failure(
      .run,
      state.status.map { "the program has ended (\($0)) and reads nothing more" }
        ?? "the program does not read its input any more")
    failure.reason = "closed"
    return failure
  }

  // MARK: - Cancellation

  func cancel(_ ticket: UInt64) {
    var resumptions = Resumptions()
    state.withLock { state in
      if let reader = state.reader, reader.ticket == ticket {
        state.reader = nil
        resumptions.read = (reader.continuation, .failure(Self.cancellation))
      } else if let place = state.writes.firstIndex(where: { $0.ticket == ticket }),
        let continuation = state.writes[place].continuation
      {
        giveUpWrite(at: place, &state)
        resumptions.writes.append((continuation, .failure(Self.cancellation)))
      } else {
        state.cancelled.insert(ticket)
      }
    }
    resumptions.perform()
  }

  // MARK: - Errors and the end

  func readErrors(_ buffer: inout [UInt8]) {
    unsafe buffer.withUnsafeMutableBytes { buffer in
      state.withLock { state in _ = unsafe readErrors(&state, buffer) }
    }
  }

  /// Whether there may be more.
  private func readErrors(
    _ state: inout State, _ buffer: UnsafeMutableRawBufferPointer
  ) -> Bool {
    guard state.error >= 0 else { return false }
    let count = unsafe Glibc.read(state.error, buffer.baseAddress, buffer.count)
    if count > 0 {
      let piece = unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count])
      unsafe piece.withMemoryRebound(to: UInt8.self) { unsafe state.tail.append($0.span) }
      return true
    }
    if count < 0, errno == EAGAIN || errno == EINTR { return errno == EINTR }
    closeError(&state)
    return false
  }

  private func closeError(_ state: inout State) {
    guard state.error >= 0 else { return }
    loop.remove(state.error)
    close(state.error)
    state.error = -1
  }

  /// Whether the child has ended. What it leaves in its group ends with it.
  func reap(_ buffer: inout [UInt8]) -> Bool {
    var resumptions = Resumptions()
    let hasEnded = unsafe buffer.withUnsafeMutableBytes { buffer in
      state.withLock { state in
        guard state.process > 0 else { return true }
        // As long as the child is not reaped, nobody else can have its number.
        _ = Glibc.kill(-state.process, SIGKILL)
        var code: Int32 = 0
        var isSignal: Int32 = 0
        let result = unsafe rasa_wait_for_child(state.end, &code, &isSignal)
        if result == EAGAIN { return false }
        state.process = 0
        // Somebody who waits for any child may have reaped it; its code is lost.
        let status: ExitStatus = result != 0 || isSignal == 0 ? .exited(code) : .signalled(code)
        state.status = status
        loop.remove(state.end)
        close(state.end)
        state.end = -1
        // What it said last. Others that hold the pipe must not keep this thread busy.
        var rounds = 16
        while rounds > 0, unsafe readErrors(&state, buffer) { rounds -= 1 }
        closeError(&state)
        failWrites(inputIsClosed(state), &state, &resumptions)
        closeInput(&state)
        if let reader = state.reader, let result = unsafe read(&state, into: buffer) {
          state.reader = nil
          resumptions.read = (reader.continuation, result)
        }
        resumptions.ends = (state.waiters, status)
        state.waiters = []
        return true
      }
    }
    resumptions.perform()
    return hasEnded
  }

  func wait(toEnd continuation: CheckedContinuation<ExitStatus, Never>) {
    let status: ExitStatus? = state.withLock { state in
      if state.status == nil { state.waiters.append(continuation) }
      return state.status
    }
    if let status { continuation.resume(returning: status) }
  }

  // MARK: - Signals

  /// Asks it, and everything in its group, to end.
  func terminate() {
    state.withLock { state in
      guard state.process > 0 else { return }
      if isSupervisor {
        // The numbers are looked up and used at once; the leader cannot be reaped meanwhile.
        let descendants = Self.descendants(of: state.process)
        for process in descendants.isEmpty ? [state.process] : descendants {
          _ = Glibc.kill(process, SIGTERM)
          _ = Glibc.kill(process, SIGCONT)
        }
      } else {
        _ = Glibc.kill(-state.process, SIGTERM)
        _ = Glibc.kill(-state.process, SIGCONT)
      }
    }
  }

  func kill() {
    state.withLock { state in
      guard state.process > 0 else { return }
      _ = Glibc.kill(-state.process, SIGKILL)
    }
  }

  func kill(after grace: Duration) {
    let (seconds, attoseconds) = grace.components
    guard seconds >= 0, attoseconds >= 0 else { return kill() }
    let nanoseconds =
      UInt64(min(seconds, 86_400)) * 1_000_000_000 + UInt64(attoseconds) / 1_000_000_000
    loop.kill(self, at: monotonicNanoseconds() &+ nanoseconds)
  }

  /// Nobody will ask for it again.
  func abandon() {
    kill()
    var resumptions = Resumptions()
    state.withLock { state in
      failWrites(inputIsClosed(state), &state, &resumptions)
      closeInput(&state)
      if state.output >= 0 { closeOutput(&state) }
    }
    resumptions.perform()
  }

  private static func descendants(of process: pid_t) -> [pid_t] {
    var found: [pid_t] = []
    var next = [process]
    while let parent = next.popLast(), found.count < 4096 {
      let children = children(of: parent)
      found += children
      next += children
    }
    return found
  }

  private static func children(of process: pid_t) -> [pid_t] {
    let descriptor = unsafe open(
      "/proc/\(process)/task/\(process)/children", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
    guard count > 0 else { return [] }
    return buffer[..<count].split(separator: UInt8(ascii: " ")).compactMap {
      pid_t(String(decoding: $0, as: UTF8.self))
    }
  }
}
