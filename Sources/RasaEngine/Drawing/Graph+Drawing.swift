import RasaPersona

/// The graph as a picture in the two languages that most tools draw.
extension Graph {
  package var mermaid: String {
    var lines = ["flowchart TD", "  input([input]) --> \(id(frame: 0))"]
    for (index, frame) in frames.enumerated() {
      lines.append("  subgraph \(id(frame: index))[\"\(frame.name) · \(frame.kind.rawValue)\"]")
      for node in frame.nodes {
        let label = "\(nodes[node].definition.name)<br/>\(nodes[node].definition.kind.rawValue)"
        lines.append("    \(id(node: node))[\"\(label)\"]")
      }
      for (left, right) in zip(frame.nodes, frame.nodes.dropFirst()) {
        lines.append("    \(id(node: left)) --> \(id(node: right))")
      }
      if frame.nodes.isEmpty { lines.append("    \(id(frame: index))_empty[\" \"]") }
      lines.append("  end")
    }
    for arrow in drawnArrows {
      let label = arrow.label.isEmpty ? "" : "|\"\(mermaidLabel(arrow.label))\"|"
      lines.append("  \(arrow.from) \(arrow.isLoop ? "-.->" : "-->")\(label) \(arrow.to)")
    }
    if drawnArrows.contains(where: { $0.to == "person" }) { lines.append("  person{{person}}") }
    lines.append("  output([output])")
    return lines.joined(separator: "\n") + "\n"
  }

  package var dot: String {
    var lines = ["digraph \"\(escape(persona.name))\" {", "  compound=true; node [shape=box];"]
    lines.append("  input [shape=oval]; output [shape=oval];")
    for (index, frame) in frames.enumerated() {
      lines.append("  subgraph cluster_\(index) {")
      lines.append("    label=\"\(frame.name) (\(frame.kind.rawValue))\";")
      lines.append("    \(id(frame: index)) [shape=point];")
      var previous = id(frame: index)
      for node in frame.nodes {
        lines.append("    \(id(node: node)) [label=\"\(escape(nodes[node].definition.name))\"];")
        lines.append("    \(previous) -> \(id(node: node));")
        previous = id(node: node)
      }
      lines.append("  }")
    }
    lines.append("  input -> \(id(frame: 0));")
    for arrow in drawnArrows {
      let style = arrow.isLoop ? ", style=dashed" : ""
      lines.append("  \(arrow.from) -> \(arrow.to) [label=\"\(escape(arrow.label))\"\(style)];")
    }
    lines.append("}")
    return lines.joined(separator: "\n") + "\n"
  }

  private struct DrawnArrow {
    var from: String
    var to: String
    var label: String
    var isLoop = false
  }

  /// The arrows between frames, the routes of operators, and the questions to people.
  private var drawnArrows: [DrawnArrow] {
    var arrows: [DrawnArrow] = []
    for (index, frame) in frames.enumerated() {
      for branch in frame.branches {
        arrows.append(DrawnArrow(from: id(frame: index), to: id(frame: branch), label: "parallel"))
      }
      for way in ways(outOfFrame: index) {
        // A branch joins the others at the frame that it is a branch of. It can only repeat itself before.
        if frame.isBranch, way.target != .frame(index) { continue }
        let isLoop = if case .frame(let target) = way.target { target <= index } else { false }
        arrows.append(
          drawn(way, from: id(frame: index), isLoop: way.cause != .following && isLoop))
      }
      for node in frame.nodes { arrows += drawnWays(outOfNode: node) }
    }
    return arrows
  }

  private func drawnWays(outOfNode index: Int) -> [DrawnArrow] {
    ways(outOfNode: index, author: author(of:)).compactMap { way in
      switch way.cause {
      // Where a person sends something back to follows from the correction's arrow.
      case .rejection, .correction(isPrelude: true): return nil
      case .correction(isPrelude: false): return drawn(way, from: "person", isLoop: true)
      case .transition, .following, .route, .review, .question: break
      }
      let isLoop =
        switch way.target {
        case .node(let target): target <= index
        case .frame(let target): target <= nodes[index].frame
        case .end, .person: false
        }
      var arrow = drawn(way, from: id(node: index), isLoop: isLoop)
      if way.target == .end, let group = frames.firstIndex(where: isBranch(nodes[index].frame)) {
        arrow.to = id(frame: group)
        arrow.label = [arrow.label, "ends the branch"].filter { !$0.isEmpty }.joined(
          separator: ", ")
      }
      return arrow
    }
  }

  /// Whether a frame is the one that has this branch.
  private func isBranch(_ index: Int) -> (Frame) -> Bool {
    { $0.branches.contains(index) }
  }

  private func drawn(_ way: Way, from: String, isLoop: Bool) -> DrawnArrow {
    let to =
      switch way.target {
      case .node(let node): id(node: node)
      case .frame(let frame): id(frame: frame)
      case .end: "output"
      case .person: "person"
      }
    let label =
      switch way.cause {
      case .review: way.when?.source ?? "review"
      case .question(forAnswer: false): "asks"
      case .question(forAnswer: true): "asks for an answer"
      case .correction: "correction"
      case .transition, .following, .route, .rejection:
        [way.when?.source, way.bound.map { "at most \($0.atMost)" }].compactMap { $0 }
          .joined(separator: ", ")
      }
    return DrawnArrow(from: from, to: to, label: label, isLoop: isLoop)
  }

  private func id(frame index: Int) -> String { "f\(index)" }
  private func id(node index: Int) -> String { "n\(index)" }

  private func escape(_ text: String) -> String {
    String(text.flatMap { $0 == "\"" ? Array("'") : $0.isNewline ? Array(" ") : [$0] })
  }
}
