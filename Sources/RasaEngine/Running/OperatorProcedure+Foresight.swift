import RasaCore
import RasaPersona

/// What each answer to a question leads to: found by going on with a copy of the machine from the pause. What no
/// operator has written yet is unknown, so a condition on that is gone on from both ways, and a condition on what is
/// known only as it is.
extension OperatorProcedure {
  /// For a review: what is said of each decision, and what can follow.
  func foresee(_ question: inout Question, about subject: StatePath, _ invocation: Invocation) async
  {
    guard var leads = question.consequences else { return }
    var foresight = await Foresight(self)
    let reason = Conjecture.value
    let approved = await foresight.sentence(
      after: HumanAnswer(.approve, by: ""), to: invocation, changing: [])
    leads.approve += "; \(approved)"
    let edited = await foresight.sentence(
      after: HumanAnswer(.edit, text: reason, by: ""), to: invocation,
      changing: graph.paths(decidedBy: subject))
    leads.edit += "; \(edited)"
    let rejection = await foresight.prospect(
      after: HumanAnswer(.reject, text: reason, by: ""), to: invocation, changing: ["feedback"])
    if leads.reject.hasPrefix("with a reason") {
      if rejection.asking.isEmpty, !rejection.mayEnd, rejection.failure != nil {
        leads.reject =
          "the run ends as denied, as things have been sent back \(RunMachine.mostRejections) times"
      } else {
        leads.reject += "; " + foresight.sentence(rejection)
      }
    }
    let corrected = await foresight.sentence(
      after: HumanAnswer(.feedback, text: reason, by: ""), to: invocation, changing: ["feedback"])
    leads.feedback += "; \(corrected)"
    question.consequences = leads
  }

  /// For the use of a tool.
  func foresight(
    onPermissionOf use: ToolUse, _ definition: OperatorDefinition, _ invocation: Invocation
  ) async -> Question.Consequences {
    var foresight = await Foresight(self)
    let isModel = definition.kind == .llm
    let onward = await foresight.sentence(afterUse: use, by: definition, invocation)
    let refused =
      isModel
      ? "\(definition.name) learns your reason instead of a result; \(onward)"
      : "`\(definition.name)` fails with your reason, and the run ends as denied"
    return Question.Consequences(
      approve: "it is used once with exactly these arguments; \(onward)",
      edit: "it is used with your arguments, which you see once more; \(onward)",
      reject: refused, feedback: refused)
  }

  /// What can follow once an operator that has others work for it is done.
  func prospect(after invocation: Invocation) async throws -> Prospect {
    var foresight = await Foresight(self)
    return await foresight.prospect(afterDelegation: invocation)
  }
}

/// One look ahead.
private struct Foresight {
  /// Where there is more than this to go through, the sum of all that the persona can do is the bound.
  private static let mostPositions = 2_000

  private let procedure: OperatorProcedure
  private let graph: Graph
  private let now: RunMachine?
  /// What one pass of each node comes to, its further tries included, and what one call of its own model costs.
  private var passes: [CallBound]
  private var singles: [Money]
  private let everything: Prospect
  private var known: [RunMachine.Position: Prospect] = [:]
  /// Positions that were begun with: a loop of very many rounds has each of them open until the last is through.
  private var positions = 0

  init(_ procedure: OperatorProcedure) async {
    self.procedure = procedure
    let graph = procedure.graph
    self.graph = graph
    now = try? procedure.folded?.machine(of: graph)
    passes = Array(repeating: CallBound(), count: graph.nodes.count)
    singles = Array(repeating: .zero, count: graph.nodes.count)
    let gate = procedure.dependencies.gate
    let calls = graph.rehearse(
      procedure.start, profile: procedure.options.profile, oncePerOperator: true)
    let costs = try? await gate.costs(of: calls)
    for (place, call) in calls.enumerated() {
      let cost = costs?[place]
      let isKnown = cost?.estimate.isPriceKnown == true
      passes[call.node] =
        passes[call.node]
        + CallBound(calls: call.most, cost: isKnown ? cost?.total : nil)
      if call.operatorName == graph.nodes[call.node].definition.name, let cost {
        singles[call.node] = cost.estimate.cost
      }
    }
    let most = GraphFlow(graph).mostRuns()
    var all = Prospect(mayEnd: true)
    for (index, pass) in passes.enumerated() {
      all.calls =
        all.calls
        + CallBound(
          calls: pass.calls.capped(times: most[index]),
          cost: pass.cost.map { one in
            var sum = Money.zero
            for _ in 0..<most[index] { sum += one }
            return sum
          })
    }
    for index in graph.nodes.indices where graph.mayAsk(at: index) {
      all.note(
        Prospect.Asking(
          place: index, name: graph.nodes[index].definition.name, isCertain: false))
    }
    everything = all
  }

