package import RasaCore

/// The names in an agent's prompt and their values.
extension Agent {
  /// Names that an author may use for the user's question.
  package static let namesOfInput: Set<String> = [
    "input", "task", "query", "user_input", "request",
  ]
  /// Parts of the state that a prompt can name by path.
  package static let namesOfState: Set<String> = ["preferences", "context", "metadata"]

  /// The prompt with paths of the state in place of its names: the question, parts of the state,
  /// and for any other name the preference with that name.
  package func template(_ prompt: AgentPrompt) throws(Failure) -> Template {
    try Template.compile(prompt.text, by: .agent, at: prompt.location).renaming { name in
      let key = name.key.lowercased()
      if name.components.count == 1, Self.namesOfInput.contains(key) { return "input" }
      if Self.namesOfState.contains(key) { return name }
      return StatePath("preferences.\(name.description.lowercased())")
    }
  }

  /// The paths in the prompt that have a value neither in the agent's files nor in every run:
  /// either a preference supplies one, or they are not names at all.
  func looseNames(in template: Template) -> [StatePath] {
    let declared = Value.object(values)
    return template.paths.filter { path in
      guard path.components.count > 1, Self.namesOfState.contains(path.key) else { return false }
      if path.key == "context" { return !Self.partsOfContext.contains(path.components[1]) }
      let named = StatePath(Array(path.components.dropFirst()))
      return declared[path].isNull && declared["preferences"][named.description].isNull
    }
  }

  private static let partsOfContext: Set<String> = ["session", "notes", "memories", "remembered"]

  /// The values of names that no run sets: those that the file declares, and properties of the
  /// agent.
  package var values: ValueObject {
    var values: ValueObject = [
      "name": .string(name), "id": .string(id), "description": .string(description),
      "category": .string(category ?? ""),
    ]
    for (name, value) in defaults { values[name.lowercased()] = value }
    return ["preferences": .object(values)]
  }
}
