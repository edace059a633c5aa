package import RasaCore
package import RasaEngine
package import RasaPersona

/// A model that is under an attacker's control: it asks for what it is told to, whatever it reads.
package final class ScriptedModel: ModelGate {
  /// One answer of the model.
  package enum Turn: Sendable {
    case calls([Call])
    case text(String)
  }

  package struct Call: Sendable, Hashable {
    /// The tool as people name it. What the model sees it as is looked up in the request.
    package var tool: String
    package var arguments: Value
    /// Whether `tool` is sent to rasa exactly as it is.
    package var isRaw: Bool

    package init(_ tool: String, _ arguments: Value = .object([:]), isRaw: Bool = false) {
      self.tool = tool
      self.arguments = arguments
      self.isRaw = isRaw
    }
  }

  private struct State: Sendable {
    var turns: [Turn]
    var requests: [ModelRequest] = []
  }
  private let state: Locked<State>

  package init(_ turns: [Turn]) { state = Locked(State(turns: turns)) }

  /// What it was asked, in order.
  package var requests: [ModelRequest] { state.withLock { $0.requests } }
  /// How many of its turns nobody wanted.
  package var turnsLeft: Int { state.withLock { $0.turns.count } }

  package func answer(
    _ request: ModelRequest, for context: CallContext,
    onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws -> ModelAnswer {
    let (turn, number) = state.withLock { state in
      state.requests.append(request)
      return (state.turns.isEmpty ? nil : state.turns.removeFirst(), state.requests.count)
    }
    switch turn {
    case .calls(let calls):
      let wishes = calls.enumerated().map { index, call in
        ToolCall(
          id: "call-\(number)-\(index)",
          name: call.isRaw ? call.tool : Self.wireName(of: call.tool, in: request),
          arguments: call.arguments)
      }
      return made("", wishes)
    case .text(let text):
      try await onEvent(.text(text))
      return made(text, [])
    case nil:
      try await onEvent(.text("done"))
      return made("done", [])
    }
  }

  private func made(_ text: String, _ calls: [ToolCall]) -> ModelAnswer {
    ModelAnswer(
      text: text, toolCalls: calls, provider: "made", model: "up", usage: Usage(), cost: .zero,
      finish: calls.isEmpty ? .stop : .toolCalls)
  }

  /// A tool is offered under its last word, with its server before it where that is needed.
  private static func wireName(of tool: String, in request: ModelRequest) -> String {
    let short = String(tool.split(separator: "/").last ?? Substring(tool))
    let offered = request.tools.map(\.name)
    return offered.first { $0 == short }
      ?? offered.first { $0.hasSuffix("_" + short) || $0.hasSuffix("-" + short) } ?? tool
  }

  package func digest(of request: ModelRequest, for context: CallContext) -> String {
    var text = ""
    for message in request.messages { text += "\(message.role.rawValue)\n\(message.text)\n" }
    return Digest.sha256(text)
  }

  package func giveUp(
    _ call: UncertainCall, of run: Identifier, decision: UncertainPolicy
  ) async throws {}

  package func estimate(
    _ request: ModelRequest, for context: CallContext
  ) async throws -> CallEstimate {
    CallEstimate(
      provider: "made", model: "up", inputTokens: 0, outputTokens: 0, cost: .zero,
      isPriceKnown: true)
  }
}

/// A person who decides by a rule, and whose questions are kept.
package final class ScriptedPerson: ApprovalHandler {
  package typealias Rule = @Sendable (Question) -> HumanAnswer?
  private let rule: Rule
  private let asked = Locked<[Question]>([])

  package init(_ rule: @escaping Rule) { self.rule = rule }

  package var questions: [Question] { asked.withLock { $0 } }

  package func decide(_ question: Question) -> HumanAnswer? {
    asked.withLock { $0.append(question) }
    return rule(question)
  }
}
