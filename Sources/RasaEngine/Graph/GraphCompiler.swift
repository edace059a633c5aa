package import RasaCore
package import RasaPersona

extension Graph {
  /// Resolves, binds and checks. Every problem of the persona is found in one go: the failure's
  /// details hold those after the first.
  ///
  /// - Parameters:
  ///   - shipped: looks up operators that are implied or that frames name.
  ///   - delegates: looks up the personas and agents that work inside this one.
  ///   - tools: the functions of this program that operators can call; nil if the graph is only read, and calls none.
  ///   - declared: reads the tools that other files than the persona's declare.
  package static func compile(
    _ persona: PersonaDefinition,
    operators shipped: @escaping (String) throws(Failure) -> OperatorDefinition,
    delegates: @escaping (String) throws(Failure) -> PersonaDefinition? = { _ in nil },
    tools: Set<String>? = [], declared: DeclaredTools? = nil
  ) throws(Failure) -> Graph {
    try compile(
      persona, operators: shipped, delegates: delegates, way: [], deepest: persona.limits.depth,
      narrowing: AgentNarrowing(), tools: tools, declared: declared)
  }

  /// What is wrong with the frames, names and transitions of a persona of which a part could not be
  /// read: what depends on that part is not looked at.
  package static func problems(
    inPartOf persona: PersonaDefinition, in library: Library
  ) -> [Failure] {
    var compiler = GraphCompiler(
      persona: persona,
      shipped: { name throws(Failure) in try library.operatorDefinition(named: name) },
      delegates: { name throws(Failure) in try library.delegate(named: name) }, way: [],
      deepest: persona.limits.depth, tools: library.tools, declared: library.declaredTools)
    compiler.isPartial = true
    do throws(Failure) {
      try compiler.resolve(compiler.shipped)
      compiler.connect()
      return compiler.problems
    } catch {
      return error.separated
    }
  }

  static func compile(
    _ persona: PersonaDefinition,
    operators shipped: @escaping (String) throws(Failure) -> OperatorDefinition,
    delegates: @escaping (String) throws(Failure) -> PersonaDefinition?, way: [String],
    deepest: Int, narrowing: AgentNarrowing, tools: Set<String>?, declared: DeclaredTools? = nil
  ) throws(Failure) -> Graph {
    var compiler = GraphCompiler(
      persona: persona, shipped: shipped, delegates: delegates, way: way, deepest: deepest,
      narrowing: narrowing.and(persona.agents), tools: tools, declared: declared)
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
    graph.systemMessage = Prompt.system(for: persona, instructions: persona.instructions)
    graph.plainSystemMessage = Prompt.system(for: persona, instructions: persona.plainInstructions)
    graph.digest = Digest.of(graph.description)
    return graph
  }
}

/// Puts names, operators and edges together; collects problems instead of stopping at the first.
struct GraphCompiler {
  let persona: PersonaDefinition
  var graph: Graph
  var problems: [Failure] = []
  /// Whether some operators are there by their names alone.
  var isPartial = false
  var operators: NamedOperators
  let shipped: (String) throws(Failure) -> OperatorDefinition
  let delegates: (String) throws(Failure) -> PersonaDefinition?
  /// Who has this persona work, the outermost first.
  let way: [String]
  let deepest: Int
  /// The agents that may work for this persona and for everyone it works for.
  let narrowing: AgentNarrowing
  /// What operators of kind `tool` can call.
  let tools: Set<String>?
  let declared: DeclaredTools?
  /// The operators that stand for the agents of frames.
  var agentFrames: [Int: String] = [:]
  /// Where frames and nodes stand, by name; of several with one name the first counts.
  var framePlaces: [String: Int] = [:]
  var nodePlaces: [String: [Int]] = [:]
  /// The frames that are no branches, in order.
  var mainFrames: [Int] = []
  /// Those who work inside this one, each compiled once.
  var delegateGraphs: [String: Graph] = [:]

