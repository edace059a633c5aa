package import RasaCore

extension Rasa.Session {
  /// The conversation as `rasa sessions list --json` prints it.
  package var document: RasaCore.Value {
    [
      "session": .string(name), "persona": .string(persona), "user": .string(user),
      "turns": .int(Int64(turns)), "started_at_ms": .int(startedAt), "used_at_ms": .int(usedAt),
    ]
  }
}

extension Rasa.Turn {
  /// The turn as `rasa sessions show --json` prints it.
  package var document: RasaCore.Value {
    [
      "run": .string(run), "at_ms": .int(time), "input": .string(input),
      "output": .string(output),
    ]
  }
}
