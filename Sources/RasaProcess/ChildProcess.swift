package import RasaCore

/// A running program with pipes to its standard input, output and error.
///
/// It leads a session and a process group of its own, inherits no descriptor, no variable and no signal setting
/// that was not given, and is killed when this process ends, however it ends. Whatever is left in its group when it
/// ends is killed with it. It is also killed once nobody refers to this object.
package final class ChildProcess: Sendable {
  private let child: Child
  private let remarksOfOthers: @Sendable () -> [String]
  /// What lasts as long as the child: a proxy, a folder.
  private let companion: (any Sendable)?

  private init(
    _ child: Child, companion: (any Sendable)?, remarks: @escaping @Sendable () -> [String]
  ) {
    self.child = child
    self.companion = companion
    remarksOfOthers = remarks
  }

  deinit { child.abandon() }

  /// - Throws: a `Failure` of kind `configuration` if there is no such program or it cannot be run.
  package static func start(_ command: ChildCommand) throws(Failure) -> ChildProcess {
    try start(command, companion: nil)
  }

  /// - Parameters:
  ///   - companion: is kept as long as the child.
  ///   - remarks: what was noticed about the child from outside so far.
  package static func start(
    _ command: ChildCommand, companion: (any Sendable)?,
    remarks: @escaping @Sendable () -> [String] = { [] }
  ) throws(Failure) -> ChildProcess {
    let program = try ProgramLookup.find(
      command.arguments.first ?? "", path: command.environment["PATH"], folder: command.folder)
    for text in command.arguments + command.environment.flatMap({ [$0.key, $0.value] })
    where text.utf8.contains(0) {
      throw Failure(
        .configuration, "an argument or a variable for \(program) contains a NUL byte",
        suggestion: "pass such data on standard input")
    }
    let start = try ChildStart(command, program: program)
    let child = try ChildLoop.ofProcess.get().start(start).get()
    return ChildProcess(child, companion: companion, remarks: remarks)
  }

  /// The number of the process, for messages and tests.
  package var id: Int32 { child.id }

  /// Nil while it runs.
  package var status: ExitStatus? { child.status }

  /// The last 8 kB of standard error, in whole lines.
  package var errorTail: String { child.errorTail }

  /// What the sandbox refused, in words.
  package var remarks: [String] { remarksOfOthers() }

  /// The next bytes of standard output, at most 64 kB; nil at its end, which comes with the end of the program at the
  /// latest. One task reads at a time.
  package func read() async throws(Failure) -> [UInt8]? {
    if let result = child.readNow() { return try result.get() }
    let ticket = child.newTicket()
    defer { child.forgetTicket(ticket) }
    return try await withTaskCancellationHandler {
      await withCheckedContinuation { child.wait(ticket, toRead: $0) }
    } onCancel: {
      child.cancel(ticket)
    }.get()
  }

  /// Returns when the kernel has all bytes. Several writes happen one after the other. One that is cancelled before
  /// its first byte was written does not happen; later, it is finished without its caller.
  package func write(_ bytes: [UInt8]) async throws(Failure) {
    let ticket = child.newTicket()
    if let result = child.write(bytes, ticket: ticket) { return try result.get() }
    defer { child.forgetTicket(ticket) }
    return try await withTaskCancellationHandler {
      await withCheckedContinuation { child.wait(ticket, toWrite: $0) }
    } onCancel: {
      child.cancel(ticket)
    }.get()
  }

  /// The program reads an end of file after what has been written.
  package func closeInput() { child.closeInput() }

  /// Returns when the program has ended, which cancellation does not hasten: `end` does.
  package func wait() async -> ExitStatus {
    await withCheckedContinuation { child.wait(toEnd: $0) }
  }

  /// Closes its input, asks the program and its group to end, kills them after the time, and returns when it has
  /// ended. Works in a cancelled task, too.
  package func end(grace: Duration) async -> ExitStatus {
    if grace > .zero {
      child.terminate()
      child.closeInput()
      child.kill(after: grace)
    } else {
      child.kill()
    }
    return await wait()
  }
}
