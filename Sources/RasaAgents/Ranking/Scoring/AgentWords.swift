import RasaPersona

/// An agent's words with their fields, for the few agents that are explained.
struct AgentWords {
  private var capabilities: [(text: String, whole: Set<TermHash>, parts: Set<TermHash>)] = []
  private var name: Set<TermHash> = []

  private var description: Set<TermHash> = []

  init(_ entry: AgentRegistry.Entry) {
    let agent = entry.agent
    var reader = Tokenizer()
    // The ID comes first among derived skills, and is called the name.
    for text in [agent.id, agent.name] {
      reader.read(text)
      name.formUnion(Self.hashes(reader))
    }
    let derived = agent.capabilities.isEmpty ? TermVector.skills(in: entry.relevance) : []
    for capability in agent.capabilities + derived {
      reader.read(capability)
      let words = reader.tokens.filter { $0.kind == .word }
      var whole: Set<TermHash> = []
      if words.count == 1 { whole.formUnion(Self.hashes(reader)) }
      if words.count > 1 { whole.insert(TermHash(phrase: words.map(\.hash))) }
      if words.count == 2 { whole.insert(reader.joined(words[0], words[1])) }
      capabilities.append((capability, whole, Self.hashes(reader)))
    }
    reader.read(agent.description)
    description = Self.hashes(reader)
  }

  /// The capability that is or contains one of the terms; otherwise the field that contains it.
  func capability(with terms: [TermHash], whole isWhole: Bool) -> String {
    if let found = capabilities.first(where: { !$0.whole.isDisjoint(with: terms) }) {
      return found.text
    }
    let part = isWhole ? nil : capabilities.first { !$0.parts.isDisjoint(with: terms) }
    return part?.text ?? mention(of: terms)
  }

  func mention(of terms: [TermHash]) -> String {
    !name.isDisjoint(with: terms)
      ? "its name" : !description.isDisjoint(with: terms) ? "its description" : "its examples"
  }

  private static func hashes(_ reader: Tokenizer) -> Set<TermHash> {
    var hashes: Set<TermHash> = []
    var previous: TermHash?
    for token in reader.tokens {
      switch token.kind {
      case .word:
        hashes.insert(token.hash)
        if let previous { hashes.insert(TermHash(phrase: [previous, token.hash])) }
        previous = token.hash
      case .compound: hashes.insert(token.hash)
      case .stopWord: continue
      case .end: previous = nil
      }
    }
    return hashes
  }
}
