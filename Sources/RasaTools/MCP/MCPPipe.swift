package import RasaCore
package import RasaProcess

/// A program that runs, with its standard input and output.
package protocol MCPPipe: Sendable {
  /// Returns when the program has taken all of it, or the pipe has.
  func write(_ bytes: [UInt8]) async throws(Failure)
  func closeInput()
  /// The next bytes; nil at the end.
  func read() async throws(Failure) -> [UInt8]?
  /// The last of what it said on standard error.
  var errorTail: String { get }
  /// What was noticed about it from outside: what the sandbox refused.
  var remarks: [String] { get }
  /// Returns when it has ended, having closed its input, waited, asked it to end, and killed it, as far as needed. How it
  /// ended, in words: `exit code 3`.
  func finish(within grace: Duration) async -> String
}

extension ChildProcess: MCPPipe {
  package func finish(within grace: Duration) async -> String {
    closeInput()
    // In a task of its own: whoever ends a server may have been cancelled, and the server gets its time all the same.
    let status = await Task {
      if grace > .zero {
        // Most servers end by themselves when nobody can ask them anything any more.
        await withTaskGroup(of: Void.self) { group in
          group.addTask { _ = await self.wait() }
          group.addTask {
            if (try? await Task.sleep(for: grace)) != nil { _ = await self.end(grace: grace) }
          }
          await group.next()
          group.cancelAll()
        }
      }
      return await end(grace: grace)
    }.value
    return status.description
  }
}
