package import RasaCore
import RasaDocuments

/// Which agents are visible and may be delegated to: lists of IDs, all of which apply. Adding a
/// list can only narrow the selection, never widen it.
package struct AgentNarrowing: Sendable, Hashable {
  package struct List: Sendable, Hashable {
    /// IDs; `*` stands for any part of one.
    package var patterns: [String]
    /// Its source, for messages: `--agents`, or `agents` in a file.
    package var place: String

    package init(_ patterns: [String], place: String) {
      self.patterns = patterns
      self.place = place
    }

    package func allows(_ id: String) -> Bool {
      patterns.contains { Self.matches($0.utf8[...], id.utf8[...]) }
    }

    private static func matches(_ pattern: Substring.UTF8View, _ id: Substring.UTF8View) -> Bool {
      let star = UInt8(ascii: "*")
      guard let place = pattern.firstIndex(of: star) else { return pattern.elementsEqual(id) }
      let head = pattern[..<place]
      guard id.starts(with: head) else { return false }
      // The parts between stars are searched for in order, the last one at the end.
      let parts = pattern[place...].split(separator: star)
      var rest = Array(id.dropFirst(head.count))[...]
      for (number, part) in parts.enumerated() {
        let isLast = number == parts.count - 1 && pattern.last != star
        guard let found = Self.place(of: Array(part), in: rest, atEnd: isLast) else { return false }
        rest = rest[found...]
      }
      return true
    }

    /// The offset of the bytes after the part.
    private static func place(
      of part: [UInt8], in text: ArraySlice<UInt8>, atEnd: Bool
    ) -> Int? {
      guard part.count <= text.count else { return nil }
      if atEnd { return text.suffix(part.count).elementsEqual(part) ? text.endIndex : nil }
      return (text.startIndex...(text.endIndex - part.count)).first {
        text[$0..<$0 + part.count].elementsEqual(part)
      }.map { $0 + part.count }
    }
  }

  package private(set) var lists: [List] = []

  package init(_ lists: [List] = []) { self.lists = lists }

  package var isEmpty: Bool { lists.isEmpty }

  package func and(_ list: List?) -> AgentNarrowing {
    AgentNarrowing(lists + (list.map { [$0] } ?? []))
  }

  package func and(_ other: AgentNarrowing) -> AgentNarrowing {
    AgentNarrowing(lists + other.lists)
  }

  /// The first list that excludes the agent; nil if none does.
  package func refusing(_ id: String) -> List? { lists.first { !$0.allows(id) } }

  package func allows(_ id: String) -> Bool { refusing(id) == nil }

  /// Throws if one of the lists excludes the agent.
  package func require(_ id: String, at location: SourceLocation? = nil) throws(Failure) {
    guard let list = refusing(id) else { return }
    let named = list.patterns.isEmpty ? "no agent" : "only \(list.patterns.joined(separator: ", "))"
    throw Failure(
      .configuration, "the agent `\(id)` is left out: \(list.place) names \(named)",
      suggestion: "add `\(id)` to that list, or have another one work", at: location)
  }

  /// The entries that match no agent, each with a suggestion.
  package func unknown(among ids: [String]) -> [(sentence: String, hint: String?)] {
    lists.flatMap { list in
      list.patterns.filter { pattern in
        let one = List([pattern], place: "")
        return !ids.contains { one.allows($0) }
      }.map { pattern in
        let nearest = nearestName(to: pattern, among: ids)
        return (
          "\(list.place) names `\(DocumentReader.printable(pattern))`, but there is no such agent",
          nearest.map { "did you mean `\($0)`?" }
        )
      }
    }
  }
}

extension DocumentReader {
  /// `agents: [id, …]`; nil if it is missing, which excludes none.
  mutating func agentList(_ node: DocumentNode?) -> AgentNarrowing.List? {
    guard let node else { return nil }
    let place = "`agents` in \(node.location.file):\(node.location.line)"
    return AgentNarrowing.List(looseTexts(node, "agents") ?? [], place: place)
  }
}
