import RasaCore
package import RasaPersona

/// What a run has taken in and where it came from, for what may leak through its tools.
///
/// Whoever can write into a run can have its model do things. That is dangerous once the run also holds
/// private data and has a way to send them out, whichever of its tools each of the three came through.
package struct Taint: Sendable, Hashable {
  package struct Source: Sendable, Hashable {
    package var flow: DataFlow
    /// A tool's name, or what else it is: `the attachment report.pdf`.
    package var name: String

    package init(_ flow: DataFlow, _ name: String) {
      self.flow = flow
      self.name = name
    }
  }

  /// In the order in which they came, each once.
  package private(set) var sources: [Source] = []
  package private(set) var flow: DataFlow = []

  package init() {}

  package mutating func note(_ source: Source) {
    guard !source.flow.isEmpty, !sources.contains(source) else { return }
    sources.append(source)
    flow.formUnion(source.flow)
  }

  package mutating func note(_ other: Taint) {
    for source in other.sources { note(source) }
  }

  /// Whether a use of such a tool brings the three together, or sends something out when two are there.
  package func isCompleted(by tool: DataFlow) -> Bool {
    guard flow.union(tool) == .everything else { return false }
    return tool.contains(.wayOut) || flow != .everything
  }

  /// Where each of the three comes from, when such a tool is used now.
  package func explanation(of tool: String, _ own: DataFlow) -> [String] {
    let here = Source(own, "`\(tool)` itself")
    return DataFlow.each.map { part, name in
      let from = (sources + [here]).filter { $0.flow.contains(part) }.map(\.name)
      let shown = from.prefix(5).joined(separator: ", ")
      return "\(name): \(shown)" + (from.count > 5 ? " and \(from.count - 5) more" : "")
    }
  }
}

extension DataFlow {
  package static let everything: DataFlow = [.privateData, .untrustedContent, .wayOut]

  fileprivate static let each: [(part: DataFlow, name: String)] = [
    (.privateData, "private data"), (.untrustedContent, "content of strangers"),
    (.wayOut, "a way out"),
  ]
}

extension ToolDescription {
  /// What it does with data. Nobody vouches for a tool of others that is declared without it.
  package var flow: DataFlow {
    if let dataFlow { return dataFlow }
    switch origin {
    case .program, .operator, .agent, .skill, .builtIn: return []
    // What it comes to is the client's own, who sees the answer anyway.
    case .client: return [.untrustedContent]
    case .server, .http, .process: return [.untrustedContent, .wayOut]
    }
  }
}

extension [Attachment] {
  /// Whoever attaches a file gives the run something of theirs.
  var taint: [Taint.Source] {
    map { Taint.Source(.privateData, "the attachment \($0.name)") }
  }
}

extension Taint.Source {
  static let memories = Taint.Source(.privateData, "what is remembered of the user")
  static let foreignMemories = Taint.Source(
    .untrustedContent, "what is remembered of tools and pages")
}
