package import RasaCore

extension Rasa.DefinitionSummary {
  /// A persona as `rasa personas list --json` prints it.
  package var personaDocument: RasaCore.Value {
    [
      "name": .string(name), "from": .string(origin),
      "alias": alias.map { .string($0) } ?? .null, "description": .string(description ?? ""),
      "valid": .bool(isValid), "shadows": .array(shadows.map { .string($0) }),
    ]
  }

  /// An operator as `rasa operators list --json` prints it.
  package var operatorDocument: RasaCore.Value {
    [
      "name": .string(name), "from": .string(origin), "kind": kind.map { .string($0) } ?? .null,
      "frame": frame.map { .string($0) } ?? .null, "description": .string(description ?? ""),
      "valid": .bool(isValid), "shadows": .array(shadows.map { .string($0) }),
    ]
  }
}
