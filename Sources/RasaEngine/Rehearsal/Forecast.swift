package import RasaCore
import RasaPersona

/// What a fork will take over and what it may still ask, found out without asking anyone.
package struct Forecast: Sendable {
  /// Answers that are taken over.
  package var reused: Int
  /// What they cost when they were given.
  package var saved: Money
  /// The calls that may follow: each with the most times that it can be made.
  package var rest: [RehearsedCall]
  /// Every call of the persona: later prompts can contain earlier answers.
  package var all: [RehearsedCall]
  /// True when nothing will be asked of a model any more.
  package var isComplete: Bool { rest.isEmpty }
}

extension Runner {
  /// Goes through the run as far as its origin's effects carry it.
  package func forecast(
    _ graph: Graph, _ start: RunStart, inheriting origin: Origin
  ) async throws -> Forecast {
    let gate = ForecastGate(gate: dependencies.gate)
    let journal = DiscardingJournal()
    var outside = RunDependencies(
      gate: gate, journal: journal, memory: dependencies.memory,
      approvalHandler: NoApprovalHandler(),
      time: dependencies.time)
    outside.tools = ForecastTools(run: start.run, origin: origin.effects)
    outside.hooks = ForecastHooks(run: start.run, known: dependencies.hooks)
    let dry = Runner(outside, options: options)
    let result = try await dry.run(graph, start, inheriting: origin)
    let asked = gate.asked
    let waiting = result.waitsFor.map(\.question.key) + asked.map(\.context.key)
    let places = waiting.compactMap { key in
      let outer = key.outermost
      return graph.nodes.firstIndex {
        $0.definition.name == outer.operatorName && graph.frames[$0.frame].name == outer.frame
      }
    }
    let reachable = GraphFlow(graph).reachable(from: places)
    let saved = journal.contents.entries.compactMap { entry -> Money? in
      guard let effect = EffectEvent(entry), case .reused(_, _, let request) = effect.phase else {
        return nil
      }
      return origin.effects.done(request, at: effect.key)?.result.cost
    }
    let all = graph.rehearse(
      start, profile: options.profile, context: origin.context ?? Graph.emptyContext)
    var rest = all.filter { call in
      graph.nodes.indices.contains { index in
        reachable.contains(index)
          && graph.nodes[index].definition.name == call.context.key.outermost.operatorName
          && graph.frames[graph.nodes[index].frame].name == call.context.key.outermost.frame
      }
    }
    // The text of a request that was made is known.
    for known in asked {
      if let place = rest.firstIndex(where: {
        $0.operatorName == known.context.key.operatorName && $0.frame == known.context.key.frame
      }) {
        // Of which only this one round is known.
        if rest[place].most == 1 + (rest[place].repairs > 0 ? 1 : 0) {
          rest[place].largest = known.request
          rest[place].inserts = []
        }
        rest[place].request = known.request
      }
    }
    return Forecast(reused: result.calls, saved: saved.reduce(.zero, +), rest: rest, all: all)
  }
}

/// Answers nothing: callers are left waiting, and their requests are recorded.
private final class ForecastGate: ModelGate {
  private let gate: any ModelGate
  private let noted = Locked<[(request: ModelRequest, context: CallContext)]>([])

  init(gate: any ModelGate) { self.gate = gate }

  var asked: [(request: ModelRequest, context: CallContext)] { noted.withLock { $0 } }

  func answer(
    _ request: ModelRequest, for context: CallContext,
    onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws -> ModelAnswer {
    noted.withLock { $0.append((request, context)) }
    throw Deferred(at: context.key, of: context.run)
  }

  func digest(of request: ModelRequest, for context: CallContext) -> String {
    gate.digest(of: request, for: context)
  }
  func giveUp(
    _ call: UncertainCall, of run: Identifier, decision: UncertainPolicy
  ) async throws {}
  func estimate(_ request: ModelRequest, for context: CallContext) async throws -> CallEstimate {
    try await gate.estimate(request, for: context)
  }
}

/// Is not used: what would use it is left waiting.
private struct ForecastTools: ToolSource {
  private struct Unused: Tool {
    let run: Identifier
    let description: ToolDescription
    func perform(_ use: ToolUse, _ context: ToolContext) async throws -> ToolOutcome {
      throw Deferred(at: use.key, of: run)
    }
  }
  let run: Identifier
  let origin: EffectLog

  /// As far as the origin tells, they are what they were.
  func tools(named references: [String], for key: EffectKey) -> [any Tool] {
    guard let known = origin.offer(at: key) else { return tools(named: references) }
    return known.tools.map { Unused(run: run, description: $0) }
  }

  func builtIn(_ tool: any Tool) -> any Tool { Unused(run: run, description: tool.description) }

  func tools(named references: [String]) -> [any Tool] {
    references.map {
      Unused(run: run, description: ToolDescription(name: $0, origin: .program))
    }
  }
}

/// Asks nobody: what a hook would have to see first is left waiting.
private struct ForecastHooks: HookRunner {
  let run: Identifier
  let known: (any HookRunner)?

  var hasOwn: Bool { known?.hasOwn == true }
  func hooks(at place: HookPlace) -> [HookDefinition] { known?.hooks(at: place) ?? [] }
  func ask(_ call: HookCall) async throws -> Value {
    // Input and output are taken to stay as they are.
    if call.hook.point.isOfRun { return .null }
    throw Deferred(at: call.key, of: run)
  }
}

extension Deferred {
  fileprivate init(at key: EffectKey, of run: Identifier) {
    let question = Question(key: key, title: "", subject: "", payload: .null)
    self.init(
      approvals: [Approval(run: run, question: question, askedAt: Timestamp(milliseconds: 0))])
  }
}

private struct NoApprovalHandler: ApprovalHandler {
  func decide(_ question: Question) async throws -> HumanAnswer? { nil }
}
