package import RasaPersona

/// Makes the notes of many agents, on any number of threads, with a shared cache of words.
package final class TermVectorBuilder: Sendable {
  private let memory = StemCache()

  package init() {}

  /// The same as `AgentTerms.note`.
  package func note(_ agent: Agent, prompt: String) -> [UInt8] {
    var reader = Tokenizer(knowing: memory.words)
    let note = AgentTerms.note(agent, prompt: prompt, &reader)
    memory.learn(reader.learnt)
    return note
  }
}
