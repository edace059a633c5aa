import RasaCore
import RasaPersona

@testable import RasaEngine

/// Writes a journal as a run would, with answers from a script. A second passes from line to line.
struct JournalWriter {
  private(set) var entries: [JournalEntry] = []
  var machine: RunMachine
  let run: Identifier
  private var now: Int64 = 1_000_000

  init(_ graph: Graph, _ start: RunStart) throws {
    machine = RunMachine(graph: graph)
    run = start.run
    write(.started(start))
    write(.contextOpened(["session": [], "notes": [], "memories": []]))
    try machine.apply(.contextOpened(["session": [], "notes": [], "memories": []]))
    try machine.apply(.started(start))
    tell()
  }

  mutating func write(_ event: RunEvent) { add(event.entry(of: run, at: tick())) }

  mutating func write(_ kind: String, _ key: EffectKey, _ body: ValueObject) {
    add(
      JournalEntry(
        run: run, time: tick(), kind: kind, key: key.description, body: .object(body)))
  }

  private mutating func add(_ entry: JournalEntry) { entries.append(entry) }

  private mutating func tick() -> Timestamp {
    now += 1000
    return Timestamp(milliseconds: now)
  }

  mutating func pass(seconds: Int64) { now += seconds * 1000 }

  private mutating func tell() {
    for event in machine.drainEvents() { write(event) }
  }

  mutating func finish(_ step: Step, _ outcome: OperatorOutcome) throws {
    write(.operatorFinished(step, outcome))
    try machine.apply(.operatorFinished(step, outcome))
    tell()
  }

  mutating func call(_ step: Step, _ text: String, model: String = "small", cost: String = "0.001")
  {
    let key = step.effect("call")
    let reservation = Value.string("h\(entries.count)")
    write(
      "call.intent", key,
      [
        "reservation": reservation, "provider": "made-up", "model": .string(model),
        "request": "d", "estimate": ["input": 10, "output": 100, "cost": "0.01"],
      ])
    var body = ModelAnswer(
      text: text, provider: "made-up", model: model, usage: Usage(input: 10, output: 5),
      cost: Money(decimal: cost) ?? .zero
    ).value
    body["reservation"] = reservation
    write("call.result", key, body)
  }

  /// Runs on until nothing is due that the script has an answer for.
  mutating func drive(_ script: (Step, OperatorKind) -> Value?) throws {
    while machine.isRunning {
      let due = machine.due()
      tell()
      if due.isEmpty { break }
      var wentOn = false
      for invocation in due {
        let node = machine.graph.nodes[invocation.node]
        guard let value = script(invocation.step, node.definition.kind) else { continue }
        wentOn = true
        if node.definition.kind == .llm { call(invocation.step, value.promptText) }
        let path = StatePath(node.definition.writes.first?.key ?? "draft")
        try finish(
          invocation.step,
          .wrote(node.definition.kind == .memory ? [] : [Update(path, value)]))
      }
      if !wentOn { break }
    }
    if case .finished(let output) = machine.status { write(.finished(output: output)) }
  }
}

/// The journal of the first example; the critic sends the draft back once when asked to.
func analystJournal(
  run: String = "run-1", input: String = "question", sendsBack: Bool = false,
  explanation: String = "why"
) throws -> (graph: Graph, entries: [JournalEntry]) {
  let graph = try compile(try analyst())
  var begin = start(graph, input: input)
  begin.run = Identifier(run)
  var writer = try JournalWriter(graph, begin)
  var critiques = 0
  try writer.drive { step, _ in
    switch step.operatorName {
    case "preference_agent": return ["risk": "low"]
    case "respond": return .string("draft \(step.visit)")
    case "critic_agent":
      critiques += 1
      return ["verdict": sendsBack && critiques == 1 ? "revise" : "accept"]
    case "explain_operator": return .string(explanation)
    case "alt_recommendation_operator": return "others"
    default: return ""
    }
  }
  return (graph, writer.entries)
}
