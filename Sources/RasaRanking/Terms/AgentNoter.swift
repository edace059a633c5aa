package import RasaPersona

/// Makes the notes of many agents, on any number of threads, with a shared cache of words.
package final class AgentNoter: Sendable {
  private let memory = WordMemory()

  package init() {}

  /// The same as `AgentTerms.note`.
  package func note(_ agent: Agent, prompt: String) -> [UInt8] {
    var reader = WordReader(knowing: memory.words)
    let note = AgentTerms.note(agent, prompt: prompt, &reader)
    memory.learn(reader.learnt)
    return note
  }
}
