package import RasaCore
package import RasaEngine

/// The journal of a run as far as it can be read.
package struct JournalReading: Sendable {
  package var entries: [JournalEntry]
  /// What is wrong with the line after the last of them; nil when nothing is.
  package var damage: Failure?

  package init(entries: [JournalEntry], damage: Failure? = nil) {
    self.entries = entries
    self.damage = damage
  }

  /// The entries, if nothing is wrong.
  func whole() throws -> [JournalEntry] {
    if let damage { throw damage }
    return entries
  }
}

extension Failure {
  static func damagedLine(
    _ line: Int64, of run: Identifier, because cause: Failure? = nil
  ) -> Failure {
    let usable =
      line > 1
      ? "what came before can be used: `rasa runs fork \(run) --at \(line - 1)`"
      : "run it again: nothing of it can be used"
    return Failure(
      .storage, "line \(line) of the journal of \(run) is damaged", suggestion: usable,
      details: cause.map { [$0.message] + $0.details } ?? [])
  }
}
