package import RasaCore
package import RasaPersona

/// One model call of a persona as it would be asked first, with `‹key›` where a run would put what
/// other operators wrote before.
package struct RehearsedCall: Sendable {
  package var frame: String
  package var operatorName: String
  package var request: ModelRequest
  package var context: CallContext
  /// How often it runs at most, repairs and further tries included; corrections by people are not.
  package var most: Int
  /// Of those, the ones that show the model its own answer and ask for another form of it.
  package var repairs: Int
  /// The request with everything in it that can have been written, but for the answers themselves.
  package var largest: ModelRequest
  /// The answers that can stand in `largest`.
  package var inserts: [RehearsedInsert]
  /// How far the model may go with tools; nil without any. `most` counts its rounds.
  package var toolLimits: ToolLimits?
  /// The operator of the persona itself that asks, or has somebody ask.
  var node: Int
}

/// An answer in somebody else's prompt, of which only the length is bounded.
package struct RehearsedInsert: Sendable, Hashable {
  /// One of these gives it: the frame and name of an operator.
  package var writers: [String]
  package var times: Int
  /// How much longer it can be in the prompt than it came from the model: an object is laid out.
  package var stretch: Int64
}

extension RehearsedCall {
  /// The operator, and those that have it work, as inserts name them.
  fileprivate var places: [String] {
    var places: [String] = []
    var step: Step? = Step(frame: frame, visit: 1, operatorName: operatorName)
    while let current = step {
      places.append(Graph.place(current.frame, current.operatorName))
      step = current.outer
    }
    return places
  }
}

/// What a rehearsed call is expected to cost.
package struct RehearsedCost: Sendable {
  /// One call, with the longest prompt that it can have.
  package var estimate: CallEstimate
  /// All of them together.
  package var total: Money
}

extension ModelGate {
  /// What each of the calls costs at most: an answer that stands in another's prompt counts as long
  /// as its writer may make it.
  ///
  /// - Parameter all: the calls whose answers can stand in them, where there are more.
  package func costs(
    of calls: [RehearsedCall], among all: [RehearsedCall]? = nil
  ) async throws -> [RehearsedCost] {
    var caps: [String: Int64] = [:]
    for call in all ?? calls {
      let cap = try await estimate(call.largest, for: call.context).outputTokens
      for place in call.places { caps[place] = max(caps[place] ?? 0, cap) }
    }
    var costs: [RehearsedCost] = []
    for call in calls {
      var more: Int64 = 0
      for insert in call.inserts {
        let longest = insert.writers.compactMap { caps[$0] }.max() ?? 0
        more += longest * insert.stretch * Int64(insert.times)
      }
      if let limits = call.toolLimits {
        // In the last round it reads what it said in all others, and all results.
        let longest = call.places.compactMap { caps[$0] }.max() ?? 0
        more +=
          Int64(limits.mostDefinitions()) + Int64(limits.bytes / Self.bytesOfToken)
          + longest * Int64(limits.rounds)
      }
      let one = try await estimate(call.largest, for: call.context, beside: more)
      var total = Money.zero
      for _ in 0..<(call.most - call.repairs) { total += one.cost }
      if call.repairs > 0 {
        let again = try await estimate(
          call.largest, for: call.context,
          beside: more + one.outputTokens + Self.longestComplaint)
        for _ in 0..<call.repairs { total += again.cost }
      }
      costs.append(RehearsedCost(estimate: one, total: total))
    }
    return costs
  }

  /// Tokens of the message that tells a model what is wrong with the form of its answer.
  private static var longestComplaint: Int64 { 4_000 }

  /// A token of a tool's result is rarely shorter.
  private static var bytesOfToken: Int { 3 }
}

extension Graph {
  /// Every model call, in the order of the frames, without asking anyone.
  ///
  /// - Parameters:
  ///   - context: what the session holds when the run begins.
  ///   - memories: what an operator that recalls would find.
  ///   - oncePerOperator: whether each operator is taken to run once, wherever it can be gone back to.
  package func rehearse(
    _ start: RunStart, profile: PerformanceProfile? = nil, context: Value = emptyContext,
    memories: Value = [], oncePerOperator: Bool = false
  ) -> [RehearsedCall] {
    var marks = Marks()
    return rehearse(
      start, largestInput: start.input, context, memories, profile: profile, delegation: nil,
      times: 1, oncePerOperator: oncePerOperator, &marks)
  }

