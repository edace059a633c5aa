import RasaCore
import RasaPersona

/// What each answer to a question leads to: found by following the graph from where the run stands, with what its
/// calls can cost at most. Nothing of it is an opinion.
extension OperatorProcedure {
  /// For a review: what is said of each decision, and what can follow.
  func foresee(_ question: inout Question, about subject: StatePath, _ invocation: Invocation) async
  {
    guard var leads = question.consequences else { return }
    let flow = GraphFlow(graph)
    let costs = await callCosts()
    let onward = sentence(
      flow.ahead(from: flow.points(after: invocation.node), asks: asks), costs,
      endsDirectly: mayEnd(after: invocation.node))
    leads.approve += "; \(onward)"
    leads.edit += "; \(onward)"
    var writers = WriterIndex(graph)
    let author =
      invocation.isPending && graph.nodes[invocation.node].definition.kind != .rule
      ? invocation.node : writers.author(of: subject)
    if leads.reject.hasPrefix("with a reason"), let author {
      leads.reject += "; " + sentence(flow.ahead(from: [author], asks: asks), costs)
    }
    let entry = flow.point(enteringFrame: graph.reentry)
    let again = graph.reentryPrelude.map { [$0, entry] } ?? [entry]
    leads.feedback += "; " + sentence(flow.ahead(from: again, asks: asks), costs)
    question.consequences = leads
  }

  /// For the use of a tool.
  func foresight(
    onPermissionOf use: ToolUse, _ definition: OperatorDefinition, _ invocation: Invocation
  ) async -> Question.Consequences {
    let flow = GraphFlow(graph)
    let costs = await callCosts()
    let isModel = definition.kind == .llm
    var ahead = flow.ahead(from: flow.points(after: invocation.node), asks: asks)
    // A model that has asked goes on with what it gets.
    if isModel { ahead.nodes.insert(invocation.node) }
    let onward = sentence(ahead, costs, endsDirectly: mayEnd(after: invocation.node))
    let refused =
      isModel
      ? "\(definition.name) learns your reason instead of a result; \(onward)"
      : "`\(definition.name)` fails with your reason, and the run ends as denied"
    return Question.Consequences(
      approve: "it is used once with exactly these arguments; \(onward)",
      edit: "it is used with your arguments, which you see once more; \(onward)",
      reject: refused, feedback: refused)
  }

  // MARK: Parts

  /// What a model call of each node comes to: the most calls, and the most that they cost; nil where that is not
  /// known.
  private struct CallCost {
    var frame: String
    var operatorName: String
    var calls: Int
    var cost: Money?
  }

  private func callCosts() async -> [CallCost] {
    let calls = graph.rehearse(start, profile: options.profile)
    let costs = try? await dependencies.gate.costs(of: calls)
    return calls.enumerated().map { place, call in
      let outer = call.context.key.outermost
      let cost = costs?[place]
      return CallCost(
        frame: outer.frame, operatorName: outer.operatorName, calls: call.most,
        cost: cost?.estimate.isPriceKnown == true ? cost?.total : nil)
    }
  }

  private func sentence(
    _ ahead: GraphFlow.Ahead, _ costs: [CallCost], endsDirectly: Bool = false
  ) -> String {
    let own = costs.filter { cost in
      ahead.nodes.contains { node in
        let frame = graph.frames[graph.nodes[node].frame].name
        let scope = delegation.map { "\($0.scope)>" } ?? ""
        return graph.nodes[node].definition.name == cost.operatorName
          && (cost.frame == frame || cost.frame == scope + frame)
      }
    }
    let calls = own.reduce(0) { min($0 + $1.calls, 1_000_000) }
    var parts: [String] = []
    if calls == 0 {
      parts.append("no model is asked before")
    } else {
      var text = "at most \(calls) more \(calls == 1 ? "call" : "calls")"
      let known = own.compactMap(\.cost)
      if known.count == own.count { text += " and \(known.reduce(.zero, +).displayText)" }
      parts.append(text)
    }
    var then = ahead.asking.map { node in
      let definition = graph.nodes[node].definition
      return asksAlways(node) ? "`\(definition.name)` asks" : "`\(definition.name)` may ask"
    }
    if then.count > 3 { then = Array(then.prefix(3)) + ["others ask"] }
    if ahead.mayEnd || endsDirectly || then.isEmpty {
      then.append(
        delegation == nil ? "the run ends" : "\(start.persona) is done and the run goes on")
    }
    return parts[0] + (calls == 0 ? " " : ", then ") + then.joined(separator: " or ")
  }

  private func mayEnd(after node: Int) -> Bool {
    graph.nodes[node].routes.contains { if case .end = $0.action { true } else { false } }
  }

  /// Whether a person is asked once the operator has run, or may be.
  private func asks(_ node: Int) -> Bool {
    let definition = graph.nodes[node].definition
    if asksAlways(node) || !definition.tools.isEmpty || definition.mayAsk { return true }
    if case .never = definition.review {
    } else {
      return true
    }
    return graph.nodes[node].routes.contains { if case .review = $0.action { true } else { false } }
      || !graph.nodes[node].delegates.isEmpty
  }

  private func asksAlways(_ node: Int) -> Bool {
    let definition = graph.nodes[node].definition
    if case .always = definition.review { return true }
    return definition.isReviewer || definition.ask != nil
  }
}
