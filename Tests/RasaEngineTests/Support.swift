import RasaCore
import RasaPersona

@testable import RasaEngine

/// Builds definitions the way files would.
func frame(
  _ name: String, _ kind: FrameKind? = nil, operators: [String]? = nil, next: [Transition] = [],
  parallel: [String] = [], agent: String? = nil
) -> FrameDefinition {
  // Frames of one letter are the tests' own, and see everything.
  FrameDefinition(
    name: name, kind: kind ?? (name.count == 1 ? .session : nil), operators: operators, next: next,
    parallel: parallel, agent: agent)
}

/// Those who can be had to work inside a run, in the shape that agents have.
func worker(_ name: String) throws(Failure) -> PersonaDefinition? {
  func made(_ rules: AgentRules = AgentRules(), more: [OperatorDefinition] = []) throws
    -> PersonaDefinition
  {
    var work = try model(
      name, reads: ["input"], optional: ["preferences"], writes: [text("draft")],
      prompt: "\(name): {{input}}")
    work.isStrict = name == "strict"
    var made = persona(name, frames: [frame("a")], operators: [work] + more)
    made.agent = rules
    return made
  }
  do {
    switch name {
    case "planner", "builder", "left", "right": return try made()
    case "single":
      var rules = AgentRules()
      rules.maxConcurrentTasks = 1
      return try made(rules)
    case "checker":
      var rules = AgentRules()
      rules.loop = LoopBehavior(steps: 2, maxIterations: 2, skip: ["p"])
      let decision = try model(
        "loop_decision", reads: ["draft"], writes: [Write(key: "loop", type: .object)],
        prompt: "again? {{draft}}", output: ["type": "object", "required": ["again"]])
      return try made(rules, more: [decision])
    case "hasty":
      var made = try made()
      made.limits.ownSeconds = 7
      return made
    case "supervised": return try made(more: [try shipped("hitl")])
    case "learner":
      var made = try made()
      made.frames = [frame("session_frame"), frame("long_term_frame")]
      return made
    case "manager":
      var made = try made()
      made.operators = [delegating("builder", reads: ["input"])]
      return made
    case "selfish":
      var made = try made()
      made.operators = [delegating("selfish", reads: ["input"])]
      return made
    default: return nil
    }
  } catch {
    throw error as? Failure ?? Failure(.run, "\(error)")
  }
}

func delegating(_ agent: String, reads: [StatePath], writes key: String = "draft")
  -> OperatorDefinition
{
  var work = OperatorDefinition(
    name: "ask_\(agent)", kind: .agent, reads: reads, writes: [text(key)], agent: agent)
  work.sections = reads
  return work
}

func transition(_ to: String, when: String? = nil, atMost: Int? = nil) throws -> Transition {
  Transition(to: to, when: try when.map { try Guard.compile($0) }, atMost: atMost)
}

func model(
  _ name: String, in frame: String? = nil, reads: [StatePath] = [], optional: [StatePath] = [],
  writes: [Write] = [], prompt: String? = nil, output: Value? = nil, then: [Route] = [],
  review: ReviewPolicy = .never, onError: ErrorPolicy = ErrorPolicy()
) throws -> OperatorDefinition {
  OperatorDefinition(
    name: name, kind: .llm, frame: frame, reads: reads + optional, optionalReads: Set(optional),
    writes: writes, prompt: try Template.compile(prompt ?? "\(name) {{input}}"), output: output,
    then: then, review: review, onError: onError)
}

func route(_ to: String, when: String? = nil, atMost: Int? = nil) throws -> Route {
  Route(when: try when.map { try Guard.compile($0) }, action: .to(to), atMost: atMost)
}

func reviewRoute(when: String? = nil, subject: String? = nil) throws -> Route {
  Route(
    when: try when.map { try Guard.compile($0) }, action: .review(subject: subject), atMost: nil)
}

func rule(
  _ name: String, in frame: String? = nil, reads: [StatePath] = [], set: [String: Value]
) -> OperatorDefinition {
  OperatorDefinition(
    name: name, kind: .rule, frame: frame, reads: reads,
    writes: set.keys.sorted().map { Write(key: $0, type: .any) },
    rules: [Rule(set: set.keys.sorted().map { ($0, .literal(set[$0] ?? .null)) })])
}