  init(
    persona: PersonaDefinition,
    shipped: @escaping (String) throws(Failure) -> OperatorDefinition,
    delegates: @escaping (String) throws(Failure) -> PersonaDefinition?, way: [String],
    deepest: Int, narrowing: AgentNarrowing = AgentNarrowing(), tools: Set<String>? = [],
    declared: DeclaredTools? = nil
  ) {
    self.persona = persona
    self.tools = tools
    self.declared = declared
    self.narrowing = narrowing
    self.shipped = shipped
    self.delegates = delegates
    self.way = way
    self.deepest = deepest
    operators = NamedOperators(persona.operators)
    graph = Graph(
      persona: persona, frames: [], nodes: [], outputParts: [], reentry: 0, reentryPrelude: nil,
      counterCount: 0, digest: "", warnings: persona.warnings)
  }

  func throwProblems() throws(Failure) {
    if let failure = Failure(allOf: problems) { throw failure }
  }

  // MARK: Operators and their frames

  mutating func resolve(
    _ shipped: (String) throws(Failure) -> OperatorDefinition
  ) throws(Failure) {
    resolveFrames()
    try throwProblems()
    addAgentFrames()
    for frame in persona.frames {
      for name in frame.operators ?? [] where !operators.contains(name) {
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
    for (index, name) in names.enumerated() where framePlaces[name] == nil {
      framePlaces[name] = index
    }
    mainFrames = names.indices.filter { !branches.contains(names[$0]) }
    var following: [Int?] = Array(repeating: nil, count: names.count)
    for index in names.indices.dropLast().reversed() {
      let next = names[index + 1]
      following[index] = branches.contains(next) ? following[index + 1] : framePlaces[next]
    }
    if names.isEmpty {
      problems.append(
        Failure(
          .configuration, "the persona `\(persona.name)` has no frames",
          suggestion: "add `frames: [session_frame]`", at: persona.location))
    }
    for (index, frame) in persona.frames.enumerated() {
      if framePlaces[frame.name] != index {
        problems.append(
          Failure(
            .configuration, "the frame `\(frame.name)` is declared twice",
            suggestion: "give the second one another name", at: frame.location))
      }
      graph.frames.append(
        Graph.Frame(
          name: frame.name, kind: frame.kind, nodes: [], transitions: [],
          branches: frame.parallel.compactMap { name in
            guard let target = framePlaces[name] else {
              problems.append(unknown("frame", name, among: names, at: frame.location))
              return nil
            }
            return target
          },
          isBranch: branches.contains(frame.name),
          following: following[index], location: frame.location))
      if branches.contains(frame.name) {
        graph.frames[index].following = nil
        if index == 0 {
          problems.append(
            Failure(
              .configuration, "the entry frame `\(frame.name)` cannot be a branch of another",
              suggestion: "declare another frame before it", at: frame.location))
        }
        if !frame.parallel.isEmpty {
          problems.append(
            Failure(
              .configuration, "the branch `\(frame.name)` cannot have branches of its own",
              suggestion: "list all of them in one frame", at: frame.location))
        }
      }
    }
  }

  func unknown(
    _ what: String, _ name: String, among known: [String], at location: SourceLocation
  ) -> Failure {
    // A large persona with many such names would say all of its own again for each.
    let hint =
      problems.count < Self.mostHints
      ? nearestName(to: name, among: known).map { "did you mean `\($0)`? " } ?? "" : ""
    let shown = known.prefix(Self.namesShown).joined(separator: ", ")
    let more = known.count - Self.namesShown
    return Failure(
      .configuration, "there is no \(what) named `\(name)`",
      suggestion: "\(hint)known here: \(shown)" + (more > 0 ? ", and \(more) more" : ""),
      at: location)
  }

  private static let mostHints = 20
  private static let namesShown = 50

  /// Where each operator runs: in the frames that list it, else in the frame its own file names
  /// (by name, or by kind for the four standard frames), else in the last declared frame.
  private mutating func bind() -> [[OperatorDefinition]] {
    var bound = [[OperatorDefinition]](repeating: [], count: graph.frames.count)
    let last = mainFrames.last ?? 0
    let listed = Set(persona.frames.flatMap { $0.operators ?? [] } + agentFrames.values)
    let substitutes = Set(
      operators.all.compactMap { definition in
        if case .run(let name) = definition.onError.otherwise { name } else { nil }
      })
    for (index, frame) in persona.frames.enumerated() {
      var names: Set<String> = []
      for name in frame.operators ?? [] {
        guard let definition = operators[name] else { continue }
        if !names.insert(name).inserted {
          problems.append(
            Failure(
              .configuration, "the frame `\(frame.name)` lists the operator `\(name)` twice",
              suggestion: "list it once; to run it again, go back with `next:` or `then:`",
              at: frame.location))
        } else {
          bound[index].append(definition)
        }
      }
      if let name = agentFrames[index], let work = operators[name] {
        bound[index].append(work)
      }
    }
    // What is only used as a tool has no turn of its own.
    let tools = onlyTools()
    let unlisted = operators.all.filter { definition in
      !listed.contains(definition.name) && !substitutes.contains(definition.name)
        && !tools.contains(definition.name)
    }
    // Who shows the whole output to a person comes when all of it is there.
    for isLast in [false, true] {
      for definition in unlisted where (definition.reviewSubject == .output) == isLast {
        bound[frame(for: definition) ?? last].append(definition)
      }
    }
    return bound
  }

  /// The operators that others have as tools. Those that have each other are none: that is refused where it is found.
  private func onlyTools() -> Set<String> {
    let users = operators.all.filter { !$0.tools.isEmpty }
    if users.isEmpty { return [] }
    func isReached(_ name: String, from start: String) -> Bool {
      var known: Set<String> = [start]
      var rest = [start]
      while let next = rest.popLast() {
        for tool in operators[next]?.tools ?? [] {
          if tool == name { return true }
          if known.insert(tool).inserted { rest.append(tool) }
        }
      }
      return false
    }
    var found: Set<String> = []
    for user in users {
      for tool in user.tools where tool != user.name && !isReached(user.name, from: tool) {
        found.insert(tool)
      }
    }
    return found
  }

  private func frame(for definition: OperatorDefinition) -> Int? {
    guard let name = definition.frame else { return nil }
    if let exact = framePlaces[name] { return exact }
    let kind = FrameKind(impliedBy: name)
    guard kind != .stateless || name.hasPrefix("stateless") else { return nil }
    return mainFrames.first { graph.frames[$0].kind == kind }
  }

  /// Where a frame drafts: first, but after those who give the draft what it reads, and before
  /// those who read it.
  private func place(
    of draft: OperatorDefinition, among others: [OperatorDefinition]
  ) -> Int {
    let before = others.prefix { !$0.reads.contains { $0.overlaps(.draft) } }
    let last = before.lastIndex { other in
      other.writes.contains { write in draft.reads.contains { $0.overlaps(StatePath(write.key)) } }
    }
    return last.map { $0 + 1 } ?? 0
  }

  /// Adds what every persona needs unless it says so itself: the draft, its recall, the composed
  /// output, and what is remembered afterwards.
  private mutating func imply(
    _ bound: inout [[OperatorDefinition]],
    _ shipped: (String) throws(Failure) -> OperatorDefinition
  ) throws(Failure) {
    func isNamed(_ name: String) -> Bool { bound.joined().contains { $0.name == name } }
    func keysWritten() -> Set<String> {
      var keys: Set<String> = []
      for definition in bound.joined() {
        for write in definition.writes { keys.insert(write.key) }
        if let key = definition.compose?.key { keys.insert(key) }
      }
      return keys
    }
    let written = keysWritten()
    let main = mainFrames
    let last = main.last ?? 0
    let home = main.first { graph.frames[$0].kind == .session } ?? 0
    if !written.contains("draft"), !written.contains("output") {
      let respond = try shipped("respond")
      bound[home].insert(respond, at: place(of: respond, among: bound[home]))
    }
    if graph.frames.contains(where: { $0.kind == .longTerm }) {
      if !isNamed("recall"),
        let talking = main.first(where: { graph.frames[$0].kind != .stateless }),
        bound.joined().contains(where: { $0.reads.contains { $0.overlaps("context.memories") } })
      {
        bound[talking].insert(try shipped("recall"), at: 0)
      }
    }
    if !written.contains("output"), !persona.operators.isEmpty {
      let compose = try shipped("compose")
      let parts = compose.compose?.parts.filter { $0.from.key != "draft" } ?? []
      let written = keysWritten()
      if parts.contains(where: { written.contains($0.from.key) }) { bound[last].append(compose) }
    }
    if graph.frames.contains(where: { $0.kind == .longTerm }), !isNamed("remember") {
      bound[last].append(try shipped("remember"))
    }
  }
}