  package static let emptyContext = emptyContext(on: .null)

  /// The initial context of an agent inside a run: the run's day, and no conversation.
  static func emptyContext(on today: Value) -> Value {
    var context: ValueObject = ["session": [], "notes": [], "memories": []]
    if !today.isNull { context["today"] = today }
    return .object(context)
  }

  fileprivate static func place(_ frame: String, _ operatorName: String) -> String {
    "\(frame)/\(operatorName)"
  }

  private func rehearse(
    _ start: RunStart, largestInput: String, _ context: Value, _ memories: Value,
    profile: PerformanceProfile?, delegation: DelegationScope?, times: Int,
    oncePerOperator: Bool = false, _ marks: inout Marks
  ) -> [RehearsedCall] {
    let flow = GraphFlow(self)
    let most = oncePerOperator ? Array(repeating: 1, count: nodes.count) : flow.mostRuns()
    let begun = begun(start, context)
    let full = longestState(start, largestInput, context, memories, &marks)
    var calls: [RehearsedCall] = []
    for (index, node) in nodes.enumerated() {
      let earlier = calls.count
      defer { for place in earlier..<calls.count { calls[place].node = index } }
      let frame = frames[node.frame]
      let step = Step(frame: frame.name, visit: 1, operatorName: node.definition.name)
      let view = view(begun, before: index, flow, memories)
      let definitions = [node.definition] + (node.substitute.map { [$0] } ?? [])
      for definition in definitions {
        let tries = 1 + definition.onError.retry
        if let delegate = node.delegate(definition) {
          let inner = self.delegation(
            of: definition, at: step, attempt: 1, start, above: delegation)
          var inside = start
          inside.persona = delegate.persona.name
          inside.input = definition.task(view.promptReader(in: frame.kind))
          if !definition.seesAttachments { inside.attachments = [] }
          calls += delegate.within(inner.scope).rehearse(
            inside, largestInput: definition.task(full.promptReader(in: frame.kind)),
            Self.emptyContext(on: context["today"]), memories, profile: profile, delegation: inner,
            times: times.capped(times: most[index] * tries), &marks)
        }
        for delegate in node.toolDelegates(of: definition) {
          let scope = step.scope(attempt: 1) + "#1.1.1.\(delegate.operatorName)"
          let inner = self.delegation(start, scope: scope, above: delegation)
          var inside = start
          inside.persona = delegate.graph.persona.name
          inside.attachments = []
          calls += delegate.graph.within(inner.scope).rehearse(
            inside, largestInput: inside.input, Self.emptyContext(on: context["today"]), memories,
            profile: profile, delegation: inner,
            times: times.capped(times: most[index] * tries)
              .capped(times: definition.kind == .llm ? definition.toolLimits.calls : 1), &marks)
        }
        if let call = extraction(
          definition, at: step, view, full, start, profile: profile, delegation, &marks)
        {
          calls.append(call)
        }
        guard definition.kind == .llm else { continue }
        let once = times.capped(times: most[index] * tries)
        let isRepaired = definition.output != nil
        let request = Prompt.request(
          for: definition, view: view, kind: frame.kind, system: systemMessage(view),
          attachments: start.attachments)
        let (largest, inserts) = marks.taken(
          from: Prompt.request(
            for: definition, view: full, kind: frame.kind, system: systemMessage(full),
            attachments: start.attachments))
        calls.append(
          RehearsedCall(
            frame: frame.name, operatorName: definition.name, request: request,
            context: callContext(
              start, definition, step.effect("call"), profile: profile, delegation: delegation),
            most: once.capped(times: definition.mostRounds + (isRepaired ? 1 : 0)),
            repairs: isRepaired ? once : 0, largest: largest, inserts: inserts,
            toolLimits: definition.hasToolLoop ? definition.toolLimits : nil, node: index))
      }
    }
    return calls
  }

