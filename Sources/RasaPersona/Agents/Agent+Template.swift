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
