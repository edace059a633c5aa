package import RasaPersona

/// The data about an agent's words that recommendation uses.
package enum AgentTerms {
  /// Changes whenever the same agent would get a different note.
  package static let name = "words \(TermVector.version)"

  /// The bytes that discovery stores with an agent: see `TermVector`.
  package static func note(_ agent: Agent, prompt: String) -> [UInt8] {
    var reader = Tokenizer()
    return note(agent, prompt: prompt, &reader)
  }

  static func note(_ agent: Agent, prompt: String, _ reader: inout Tokenizer) -> [UInt8] {
    var collector = TermCollector(reader: reader)
    defer { reader = collector.reader }
    collector.names(agent.id, agent.name)
    let prompt = beginning(of: prompt)
    let derived =
      agent.capabilities.isEmpty ? DerivedSkills.read(agent, prompt: prompt, &collector.reader) : []
    for capability in agent.capabilities { collector.capability(capability, .capabilities) }
    // They already count in their fields; here they only become skills.
    for skill in derived { collector.capability(skill, .derived) }
    // For an agent that declares nothing, its own text is the only evidence of what it can do.
    let isSkill = agent.capabilities.isEmpty
    collector.text(agent.description, .description, isSkill: isSkill)
    for example in agent.exampleQueries { collector.text(example, .examples, isSkill: isSkill) }
    for text in agent.typicalWorkflows + agent.tags { collector.text(text, .surroundings) }
    if let category = agent.category { collector.text(category, .surroundings) }
    collector.text(prompt, .prompt)
    let isUndescribed = isSkill && !agent.description.utf8.contains { $0 > 0x20 }
    return TermVector.encode(
      collector.terms(), flags: isUndescribed ? .undescribed : [], skills: derived)
  }

  /// The skills in a note that were derived from the agent's text, if it declares none.
  package static func derivedSkills(in note: [UInt8]) -> [String] { TermVector.skills(in: note) }

  /// An agent as a single text, for embedding.
  package static func text(of agent: Agent) -> String {
    var parts = [agent.name, agent.description]
    if !agent.capabilities.isEmpty { parts.append(agent.capabilities.joined(separator: ", ")) }
    return (parts + agent.exampleQueries).joined(separator: "\n")
  }

  /// A prompt states its purpose at the start.
  private static func beginning(of prompt: String) -> String {
    let most = 6_000
    guard prompt.utf8.count > most else { return prompt }
    return String(decoding: prompt.utf8.prefix(most), as: UTF8.self)
  }
}