  /// The question for facts that are worth remembering, where the persona has it asked.
  private func extraction(
    _ definition: OperatorDefinition, at step: Step, _ view: State, _ full: State,
    _ start: RunStart, profile: PerformanceProfile?, _ delegation: DelegationScope?,
    _ marks: inout Marks
  ) -> RehearsedCall? {
    guard definition.memory == .remember, let model = persona.memory.extract else { return nil }
    func request(_ view: State) -> ModelRequest? {
      let answered = [view[.output], view[.draft]].map(\.promptText).first { !$0.isEmpty } ?? ""
      return extractionRequest(
        definition, view,
        FactExtraction(
          input: view[.input].promptText, output: answered, settings: persona.memory,
          otherTrust: .model, now: Timestamp(milliseconds: 0)))
    }
    guard let first = request(view), let whole = request(full) else { return nil }
    let (largest, inserts) = marks.taken(from: whole)
    let context = callContext(
      start, definition, definition.effect("extract", in: step), profile: profile,
      delegation: delegation)
    return RehearsedCall(
      frame: step.frame, operatorName: definition.name, request: first,
      context: extractionContext(context, model), most: 1, repairs: 0, largest: largest,
      inserts: inserts, toolLimits: nil, node: 0)
  }

  // MARK: States

  private func begun(_ start: RunStart, _ context: Value) -> State {
    openingState(start, context: context)
  }

  /// What the operator sees when it runs first.
  private func view(
    _ begun: State, before index: Int, _ flow: GraphFlow, _ memories: Value
  ) -> State {
    var view = begun
    for writer in flow.nodes(before: index) {
      write(of: writer, into: &view, memories) { "‹\($0)›" }
    }
    return view
  }

  /// Everything written that can ever be, with a mark for each answer.
  private func longestState(
    _ start: RunStart, _ input: String, _ context: Value, _ memories: Value, _ marks: inout Marks
  ) -> State {
    var largest = start
    largest.input = input
    var state = begun(largest, context)
    var writers: [StatePath: [Int]] = [:]
    for (index, node) in nodes.enumerated() {
      for path in node.writes { writers[path, default: []].append(index) }
    }
    for (index, node) in nodes.enumerated() where node.definition.kind != .rule {
      write(of: index, into: &state, memories) { path in
        let all = (writers[StatePath(path.key)] ?? writers[path] ?? [index]).map { nodes[$0] }
        let isText = all.allSatisfy { node in
          node.definition.writes.first { $0.key == path.key }?.type == .text
        }
        return marks.mark(
          by: all.map { Self.place(frames[$0.frame].name, $0.definition.name) },
          stretch: isText ? 1 : 2)
      }
    }
    // What a rule writes is at most all that it reads; twice, as rules read what rules wrote.
    for _ in 0..<2 {
      for node in nodes where node.definition.kind == .rule {
        let read = state.promptReader(in: frames[node.frame].kind)
        let text: String
        if let compose = node.definition.compose {
          text = compose.text(read)
        } else {
          text = node.definition.reads.map { read($0).promptText }.joined(separator: "\n")
        }
        for path in node.writes { state.write(.string(text), at: path) }
      }
    }
    return state
  }

  /// Puts a sign for everything that the operator writes in its place; for an object, one for each
  /// member that its schema names.
  private func write(
    of index: Int, into state: inout State, _ memories: Value, _ sign: (StatePath) -> String
  ) {
    let node = nodes[index]
    if node.definition.memory == .recall { state.write(memories, at: .memories) }
    for path in node.writes where path.key != "context" {
      let members = node.definition.output?["properties"].object?.keys ?? []
      let isObject = node.definition.writes.first { $0.key == path.key }?.type == .object
      if isObject, node.definition.writes.count == 1, !members.isEmpty {
        for member in members {
          let path = StatePath(path.components + [member])
          state.write(.string(sign(path)), at: path)
        }
      } else {
        state.write(.string(sign(path)), at: path)
      }
    }
  }

