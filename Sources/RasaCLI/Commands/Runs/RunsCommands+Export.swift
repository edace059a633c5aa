import RasaCore
import RasaEngine
import RasaKit
import RasaStore
import RasaSystem

extension RunsCommands {
  /// The whole run as JSON Lines: what it is, its journal, and its calls as the ledger has them.
  func export(_ word: String, to path: String?) async throws {
    let found = try await archive.find(word)
    let reading = try await store.journal(of: found.id)
    if let damage = reading.damage { throw damage }
    var head = found.value.object ?? ValueObject()
    head["persona_digest"] = .string(found.run.record.personaDigest)
    var lines = [Value.object(ValueObject([("rasa_journal", 1)] + head.map { ($0.key, $0.value) }))]
    for (index, entry) in reading.entries.enumerated() {
      lines.append(entry.document(sequence: index + 1))
    }
    for call in try await store.calls(of: found.id) { lines.append(call.document) }
    let text = lines.map { $0.json(.compact) + "\n" }.joined()
    guard let path, path != "-" else { return try print.output.write(text) }
    try FileSystem.write(text, to: path, mode: 0o600, followingLinks: true)
    try house.note("wrote \(path)\n")
  }
}

extension RunsCommands {
  func exportTest(of word: String, to folder: String) async throws {
    let found = try await archive.find(word)
    let path = try await RecordingCommands(rasa: rasa, console: house.console)
      .export(found.id.text, to: folder)
    try print(text: "wrote \(path); `rasa test \(folder)` replays it\n")
  }
}

extension CallRecord {
  /// The call as an export has it.
  fileprivate var document: Value {
    [
      "kind": "ledger.call", "reservation": .string(reservation.text), "key": .string(key),
      "provider": .string(provider), "model": .string(model),
      "held_usd": .string(amount.decimalText),
      "cost_usd": actual.map { .string($0.decimalText) } ?? .null,
      "usage": usage?.document ?? .null, "status": .string("\(state)"),
      "outcome": outcome.map { .string($0.rawValue) } ?? .null,
      "made_at_ms": .int(madeAt.milliseconds),
      "settled_at_ms": settledAt.map { .int($0.milliseconds) } ?? .null,
    ]
  }
}
