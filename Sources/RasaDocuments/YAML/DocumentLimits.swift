/// How much of a document is read before it is refused.
package struct DocumentLimits: Sendable {
  package var bytes: Int
  /// Lists and mappings inside each other.
  package var depth: Int
  package var nodes: Int
  /// Nodes that stand in the result only because an alias repeats them.
  package var aliasNodes: Int
  package var time: Duration

  /// The size is held at 10 MB and the depth at 500.
  package init(
    bytes: Int = 1 << 20, depth: Int = 64, nodes: Int = 100_000, aliasNodes: Int = 10_000,
    time: Duration = .seconds(1)
  ) {
    self.bytes = min(bytes, 10 << 20)
    self.depth = min(depth, 500)
    self.nodes = nodes
    self.aliasNodes = aliasNodes
    self.time = time
  }
}
