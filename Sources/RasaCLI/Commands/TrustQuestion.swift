import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// Asks whether to trust a folder whose files change what rasa does. Without a terminal the folder is refused.
struct TrustQuestion {
  let rasa: Rasa
  let console: Console

  /// - Parameter startingTools: whether tools that the folder's files declare are going to be used.
  func settle(startingTools: Bool = false) async throws {
    guard let changes = try await rasa.untrustedChanges(startingTools: startingTools) else {
      return
    }
    guard console.canAsk else { throw changes.refusal }
    try console.errors.write(card(changes, style: console.terminal.style(of: .error)))
    let answer = try await console.ask(
      "Trust it? [y]es once, [a]lways, [N]o › ", whenInterrupted: "nothing was asked")
    switch answer?.lowercased() {
    case "y", "yes": rasa.trustProjectOnce()
    case "a", "always":
      try await rasa.trust(changes)
      rasa.trustProjectOnce()
    default: throw changes.refusal
    }
  }

  /// Performs library work that may need to ask the question. An interrupted question ends the work as an
  /// interruption and not as an error of the library.
  func during<Result>(
    _ work: (_ settle: @escaping @Sendable () async throws -> Void) async throws -> Result
  ) async throws -> Result {
    let interrupted = Locked<Interrupted?>(nil)
    do {
      return try await work {
        do { try await settle() } catch let error as Interrupted {
          interrupted.withLock { $0 = error }
          throw CancellationError()
        }
      }
    } catch {
      if let interrupted = interrupted.withLock({ $0 }) { throw interrupted }
      throw error
    }
  }

  /// What the files change, for a person. Names of files are somebody else's text.
  private func card(_ changes: Rasa.ProjectChanges, style: Style) -> String {
    var text =
      style.bold(TerminalText.line("The files of \(changes.folder) change what rasa does:")) + "\n"
    for line in changes.lines { text += "  " + TerminalText.line(line) + "\n" }
    if !changes.changedFiles.isEmpty {
      let names = changes.changedFiles.map { TerminalText.line($0) }.joined(separator: ", ")
      text += "Changed since you trusted it: \(names)\n"
    }
    return text
  }
}
