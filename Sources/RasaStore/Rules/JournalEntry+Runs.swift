import RasaCore
import RasaEngine
import RasaSystem

extension [JournalEntry] {
  /// The runs that the entries belong to, in the order of their first entry.
  var runs: [String] {
    var runs: [String] = []
    for entry in self where runs.last != entry.run.text && !runs.contains(entry.run.text) {
      runs.append(entry.run.text)
    }
    return runs
  }

  /// True of none, too.
  var areOfOneRun: Bool { count < 2 || allSatisfy { $0.run == self[0].run } }

  var byRun: [(run: String, entries: [JournalEntry])] {
    if isEmpty { return [] }
    if areOfOneRun { return [(self[0].run.text, self)] }
    return runs.map { run in (run, filter { $0.run.text == run }) }
  }
}

extension Failure {
  static func unknownRun(_ run: String) -> Failure {
    Failure(.storage, "the journal has no run \(run)")
  }

  static func noRun(_ run: String, nearest: String?) -> Failure {
    let hint = nearest.map { "did you mean \($0)? " } ?? ""
    return Failure(
      .usage, "there is no run `\(run)`", suggestion: hint + "`rasa runs list` shows all of them")
  }

  static func hasEnded(_ run: String) -> Failure {
    Failure(.usage, "\(run) has ended", suggestion: "`rasa runs show \(run)` shows what came of it")
  }

  static func takenOver(_ run: String) -> Failure {
    Failure(
      .run, "\(run) has been taken over by another process",
      suggestion: "see `rasa runs show \(run)`")
  }

  static func isBeingRun(_ run: String, by owner: String) -> Failure {
    let name = ProcessIdentity(owner)?.description ?? owner
    return Failure(
      .run, "\(run) is being run by \(name)",
      suggestion: "wait for it, or stop it with `rasa runs cancel \(run)`")
  }

  static func knownRun(_ run: String) -> Failure {
    Failure(.storage, "the journal already has a run \(run)")
  }

  static func unknownReservation(_ reservation: Identifier) -> Failure {
    Failure(.storage, "the ledger has no reservation \(reservation)")
  }

  static func knownReservation(_ reservation: Identifier) -> Failure {
    Failure(.storage, "the ledger already has a reservation \(reservation)")
  }

  static func negativeAmount(_ amount: Money) -> Failure {
    Failure(.storage, "the ledger cannot hold a negative amount (\(amount))")
  }
}