  // MARK: From the pause

  mutating func sentence(
    after answer: HumanAnswer, to invocation: Invocation, changing paths: [StatePath]
  ) async -> String {
    sentence(await prospect(after: answer, to: invocation, changing: paths))
  }

  /// - Parameter paths: what the answer writes, which nobody knows yet.
  mutating func prospect(
    after answer: HumanAnswer, to invocation: Invocation, changing paths: [StatePath]
  ) async -> Prospect {
    var paths = paths
    for write in graph.nodes[invocation.node].definition.writes
    where graph.nodes[invocation.node].definition.isReviewer {
      paths += [StatePath([write.key, "reason"]), StatePath([write.key, "by"])]
    }
    return await orEverything { (foresight: inout Foresight) async throws -> Prospect? in
      guard var machine = foresight.now else { return nil }
      machine.conjecture = Conjecture()
      machine.conjecture?.forget(paths)
      return try await foresight.either(
        try machine.ways(after: .operatorFinished(invocation.step, .answered(answer))))
    }
  }

  mutating func sentence(
    afterUse use: ToolUse, by definition: OperatorDefinition, _ invocation: Invocation
  ) async -> String {
    let node = invocation.node
    var own = CallBound()
    if definition.kind == .llm {
      // Of its rounds, those up to this one are over.
      own = passes[node]
      let done = min(use.key.toolRound ?? 0, own.calls)
      own.calls -= done
      own.cost = own.cost.map { cost in
        (0..<done).reduce(cost) { left, _ in left > singles[node] ? left - singles[node] : .zero }
      }
    }
    let asks = definition.kind == .llm
    return sentence(await prospect(after: invocation, own: own, asksAgain: asks))
  }

  mutating func prospect(afterDelegation invocation: Invocation) async -> Prospect {
    let definition = graph.nodes[invocation.node].definition
    // Where it fails it may be tried again, and a model goes on with what came of it.
    let isOver = definition.kind != .llm && definition.onError.retry == 0
    return await prospect(
      after: invocation, own: isOver ? CallBound() : passes[invocation.node],
      asksAgain: !isOver)
  }

  /// - Parameter own: what the operator itself may still come to.
  private mutating func prospect(
    after invocation: Invocation, own: CallBound, asksAgain: Bool
  ) async -> Prospect {
    await orEverything { (foresight: inout Foresight) async throws -> Prospect? in
      guard let machine = foresight.now else { return nil }
      var prospect = try await foresight.either(try machine.ways(after: invocation))
      if asksAgain, try await foresight.asking(invocation, in: machine) != .never {
        prospect.note(foresight.asking(at: invocation.node, isCertain: false))
      }
      prospect.calls = prospect.calls + own
      return prospect
    }
  }

  private mutating func orEverything(
    _ find: (inout Foresight) async throws -> Prospect?
  ) async -> Prospect {
    var found = (try? await find(&self)) ?? everything
    guard found.mayEnd, let onward = procedure.onward else { return found }
    guard let outside = try? await onward() else { return found }
    found.mayEnd = false
    let inside = found.calls
    for var asking in outside.asking {
      asking.place += graph.nodes.count
      found.note(asking)
    }
    found.calls = inside + outside.calls
    found.mayEnd = outside.mayEnd
    return found
  }

  // MARK: Going on

  private mutating func either(_ machines: [RunMachine], asking: Set<Int> = []) async throws
    -> Prospect
  {
    var prospect: Prospect?
    for machine in machines {
      let one = try await from(machine, asking: asking)
      if prospect == nil { prospect = one } else { prospect?.formUnion(one) }
    }
    return prospect ?? Prospect()
  }

