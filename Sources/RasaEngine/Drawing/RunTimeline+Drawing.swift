import RasaCore

extension RunTimeline {
  /// The path that the run took, for Mermaid: a box for each operator in the box of its frame, and
  /// an arrow for each step, numbered in order; what was gone through again is counted.
  package var mermaid: String {
    var drawing = PathDrawing()
    drawing.draw(self)
    return drawing.text
  }
}

private struct PathDrawing {
  private struct Box: Hashable {
    var frame: String
    var name: String
  }
  private struct Arrow: Hashable {
    var from: String
    var to: String
    var reason: String
  }

  private var frames: [String] = []
  private var boxes: [Box] = []
  private var counts: [Box: Int] = [:]
  private var arrows: [Arrow] = []
  private var numbers: [Arrow: [Int]] = [:]
  private var isLoop: Set<Arrow> = []
  private var last = ""
  private var lastStyle = ""

  private func id(_ box: Box) -> String { "n\(boxes.firstIndex(of: box) ?? 0)" }

  private mutating func box(of step: Step) -> Box {
    let box = Box(frame: step.frame, name: step.operatorName)
    if !frames.contains(step.frame) { frames.append(step.frame) }
    if !boxes.contains(box) { boxes.append(box) }
    return box
  }

  private mutating func connect(_ from: String, _ to: String, _ reason: String, _ number: Int?) {
    let arrow = Arrow(from: from, to: to, reason: reason)
    if numbers[arrow] == nil { arrows.append(arrow) }
    numbers[arrow, default: []] += number.map { [$0] } ?? []
  }

  mutating func draw(_ timeline: RunTimeline) {
    /// A pass with what decides what comes after it.
    struct Point {
      var box: Box
      var visit: Int
      var entered: Int
      var finished: Int
      var successors: [Int] = []
    }
    var points: [Point] = []
    var latest: [Box: Int] = [:]
    var used: Set<Int> = []
    let moves = timeline.passes.flatMap(\.moves)
    func move(to names: [String], before line: Int) -> RunTimeline.Move? {
      moves.filter { names.contains($0.to) && $0.sequence < line && !used.contains($0.sequence) }
        .max { $0.sequence < $1.sequence }
    }
    for section in timeline.sections {
      if !frames.contains(section.frame) { frames.append(section.frame) }
      for pass in section.passes {
        let box = box(of: pass.step)
        counts[box, default: 0] += 1
        let entered = section.entered ?? .max
        let index = points.count
        let number = index + 1
        let point = Point(
          box: box, visit: section.visit, entered: entered, finished: pass.finished ?? .max)
        let before = points.lastIndex { $0.box.frame == section.frame && $0.visit == section.visit }
        if let before {
          points.append(point)
          points[before].successors.append(index)
          let round = pass.step.round > 1 ? "again" : ""
          connect(id(points[before].box), id(box), round, number)
        } else {
          var sources: [Int] = []
          var reason = ""
          if let move = move(to: [pass.step.operatorName, section.frame], before: entered) {
            used.insert(move.sequence)
            reason = move.reason
            sources =
              points.indices.last {
                points[$0].box.name == move.from || points[$0].box.frame == move.from
              }.map { [$0] } ?? []
          } else {
            sources = points.indices.filter { candidate in
              points[candidate].finished < entered && points[candidate].entered < entered
                && !points[candidate].successors.contains { points[$0].finished < entered }
            }
          }
          points.append(point)
          if sources.isEmpty { connect("input", id(box), "", number) }
          for source in sources {
            points[source].successors.append(index)
            connect(id(points[source].box), id(box), reason, number)
            if latest[box] != nil {
              isLoop.insert(Arrow(from: id(points[source].box), to: id(box), reason: reason))
            }
          }
        }
        latest[box] = index
      }
    }
    let ending = moves.last { $0.to == "end" && !used.contains($0.sequence) }
    drawEnd(timeline)
    let ends = points.filter(\.successors.isEmpty)
    for point in ends {
      connect(
        id(point.box), "ending", ending?.from == point.box.name ? ending?.reason ?? "" : "", nil)
    }
    if ends.isEmpty { connect("input", "ending", "", nil) }
  }

  private mutating func drawEnd(_ timeline: RunTimeline) {
    switch timeline.end {
    case .finished:
      last = "ending([\"answer\"])"
      lastStyle = "fill:#dff5e1,stroke:#2e7d32"
    case .failed(let failure):
      last = "ending{{\"failed: \(mermaidLabel(failure.message))\"}}"
      lastStyle = "fill:#fde0dd,stroke:#c62828"
    case .parked(let parking):
      let why = parking.reason == .approval ? "waits for a person" : "interrupted"
      last = "ending[/\"parked: \(why)\"/]"
      lastStyle = "fill:#fff4d6,stroke:#b8860b"
    case .open:
      last = "ending[/\"not at its end\"/]"
      lastStyle = "stroke-dasharray:4"
    }
  }

  var text: String {
    var lines = ["flowchart TD", "  input([\"input\"])"]
    for (index, frame) in frames.enumerated() {
      lines.append("  subgraph f\(index)[\"\(mermaidLabel(frameTitle(frame)))\"]")
      let own = boxes.filter { $0.frame == frame }
      for box in own {
        let count = counts[box] ?? 1
        let times = count > 1 ? " ×\(count)" : ""
        lines.append("    \(id(box))[\"\(mermaidLabel(box.name))\(times)\"]")
      }
      if own.isEmpty { lines.append("    f\(index)_empty[\" \"]") }
      lines.append("  end")
    }
    lines.append("  \(last)")
    for arrow in arrows {
      let order = (numbers[arrow] ?? []).map(String.init).joined(separator: ", ")
      let label = [order, mermaidLabel(arrow.reason)].filter { !$0.isEmpty }
        .joined(separator: " · ")
      let line = isLoop.contains(arrow) ? "-.->" : "-->"
      lines.append("  \(arrow.from) \(line)\(label.isEmpty ? "" : "|\"\(label)\"|") \(arrow.to)")
    }
    lines.append("  style ending \(lastStyle)")
    return lines.joined(separator: "\n") + "\n"
  }
}
