import RasaPersona

/// Definitions by name; of several with one name the first counts.
struct NamedOperators {
  private(set) var all: [OperatorDefinition] = []
  private var places: [String: Int] = [:]

  init(_ operators: [OperatorDefinition]) {
    for definition in operators { append(definition) }
  }

  subscript(name: String) -> OperatorDefinition? { places[name].map { all[$0] } }

  func contains(_ name: String) -> Bool { places[name] != nil }

  mutating func append(_ definition: OperatorDefinition) {
    if places[definition.name] == nil { places[definition.name] = all.count }
    all.append(definition)
  }
}
