import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// Asks about servers that a run may start and that nobody has approved. Without a terminal nothing is asked, and the
/// run stops where it needs one of them.
struct ServerQuestion {
  let runnable: Rasa.Runnable
  let console: Console

  func settle() async throws {
    guard console.canAsk else { return }
    for server in try await runnable.unapprovedServers() {
      try console.errors.write(
        console.terminal.style(of: .error).bold("A server would be started for the first time: ")
          + ServerCard.text(server, adding: nil, on: console))
      let answer = try await console.ask(
        "Start it when it is needed? [y]es, [N]o › ", whenInterrupted: "nothing was started")
      guard ["y", "yes"].contains(answer?.lowercased()) else {
        throw Failure(
          .approval, "the server `\(server.summary.name)` was not approved",
          suggestion: "`rasa tools show \(server.summary.name)` shows its declaration")
      }
      try await runnable.approve(server)
    }
  }
}
