package import RasaCore

/// Paths to be asked about: answering takes as long as a path is deep, however many there are.
package struct PathSet: Sendable {
  private var whole: Set<[String]> = []
  /// The paths that others of the set lie below.
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
