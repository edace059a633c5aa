import CSystem
import Glibc
package import RasaCore
import RasaSystem

/// A program that runs during a test, which can send it signals.
package final class RunningProgram: Sendable {
  /// What to do with a program that still runs at its limit.
  package enum AtLimit: Sendable {
    /// It hangs, which is an error: it is killed with everything that it started, and waiting for
    /// it fails.
    case fail
    /// It is killed, as intended by the test.
    case kill
  }

  private let child: ChildProcess
  private let hasEnded: Locked<Bool>
  private let ending: Task<Result<ProgramRun, Failure>, Never>

  package init(
    _ program: String, _ arguments: [String] = [], environment: [String: String] = [:],
    input: [UInt8] = [], folder: String? = nil, limit: Duration = .seconds(60),
    atLimit: AtLimit = .fail
  ) throws(Failure) {
    let stdin = try Pipe(childReads: true)
    let stdout = try Pipe(childReads: false)
    let stderr = try Pipe(childReads: false)
    let deadline = monotonicNanoseconds() &+ nanoseconds(limit)
    let child = try ChildProcess.spawn(
      program, arguments, environment: environment, folder: folder,
      descriptors: [stdin.readEnd, stdout.writeEnd, stderr.writeEnd])
    stdin.closeReadEnd()
    stdout.closeWriteEnd()
    stderr.closeWriteEnd()
    let hasEnded = Locked(false)
    self.child = child
    self.hasEnded = hasEnded
    ending = Task {
      await onOwnThread {
        blockSignalsOfThisThread()
        var run = ProgramRun(output: [], errorOutput: [], exitCode: 0)
        exchange(input, stdin, stdout, stderr, &run, until: deadline)
        let (code, isLate) = waitForEnd(of: child, hasEnded, until: deadline)
        run.exitCode = code
        if isLate, case .fail = atLimit {
          return .failure(
            Failure(
              .timeout,
              "\(program) did not end in time; it said: \(run.text.prefix(2000))\(run.errorText.suffix(2000))"
            ))
        }
        return .success(run)
      }
    }
  }

  deinit {
    hasEnded.withLock { hasEnded in
      if !hasEnded { child.killAll() }
    }
  }

  /// Does nothing if the program has ended.
  package func signal(_ number: Int32) {
    hasEnded.withLock { hasEnded in
      if !hasEnded { child.signal(number) }
    }
  }

  /// Returns when the program is stopped, after SIGSTOP.
  package func waitUntilStopped() async throws {
    guard await onOwnThread({ [child] in child.waitUntilStopped() }) else {
      throw Failure(.run, "the program ended instead of being stopped")
    }
  }

  /// The result, once it has ended.
  package func finish() async throws -> ProgramRun { try await ending.value.get() }
}

/// Writes the program's input and reads its output, until both outputs are closed.
private func exchange(
  _ input: [UInt8], _ stdin: Pipe, _ stdout: Pipe, _ stderr: Pipe, _ run: inout ProgramRun,
  until deadline: UInt64
) {
  var rest = input[...]
  var isOutputOpen = true
  var isErrorOpen = true
  while isOutputOpen || isErrorOpen, monotonicNanoseconds() < deadline {
    if rest.isEmpty { stdin.closeWriteEnd() }
    var waiting: [(Int32, Int32)] = []
    if !rest.isEmpty { waiting.append((stdin.writeEnd, POLLOUT)) }
    if isOutputOpen { waiting.append((stdout.readEnd, POLLIN)) }
    if isErrorOpen { waiting.append((stderr.readEnd, POLLIN)) }
    waitUntilReady(waiting, until: deadline)
    if !rest.isEmpty {
      rest = rest.dropFirst(writeSome(rest, to: stdin.writeEnd) ?? rest.count)
    }
    if isOutputOpen { isOutputOpen = readSome(from: stdout.readEnd, into: &run.output) != .end }
    if isErrorOpen {
      isErrorOpen = readSome(from: stderr.readEnd, into: &run.errorOutput) != .end
    }
  }
}

/// Under the lock, so that a signal never reaches another program that reuses the process ID.
private func waitForEnd(
  of child: ChildProcess, _ hasEnded: Locked<Bool>, until deadline: UInt64
) -> (exitCode: Int32, isLate: Bool) {
  while monotonicNanoseconds() < deadline {
    let code: Int32? = hasEnded.withLock { hasEnded in
      switch child.look() {
      case .running: return nil
      case .ended(let code):
        hasEnded = true
        return code
      case .unknown:
        hasEnded = true
        return -1
      }
    }
    if let code { return (code, false) }
    usleep(500)
  }
  return hasEnded.withLock { hasEnded in
    child.killAll()
    hasEnded = true
    return (child.wait(), true)
  }
}

/// Both ends of a pipe, not inherited by other children. This process's end never blocks; the
/// child's does, as programs expect.
private final class Pipe: Sendable {
  private let ends: Locked<(read: Int32, write: Int32)>

  init(childReads: Bool) throws(Failure) {
    var readEnd: Int32 = -1
    var writeEnd: Int32 = -1
    guard unsafe rasa_pipe(&readEnd, &writeEnd) == 0 else {
      throw Failure(.run, "there are no descriptors left for a pipe")
    }
    _ = fcntl(readEnd, F_SETFL, childReads ? 0 : O_NONBLOCK)
    _ = fcntl(writeEnd, F_SETFL, childReads ? O_NONBLOCK : 0)
    ends = Locked((readEnd, writeEnd))
  }

  deinit {
    closeReadEnd()
    closeWriteEnd()
  }

  var readEnd: Int32 { ends.withLock { $0.read } }
  var writeEnd: Int32 { ends.withLock { $0.write } }

  func closeReadEnd() {
    ends.withLock { ends in
      if ends.read >= 0 { close(ends.read) }
      ends.read = -1
    }
  }

  func closeWriteEnd() {
    ends.withLock { ends in
      if ends.write >= 0 { close(ends.write) }
      ends.write = -1
    }
  }
}
