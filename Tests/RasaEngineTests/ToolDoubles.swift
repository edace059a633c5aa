import RasaCore
import RasaPersona

@testable import RasaEngine

/// A tool of a test's own.
final class FakeTool: Tool {
  typealias Work = @Sendable (ToolUse, ToolContext) async throws -> ToolOutcome
  let description: ToolDescription
  private let work: Work
  private let asked = Locked<[ToolUse]>([])

  init(_ description: ToolDescription, _ work: @escaping Work) {
    self.description = description
    self.work = work
  }

  var uses: [ToolUse] { asked.withLock { $0 } }

  func forget(after count: Int) {
    asked.withLock { $0.removeLast(max(0, $0.count - count)) }
  }

  func perform(_ use: ToolUse, _ context: ToolContext) async throws -> ToolOutcome {
    asked.withLock { $0.append(use) }
    return try await work(use, context)
  }
}

/// A model that follows a plan: what it does in each turn follows from what it has been shown.
struct ToolScript: Sendable {
  /// The calls of each turn; after the last it answers with the texts of all results.
  var turns: [[ToolCall]]
  var isLive = true

  static func turn(of request: ModelRequest) -> Int {
    request.messages.count { $0.role == .assistant && !$0.toolCalls.isEmpty }
  }

  func gate(_ store: FakeStore?, window: Int64? = nil) -> FakeGate {
    let turns = turns
    return FakeGate(
      journal: store, window: window,
      shape: { answer, request, _ in
        let turn = Self.turn(of: request)
        guard request.mayCallTools, turns.indices.contains(turn) else { return }
        answer.toolCalls = turns[turn]
        answer.finish = .toolCalls
        answer.reasoning = [ReasoningPart(text: "hm", signature: "s\(turn)")]
      }
    ) { request, _, onEvent in
      let turn = Self.turn(of: request)
      if request.mayCallTools, turns.indices.contains(turn) {
        try await onEvent(.text("let me see"))
        return "let me see"
      }
      let results = request.messages.filter { $0.role == .tool }.map(\.text)
      return try await FakeGate.stream(
        "answer " + results.joined(separator: " | "), onEvent)
    }
  }
}

func call(_ name: String, _ arguments: Value = [:], id: String = "") -> ToolCall {
  ToolCall(id: id.isEmpty ? "id-\(name)" : id, name: name, arguments: arguments)
}

/// Counts its uses, and does what a declaration says that it does.
final class CountedTool: Tool {
  let description: ToolDescription
  private let used = Locked<[Value]>([])
  var uses: [Value] { used.withLock { $0 } }

  init(
    _ name: String, sideEffects: SideEffects = .yes, flow: DataFlow? = [],
    parameters: Value = ["type": "object"]
  ) {
    description = ToolDescription(
      name: name, parameters: parameters, sideEffects: sideEffects, dataFlow: flow,
      origin: .server("made-up"))
  }

  func perform(_ use: ToolUse, _ context: ToolContext) async throws -> ToolOutcome {
    used.withLock { $0.append(use.arguments) }
    return .result(ToolResult(structured: .string("did \(use.name)")))
  }
}

/// Rules in the order of a policy file.
struct FixedPolicy: ToolPolicy {
  var rules: [ToolRule] = []
  func verdict(on use: ToolUse, of tool: ToolDescription) -> ToolVerdict {
    guard let rule = rules.first(for: use.name, use.arguments) else {
      return StandardToolPolicy().verdict(on: use, of: tool)
    }
    switch rule.decision {
    case .allow: return .allow(because: rule.reason)
    case .deny: return .deny(because: rule.reason)
    case .ask: return .ask(ToolAsk(rule))
    }
  }

  func decisions(on tool: ToolDescription) -> Set<ToolRule.Decision> {
    let usual = StandardToolPolicy().decisions(on: tool)
    return Set(
      rules.decisions(on: tool.name).flatMap { $0.map { [$0] } ?? Array(usual) })
  }
}

struct FixedGrants: GrantStore {
  var grants: [ToolGrant]
  func grants(of run: Identifier, session: SessionID?) -> [ToolGrant] { grants }
}
