import RasaCore
import RasaLanguage

/// What an agent's own text says about it.
struct AgentEvidence {
  /// In order of confidence.
  let skills: [AgentSkill]
  let profile: (PerformanceProfile, reason: String)
  /// The tasks that the prompt lists, written as capabilities, in order.
  let topics: [String]

  private static let inName = 6
  private static let inDescription = 4
  private static let mostInPrompt = 3
  /// The least score: a word in the name or description, or one that the prompt repeats.
  private static let enough = 3

  init(_ agent: Agent, _ prompt: String) {
    let stemmer = Stemmer()
    topics = PromptTopics(prompt).names
    let name = StemmedPhrase("\(agent.id) \(agent.name)", stemmer)
    let description = StemmedPhrase(agent.description, stemmer)
    let prompt = StemmedPhrase(prompt, stemmer)

    func weight(_ phrases: [String]) -> Int {
      var score = 0
      var mentions = 0
      for phrase in phrases {
        let words = StemmedPhrase(phrase, stemmer)
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
    // Of two equally likely profiles, the more demanding one comes later in the table.
    if let best = profiles.max(by: { $0.score <= $1.score && $0.profile != $1.profile }) {
      profile = (best.profile, "what its text says about the work")
    } else {
      profile = (.balanced, "the default, as nothing suggests another")
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

  /// The user's words in examples, which descriptions for other tools contain: `user: "…"`.
  static func quotedQueries(in description: String) -> [String] {
    var queries: [String] = []
    var rest = description[...]
    while let range = rest.firstRange(ofBytes: "user: ") {
      rest = rest[range.upperBound...]
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

/// The short entries of a prompt's lists: `- **Query optimization**: …`, `- Schema design`.
struct PromptTopics {
  private(set) var names: [String] = []
  private static let most = 12
  private static let longestLine = 400
  private static let mostWords = 3
  /// Words of headings whose lists are not about the agent's abilities.
  private static let others = [
    "format", "output", "example", "input", "step", "process", "workflow", "communication", "tone",
    "style", "rule", "constraint", "never", "avoid", "note", "checklist", "question", "response",
    "phase", "protocol", "integration", "when",
  ]
  private static let works = [
    "focus", "expert", "skill", "capabilit", "responsib", "speciali", "competen", "area", "domain",
    "strength", "purpose", "knowledge", "technolog",
  ]

  init(_ prompt: String) {
    var counts = false
    for line in prompt.byteLines {
      guard line.utf8.count <= Self.longestLine, names.count < Self.most else { continue }
      let text = String(line).trimmed
      if text.hasPrefix("#") || (text.hasSuffix(":") && !text.hasPrefix("-")) {
        let heading = text.lowercased()
        counts =
          Self.works.contains { heading.hasBytes($0) }
          && !Self.others.contains { heading.hasBytes($0) }
        continue
      }
      guard counts, text.hasPrefix("- ") || text.hasPrefix("* ") else { continue }
      take(String(text.dropFirst(2)))
    }
  }

  private mutating func take(_ entry: String) {
    var entry = entry
    if entry.hasPrefix("**"), let end = entry.dropFirst(2).firstRange(ofBytes: "**") {
      entry = String(entry[entry.index(entry.startIndex, offsetBy: 2)..<end.lowerBound])
    } else if let colon = entry.firstIndex(of: ":") {
      entry = String(entry[..<colon])
    }
    // `Queries, views and triggers` is three things, none of which stands for all.
    entry = entry.split(separator: "(").first.map(String.init)?.trimmed ?? entry
    let words = entry.split(whereSeparator: \.isWhitespace)
    guard (1...Self.mostWords).contains(words.count), !entry.hasBytes(","),
      !entry.hasSuffix("."), let name = AgentID.make(of: entry), name.utf8.count >= 3,
      name.utf8.count <= 40, !names.contains(name)
    else { return }
    names.append(name)
  }
}
