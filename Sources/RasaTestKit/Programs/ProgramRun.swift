import CSystem
import Glibc
import RasaCore
import RasaSystem

/// What a program left behind when it ended.
package struct ProgramRun: Sendable {
  package var output: [UInt8]
  package var errorOutput: [UInt8]
  /// 128 and more for signals, as a shell has it.
  package var exitCode: Int32

  package var text: String { String(decoding: output, as: UTF8.self) }
  package var errorText: String { String(decoding: errorOutput, as: UTF8.self) }
}

extension ProgramRun {
  /// Runs a program with exactly this environment and input until it ends. At the limit it is
  /// killed with all that it started, and the call fails.
  package static func run(
    _ program: String, _ arguments: [String] = [], environment: [String: String] = [:],
    input: [UInt8] = [], folder: String? = nil, limit: Duration = .seconds(60)
  ) async throws -> ProgramRun {
    try await onOwnThread {
      blockSignalsOfThisThread()
      return Result {
        try runAndWait(
          program, arguments, environment, input, folder,
          deadline: monotonicNanoseconds() &+ nanoseconds(limit))
      }
    }.get()
  }

  private static func runAndWait(
    _ program: String, _ arguments: [String], _ environment: [String: String], _ input: [UInt8],
    _ folder: String?, deadline: UInt64
  ) throws -> ProgramRun {
    let stdin = try Pipe(childReads: true)
    let stdout = try Pipe(childReads: false)
    let stderr = try Pipe(childReads: false)
    let child = try ChildProcess.spawn(
      program, arguments, environment: environment, folder: folder,
      descriptors: [stdin.readEnd, stdout.writeEnd, stderr.writeEnd])
    stdin.closeReadEnd()
    stdout.closeWriteEnd()
    stderr.closeWriteEnd()

    var run = ProgramRun(output: [], errorOutput: [], exitCode: 0)
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
    guard let code = child.wait(until: deadline) else {
      throw Failure(
        .timeout, "\(program) did not end in time; it said: \(run.text)\(run.errorText)")
    }
    run.exitCode = code
    return run
  }
}

/// Both ends of a pipe, which no child inherits by accident. This process's end never blocks, the
/// child's does, as programs expect.
private final class Pipe {
  private(set) var readEnd: Int32 = -1
  private(set) var writeEnd: Int32 = -1

  init(childReads: Bool) throws(Failure) {
    guard unsafe rasa_pipe(&readEnd, &writeEnd) == 0 else {
      throw Failure(.run, "there are no descriptors left for a pipe")
    }
    _ = fcntl(readEnd, F_SETFL, childReads ? 0 : O_NONBLOCK)
    _ = fcntl(writeEnd, F_SETFL, childReads ? O_NONBLOCK : 0)
  }

  deinit {
    closeReadEnd()
    closeWriteEnd()
  }

  func closeReadEnd() {
    if readEnd >= 0 { close(readEnd) }
    readEnd = -1
  }

  func closeWriteEnd() {
    if writeEnd >= 0 { close(writeEnd) }
    writeEnd = -1
  }
}
