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
    func label(_ when: Guard?, _ bound: Bound?) -> String {
      [when?.source, bound.map { "at most \($0.atMost)" }].compactMap { $0 }
        .joined(separator: ", ")
    }
    for (index, frame) in frames.enumerated() {
      for branch in frame.branches {
        arrows.append(DrawnArrow(from: id(frame: index), to: id(frame: branch), label: "parallel"))
      }
      var fallsThrough = !frame.isBranch
      for edge in frame.transitions where fallsThrough {
        arrows.append(
          DrawnArrow(
            from: id(frame: index), to: edge.target.map { id(frame: $0) } ?? "output",
            label: label(edge.when, edge.bound), isLoop: edge.target.map { $0 <= index } ?? false))
        if edge.when == nil, edge.bound == nil { fallsThrough = false }
      }
      if fallsThrough {
        arrows.append(
          DrawnArrow(
            from: id(frame: index), to: frame.following.map { id(frame: $0) } ?? "output",
            label: ""))
      }
      for node in frame.nodes { arrows += drawnRoutes(of: node, label) }
    }
    return arrows
  }

  private func drawnRoutes(of index: Int, _ label: (Guard?, Bound?) -> String) -> [DrawnArrow] {
    let node = nodes[index]
    var arrows: [DrawnArrow] = []
    var asksPerson = node.definition.isReviewer
    switch node.definition.review {
    case .never: break
    case .always:
      asksPerson = true
      arrows.append(DrawnArrow(from: id(node: index), to: "person", label: "review"))
    case .when(let condition):
      asksPerson = true
      arrows.append(DrawnArrow(from: id(node: index), to: "person", label: condition.source))
    }
    if node.definition.isReviewer {
      arrows.append(DrawnArrow(from: id(node: index), to: "person", label: "asks"))
    } else if node.definition.ask != nil {
      arrows.append(DrawnArrow(from: id(node: index), to: "person", label: "asks for an answer"))
    }
    for route in node.routes {
      let text = label(route.when, route.bound)
      switch route.action {
      case .node(let target):
        arrows.append(
          DrawnArrow(
            from: id(node: index), to: id(node: target), label: text, isLoop: target <= index))
      case .frame(let target):
        arrows.append(
          DrawnArrow(
            from: id(node: index), to: id(frame: target), label: text,
            isLoop: target <= node.frame))
      case .end: arrows.append(DrawnArrow(from: id(node: index), to: "output", label: text))
      case .review:
        asksPerson = true
        arrows.append(DrawnArrow(from: id(node: index), to: "person", label: text))
      }
    }
    if asksPerson {
      arrows.append(
        DrawnArrow(from: "person", to: id(frame: reentry), label: "correction", isLoop: true))
    }
    return arrows
  }

  private func id(frame index: Int) -> String { "f\(index)" }
  private func id(node index: Int) -> String { "n\(index)" }

  private func escape(_ text: String) -> String {
    String(text.flatMap { $0 == "\"" ? Array("'") : $0.isNewline ? Array(" ") : [$0] })
  }
}
