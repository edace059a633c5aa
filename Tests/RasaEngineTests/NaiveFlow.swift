import RasaCore
import RasaPersona

@testable import RasaEngine

/// The checks of `GraphFlow` as they read: sets of paths that grow until nothing changes. Slow, and
/// plain enough to be believed.
struct NaiveFlow {
  private let graph: Graph
  private var arrows: [[Arrow]]

  private struct Arrow {
    var to: Int
    /// Taken so often at most; nil is unbounded. A person's decisions count as bounded: the person
    /// and the run's step limit bound them.
    var isBounded: Bool
    var isFree: Bool { !isBounded }
  }

  private func entry(_ frame: Int) -> Int { graph.nodes.count + frame * 2 }
  private func end(_ frame: Int) -> Int { graph.nodes.count + frame * 2 + 1 }

  init(_ graph: Graph) {
    self.graph = graph
    arrows = Array(repeating: [], count: graph.nodes.count + graph.frames.count * 2)
    for index in graph.frames.indices { connectFrame(index) }
    for index in graph.nodes.indices { connectNode(index) }
  }

  private mutating func connectFrame(_ index: Int) {
    let frame = graph.frames[index]
    var previous = entry(index)
    for node in frame.nodes {
      // A route that always applies and has no bound leaves nothing to fall through to.
      if !isExit(previous) { arrows[previous].append(Arrow(to: node, isBounded: false)) }
      previous = node
    }
    if !isExit(previous) { arrows[previous].append(Arrow(to: end(index), isBounded: false)) }
    for branch in frame.branches {
      arrows[end(index)].append(Arrow(to: entry(branch), isBounded: false))
    }
    let leaves = frame.branches.isEmpty ? [end(index)] : [end(index)] + frame.branches.map(end)
    var fallsThrough = true
    for transition in frame.transitions {
      if let target = transition.target {
        for leave in leaves {
          arrows[leave].append(Arrow(to: entry(target), isBounded: transition.bound != nil))
        }
      }
      if transition.when == nil, transition.bound == nil {
        fallsThrough = false
        break
      }
    }
    if fallsThrough, let following = frame.following {
      for leave in leaves {
        arrows[leave].append(Arrow(to: entry(following), isBounded: false))
      }
    }
  }

  private func isExit(_ point: Int) -> Bool {
    guard point < graph.nodes.count else { return false }
    return graph.nodes[point].routes.contains { route in
      if case .review = route.action { return false }
      return route.when == nil && route.bound == nil
    }
  }

  private mutating func connectNode(_ index: Int) {
    let node = graph.nodes[index]
    var asksPerson = node.definition.isReviewer
    if case .never = node.definition.review {
    } else {
      asksPerson = true
      arrows[index].append(Arrow(to: index, isBounded: true))
    }
    for route in node.routes {
      switch route.action {
      case .node(let target):
        arrows[index].append(Arrow(to: target, isBounded: route.bound != nil))
      case .frame(let target):
        arrows[index].append(Arrow(to: entry(target), isBounded: route.bound != nil))
      case .end: break
      case .review(let subject):
        asksPerson = true
        if let writer = graph.author(of: subject) {
          arrows[index].append(Arrow(to: writer, isBounded: true))
        }
      }
    }
    guard asksPerson else { return }
    if let subject = node.definition.reviewSubject, let writer = graph.author(of: subject) {
      arrows[index].append(Arrow(to: writer, isBounded: true))
    }
    arrows[index].append(Arrow(to: entry(graph.reentry), isBounded: true))
    if let prelude = graph.reentryPrelude {
      arrows[index].append(Arrow(to: prelude, isBounded: true))
    }
  }

  // MARK: Checks

  /// Cycles that nothing bounds.
  func unboundedCycles() -> [Failure] {
    var colour = [UInt8](repeating: 0, count: arrows.count)
    var found: [Failure] = []
    for start in arrows.indices where colour[start] == 0 {
      var stack: [(point: Int, next: Int)] = [(start, 0)]
      colour[start] = 1
      while let (point, next) = stack.last {
        if next == arrows[point].count {
          colour[point] = 2
          stack.removeLast()
          continue
        }
        stack[stack.count - 1].next += 1
        let arrow = arrows[point][next]
        guard arrow.isFree else { continue }
        if colour[arrow.to] == 1 {
          found.append(
            Failure(
              .configuration,
              "the way from \(name(of: point)) back to \(name(of: arrow.to)) has no bound",
              suggestion: "add `at_most: 3` to that transition", at: location(of: point)))
        } else if colour[arrow.to] == 0 {
          colour[arrow.to] = 1
          stack.append((arrow.to, 0))
        }
      }
    }
    return found
  }