  /// - Parameter asking: the nodes that wait for a person; everything else goes on meanwhile.
  private mutating func from(_ machine: RunMachine, asking: Set<Int>) async throws -> Prospect {
    switch machine.status {
    case .finished: return Prospect(mayEnd: true)
    case .failed(let failure): return Prospect(failure: failure)
    case .running: break
    }
    guard let next = machine.open().first(where: { !asking.contains($0.node) }) else {
      return Prospect()
    }
    let position = machine.position(asking: asking)
    if let known = known[position] { return known }
    guard positions < Self.mostPositions else {
      throw Failure(.limit, "there is too much to be foreseen")
    }
    positions += 1
    var prospect: Prospect
    switch try await self.asking(next, in: machine) {
    case .always:
      prospect = try await from(machine, asking: asking.union([next.node]))
      prospect.note(self.asking(at: next.node, isCertain: true))
    case .may:
      prospect = try await from(machine, asking: asking.union([next.node]))
      prospect.formUnion(try await either(try machine.ways(after: next), asking: asking))
      prospect.calls = prospect.calls + passes[next.node]
      prospect.note(self.asking(at: next.node, isCertain: false))
    case .never:
      prospect = try await either(try machine.ways(after: next), asking: asking)
      prospect.calls = prospect.calls + passes[next.node]
    case .refused(let failure): prospect = Prospect(failure: failure)
    }
    known[position] = prospect
    return prospect
  }

  private func asking(at node: Int, isCertain: Bool) -> Prospect.Asking {
    Prospect.Asking(place: node, name: graph.nodes[node].definition.name, isCertain: isCertain)
  }

  // MARK: Who asks

  fileprivate enum Asking: Hashable {
    case never, may, always
    case refused(Failure)
  }

  private func asking(_ invocation: Invocation, in machine: RunMachine) async throws -> Asking {
    let node = graph.nodes[invocation.node]
    if invocation.review != nil || node.definition.kind == .human { return .always }
    if node.definition.kind == .tool, node.substitute == nil {
      return try await procedure.asking(node.definition, invocation, machine)
    }
    return try await procedure.mayAsk(node, invocation) ? .may : .never
  }

  // MARK: In words

  func sentence(_ prospect: Prospect) -> String {
    let calls = prospect.calls.calls
    var text = "no model is asked before "
    if calls > 0 {
      text = "at most \(calls) more \(calls == 1 ? "call" : "calls")"
      if let cost = prospect.calls.cost { text += " and \(cost.displayText)" }
      text += ", then "
    }
    var then = prospect.asking.sorted { $0.place < $1.place }.map { asking in
      asking.isCertain ? "`\(asking.name)` asks" : "`\(asking.name)` may ask"
    }
    if then.count > 3 { then = Array(then.prefix(3)) + ["others ask"] }
    if prospect.mayEnd {
      then.append(
        procedure.delegation == nil || procedure.onward != nil
          ? "the run ends" : "\(procedure.start.persona) is done and the run goes on")
    } else if then.isEmpty {
      then.append("the run fails" + (prospect.failure.map { ": \($0.message)" } ?? ""))
    }
    return text + then.joined(separator: " or ")
  }
}

// MARK: Tools

extension OperatorProcedure {
  /// Whether an operator of kind `tool` asks before it uses its tool, as the rules are now.
  fileprivate func asking(
    _ definition: OperatorDefinition, _ invocation: Invocation, _ machine: RunMachine
  ) async throws -> Foresight.Asking {
    let name = definition.tools.first ?? ""
    if let delegate = graph.nodes[invocation.node].toolDelegate(definition, name) {
      return delegate.graph.mayAsk ? .may : .never
    }
    guard var tool = dependencies.tools.known(name)?.first else { return .may }
    tool.name = name
    let key = definition.effect("tool:\(name)", in: invocation.step)
    let isKnown =
      definition.argumentPaths.allSatisfy { machine.conjecture?.knows($0) ?? true }
      && hooks(at: HookPlace(.beforeTool, key, tool: name), definition.name).isEmpty
    let byRule: Foresight.Asking
    if isKnown {
      let use = ToolUse(
        run: start.run, step: invocation.step, key: key, name: name,
        arguments: .object(arguments(definition, invocation, for: tool)), idempotencyKey: "")
      switch try await verdict(on: use, of: tool) {
      case .deny(let reason):
        return .refused(Failure(.approval, "`\(name)` is forbidden: \(reason)"))
      case .allow: byRule = .never
      case .ask(let ask):
        let isGranted = ask.people == 1 ? try await grant(for: use) != nil : false
        byRule = isGranted ? .never : .always
      }
    } else {
      let decisions = try await decisions(on: tool)
      if decisions == [.deny] {
        return .refused(Failure(.approval, "`\(name)` is forbidden"))
      }
      let isGranted = try await dependencies.grants.grants(of: start.run, session: start.sessionID)
        .contains { $0.concerns(tool: name) }
      byRule =
        decisions == [.ask] && !isGranted ? .always : decisions.contains(.ask) ? .may : .never
    }
    guard byRule != .always else { return .always }
    let (now, later) = taints(invocation)
    if now.isCompleted(by: tool.flow) { return .always }
    return byRule == .may || later.completes(tool.flow) ? .may : .never
  }

