package import RasaPersona

/// How much reasoning a task needs, from its words and its length.
package struct TaskComplexity: Sendable, Hashable {
  package var profile: PerformanceProfile
  /// The reason, for people.
  package var reason: String
  /// Neither the task nor an option says so.
  package var isAssumed = false

  package init(profile: PerformanceProfile, reason: String) {
    self.profile = profile
    self.reason = reason
  }

  package init(of task: String) {
    self.init(TaskTerms(task, related: RelatedTerms()))
  }

  init(_ task: TaskTerms) {
    for (profile, words) in Self.signs {
      for term in task.terms where term.hashes.contains(where: words.contains) {
        self.init(profile: profile, reason: "the task says “\(term.text)”")
        return
      }
    }
    if task.stems.count > 60 {
      self.init(profile: .thinking, reason: "the task is long")
    } else {
      self.init(profile: .balanced, reason: "the task is an ordinary one")
      isAssumed = true
    }
  }

  /// The first one with a word of the task.
  private static let signs: [(PerformanceProfile, Set<TermHash>)] = [
    (
      .expert,
      stems(
        "critical comprehensive exhaustive rigorous indepth authoritative thorough thoroughly")
    ),
    (
      .speed,
      stems(
        "quick quickly fast simple short brief briefly trivial tiny rename typo format reformat "
          + "lint list lookup translate convert summarize summarise tldr")
    ),
    (
      .thinking,
      stems(
        "design architect architecture plan analyze analyse analysis strategy strategic tradeoff "
          + "compare evaluate assess investigate diagnose migrate migration refactor "
          + "optimize optimise forecast negotiate threat research complex why")
    ),
  ]

  private static func stems(_ words: String) -> Set<TermHash> {
    var reader = Tokenizer()
    reader.read(words)
    return Set(reader.tokens.filter { $0.kind == .word }.map(\.hash))
  }
}
