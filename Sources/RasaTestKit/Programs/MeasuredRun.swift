import CSystem
import Glibc
package import RasaCore

/// The resources that a program used, measured from outside the process.
package struct MeasuredRun: Sendable {
  package var exitCode: Int32
  /// Nanoseconds since the process started.
  package var firstByte: UInt64
  package var wall: UInt64
  package var bytes: Int
  package var largestMemoryKilobytes: Int
  /// Every piece of output with the monotonic time when it was read, if requested.
  package var pieces: [(moment: UInt64, bytes: [UInt8])] = []
}

extension MeasuredRun {
  /// Runs a program to its end and reads its output as it arrives. It is killed at the limit.
  package static func run(
    _ program: String, _ arguments: [String], environment: [String: String] = [:],
    folder: String? = nil, keepsPieces: Bool = false, limit: Duration = .seconds(120)
  ) throws -> MeasuredRun {
    var readEnd: Int32 = -1
    var writeEnd: Int32 = -1
    guard unsafe rasa_pipe(&readEnd, &writeEnd) == 0 else {
      throw Failure(.run, "there are no descriptors left for a pipe")
    }
    let nothing = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
    defer {
      close(readEnd)
      close(nothing)
    }
    // Programs expect blocking pipes.
    _ = fcntl(readEnd, F_SETFL, 0)
    _ = fcntl(writeEnd, F_SETFL, 0)
    // A larger pipe for everyone: the reader here must not be the bottleneck.
    _ = fcntl(writeEnd, 1031, 1 << 20)
    let started = monotonicNanoseconds()
    let child = try ChildProcess.spawn(
      program, arguments, environment: environment, folder: folder,
      descriptors: [nothing, writeEnd, nothing])
    close(writeEnd)
    var run = MeasuredRun(exitCode: 0, firstByte: 0, wall: 0, bytes: 0, largestMemoryKilobytes: 0)
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    let deadline = started &+ UInt64(limit / .nanoseconds(1))
    while monotonicNanoseconds() < deadline {
      let count = unsafe read(readEnd, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { break }
      let now = monotonicNanoseconds()
      if run.bytes == 0 { run.firstByte = now - started }
      run.bytes += count
      if keepsPieces { run.pieces.append((now, Array(buffer[..<count]))) }
    }
    if monotonicNanoseconds() >= deadline { child.killAll() }
    var status: Int32 = 0
    var usage = rusage()
    while unsafe wait4(child.id, &status, 0, &usage) < 0, errno == EINTR {}
    run.wall = monotonicNanoseconds() - started
    let signal = status & 0x7F
    run.exitCode = signal == 0 ? (status >> 8) & 0xFF : 128 + signal
    run.largestMemoryKilobytes = usage.ru_maxrss
    return run
  }
}

/// A server that runs during the measurements, until this value is released.
package final class ServerProcess: Sendable {
  private let child: ChildProcess
  private let input: Int32
  /// The first line it printed: its address.
  package let greeting: String

  package init(_ program: String, _ arguments: [String]) throws(Failure) {
    var childInput: Int32 = -1
    var ourInput: Int32 = -1
    var ourOutput: Int32 = -1
    var childOutput: Int32 = -1
    guard unsafe rasa_pipe(&childInput, &ourInput) == 0,
      unsafe rasa_pipe(&ourOutput, &childOutput) == 0
    else { throw Failure(.run, "there are no descriptors left for a pipe") }
    child = try ChildProcess.spawn(
      program, arguments, environment: [:], folder: nil,
      descriptors: [childInput, childOutput, 2])
    close(childInput)
    close(childOutput)
    input = ourInput
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while unsafe read(ourOutput, &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
    close(ourOutput)
    greeting = String(decoding: line, as: UTF8.self)
  }

  deinit {
    // The server ends with its standard input.
    close(input)
    _ = child.wait(until: monotonicNanoseconds() &+ 2_000_000_000)
  }
}
