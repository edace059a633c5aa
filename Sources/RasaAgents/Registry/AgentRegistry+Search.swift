package import RasaPersona

/// A search in IDs, names, descriptions, capabilities and tags.
package struct AgentQuery: Sendable, Hashable {
  package enum Mode: String, Sendable, Hashable, CaseIterable {
    /// The ID or name is equal to the text.
    case exact
    /// The text occurs in it.
    case contains
    /// The ID, the name or a word of the description, a capability or a tag is similar to the text.
    case fuzzy
  }
  package var text: String
  package var mode: Mode
  /// The minimum similarity of fuzzy searches, from 0 to 1.
  package var threshold: Double

  package init(_ text: String, mode: Mode = .contains, threshold: Double = Self.usualThreshold) {
    self.text = text
    self.mode = mode
    self.threshold = threshold
  }

  package static let usualThreshold = FuzzyMatcher.usual
}

/// An agent that was found, and the reason.
package struct AgentMatch: Sendable {
  package enum Field: String, Sendable, Hashable, CaseIterable {
    case id, name, description
    /// A capability or a tag.
    case capability
  }
  package var entry: AgentRegistry.Entry
  package var field: Field
  /// From 0 to 1, where 1 is equality.
  package var closeness: Double

  package var agent: Agent { entry.agent }
}

extension AgentRegistry {
  /// The matching agents, best first: matches in ID or name before all others, and closer ones
  /// first. Case is ignored, and an empty text matches all.
  package func search(_ query: AgentQuery) -> [AgentMatch] {
    let text = trimmed(query.text)
    guard !text.isEmpty else {
      return entries.map { AgentMatch(entry: $0, field: .id, closeness: 1) }
    }
    var found: [Found]
    switch query.mode {
    case .exact: found = exact(text)
    case .contains: found = containing(text)
    case .fuzzy: found = fuzzy(text, query.threshold)
    }
    found.sort(by: Found.isBetter)
    return found.map {
      AgentMatch(entry: entries[$0.entryIndex], field: $0.field, closeness: $0.closeness)
    }
  }

  private struct Found {
    var entryIndex: Int
    var field: AgentMatch.Field
    var closeness: Double

    /// The match is not in its ID or name.
    private var isSecondary: Bool { field != .id && field != .name }

    /// Entries are sorted by ID, and so are equally good ones.
    static func isBetter(_ left: Found, _ right: Found) -> Bool {
      let (isSecondary, isOtherSecondary) = (left.isSecondary, right.isSecondary)
      if isSecondary != isOtherSecondary { return isOtherSecondary }
      if left.closeness != right.closeness { return left.closeness > right.closeness }
      return left.entryIndex < right.entryIndex
    }
  }

  private func exact(_ text: String) -> [Found] {
    let wanted = loweredScalars(text)
    return entries.indices.compactMap { entryIndex in
      let agent = entries[entryIndex].agent
      if loweredScalars(agent.id) == wanted {
        return Found(entryIndex: entryIndex, field: .id, closeness: 1)
      }
      if loweredScalars(agent.name) == wanted {
        return Found(entryIndex: entryIndex, field: .name, closeness: 1)
      }
      return nil
    }
  }

  // MARK: Contains

  private func containing(_ text: String) -> [Found] {
    let needle = Needle(text)
    return entries.indices.compactMap { entryIndex in
      let agent = entries[entryIndex].agent
      let inID = needle.share(of: agent.id)
      let inName = needle.share(of: agent.name)
      if let inID, inID >= inName ?? 0 {
        return Found(entryIndex: entryIndex, field: .id, closeness: inID)
      }
      if let inName { return Found(entryIndex: entryIndex, field: .name, closeness: inName) }
      let inSkills = (agent.capabilities + agent.tags).compactMap { needle.share(of: $0) }.max()
      let inDescription = needle.share(of: agent.description)
      // A complete capability counts more than a word of a sentence.
      if let inSkills, inSkills >= inDescription ?? 0 {
        return Found(entryIndex: entryIndex, field: .capability, closeness: inSkills)
      }
      return inDescription.map { Found(entryIndex: entryIndex, field: .description, closeness: $0) }
    }
  }

  // MARK: Fuzzy

  private func fuzzy(_ text: String, _ threshold: Double) -> [Found] {
    let vocabulary = vocabulary.of(self)
    var best: [Found?] = Array(repeating: nil, count: entries.count)
    func note(_ entryIndex: Int, _ field: AgentMatch.Field, _ closeness: Double) {
      let found = Found(entryIndex: entryIndex, field: field, closeness: closeness)
      if best[entryIndex].map({ Found.isBetter(found, $0) }) ?? true { best[entryIndex] = found }
    }
    let whole = FuzzyMatcher(to: loweredScalars(text), atLeast: threshold)
    vocabulary.ids.forEach { entryIndex, id in
      if let closeness = whole(to: id) { note(entryIndex, .id, closeness) }
    }
    vocabulary.names.forEach { entryIndex, name in
      if let closeness = whole(to: name) { note(entryIndex, .name, closeness) }
    }
    vocabulary.words.forEach { word, text in
      guard let closeness = whole(to: text) else { return }
      vocabulary.forEachEntry(with: word) { note($0, $1, closeness) }
    }
    for (entryIndex, closeness) in describingAllWords(of: text, threshold, vocabulary) {
      note(entryIndex, .description, closeness)
    }
    return best.compactMap { $0 }
  }

  /// For several words: agents whose description has a similar word for each of them, as close as
  /// the least similar one.
  private func describingAllWords(
    of text: String, _ threshold: Double, _ vocabulary: AgentVocabulary
  ) -> [(entryIndex: Int, closeness: Double)] {
    var wanted: [[UInt32]] = []
    forEachWord(of: text) { if wanted.count < Self.mostWords { wanted.append($0) } }
    guard wanted.count > 1 else { return [] }
    var worst = Array(repeating: 1.0, count: entries.count)
    for word in wanted {
      let closeness = FuzzyMatcher(to: word, atLeast: threshold)
      var here = Array(repeating: -1.0, count: entries.count)
      vocabulary.words.forEach { index, text in
        guard let closeness = closeness(to: text) else { return }
        vocabulary.forEachEntry(with: index) { entryIndex, _ in
          here[entryIndex] = max(here[entryIndex], closeness)
        }
      }
      for entryIndex in worst.indices {
        worst[entryIndex] = min(worst[entryIndex], here[entryIndex])
      }
    }
    return worst.indices.compactMap { worst[$0] < 0 ? nil : ($0, worst[$0]) }
  }

  private static var mostWords: Int { 16 }
}

/// A text to search for, ignoring case.
private struct Needle {
  private let text: String
  private let length: Int
  private let isASCII: Bool

  init(_ text: String) {
    self.text = text.lowercased()
    length = self.text.utf8.count
    isASCII = self.text.utf8.allSatisfy { $0 < 0x80 }
  }

  /// Its share of the other text; nil if it is not part of it.
  func share(of other: String) -> Double? {
    // Only non-ASCII texts need full case folding.
    let other = isASCII ? other : other.lowercased()
    guard other.containsIgnoringCase(text) else { return nil }
    return Double(length) / Double(max(length, other.utf8.count))
  }
}

func trimmed(_ text: String) -> String {
  var rest = text[...].drop(while: \.isWhitespace)
  while rest.last?.isWhitespace == true { rest.removeLast() }
  return String(rest)
}
