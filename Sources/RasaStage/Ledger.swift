package import RasaCore
package import RasaEngine

/// What was really done, as those outside would see it.
package final class EffectLedger: Sendable {
  package struct Effect: Sendable, Hashable {
    package var tool: String
    package var arguments: Value

    package init(tool: String, arguments: Value) {
      self.tool = tool
      self.arguments = arguments
    }
  }
  private let done = Locked<[Effect]>([])

  package init() {}

  package var effects: [Effect] { done.withLock { $0 } }

  package func note(_ tool: String, _ arguments: Value) {
    done.withLock { $0.append(Effect(tool: tool, arguments: arguments)) }
  }
}

/// A tool that does nothing but write down what it was used for, and answers from a script.
package struct LedgerTool: Tool {
  package var description: ToolDescription
  let ledger: EffectLedger
  let answer: @Sendable (Value) -> ToolResult

  package init(
    _ description: ToolDescription, _ ledger: EffectLedger,
    answer: @escaping @Sendable (Value) -> ToolResult = { _ in ToolResult([.text("done")]) }
  ) {
    self.description = description
    self.ledger = ledger
    self.answer = answer
  }

  package func perform(_ use: ToolUse, _ context: ToolContext) -> ToolOutcome {
    ledger.note(description.name, use.arguments)
    return .result(answer(use.arguments))
  }
}

/// Tools by name, `mcp:SERVER` for all of a server.
package struct StageTools: ToolSource {
  package var all: [any Tool]

  package init(_ all: [any Tool]) { self.all = all }

  package func tools(named references: [String]) throws(Failure) -> [any Tool] {
    var found: [any Tool] = []
    for reference in references {
      let matching = all.filter {
        $0.description.name == reference || $0.description.name.hasPrefix(reference + "/")
      }
      guard !matching.isEmpty else {
        throw Failure(.configuration, "there is no tool `\(reference)`")
      }
      for tool in matching
      where !found.contains(where: { $0.description.name == tool.description.name }) {
        found.append(tool)
      }
    }
    return found
  }
}