  /// Who asks, and under which limits.
  func callContext(
    _ start: RunStart, _ definition: OperatorDefinition, _ key: EffectKey,
    profile: PerformanceProfile?, delegation: DelegationScope? = nil
  ) -> CallContext {
    var context = CallContext(
      run: start.run, key: key, persona: start.persona, models: persona.models,
      profile: profile ?? definition.profile ?? persona.profile,
      budget: persona.budget, runLimit: persona.limits.cost)
    context.uncertain = definition.uncertain
    if let delegation {
      context.execution = delegation.execution(in: start.run)
      context.above = delegation.above
    }
    return context
  }
}

/// Signs for texts that are not known yet, which can be found again in the prompts that they come to.
private struct Marks {
  private var marks: [RehearsedInsert] = []
  /// No text has it: the last scalar of a plane for private use.
  private static let edge: Unicode.Scalar = "\u{10FFFD}"

  mutating func mark(by writers: [String], stretch: Int64) -> String {
    marks.append(RehearsedInsert(writers: writers, times: 1, stretch: stretch))
    return "\(Self.edge)\(marks.count - 1)\(Self.edge)"
  }

  /// The request without the marks in it, and what they stand for.
  func taken(from request: ModelRequest) -> (ModelRequest, [RehearsedInsert]) {
    var request = request
    var counts: [Int: Int] = [:]
    for index in request.messages.indices {
      let parts = request.messages[index].text.unicodeScalars.split(
        separator: Self.edge, omittingEmptySubsequences: false)
      guard parts.count > 1 else { continue }
      var text = ""
      for (place, part) in parts.enumerated() {
        if place % 2 == 1, let number = Int(String(part)), marks.indices.contains(number) {
          counts[number, default: 0] += 1
        } else {
          text += String(part)
        }
      }
      request.messages[index].text = text
    }
    var inserts: [RehearsedInsert] = []
    for (number, count) in counts.sorted(by: { $0.key < $1.key }) {
      var insert = marks[number]
      insert.times = count
      inserts.append(insert)
    }
    return (request, inserts)
  }
}

extension Graph {
  /// How many model calls one run can make at most, people's corrections not counted.
  package var mostCalls: Int {
    let most = GraphFlow(self).mostRuns()
    return nodes.indices.reduce(0) { sum, index in
      let definition = nodes[index].definition
      var once =
        definition.kind == .llm
        ? definition.mostRounds + (definition.output == nil ? 0 : 1)
        : nodes[index].delegate(definition)?.mostCalls ?? 0
      if definition.memory == .remember, persona.memory.extract != nil { once = 1 }
      for delegate in nodes[index].toolDelegates(of: definition) {
        let uses = definition.kind == .llm ? definition.toolLimits.calls : 1
        once = min(once + delegate.graph.mostCalls.capped(times: uses), 1_000_000)
      }
      return min(sum + once.capped(times: most[index] * (1 + definition.onError.retry)), 1_000_000)
    }
  }
}

extension Graph {
  /// How many tools one run can use at most, people's corrections not counted.
  package var mostToolUses: Int {
    let most = GraphFlow(self).mostRuns()
    return nodes.indices.reduce(0) { sum, index in
      let definition = nodes[index].definition
      var once = 0
      switch definition.kind {
      case .llm: once = definition.hasToolLoop ? definition.toolLimits.calls : 0
      case .tool: once = 1
      default: once = nodes[index].delegate(definition)?.mostToolUses ?? 0
      }
      let uses = once
      for delegate in nodes[index].toolDelegates(of: definition) {
        once = min(once + delegate.graph.mostToolUses.capped(times: uses), 1_000_000)
      }
      return min(sum + once.capped(times: most[index] * (1 + definition.onError.retry)), 1_000_000)
    }
  }
}

extension OperatorDefinition {
  /// How often its model is asked at most: in each round with tools, and for the answer.
  fileprivate var mostRounds: Int { hasToolLoop ? toolLimits.rounds + 1 : 1 }

  /// Whether its model may call tools.
  fileprivate var hasToolLoop: Bool { !tools.isEmpty || mayAsk }
}

extension Int {
  /// For nested loops; more than a million runs counts as endless.
  func capped(times other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? 1_000_000 : Swift.min(product, 1_000_000)
  }
}
