import RasaPersona

/// An agent's words again, with what they stand in: for the few agents that are explained.
struct AgentWords {
  private var capabilities: [(text: String, whole: Set<TermHash>, parts: Set<TermHash>)] = []
  private var name: Set<TermHash> = []

  init(_ agent: Agent) {
    var reader = WordReader()
    for capability in agent.capabilities {
      reader.read(capability)
      let words = reader.tokens.filter { $0.kind == .word }
      var whole: Set<TermHash> = []
      if words.count == 1 { whole.formUnion(Self.hashes(reader)) }
      if words.count > 1 { whole.insert(TermHash(phrase: words.map(\.hash))) }
      if words.count == 2 { whole.insert(reader.joined(words[0], words[1])) }
      capabilities.append((capability, whole, Self.hashes(reader)))
    }
    for text in [agent.id, agent.name] {
      reader.read(text)
      name.formUnion(Self.hashes(reader))
    }
  }

  /// The capability that one of the terms is, or stands in.
  func capability(with terms: [TermHash], whole isWhole: Bool) -> String? {
    if let found = capabilities.first(where: { !$0.whole.isDisjoint(with: terms) }) {
      return found.text
    }
    return isWhole ? nil : capabilities.first { !$0.parts.isDisjoint(with: terms) }?.text
  }

  func mention(of terms: [TermHash]) -> String {
    name.isDisjoint(with: terms) ? "its description" : "its name"
  }

  private static func hashes(_ reader: WordReader) -> Set<TermHash> {
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