  func unreachable() -> [Failure] {
    guard !graph.frames.isEmpty else { return [] }
    let reached = reachable(from: [entry(0)])
    return graph.frames.indices.filter { !reached.contains(entry($0)) }.map { index in
      Failure(
        .configuration, "the frame `\(graph.frames[index].name)` can never be reached",
        suggestion: "let a `next:` lead to it, or remove it", at: graph.frames[index].location)
    }
  }

  /// The nodes that can still run, and all other points that can be passed, from some points on,
  /// these included.
  func reachable(from points: [Int]) -> Set<Int> {
    var reached = Set(points)
    var open = points
    while let point = open.popLast() {
      for arrow in arrows[point] where reached.insert(arrow.to).inserted { open.append(arrow.to) }
    }
    return reached
  }

  /// Reads and guards whose key no path can have written yet.
  func readsBeforeWrites() -> [Failure] {
    var before = [Set<StatePath>](repeating: [], count: arrows.count)
    var open = graph.frames.isEmpty ? [] : [entry(0)]
    var seen = Set(open)
    while let point = open.popLast() {
      let after =
        point < graph.nodes.count
        ? before[point].union(writes(of: point)) : before[point]
      for arrow in arrows[point]
      where !after.isSubset(of: before[arrow.to]) || !seen.contains(arrow.to) {
        before[arrow.to].formUnion(after)
        seen.insert(arrow.to)
        open.append(arrow.to)
      }
    }
    var found: [Failure] = []
    let everything = graph.nodes.flatMap(\.writes).map(\.description)
    func check(
      _ path: StatePath, _ known: Set<StatePath>, _ who: String, _ location: SourceLocation
    ) {
      if State.provided.contains(path.key) || known.contains(where: { $0.overlaps(path) }) {
        return
      }
      let hint = nearestName(
        to: path.description, among: everything.filter { $0 != path.description })
      found.append(
        Failure(
          .configuration, "\(who) reads `\(path)`, which nothing writes before",
          suggestion: (hint.map { "did you mean `\($0)`? " } ?? "")
            + "add an operator that writes it earlier, or mark the read as optional: `\(path)?`",
          at: location))
    }
    for (index, node) in graph.nodes.enumerated() where seen.contains(index) {
      let definition = node.definition
      for path in definition.reads where !definition.optionalReads.contains(path) {
        if graph.frames[node.frame].kind == .stateless, !State.provided.contains(path.key) {
          found.append(
            Failure(
              .configuration,
              "the operator `\(definition.name)` reads `\(path)` in the stateless frame "
                + "`\(graph.frames[node.frame].name)`, which shows only input, preferences and metadata",
              suggestion: "run it in a frame of another kind, as with `kind: session`",
              at: definition.location))
          continue
        }
        check(path, before[index], "the operator `\(definition.name)`", definition.location)
      }
      let after = before[index].union(writes(of: index))
      for (route, original) in zip(node.routes, definition.then) {
        for path in route.when?.reads ?? [] {
          check(path, after, "a guard of `\(definition.name)`", original.location)
        }
      }
    }
    for (index, frame) in graph.frames.enumerated() where seen.contains(entry(index)) {
      var known = before[end(index)]
      for branch in frame.branches { known.formUnion(before[end(branch)]) }
      for (edge, original) in zip(frame.transitions, graph.persona.frames[index].next) {
        for path in edge.when?.reads ?? [] {
          check(path, known, "a guard of the frame `\(frame.name)`", original.location)
        }
      }
    }
    return found
  }

  private func writes(of point: Int) -> [StatePath] {
    point < graph.nodes.count ? graph.nodes[point].writes : []
  }

  private func name(of point: Int) -> String {
    if point < graph.nodes.count { return "the operator `\(graph.nodes[point].definition.name)`" }
    return "the frame `\(graph.frames[(point - graph.nodes.count) / 2].name)`"
  }

  private func location(of point: Int) -> SourceLocation {
    if point < graph.nodes.count {
      let definition = graph.nodes[point].definition
      return definition.then.first?.location ?? definition.location
    }
    let frame = graph.persona.frames[(point - graph.nodes.count) / 2]
    return frame.next.first?.location ?? frame.location
  }

  // MARK: What streams, and how much a run can take

