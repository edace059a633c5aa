package import RasaAgents
import RasaCore
package import RasaEngine

/// Finds the tools that fit a wish, with the index that recommends agents. The index of a set of tools is built at the
/// first search among them and kept for the following ones.
package final class ToolSearch: Sendable {
  private struct Kept: Sendable {
    var tools: [ToolDescription]
    var index: ToolIndex
  }

  private let related: @Sendable () -> RelatedTerms
  /// The last used first: an operator offers the same tools in every turn, and a process has few such operators.
  private let kept = Locked<[Kept]>([])
  private static let most = 8

  /// - Parameter related: read when an index is built, which few runs need.
  package init(
    related: @escaping @Sendable () -> RelatedTerms = {
      RelatedTerms.shipped()
    }
  ) {
    self.related = related
  }

  /// The places of the tools that fit the words best, the best first.
  package func search(_ words: String, among tools: [ToolDescription], limit: Int) -> [Int] {
    index(of: tools).search(words, limit: limit)
  }

  private func index(of tools: [ToolDescription]) -> ToolIndex {
    let found = kept.withLock { kept -> ToolIndex? in
      // Arrays that share their storage are equal without a look at their elements.
      guard let place = kept.firstIndex(where: { $0.tools == tools }) else { return nil }
      let entry = kept.remove(at: place)
      kept.insert(entry, at: 0)
      return entry.index
    }
    if let found { return found }
    let index = ToolIndex(
      tools.map { .init(name: $0.name, text: $0.text, parameters: $0.parameters) },
      related: related())
    kept.withLock { kept in
      kept.insert(Kept(tools: tools, index: index), at: 0)
      if kept.count > Self.most { kept.removeLast() }
    }
    return index
  }
}
