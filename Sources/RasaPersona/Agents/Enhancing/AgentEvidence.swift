import RasaCore
import RasaDocuments

/// What an agent's own words tell of it.
struct AgentEvidence {
  /// The surest first.
  let skills: [AgentSkill]
  let profile: (PerformanceProfile, reason: String)

  private static let inName = 6
  private static let inDescription = 4
  private static let mostInPrompt = 3
  /// A word in the name or description, or one that the prompt comes back to.
  private static let enough = 3

  init(_ agent: Agent, _ prompt: String) {
    let stemmer = Stemmer()
    let name = AgentWords("\(agent.id) \(agent.name)", stemmer)
    let description = AgentWords(agent.description, stemmer)
    let prompt = AgentWords(prompt, stemmer)

    func weight(_ phrases: [String]) -> Int {
      var score = 0
      var mentions = 0
      for phrase in phrases {
        let words = AgentWords(phrase, stemmer)
        if name.count(words) > 0 { score += Self.inName }
        if description.count(words) > 0 { score += Self.inDescription }
        mentions += prompt.count(words)
      }
      return score + min(mentions, Self.mostInPrompt)
    }

    let ranked = AgentSkill.all.enumerated()
      .map { (index: $0.offset, skill: $0.element, score: weight($0.element.phrases)) }
      .filter { $0.score >= Self.enough }
      .sorted { ($1.score, $0.index) < ($0.score, $1.index) }
    skills = ranked.map(\.skill)

    let profiles = Self.profileWords
      .map { (profile: $0.profile, score: weight($0.words)) }
      .filter { $0.score > Self.enough }
    // Of two that are as sure, the one that asks for more comes later in the table.
    if let best = profiles.max(by: { $0.score <= $1.score && $0.profile != $1.profile }) {
      profile = (best.profile, "what its words say of the work")
    } else {
      profile = (.balanced, "the usual one, for nothing speaks for another")
    }
  }

  private static let profileWords: [(profile: PerformanceProfile, words: [String])] = [
    (
      .speed,
      [
        "quick", "fast", "format", "lint", "rename", "triage", "classify", "extract", "summarize",
        "translate", "proofread",
      ]
    ),
    (
      .thinking,
      [
        "architecture", "design", "analysis", "analyze", "analyse", "strategy", "security", "debug",
        "root cause", "trade off", "reasoning", "plan", "investigate", "research",
      ]
    ),
    (.expert, ["legal", "contract", "compliance", "medical", "regulation", "audit", "tax"]),
  ]

  /// What users say in the examples that descriptions of other tools hold: `user: "…"`.
  static func quotedQueries(in description: String) -> [String] {
    var queries: [String] = []
    var rest = description[...]
    while let place = rest.firstRange(of: "user: ") {
      rest = rest[place.upperBound...]
      guard let quote = rest.first, quote == "\"" || quote == "'" else { continue }
      rest = rest.dropFirst()
      guard let end = rest.firstIndex(of: quote) else { break }
      let query = String(rest[..<end]).trimmed
      if !query.isEmpty, query.utf8.count <= 200, !queries.contains(query) { queries.append(query) }
      rest = rest[end...].dropFirst()
    }
    return queries
  }
}
