import RasaCore
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaAgents

@Suite("Coding of the kept index")
struct CodingTests {
  /// An agent with a value in every field.
  private var full: Agent {
    var agent = Agent(id: "id", name: "Name", description: "Über alles — 日本")
    agent.category = "a/b"
    agent.tags = ["x", ""]
    agent.color = "blue"
    agent.engine = "gemini"
    agent.model = "gemini-1.5-pro"
    agent.effort = .high
    agent.models.primary = ModelReference(engine: "openai", model: "gpt-4o")
    agent.models.fallback = ModelReference(model: "llama3:8b")
    agent.models.premium = ModelReference(model: "big")
    agent.models.notes = [
      ModelReference(model: "big"): ModelNote(priority: .expert, costTier: .premium),
      ModelReference(model: "llama3:8b"): ModelNote(),
    ]
    agent.models.engine = "openai"
    agent.models.modelClass = .reasoning
    agent.models.costTier = .high
    agent.models.anyEngine = true
    agent.profile = .thinking
    agent.traits.thinkingDepth = .high
    agent.traits.iterationSpeed = .low
    agent.traits.contextRequirements = .extensive
    agent.traits.outputVolume = .medium
    agent.estimatedTokens = 2_000
    agent.budget = CostBudget(
      maxPerExecution: Money(picoDollars: -1), maxDaily: .max, maxMonthly: .zero, policy: .warn)
    agent.maxConcurrentTasks = 3
    agent.limits = AgentLimits(steps: 9, seconds: 0.5, cost: .max, depth: 2)
    agent.capabilities = ["one", "two"]
    agent.exampleQueries = ["why?"]
    agent.worksWellWith = ["other"]
    agent.agents = AgentNarrowing.List(["a", "b-*"], place: "a file")
    agent.typicalWorkflows = ["first, then"]
    agent.qualityGates = ["review"]
    agent.tools = ["Read"]
    agent.temperature = 0.25
    agent.maxTurns = 3
    agent.unused = ["tools", "mode"]
    agent.constraintsAsWritten = ["version": "1.10"]
    agent.constraints = [
      "a": .array([.null, .bool(true), .int(.min), .double(-0.5), .string("x")]),
      "b": .object(["c": .int(.max)]),
    ]
    agent.loop = LoopBehavior(
      steps: 2, maxIterations: 5, skip: ["s"], when: "x > 1",
      location: SourceLocation(file: "f", line: 1, column: 2))
    agent.trigger = TriggerBehavior(agent: "next", when: "true")
    agent.sandbox = SandboxDefinition(
      type: "docker", image: "rust", profile: .restrictive, network: .closed)
    agent.defaults = ["who": "you"]
    agent.isStrict = true
    agent.skills = ["notes"]
    agent.seesProject = true
    var memory = MemorySettings(keep: .user, search: [.user, .session])
    memory.recall = RecallBounds(items: 3, tokens: 900)
    memory.extract = MemoryModel(model: ModelReference(engine: "openai", model: "small"))
    memory.embeddings = ModelReference(engine: "ollama", model: "vectors")
    memory.expires = ["plan": 30, "event": 0.5]
    memory.notes = NoteBounds(items: 5, days: 2.5, tokens: 100)
    memory.summary = MemoryModel(maxCost: .max)
    agent.memory = memory
    agent.files = AgentFiles(
      config: "a.toml", prompt: "a.md", origin: "agents", kind: .goose)
    agent.unused = ["extensions"]
    return agent
  }

  private func coded(_ agent: Agent) -> (agent: Agent, reader: IndexReader) {
    var agent = agent
    var writer = IndexWriter()
    writer.code(&agent)
    var reader = IndexReader(writer.bytes, 0..<writer.bytes.count)
    var read = Agent(id: "")
    reader.code(&read)
    return (read, reader)
  }

  @Test("an agent comes back as it was, whatever is in its fields")
  func roundTrip() {
    for agent in [full, Agent(id: "plain")] {
      let (read, reader) = coded(agent)
      #expect(read == agent && reader.isAtEnd && !reader.isDamaged)
    }
  }

  @Test("no field of an agent is forgotten")
  func everyField() {
    // Fails if a field is added that the example above lacks, and so perhaps the coding too.
    func compare(_ full: Any, _ empty: Any, _ path: String) {
      let plain = Dictionary(
        uniqueKeysWithValues: Mirror(reflecting: empty).children.map { ($0.label ?? "", $0.value) })
      for child in Mirror(reflecting: full).children {
        let label = child.label ?? ""
        #expect(
          "\(child.value)" != plain[label].map { "\($0)" }, "\(path).\(label) has no example")
      }
    }
    let plain = Agent(id: "")
    compare(full, plain, "agent")
    compare(full.models, plain.models, "models")
    compare(full.traits, plain.traits, "traits")
    compare(full.budget, plain.budget, "budget")
    if let memory = full.memory { compare(memory, MemorySettings(), "memory") }
    compare(full.files, plain.files, "files")
    compare(full.loop as Any, LoopBehavior(steps: 0, maxIterations: 0), "loop")
  }

  @Test("numbers are read back unchanged, and nothing is read beyond the end")
  func numbers() {
    for number in [0, 1, -1, 127, 128, Int.max, Int.min, 1 << 40] {
      var writer = IndexWriter()
      var written = number
      writer.code(&written)
      var reader = IndexReader(writer.bytes, 0..<writer.bytes.count)
      var read = 1
      reader.code(&read)
      #expect(read == number && reader.isAtEnd && !reader.isDamaged)
      var short = IndexReader(writer.bytes, 0..<(writer.bytes.count - 1))
      short.code(&read)
      #expect(short.isDamaged && read == 0)
    }
    var overlong = IndexReader(Array(repeating: 0xFF, count: 20), 0..<20)
    var read: UInt64 = 0
    overlong.code(&read)
    #expect(overlong.isDamaged)
    var texts = ["x"]
    var huge = IndexReader([0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 1, 2], 0..<7)
    huge.code(&texts)
    #expect(huge.isDamaged)
  }
}