  /// Fills in what may still be written from each node on, and from that which nodes stream live.
  func annotate(_ graph: inout Graph) {
    let from = writtenFrom()
    func openParts(_ written: Set<StatePath>) -> UInt64 {
      var bits: UInt64 = 0
      for (place, part) in graph.outputParts.enumerated()
      where written.contains(where: { $0.overlaps(part.from) }) {
        bits |= 1 << UInt64(min(place, 63))
      }
      return bits
    }
    for index in graph.nodes.indices {
      graph.facts[index].openParts = openParts(from[index])
      let node = graph.nodes[index]
      let after = arrows[index].reduce(into: Set<StatePath>()) { $0.formUnion(from[$1.to]) }
      guard node.definition.kind == .llm, node.definition.output == nil, node.substitute == nil,
        case .never = node.definition.review, let key = node.writes.first,
        graph.outputParts.contains(where: { $0.from == key }),
        !after.contains(where: { $0.overlaps(key) }),
        !node.routes.contains(where: { if case .review = $0.action { true } else { false } })
      else { continue }
      graph.nodes[index].isLive = true
    }
    for index in graph.frames.indices {
      let written = arrows[end(index)].reduce(into: Set<StatePath>()) {
        $0.formUnion(from[$1.to])
      }
      graph.frames[index].openParts = openParts(written)
    }
  }

  private func writtenFrom() -> [Set<StatePath>] {
    var from = (arrows.indices).map { Set(writes(of: $0)) }
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      if let subject = node.definition.reviewSubject {
        from[index].formUnion(graph.paths(decidedBy: subject))
      }
      if case .never = node.definition.review {
      } else if node.writes.contains(.output) {
        from[index].formUnion(graph.paths(decidedBy: .output))
      }
      for case .review(let subject) in node.routes.map(\.action) {
        from[index].formUnion(graph.paths(decidedBy: subject))
      }
    }
    var changed = true
    while changed {
      changed = false
      for point in arrows.indices.reversed() {
        for arrow in arrows[point] where !from[arrow.to].isSubset(of: from[point]) {
          from[point].formUnion(from[arrow.to])
          changed = true
        }
      }
    }
    return from
  }

  /// How often each node can run at most, people's corrections not counted: once, and once more
  /// for every time that a bounded edge leads back before it.
  func mostRuns() -> [Int] {
    var most = [Int](repeating: 1, count: graph.nodes.count)
    func add(_ bound: Graph.Bound?, from start: Int) {
      guard let bound else { return }
      var reached: Set<Int> = [start]
      var open = [start]
      while let point = open.popLast() {
        for arrow in arrows[point] where reached.insert(arrow.to).inserted { open.append(arrow.to) }
      }
      for index in graph.nodes.indices where reached.contains(index) {
        most[index] = min(graph.persona.limits.steps, most[index] + bound.atMost)
      }
    }
    for (index, frame) in graph.frames.enumerated() {
      for edge in frame.transitions {
        if let target = edge.target, target <= index { add(edge.bound, from: entry(target)) }
      }
    }
    for (index, node) in graph.nodes.enumerated() {
      for route in node.routes {
        switch route.action {
        case .node(let target):
          if target <= index { add(route.bound, from: target) }
        case .frame(let target):
          if target <= node.frame { add(route.bound, from: entry(target)) }
        case .end, .review: break
        }
      }
    }
    return most
  }

  /// Which masks each node has when every pair of paths is compared.
  func masks() -> [[UInt64]] {
    var bits: [StatePath: UInt64] = [:]
    for path in graph.nodes.flatMap(\.writes) where bits[path] == nil {
      bits[path] = 1 << UInt64(bits.count % 64)
    }
    return graph.nodes.map { node in
      [node.reads, node.writes].map { paths in
        bits.reduce(0) { mask, known in
          paths.contains { $0.overlaps(known.key) } ? mask | known.value : mask
        }
      }
    }
  }

  /// The names of branches that touch the same, and what.
  func clashes() -> [String] {
    var found: [String] = []
    for frame in graph.frames {
      for (place, left) in frame.branches.enumerated() {
        for right in frame.branches[(place + 1)...] {
          for (one, other) in [(left, right), (right, left)] {
            let writes = graph.frames[one].nodes.flatMap { graph.nodes[$0].writes }
            let touched = graph.frames[other].nodes.flatMap {
              graph.nodes[$0].reads + graph.nodes[$0].writes
            }
            if let clash = writes.first(where: { path in touched.contains { $0.overlaps(path) } }) {
              found.append(
                "the branches `\(graph.frames[one].name)` and `\(graph.frames[other].name)` both "
                  + "touch `\(clash)`, so their order would matter")
            }
          }
        }
      }
    }
    return found
  }
}
