import RasaCore
import RasaPersona

/// Who writes a path, by its key: what `Graph.writer(of:)` says, for those who ask often.
struct WriterIndex {
  private let graph: Graph
  private var nodes: [String: [Int]]?
  private var known: [StatePath: Int?] = [:]

  init(_ graph: Graph) { self.graph = graph }

  /// The operator whose work a path shows: its writer, and behind rules that only put together, the
  /// writer of what they put together.
  mutating func author(of path: StatePath) -> Int? {
    var seen: Set<StatePath> = []
    return author(of: path, &seen)
  }

  /// Each path is looked at once, however many rules hand it on.
  private mutating func author(of path: StatePath, _ seen: inout Set<StatePath>) -> Int? {
    guard seen.insert(path).inserted else { return nil }
    let writer = writer(of: path)
    if let writer, graph.nodes[writer].definition.kind != .rule { return writer }
    var sources: [StatePath] = []
    if let writer {
      let definition = graph.nodes[writer].definition
      sources = definition.compose?.parts.map(\.from) ?? definition.reads
    } else if path == .output {
      sources = graph.outputParts.map(\.from)
    }
    for source in sources where !State.provided.contains(source.key) {
      if let author = author(of: source, &seen) { return author }
    }
    return nil
  }

  mutating func writer(of path: StatePath) -> Int? {
    if let found = known[path] { return found }
    if nodes == nil {
      var byKey: [String: [Int]] = [:]
      for (index, node) in graph.nodes.enumerated() {
        for write in node.writes where byKey[write.key]?.last != index {
          byKey[write.key, default: []].append(index)
        }
      }
      nodes = byKey
    }
    let writers = (nodes?[path.key] ?? []).filter { index in
      graph.nodes[index].writes.contains { $0.overlaps(path) }
    }
    let found = writers.last { graph.nodes[$0].definition.kind == .llm } ?? writers.last
    known[path] = .some(found)
    return found
  }
}
