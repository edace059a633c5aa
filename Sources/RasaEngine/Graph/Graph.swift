package import RasaCore
package import RasaDocuments
package import RasaPersona

/// A persona made ready to run: every name resolved, every operator in its frame, every check made.
package struct Graph: Sendable {
  package var persona: PersonaDefinition
  /// In declared order; the first is the entry.
  package var frames: [Frame]
  /// Every operator in every frame it runs in.
  package var nodes: [Node]
  /// One for each node.
  package var facts: [NodeFacts] = []
  /// What the run's output is made of, in order.
  package var outputParts: [Composition.Part]
  /// Where a person's correction enters: the short-term frame if there is one.
  package var reentry: Int
  /// The operator that is run again before the re-entry frame's own, when nothing from there on
  /// would take the correction into the answer.
  package var reentryPrelude: Int?
  /// How many bounded edges there are; each has a counter over the whole run.
  package var counterCount: Int
  package var digest: String
  /// What the digest of a persona of rasa's own begins with, whatever its name.
  package static let ownDigest = "rasa:"
  /// The files that it was made from, to be kept with its runs; null when it was made in code.
  package var pinned = Value.null
  /// What every model is told about the persona.
  package var systemMessage = ""
  /// The same where a name in the instructions has a value, so that they are no instructions.
  package var plainSystemMessage = ""
  package var warnings: [Warning]

  package struct Frame: Sendable {
    package var name: String
    package var kind: FrameKind
    package var nodes: [Int]
    package var transitions: [Edge]
    /// Frames that run side by side after this one's operators.
    package var branches: [Int]
    /// Whether this frame is a branch of another; it then ends where its operators end.
    package var isBranch: Bool
    /// Where the run goes when no transition applies; nil ends the run (or the branch).
    package var following: Int?
    package var location: SourceLocation
    /// The parts of the output, as bits, that may still be written once its operators have ended.
    package var openParts: UInt64 = 0
  }

  /// An edge out of a frame; `target` nil is the end.
  package struct Edge: Sendable {
    package var target: Int?
    package var when: Guard?
    package var bound: Bound?
  }

  /// How often an edge may be taken in one run.
  package struct Bound: Sendable {
    package var counter: Int
    package var atMost: Int
  }

  package struct Node: Sendable {
    package var definition: OperatorDefinition
    package var frame: Int
    /// The `output:` schema, ready to check answers with.
    package var schema: Schema?
    /// Runs instead when the operator fails (`on_error: {else: name}`).
    package var substitute: OperatorDefinition?
    /// Everything that decides when it may start: what it and its routes look at.
    package var reads: [StatePath]
    package var writes: [StatePath]
    package var routes: [NodeRoute]
    /// Whether the run may go elsewhere after it, so that nothing later may start before it ended.
    package var mayLeave: Bool
    /// What the operator, and its substitute, have others do; empty for operators of other kinds.
    package var delegates: [Delegate] = []
    /// Operators and agents that the operator, or its substitute, may use as tools.
    package var toolDelegates: [ToolDelegate] = []
    /// Whether its tokens can be shown as they come: they are a part of the output and nothing
    /// that can still happen changes them.
    package var isLive = false
  }

  /// A persona or agent that works for an operator.
  package struct Delegate: Sendable {
    package var operatorName: String
    package var graph: Graph
  }

  /// An operator or agent that works as a tool.
  package struct ToolDelegate: Sendable {
    package enum Work: Sendable {
      /// The argument `task` is its input.
      case agent
      /// Each argument is what it reads at that path.
      case `operator`(inputs: [(name: String, path: StatePath)])
    }
    package var operatorName: String
    package var description: ToolDescription
    package var work: Work
    package var graph: Graph
    /// The keys that an operator writes.
    package var writes: [Write] = []
  }

  /// What the machine asks of a node at every step, small enough to be copied for nothing.
  package struct NodeFacts: Sendable {
    /// Reads and writes as bits: two that share none cannot touch the same path.
    package var readMask: UInt64 = 0
    package var writeMask: UInt64 = 0
    package var mayLeave: Bool
    package var isRule: Bool
    package var kind: FrameKind
    /// The parts of the output, as bits, that may still be written from here on, this node included.
    package var openParts: UInt64 = 0
  }

  package struct NodeRoute: Sendable {
    package enum Action: Sendable {
      case node(Int)
      case frame(Int)
      case end
      case review(subject: StatePath)
    }
    package var when: Guard?
    package var action: Action
    package var bound: Bound?
    /// Frames that are left out on the way from there to here again.
    package var skipping: [Int] = []
    /// Whether an agent goes back by it as its `loop_behavior` says.
    package var isLoop = false
  }

  package func frameIndex(named name: String) -> Int? { frames.firstIndex { $0.name == name } }

  /// The node that writes a path, the last declared first: who a rejected text goes back to.
  package func writer(of path: StatePath) -> Int? {
    nodes.lastIndex { $0.definition.kind == .llm && $0.writes.contains { $0.overlaps(path) } }
      ?? nodes.lastIndex { $0.writes.contains { $0.overlaps(path) } }
  }
}

extension Graph {
  /// The temperature that the operator asks for that drafts the answer.
  package var draftTemperature: Double? {
    writer(of: .draft).flatMap { nodes[$0].definition.temperature }
  }

  /// What every model is told about the persona in this state, and the day on which the run began.
  package func systemMessage(_ view: State) -> String {
    let isInstructed = nodes.contains { node in
      node.definition.isInstructions
        && node.definition.prompt?.paths.contains { !view[$0].isNull } == true
    }
    let message = isInstructed ? plainSystemMessage : systemMessage
    guard let date = Prompt.dateLine(view["context"]) else { return message }
    // An agent's prompt is a text of its own, which the date is no part of.
    let separator = message.isEmpty ? "" : persona.instructions == nil ? "\n" : "\n\n"
    return message + separator + date
  }

  /// One warning for each prompt in which names stay as they are written, those of the agents that
  /// work in it included.
  package func warnings(given preferences: ValueObject) -> [Warning] {
    var warnings = warnings
    let given = Value.object(["preferences": .object(preferences)])
    let names = persona.looseNames.filter { given[$0].isNull }
    if let first = names.first {
      let named = names.prefix(8).map { name in
        "`{{\(name.key == "preferences" ? StatePath(Array(name.components.dropFirst())) : name)}}`"
      }.joined(separator: ", ")
      let rest = names.count > 8 ? " and \(names.count - 8) more" : ""
      let place = nodes.lazy.compactMap { $0.definition.prompt?.location(of: first) }.first
      warnings.append(
        Warning(
          "nothing gives \(named)\(rest) a value, so \(names.count == 1 ? "it stays" : "they stay")"
            + " in the prompt as written; `defaults` in the file or `--preferences` can give one",
          at: place ?? persona.location))
    }
    for delegate in nodes.flatMap(\.delegates) {
      warnings += delegate.graph.warnings(given: preferences).filter { !warnings.contains($0) }
    }
    return warnings
  }
}
