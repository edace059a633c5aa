package import RasaCore
import RasaDocuments
package import RasaPersona

extension Graph {
  /// Resolves, binds and checks. Every problem of the persona is found in one go: the failure's
  /// details hold those after the first.
  ///
  /// - Parameters:
  ///   - shipped: looks up operators that are implied or that frames name.
  ///   - delegates: looks up the personas and agents that work inside this one.
  package static func compile(
    _ persona: PersonaDefinition,
    operators shipped: @escaping (String) throws(Failure) -> OperatorDefinition,
    delegates: @escaping (String) throws(Failure) -> PersonaDefinition? = { _ in nil }
  ) throws(Failure) -> Graph {
    try compile(
      persona, operators: shipped, delegates: delegates, way: [], deepest: persona.limits.depth)
  }

  static func compile(
    _ persona: PersonaDefinition,
    operators shipped: @escaping (String) throws(Failure) -> OperatorDefinition,
    delegates: @escaping (String) throws(Failure) -> PersonaDefinition?, way: [String],
    deepest: Int
  ) throws(Failure) -> Graph {
    var compiler = GraphCompiler(
      persona: persona, shipped: shipped, delegates: delegates, way: way, deepest: deepest)
    try compiler.resolve(shipped)
    compiler.connect()
    try compiler.throwProblems()
    var graph = compiler.graph
    let flow = GraphFlow(graph)
    compiler.problems += flow.unboundedCycles() + flow.unreachable() + flow.readsBeforeWrites()
    compiler.problems += graph.guardTypeProblems() + graph.undeclaredReads()
    try compiler.throwProblems()
    flow.annotate(&graph)
    graph.warnings += graph.unseenParts()
    graph.systemMessage = Prompt.system(for: persona)
    graph.digest = Digest.of(graph.description)
    return graph
  }
}

/// Puts names, operators and edges together; collects problems instead of stopping at the first.
struct GraphCompiler {
  let persona: PersonaDefinition
  var graph: Graph
  var problems: [Failure] = []
  var operators: [OperatorDefinition]
  let shipped: (String) throws(Failure) -> OperatorDefinition
  let delegates: (String) throws(Failure) -> PersonaDefinition?
  /// Who has this persona work, the outermost first.
  let way: [String]
  let deepest: Int
  /// The operators that stand for the agents of frames.
  var agentFrames: [Int: String] = [:]

  init(
    persona: PersonaDefinition,
    shipped: @escaping (String) throws(Failure) -> OperatorDefinition,
    delegates: @escaping (String) throws(Failure) -> PersonaDefinition?, way: [String],
    deepest: Int
  ) {
    self.persona = persona
    self.shipped = shipped
    self.delegates = delegates
    self.way = way
    self.deepest = deepest
    operators = persona.operators
    graph = Graph(
      persona: persona, frames: [], nodes: [], outputParts: [], reentry: 0, reentryPrelude: nil,
      counterCount: 0, digest: "", warnings: persona.warnings)
  }

  func throwProblems() throws(Failure) {
    guard var first = problems.first else { return }
    first.details += problems.dropFirst().map(\.description)
    throw first
  }

  // MARK: Operators and their frames

  mutating func resolve(
    _ shipped: (String) throws(Failure) -> OperatorDefinition
  ) throws(Failure) {
    resolveFrames()
    try throwProblems()
    addAgentFrames()
    for frame in persona.frames {
      for name in frame.operators ?? [] where !operators.contains(where: { $0.name == name }) {
        do { operators.append(try shipped(name)) } catch {
          problems.append(located(error, at: frame.location))
        }
      }
    }
    var bound = bind()
    try imply(&bound, shipped)
    for (frame, definitions) in bound.enumerated() {
      for definition in definitions { add(definition, to: frame, shipped) }
    }
  }

  func located(_ failure: Failure, at location: SourceLocation) -> Failure {
    var failure = failure
    failure.location = failure.location ?? location
    return failure
  }

  private mutating func resolveFrames() {
    let names = persona.frames.map(\.name)
    let branches = Set(persona.frames.flatMap(\.parallel))
    if names.isEmpty {
      problems.append(
        Failure(
          .configuration, "the persona `\(persona.name)` has no frames",
          mend: "add `frames: [session_frame]`", at: persona.location))
    }
    for (index, frame) in persona.frames.enumerated() {
      if names.firstIndex(of: frame.name) != index {
        problems.append(
          Failure(
            .configuration, "the frame `\(frame.name)` is declared twice",
            mend: "give the second one another name", at: frame.location))
      }
      graph.frames.append(
        Graph.Frame(
          name: frame.name, kind: frame.kind, nodes: [], transitions: [],
          branches: frame.parallel.compactMap { name in
            guard let target = names.firstIndex(of: name) else {
              problems.append(unknown("frame", name, among: names, at: frame.location))
              return nil
            }
            return target
          },
          isBranch: branches.contains(frame.name),
          following: persona.frames[(index + 1)...].first { !branches.contains($0.name) }
            .flatMap { names.firstIndex(of: $0.name) },
          location: frame.location))
      if branches.contains(frame.name) {
        graph.frames[index].following = nil
        if index == 0 {
          problems.append(
            Failure(
              .configuration, "the entry frame `\(frame.name)` cannot be a branch of another",
              mend: "declare another frame before it", at: frame.location))
        }
        if !frame.parallel.isEmpty {
          problems.append(
            Failure(
              .configuration, "the branch `\(frame.name)` cannot have branches of its own",
              mend: "list all of them in one frame", at: frame.location))
        }
      }
    }
  }

