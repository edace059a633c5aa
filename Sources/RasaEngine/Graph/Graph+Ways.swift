import RasaCore
import RasaPersona

/// A way that a run may take, as `RunMachine` takes it. What is checked about paths and what is drawn are
/// derived from these.
struct Way: Sendable {
  enum Target: Sendable, Hashable {
    case node(Int)
    case frame(Int)
    /// The end of the run; of a branch, the end of that.
    case end
    /// Somebody who looks at something. Where that leads has ways of its own.
    case person
  }

  enum Cause: Sendable, Hashable {
    /// From one frame to another, by its `next` or because nothing else applies.
    case transition, following
    /// By an operator's `then`.
    case route
    /// What an operator wrote is looked at before it counts.
    case review
    /// An operator's own question: about what others wrote, or for an answer.
    case question(forAnswer: Bool)
    /// A person sends something back to whoever wrote it.
    case rejection
    /// A person's correction enters the graph again; the prelude runs before the frame's own operators.
    case correction(isPrelude: Bool)
  }

  var target: Target
  var cause: Cause
  var when: Guard?
  var bound: Graph.Bound?

  /// Whether it is taken so often at most. A person's decisions count as bounded: the person and the
  /// run's step limit bound them.
  var isBounded: Bool {
    switch cause {
    case .transition, .following, .route: bound != nil
    case .review, .question, .rejection, .correction: true
    }
  }

  /// Whether nothing behind it in the same list is ever taken.
  var isCertain: Bool { when == nil && bound == nil && target != .person }
}

extension Graph {
  /// The ways from the end of a frame, behind its branches, in the order in which they are tried.
  func ways(outOfFrame index: Int) -> [Way] {
    let frame = frames[index]
    var ways: [Way] = []
    for edge in frame.transitions {
      let way = Way(
        target: edge.target.map { .frame($0) } ?? .end, cause: .transition, when: edge.when,
        bound: edge.bound)
      ways.append(way)
      if way.isCertain { return ways }
    }
    ways.append(
      Way(target: frame.following.map { .frame($0) } ?? .end, cause: .following))
    return ways
  }

  /// The ways from an operator to anything but the next one, in the order in which they are tried.
  ///
  /// - Parameter author: who can write a path anew.
  func ways(outOfNode index: Int, author: (StatePath) -> Int?) -> [Way] {
    let node = nodes[index]
    let definition = node.definition
    var ways: [Way] = []
    func reject(to writer: Int?) {
      if let writer { ways.append(Way(target: .node(writer), cause: .rejection)) }
    }
    switch definition.review {
    case .never: break
    case .always: ways.append(Way(target: .person, cause: .review))
    case .when(let condition):
      ways.append(Way(target: .person, cause: .review, when: condition))
    }
    if !ways.isEmpty {
      reject(to: index)
      // Rules would say the same again.
      if definition.kind == .rule, let subject = node.writes.first { reject(to: author(subject)) }
    }
    if definition.isReviewer || definition.ask != nil {
      ways.append(
        Way(target: .person, cause: .question(forAnswer: !definition.isReviewer)))
    }
    for route in node.routes {
      let target: Way.Target =
        switch route.action {
        case .node(let node): .node(node)
        case .frame(let frame): .frame(frame)
        case .end: .end
        case .review: .person
        }
      ways.append(
        Way(target: target, cause: .route, when: route.when, bound: route.bound))
      if case .review(let subject) = route.action { reject(to: author(subject)) }
    }
    let decides = ways.contains { $0.target == .person && $0.cause != .question(forAnswer: true) }
    guard decides else { return ways }
    if let subject = definition.reviewSubject { reject(to: author(subject)) }
    ways.append(Way(target: .frame(reentry), cause: .correction(isPrelude: false)))
    if let reentryPrelude {
      ways.append(Way(target: .node(reentryPrelude), cause: .correction(isPrelude: true)))
    }
    return ways
  }
}
