package import RasaCore

/// A set of paths for lookups: one takes time proportional to the depth of the path, however many
/// there are.
package struct PathSet: Sendable {
  private var whole: Set<[String]> = []
  /// The paths that have others of the set below them.
  private var above: Set<[String]> = []

  package init(_ paths: some Sequence<StatePath>) {
    for path in paths {
      guard whole.insert(path.components).inserted else { continue }
      var components = path.components
      while !components.isEmpty {
        components.removeLast()
        if !above.insert(components).inserted { break }
      }
    }
  }

  /// Whether the path itself is one of these, or lies below one.
  package func covers(_ path: StatePath) -> Bool {
    var components = path.components
    while true {
      if whole.contains(components) { return true }
      if components.isEmpty { return false }
      components.removeLast()
    }
  }

  /// Whether any of these overlaps the path.
  package func overlaps(_ path: StatePath) -> Bool {
    above.contains(path.components) || covers(path)
  }
}