  func unknown(
    _ what: String, _ name: String, among known: [String], at location: SourceLocation
  ) -> Failure {
    let hint = nearestName(to: name, among: known).map { "did you mean `\($0)`? " } ?? ""
    return Failure(
      .configuration, "there is no \(what) named `\(name)`",
      mend: "\(hint)known here: \(known.joined(separator: ", "))", at: location)
  }

  /// Where each operator runs: in the frames that list it, else in the frame its own file names
  /// (by name, or by kind for the four standard frames), else in the last declared frame.
  private mutating func bind() -> [[OperatorDefinition]] {
    var bound = [[OperatorDefinition]](repeating: [], count: graph.frames.count)
    let last = graph.frames.lastIndex { !$0.isBranch } ?? 0
    let listed = Set(persona.frames.flatMap { $0.operators ?? [] } + agentFrames.values)
    let substitutes = Set(
      operators.compactMap { definition in
        if case .run(let name) = definition.onError.otherwise { name } else { nil }
      })
    for (index, frame) in persona.frames.enumerated() {
      for name in frame.operators ?? [] {
        guard let definition = operators.first(where: { $0.name == name }) else { continue }
        if bound[index].contains(where: { $0.name == name }) {
          problems.append(
            Failure(
              .configuration, "the frame `\(frame.name)` lists the operator `\(name)` twice",
              mend: "list it once; to run it again, go back with `next:` or `then:`",
              at: frame.location))
        } else {
          bound[index].append(definition)
        }
      }
      if let name = agentFrames[index], let work = operators.first(where: { $0.name == name }) {
        bound[index].append(work)
      }
    }
    let unlisted = operators.filter { definition in
      !listed.contains(definition.name) && !substitutes.contains(definition.name)
    }
    // Who shows the whole output to a person comes when all of it is there.
    for isLast in [false, true] {
      for definition in unlisted where (definition.reviewSubject == .output) == isLast {
        bound[frame(for: definition) ?? last].append(definition)
      }
    }
    return bound
  }

  private func frame(for definition: OperatorDefinition) -> Int? {
    guard let name = definition.frame else { return nil }
    if let exact = graph.frameIndex(named: name) { return exact }
    let kind = FrameKind(impliedBy: name)
    guard kind != .stateless || name.hasPrefix("stateless") else { return nil }
    return graph.frames.firstIndex { $0.kind == kind && !$0.isBranch }
  }

  /// Adds what every persona needs unless it says so itself: the draft, its recall, the composed
  /// output, and what is remembered afterwards.
  private mutating func imply(
    _ bound: inout [[OperatorDefinition]],
    _ shipped: (String) throws(Failure) -> OperatorDefinition
  ) throws(Failure) {
    func isNamed(_ name: String) -> Bool { bound.joined().contains { $0.name == name } }
    func isWritten(_ key: String) -> Bool {
      bound.joined().contains { definition in
        definition.writes.contains { $0.key == key } || definition.compose?.key == key
      }
    }
    let main = graph.frames.indices.filter { !graph.frames[$0].isBranch }
    let last = main.last ?? 0
    let home = main.first { graph.frames[$0].kind == .session } ?? 0
    if !isWritten("draft"), !isWritten("output") {
      bound[home].insert(try shipped("respond"), at: 0)
    }
    if graph.frames.contains(where: { $0.kind == .longTerm }) {
      if !isNamed("recall"),
        let talking = main.first(where: { graph.frames[$0].kind != .stateless }),
        bound.joined().contains(where: { $0.reads.contains { $0.overlaps("context.memories") } })
      {
        bound[talking].insert(try shipped("recall"), at: 0)
      }
    }
    if !isWritten("output"), !persona.operators.isEmpty {
      let compose = try shipped("compose")
      let parts = compose.compose?.parts.filter { $0.from.key != "draft" } ?? []
      if parts.contains(where: { isWritten($0.from.key) }) { bound[last].append(compose) }
    }
    if graph.frames.contains(where: { $0.kind == .longTerm }), !isNamed("remember") {
      bound[last].append(try shipped("remember"))
    }
  }
}
