import RasaCore
import RasaEngine
import RasaKit
import RasaStore
import RasaSystem
import RasaTerminal

/// A conversation whose last run did not come to its end.
extension RunServices {
  /// The newest run of the session, when it can go on.
  func unfinished(in session: SessionID) async throws -> RunListing? {
    let latest = try await store.runs(
      RunFilter(session: session.name, user: session.user, limit: 1)
    ).first
    guard let latest, !latest.isAlive,
      latest.record.status == .parked || latest.record.status == .running
    else { return nil }
    return latest
  }

  /// Asks at a terminal whether to go on with it; elsewhere only says that it is there.
  func isToGoOn(with run: RunListing, _ settings: RunSettings) async throws -> Bool {
    let terminal = Terminal(house.environment)
    let record = run.record
    let opening = printable(String(record.input.prefix(60)))
    let what =
      "\(record.id) of this session is unfinished "
      + "(\(momentText(run.changedAt, house.time)): “\(opening)”)"
    guard settings.format == .text, terminal.inputIsTerminal, terminal.errorIsTerminal,
      run.waiting == 0
    else {
      if !settings.isQuiet {
        try house.note("rasa: \(what); `rasa resume \(record.id)` continues it\n")
      }
      return false
    }
    try house.note("\(what).\n")
    let reader = LineReader(history: nil, environment: house.environment)
    let line = try await reader.nextLine(prompt: "Resume it instead of asking again? [y/N] ")
    guard case .text(let answer) = line else {
      throw Interrupted(signal: .interrupt, suggestion: "")
    }
    return ["y", "yes"].contains(answer.lowercased())
  }
}
