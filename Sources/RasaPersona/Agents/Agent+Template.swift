package import RasaCore

/// What the names in an agent's prompt stand for.
extension Agent {
  /// Names that an author may use for what the user asked.
  package static let namesOfInput: Set<String> = [
    "input", "task", "query", "user_input", "request",
  ]
  /// Parts of the state that can be named by their path.
  package static let namesOfState: Set<String> = ["preferences", "context", "metadata"]

  /// The prompt, with the paths of the state for the names in it: what the user asked, the parts of
  /// the state, and for every other name the preference of that name.
  package func template(_ prompt: AgentPrompt) throws(Failure) -> Template {
    try Template.compile(prompt.text, by: .agent, at: prompt.location).renaming { name in
      let key = name.key.lowercased()
      if name.components.count == 1, Self.namesOfInput.contains(key) { return "input" }
      if Self.namesOfState.contains(key) { return name }
      return StatePath("preferences.\(name.description.lowercased())")
    }
  }

  /// The paths in the prompt that nothing in the agent's files gives a value, and nothing that every
  /// run has: a preference may, or they are no names of ours at all.
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

  /// What a name in the prompt stands for that nobody has given a value: what the file declares, else
  /// what the agent is.
  package var values: ValueObject {
    var values: ValueObject = [
      "name": .string(name), "id": .string(id), "description": .string(description),
      "category": .string(category ?? ""),
    ]
    for (name, value) in defaults { values[name.lowercased()] = value }
    return ["preferences": .object(values)]
  }
}
