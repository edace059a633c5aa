import RasaCore
import RasaPersona

/// The graph as bare points and arrows, for the questions that are about paths.
///
/// Points: every node, and for every frame its entry, the end of its operators, and where it is left,
/// which comes after its branches. The run's own end has no point.
struct GraphFlow {
  private let graph: Graph
  private var arrows: [[Arrow]]
  private var paths: Condensation

  private struct Arrow {
    var to: Int
    /// As `Way.isBounded`.
    var isBounded: Bool
    var isFree: Bool { !isBounded }
  }

  private static let pointsPerFrame = 3
  private func entry(_ frame: Int) -> Int { graph.nodes.count + frame * Self.pointsPerFrame }
  private func end(_ frame: Int) -> Int { entry(frame) + 1 }
  private func leave(_ frame: Int) -> Int { entry(frame) + 2 }
  private func frame(of point: Int) -> Int { (point - graph.nodes.count) / Self.pointsPerFrame }

  init(_ graph: Graph) {
    self.graph = graph
    arrows = Array(
      repeating: [], count: graph.nodes.count + graph.frames.count * Self.pointsPerFrame)
    paths = Condensation([])
    var writers = WriterIndex(graph)
    for index in graph.frames.indices { connectFrame(index) }
    for index in graph.nodes.indices { connectNode(index, &writers) }
    paths = Condensation(arrows.map { $0.map(\.to) })
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
      arrows[end(branch)].append(Arrow(to: leave(index), isBounded: false))
    }
    arrows[end(index)].append(Arrow(to: leave(index), isBounded: false))
    for way in graph.ways(outOfFrame: index) { connect(leave(index), way) }
  }

  private mutating func connect(_ point: Int, _ way: Way) {
    let to: Int
    switch way.target {
    case .node(let node): to = node
    case .frame(let frame): to = entry(frame)
    case .end, .person: return
    }
    arrows[point].append(Arrow(to: to, isBounded: way.isBounded))
  }

  private func isExit(_ point: Int) -> Bool {
    guard point < graph.nodes.count else { return false }
    return graph.nodes[point].routes.contains { route in
      if case .review = route.action { return false }
      return route.when == nil && route.bound == nil
    }
  }

  private mutating func connectNode(_ index: Int, _ writers: inout WriterIndex) {
    for way in graph.ways(outOfNode: index, author: { writers.author(of: $0) }) {
      connect(index, way)
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
    let reached = reached(from: [entry(0)])
    return graph.frames.indices.filter { !reached[entry($0)] }.map { index in
      Failure(
        .configuration, "the frame `\(graph.frames[index].name)` can never be reached",
        suggestion: "let a `next:` lead to it, or remove it", at: graph.frames[index].location)
    }
  }

  /// The nodes that can still run, and all other points that can be passed, from some points on,
  /// these included.
  func reachable(from points: [Int]) -> Set<Int> {
    let reached = reached(from: points)
    return Set(arrows.indices.filter { reached[$0] })
  }

  /// What can run from some points on until a person is asked.
  struct Ahead: Sendable, Hashable {
    /// Operators that can run before that, and those that then ask.
    var nodes: Set<Int> = []
    /// The operators that ask, or may.
    var asking: [Int] = []
    /// Whether the end can be reached without anybody being asked.
    var mayEnd = false
  }

  /// - Parameter asks: whether an operator asks a person, or may, once it has run.
  func ahead(from points: [Int], asks: (Int) -> Bool) -> Ahead {
    var ahead = Ahead()
    var seen = Set(points)
    var open = points
    while let point = open.popLast() {
      if point < graph.nodes.count {
        ahead.nodes.insert(point)
        if asks(point) {
          ahead.asking.append(point)
          continue
        }
        if graph.ways(outOfNode: point, author: { _ in nil }).contains(where: { $0.target == .end })
        {
          ahead.mayEnd = true
        }
      } else if point == leave(frame(of: point)) {
        let ways = graph.ways(outOfFrame: frame(of: point))
        if ways.contains(where: { $0.target == .end }) { ahead.mayEnd = true }
      }
      for arrow in arrows[point] where seen.insert(arrow.to).inserted { open.append(arrow.to) }
    }
    ahead.asking.sort()
    return ahead
  }

  /// The points that follow when an operator is done and nothing is sent back.
  func points(after node: Int) -> [Int] {
    var points: [Int] = []
    let nodes = graph.frames[graph.nodes[node].frame].nodes
    if !isExit(node), let place = nodes.firstIndex(of: node) {
      points.append(place + 1 < nodes.count ? nodes[place + 1] : end(graph.nodes[node].frame))
    }
    for route in graph.nodes[node].routes {
      switch route.action {
      case .node(let target): points.append(target)
      case .frame(let target): points.append(entry(target))
      case .end, .review: break
      }
    }
    return points
  }

  func point(enteringFrame frame: Int) -> Int { entry(frame) }

  private func reached(from points: [Int]) -> [Bool] {
    var reached = Array(repeating: false, count: arrows.count)
    var open = points
    for point in points { reached[point] = true }
    while let point = open.popLast() {
      for arrow in arrows[point] where !reached[arrow.to] {
        reached[arrow.to] = true
        open.append(arrow.to)
      }
    }
    return reached
  }

  /// The nodes that can have run before that one runs for the first time.
  func nodes(before node: Int) -> [Int] {
    guard !graph.frames.isEmpty else { return [] }
    var reached: Set<Int> = [entry(0)]
    var open = [entry(0)]
    var comesFrom: [Int: [Int]] = [:]
    while let point = open.popLast() {
      for arrow in arrows[point] {
        comesFrom[arrow.to, default: []].append(point)
        if arrow.to != node, reached.insert(arrow.to).inserted { open.append(arrow.to) }
      }
    }
    var before: Set<Int> = [node]
    open = [node]
    while let point = open.popLast() {
      for source in comesFrom[point] ?? [] where before.insert(source).inserted {
        open.append(source)
      }
    }
    before.remove(node)
    return before.filter { $0 < graph.nodes.count }.sorted()
  }

  /// Something that looks at a path, and where.
  private struct Look {
    enum Who {
      case node(Int)
      case route(of: Int)
      case transition(of: Int)
    }

    var who: Who
    var path: StatePath
    var location: SourceLocation
    /// An operator looks from a frame in which it cannot see the path.
    var isBlind = false
    /// Where in the graph; what the point itself writes counts for those who look after it.
    var point: Int
    var isAfter: Bool
  }

  /// Reads and guards whose key no path can have written yet.
  func readsBeforeWrites() -> [Failure] {
    guard !graph.frames.isEmpty else { return [] }
    let reached = reached(from: [entry(0)])
    let looks = looks(from: reached)
    var columns = PathColumns(
      graph.nodes.indices.lazy.filter { reached[$0] }.map { ($0, graph.nodes[$0].writes) })
    var isKnown = looks.map { State.provided.contains($0.path.key) }
    var asked: [[(look: Int, bit: UInt64)]] = []
    for (index, look) in looks.enumerated() where !isKnown[index] && !look.isBlind {
      guard let column = columns.column(of: look.path) else { continue }
      while asked.count <= column / 64 { asked.append([]) }
      asked[column / 64].append((index, 1 << UInt64(column % 64)))
    }
    for block in columns.blocks {
      var seeds = Array(repeating: UInt64(0), count: paths.count)
      var own = Array(repeating: UInt64(0), count: graph.nodes.count)
      columns.forEach(in: block) { _, bit, points in
        for point in points {
          own[point] |= bit
          seeds[paths.component[point]] |= bit
        }
      }
      let before = paths.arrivals(of: seeds)
      for (index, bit) in asked[block] {
        let look = looks[index]
        var bits = before[paths.component[look.point]]
        if look.isAfter { bits |= own[look.point] }
        if bits & bit != 0 { isKnown[index] = true }
      }
    }
    return problems(looks.indices.filter { !isKnown[$0] || looks[$0].isBlind }.map { looks[$0] })
  }

  private func looks(from reached: [Bool]) -> [Look] {
    var looks: [Look] = []
    for (index, node) in graph.nodes.enumerated() where reached[index] {
      let definition = node.definition
      let isStateless = graph.frames[node.frame].kind == .stateless
      for path in definition.reads where !definition.optionalReads.contains(path) {
        looks.append(
          Look(
            who: .node(index), path: path, location: definition.location,
            isBlind: isStateless && !State.provided.contains(path.key), point: index,
            isAfter: false))
      }
      for (route, original) in zip(node.routes, definition.then) {
        for path in route.when?.reads ?? [] {
          looks.append(
            Look(
              who: .route(of: index), path: path, location: original.location, point: index,
              isAfter: true))
        }
      }
    }
    for (index, frame) in graph.frames.enumerated() where reached[entry(index)] {
      for (edge, original) in zip(frame.transitions, graph.persona.frames[index].next) {
        for path in edge.when?.reads ?? [] {
          looks.append(
            Look(
              who: .transition(of: index), path: path, location: original.location,
              point: leave(index), isAfter: false))
        }
      }
    }
    return looks
  }

  /// Looking for what was meant takes longer than all else, and nobody needs it a hundred times.
  private static let mostHints = 20

  private func problems(_ looks: [Look]) -> [Failure] {
    if looks.isEmpty { return [] }
    var seen: Set<StatePath> = []
    let everything = graph.nodes.flatMap(\.writes).filter { seen.insert($0).inserted }
      .map(\.description)
    return looks.enumerated().map { place, look in
      let who: String
      switch look.who {
      case .node(let index):
        let node = graph.nodes[index]
        who = "the operator `\(node.definition.name)`"
        guard !look.isBlind else {
          return Failure(
            .configuration,
            "\(who) reads `\(look.path)` in the stateless frame "
              + "`\(graph.frames[node.frame].name)`, which shows only input, preferences and metadata",
            suggestion: "run it in a frame of another kind, as with `kind: session`",
            at: look.location)
        }
      case .route(let index): who = "a guard of `\(graph.nodes[index].definition.name)`"
      case .transition(let index): who = "a guard of the frame `\(graph.frames[index].name)`"
      }
      let hint =
        place < Self.mostHints
        ? nearestName(
          to: look.path.description, among: everything.filter { $0 != look.path.description }) : nil
      return Failure(
        .configuration, "\(who) reads `\(look.path)`, which nothing writes before",
        suggestion: (hint.map { "did you mean `\($0)`? " } ?? "")
          + "add an operator that writes it earlier, or mark the read as optional: `\(look.path)?`",
        at: look.location)
    }
  }

  private func name(of point: Int) -> String {
    if point < graph.nodes.count { return "the operator `\(graph.nodes[point].definition.name)`" }
    return "the frame `\(graph.frames[frame(of: point)].name)`"
  }

  private func location(of point: Int) -> SourceLocation {
    if point < graph.nodes.count {
      let definition = graph.nodes[point].definition
      return definition.then.first?.location ?? definition.location
    }
    let frame = graph.persona.frames[self.frame(of: point)]
    return frame.next.first?.location ?? frame.location
  }

  // MARK: What streams, and how much a run can take

  /// Fills in what may still be written from each node on, and from that which nodes stream live.
  func annotate(_ graph: inout Graph) {
    var columns = PathColumns(graph.nodes.indices.lazy.map { ($0, touches(of: $0)) })
    var parts: [UInt64] = []
    for (place, part) in graph.outputParts.enumerated() {
      guard let column = columns.column(of: part.from) else { continue }
      while parts.count <= column { parts.append(0) }
      // The last bit stands for all that come after it.
      parts[column] |= 1 << UInt64(min(place, 63))
    }
    let shown = Set(graph.outputParts.map(\.from))
    for index in graph.nodes.indices { graph.facts[index].openParts = 0 }
    for index in graph.frames.indices { graph.frames[index].openParts = 0 }
    var isWrittenAgain = Array(repeating: false, count: graph.nodes.count)
    let firsts = graph.nodes.map { node in
      node.writes.first.flatMap { shown.contains($0) ? columns.column(of: $0) : nil }
    }
    for block in columns.blocks {
      var seeds = Array(repeating: UInt64(0), count: paths.count)
      columns.forEach(in: block) { _, bit, points in
        for point in points { seeds[paths.component[point]] |= bit }
      }
      let ahead = paths.prospects(of: seeds)
      func openParts(_ bits: UInt64) -> UInt64 {
        var (bits, open) = (bits, UInt64(0))
        while bits != 0 {
          open |= parts[block * 64 + bits.trailingZeroBitCount]
          bits &= bits - 1
        }
        return open
      }
      func after(_ point: Int) -> UInt64 {
        arrows[point].reduce(0) { $0 | ahead[paths.component[$1.to]] }
      }
      for index in graph.nodes.indices {
        graph.facts[index].openParts |= openParts(ahead[paths.component[index]])
        guard let first = firsts[index], first / 64 == block else { continue }
        isWrittenAgain[index] = after(index) & 1 << UInt64(first % 64) != 0
      }
      for index in graph.frames.indices {
        graph.frames[index].openParts |= openParts(after(end(index)))
      }
    }
    for index in graph.nodes.indices where firsts[index] != nil && !isWrittenAgain[index] {
      let node = graph.nodes[index]
      guard node.definition.kind == .llm, node.definition.output == nil, node.substitute == nil,
        case .never = node.definition.review,
        !node.routes.contains(where: { if case .review = $0.action { true } else { false } })
      else { continue }
      graph.nodes[index].isLive = true
    }
  }

  /// What a node writes, and what a person may write there.
  private func touches(of index: Int) -> [StatePath] {
    let node = graph.nodes[index]
    var paths = node.writes
    if let subject = node.definition.reviewSubject { paths += graph.paths(decidedBy: subject) }
    // What a person sees before it counts may be replaced by them.
    if case .never = node.definition.review {
    } else if node.writes.contains(.output) {
      paths += graph.paths(decidedBy: .output)
    }
    for case .review(let subject) in node.routes.map(\.action) {
      paths += graph.paths(decidedBy: subject)
    }
    return paths
  }

  /// How often each node can run at most, people's corrections not counted: once, and once more
  /// for every time that a bounded edge leads back before it.
  func mostRuns() -> [Int] {
    // What leads back into the same component leads to the same nodes.
    var places: [Int: Int] = [:]
    var returns: [(component: Int, times: Int)] = []
    func add(_ bound: Graph.Bound?, from start: Int) {
      guard let bound else { return }
      let component = paths.component[start]
      if let place = places[component] {
        returns[place].times = min(Self.most, returns[place].times + bound.atMost)
      } else {
        places[component] = returns.count
        returns.append((component, bound.atMost))
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
    var most = [Int](repeating: 1, count: paths.count)
    for first in stride(from: 0, to: returns.count, by: 64) {
      let block = returns[first..<min(returns.count, first + 64)]
      var seeds = Array(repeating: UInt64(0), count: paths.count)
      for (place, way) in block.enumerated() { seeds[way.component] |= 1 << UInt64(place) }
      let arrivals = paths.arrivals(of: seeds)
      for component in most.indices {
        var bits = arrivals[component] | seeds[component]
        while bits != 0 {
          most[component] = min(
            graph.persona.limits.steps,
            most[component] + returns[first + bits.trailingZeroBitCount].times)
          bits &= bits - 1
        }
      }
    }
    return graph.nodes.indices.map { most[paths.component[$0]] }
  }

  /// More than any run takes steps.
  private static let most = 1_000_000
}
