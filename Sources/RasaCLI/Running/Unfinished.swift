import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// A conversation whose last run did not come to its end.
extension Launch {
  /// The newest run of the session, when it can be resumed.
  func unfinished(inSession session: String, of user: String?) async throws -> Rasa.RunSummary? {
    var query = Rasa.RunQuery()
    query.session = session
    query.user = rasa.user(user)
    query.limit = 1
    guard let latest = try await rasa.runs(query).first, !latest.isAlive,
      [.parked, .answered, .interrupted, .running, .died].contains(latest.status)
    else { return nil }
    return latest
  }

  /// Asks at a terminal whether to resume it; elsewhere only says that it is there.
  func isToGoOn(with run: Rasa.RunSummary, _ settings: RunSettings) async throws -> Bool {
    let opening = printable(String(run.input.prefix(60)))
    let changed = momentText(Timestamp(milliseconds: run.changedAt), .system)
    let what = "\(run.id) of this session is unfinished (\(changed): “\(opening)”)"
    guard settings.format == .text, console.canAsk, run.openQuestions == 0 else {
      if !settings.isQuiet {
        try console.note("rasa: \(what); `rasa resume \(run.id)` continues it\n")
      }
      return false
    }
    try console.note("\(what).\n")
    let reader = LineReader(history: nil, environment: console.environment)
    let line = try await reader.nextLine(prompt: "Resume it instead of asking again? [y/N] ")
    guard case .text(let answer) = line else {
      throw Interrupted(signal: .interrupt, suggestion: "")
    }
    return ["y", "yes"].contains(answer.lowercased())
  }
}
