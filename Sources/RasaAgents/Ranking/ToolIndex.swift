package import RasaCore

/// A set of tools by their words, for finding the few that fit a wish. It is built once for a set.
package struct ToolIndex: Sendable {
  /// What is searched of a tool.
  package struct Entry: Sendable, Hashable {
    package var name: String
    package var text: String
    /// JSON Schema of its arguments.
    package var parameters: Value

    package init(name: String, text: String, parameters: Value = .null) {
      self.name = name
      self.text = text
      self.parameters = parameters
    }
  }

  private let notes: [[UInt8]]
  /// For wishes that name a tool.
  private let places: [String: [Int]]
  private let related: RelatedTerms

  package init(_ tools: [Entry], related: RelatedTerms) {
    var reader = Tokenizer()
    notes = tools.map { ToolTerms.note($0, &reader) }
    var places: [String: [Int]] = [:]
    for (index, tool) in tools.enumerated() {
      let name = tool.name.lowercased()
      places[name, default: []].append(index)
      if let slash = name.lastIndex(of: "/") {
        places[String(name[name.index(after: slash)...]), default: []].append(index)
      }
    }
    self.places = places
    self.related = related
  }

  package var count: Int { notes.count }

  /// The places of the tools that fit the words best, the best first. The same tools and words give the same order; a
  /// tool that the words name comes first.
  ///
  /// - Parameter nearness: the similarity of each tool by embeddings, if there is a provider of them.
  package func search(
    _ words: String, limit: Int, nearness: [VectorSimilarity.Value?] = []
  ) -> [Int] {
    guard limit > 0 else { return [] }
    let named = places[trimmed(words).lowercased()] ?? []
    var found = named
    for (index, _) in ranked(words, nearness) where found.count < limit && !named.contains(index) {
      found.append(index)
    }
    return Array(found.prefix(limit))
  }

  private func ranked(
    _ words: String, _ nearness: [VectorSimilarity.Value?]
  ) -> [(index: Int, score: Double)] {
    let scan = CorpusScan(TaskTerms(words, related: related, for: .tools), count: count) {
      notes[$0]
    }
    let scale = RelevanceScale(scan, among: count)
    var matches = TermMatches(scan)
    var scores = [Double](repeating: 0, count: count)
    for index in notes.indices {
      let hits = scan.hits(of: index)
      guard !hits.isEmpty else { continue }
      matches.read(hits, scan, scale)
      scores[index] = matches.sum
    }
    var found = scores.indices.map { (index: $0, score: scores[$0]) }
    if nearness.count == count {
      // Words and vectors have scales of their own: both count by how far a tool stands out.
      let (mean, deviation) = VectorSimilarity.ownSpread(of: scores)
      found = found.map { index, score in
        let byWords = deviation > 0 ? (score - mean) / deviation : 0
        return (index, byWords + (nearness[index]?.deviations ?? 0))
      }
    } else {
      found.removeAll { $0.score <= 0 }
    }
    return found.sorted { ($1.score, $0.index) < ($0.score, $1.index) }
  }
}
