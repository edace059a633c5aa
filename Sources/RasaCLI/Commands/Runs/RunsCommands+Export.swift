import RasaCore
import RasaKit
import RasaSystem

extension RunsCommands {
  /// The whole run as JSON Lines: what it is, its journal, and its calls as the ledger has them.
  func export(_ word: String, to path: String?) async throws {
    let run = try await rasa.run(withID: word)
    let journal = try await rasa.events(ofRun: run.id)
    var head = run.json.value.object ?? ValueObject()
    head["persona_digest"] = .string(run.personaDigest)
    var lines = [Value.object(ValueObject([("rasa_journal", 1)] + head.map { ($0.key, $0.value) }))]
    lines += journal.map(\.json.value)
    lines += try await rasa.calls(ofRun: run.id).map(\.value)
    let text = lines.map { $0.json(.compact) + "\n" }.joined()
    guard let path, path != "-" else { return try print.output.write(text) }
    try FileSystem.write(text, to: path, mode: 0o600, followingLinks: true)
    try composition.note("wrote \(path)\n")
  }

  func exportTest(of word: String, to folder: String) async throws {
    let run = try await rasa.run(withID: word).id
    let path = try await RecordingCommands(rasa: rasa, console: composition.console).export(
      run, to: folder)
    try print(text: "wrote \(path); `rasa test \(folder)` replays it\n")
  }
}

extension Rasa.LedgerCall {
  /// The call as an export has it.
  fileprivate var value: Value {
    [
      "kind": "ledger.call", "reservation": .string(reservation), "key": .string(key),
      "provider": .string(provider), "model": .string(model),
      "held_usd": .string(held.decimalText),
      "cost_usd": cost.map { .string($0.decimalText) } ?? .null, "usage": usage.value,
      "status": .string(status), "outcome": outcome.map { .string($0) } ?? .null,
      "made_at_ms": .int(madeAt), "settled_at_ms": settledAt.map { .int($0) } ?? .null,
    ]
  }
}