  /// Whether an operator can have a question while it works: about what its model chooses, or inside of what works for
  /// it.
  fileprivate func mayAsk(_ node: Graph.Node, _ invocation: Invocation) async throws -> Bool {
    for definition in [node.definition] + (node.substitute.map { [$0] } ?? []) {
      switch definition.kind {
      case .human: return true
      case .agent: if node.delegate(definition)?.mayAsk == true { return true }
      case .llm, .tool: if try await mayAsk(definition, node, invocation) { return true }
      case .memory, .rule: break
      }
    }
    return false
  }

  private func mayAsk(
    _ definition: OperatorDefinition, _ node: Graph.Node, _ invocation: Invocation
  ) async throws -> Bool {
    if definition.mayAsk { return true }
    var tools: [ToolDescription] = []
    if let offered = recorded.own.offer(at: definition.effect("tools", in: invocation.step)) {
      tools = offered.tools
    } else {
      for name in definition.tools {
        if let delegate = node.toolDelegate(definition, name) {
          tools.append(delegate.description)
        } else if let known = dependencies.tools.known(name) {
          tools += known
        } else {
          return true
        }
      }
    }
    if node.toolDelegates(of: definition).contains(where: { $0.graph.mayAsk }) { return true }
    let later = taints(invocation).later
    for tool in tools {
      if try await decisions(on: tool).contains(.ask) || later.completes(tool.flow) { return true }
    }
    return false
  }

  private func decisions(on tool: ToolDescription) async throws -> Set<ToolRule.Decision> {
    try await dependencies.policy.decisions(on: tool)
      .tightened(by: graph.persona.policy, on: tool.name)
  }

  /// What is in the run now, and what can come to be in it.
  private func taints(_ invocation: Invocation) -> (now: Taint, later: DataFlow) {
    var now = runState.taint
    for source in start.attachments.taint { now.note(source) }
    for source in invocation.view[.memories].memoryTaint { now.note(source) }
    var later = now.flow
    if invocation.view["context.session"].array?.isEmpty == false { return (now, .everything) }
    for node in graph.nodes {
      for definition in [node.definition] + (node.substitute.map { [$0] } ?? []) {
        for name in definition.tools where node.toolDelegate(definition, name) == nil {
          let known = dependencies.tools.known(name)
          later.formUnion(known?.reduce([]) { $0.union($1.flow) } ?? .everything)
        }
      }
      if !node.delegates.isEmpty || !node.toolDelegates.isEmpty { later = .everything }
    }
    return (now, later)
  }
}

extension DataFlow {
  /// Whether a use of such a tool could bring the three together, where these can be in the run by then.
  fileprivate func completes(_ tool: DataFlow) -> Bool {
    !tool.isEmpty && union(tool) == .everything
  }
}

extension OperatorDefinition {
  /// What the arguments that it gives are made of.
  fileprivate var argumentPaths: [StatePath] {
    arguments.isEmpty ? reads : arguments.flatMap(\.content.paths)
  }
}

extension Graph {
  /// Whether anything that this node can do asks a person.
  fileprivate func mayAsk(at node: Int) -> Bool {
    var alone = self
    alone.nodes = [nodes[node]]
    return alone.mayAsk
  }
}