func text(_ key: String) -> Write { Write(key: key, type: .text) }

func persona(
  _ name: String = "tester", frames: [FrameDefinition], operators: [OperatorDefinition],
  limits: RunLimits = RunLimits()
) -> PersonaDefinition {
  PersonaDefinition(
    name: name, description: "A persona for tests.", frames: frames, operators: operators,
    limits: limits)
}

/// The operators that ship, in the shape that matters to the graph.
func shipped(_ name: String) throws(Failure) -> OperatorDefinition {
  do {
    switch name {
    case "respond":
      return try model(
        "respond", in: "session_frame", reads: ["input", "context.session", "context.memories"],
        optional: ["constraints", "critique", "draft", "feedback"], writes: [text("draft")],
        prompt: "Answer: {{input}} {{constraints}} {{critique}} {{feedback}}")
    case "preference_agent":
      return try model(
        "preference_agent", in: "stateless_frame", reads: ["input", "preferences"],
        writes: [Write(key: "constraints", type: .object)], output: ["type": "object"])
    case "critic_agent":
      return try model(
        "critic_agent", in: "session_frame", reads: ["input", "draft"],
        writes: [Write(key: "critique", type: .object)], prompt: "Judge {{draft}}",
        output: ["type": "object", "properties": ["verdict": ["type": "string"]]],
        then: [
          route("respond", when: "critique.verdict == 'revise'", atMost: 2),
          reviewRoute(when: "critique.verdict == 'escalate'", subject: "draft"),
        ])
    case "explain_operator":
      return try model(
        "explain_operator", in: "short_term_frame", reads: ["input", "draft", "context.notes"],
        optional: ["feedback"], writes: [text("explanation")],
        prompt: "Explain {{draft}} {{feedback}}")
    case "alt_recommendation_operator":
      return try model(
        "alt_recommendation_operator", in: "long_term_frame", reads: ["input", "draft"],
        optional: ["feedback"], writes: [text("alternatives")], prompt: "Others than {{draft}}")
    case "compose":
      return OperatorDefinition(
        name: "compose", kind: .rule, reads: ["draft"], writes: [text("output")],
        compose: Composition(
          key: "output",
          parts: [
            .init(from: "draft"), .init(from: "explanation", heading: "## Why"),
            .init(from: "alternatives", heading: "## Alternatives"),
          ]))
    case "recall":
      return OperatorDefinition(
        name: "recall", kind: .memory, reads: ["input"],
        writes: [Write(key: "context.memories", type: .list)], memory: .recall)
    case "remember":
      return OperatorDefinition(
        name: "remember", kind: .memory, reads: ["input", "draft"], memory: .remember)
    case "hitl":
      return OperatorDefinition(
        name: "hitl", kind: .human, reads: ["draft"],
        writes: [Write(key: "approval", type: .object)],
        prompt: try Template.compile("Is this right?"))
    default:
      throw Failure(
        .configuration, "there is no operator named `\(name)`", suggestion: "name one that exists")
    }
  } catch {
    throw error as? Failure ?? Failure(.run, "\(error)")
  }
}

/// The persona of the first example: four frames, four operators, nothing else said.
func analyst() throws -> PersonaDefinition {
  persona(
    "strategic_stock_analyst",
    frames: ["stateless_frame", "session_frame", "short_term_frame", "long_term_frame"].map {
      frame($0)
    },
    operators: try [
      "preference_agent", "critic_agent", "explain_operator", "alt_recommendation_operator",
    ].map { try shipped($0) })
}

func compile(_ definition: PersonaDefinition) throws -> Graph {
  try Graph.compile(definition, operators: shipped, delegates: worker)
}

func start(_ graph: Graph, input: String = "question", session: String? = nil) -> RunStart {
  RunStart(
    run: Identifier("run-1"), persona: graph.persona.name, personaDigest: graph.digest,
    session: session, user: "someone", input: input)
}
