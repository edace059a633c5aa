import RasaCore
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaEngine

/// All of a machine that a fold has to give again.
private struct Moment: Equatable {
  var state: State
  var status: RunMachine.Status
  var steps: Int
  var notes: [String]
  var visits: [Int]
  var taken: [Int]
  /// What a process that takes the run up here has to do, each with what it reads.
  var open: [Open]

  struct Open: Equatable {
    var step: Step
    var review: StatePath?
    var isPending: Bool
    var isLastRound: Bool
    var read: [Value]
  }

  init(_ machine: RunMachine) {
    state = machine.state
    status = machine.status
    steps = machine.steps
    notes = machine.notes
    visits = machine.visits
    taken = machine.taken
    var copy = machine
    copy.reissue()
    open = copy.due().map { invocation in
      let node = machine.graph.nodes[invocation.node]
      let read = invocation.view.reader(in: machine.graph.frames[node.frame].kind)
      return Open(
        step: invocation.step, review: invocation.review, isPending: invocation.isPending,
        isLastRound: invocation.isLastRound, read: node.definition.reads.map { read($0) })
    }
  }
}

extension Array where Element == JournalEntry {
  fileprivate func folded(on graph: Graph) throws -> RunMachine {
    var machine = RunMachine(graph: graph)
    try machine.fold(self)
    return machine
  }
}

@Suite("A run is a fold of its journal")
struct FoldTests {
  /// Operators and frames of every kind, in graphs of chance.
  private static func persona(_ chance: inout SeededNumbers) throws -> PersonaDefinition {
    var made = try SequentialMeaningTests.randomPersona(&chance)
    let kinds: [FrameKind] = [.session, .session, .shortTerm, .longTerm, .stateless]
    for index in made.frames.indices {
      made.frames[index].kind = kinds[chance.upTo(kinds.count)]
    }
    for index in made.operators.indices {
      let known = made.operators[index]
      switch chance.upTo(9) {
      case 0, 1:
        var rule = known
        rule.kind = .rule
        rule.prompt = nil
        rule.rules = [
          Rule(
            set: known.writes.map { write in
              (write.key, .literal(.int(Int64(chance.upTo(7)))))
            })
        ]
        made.operators[index] = rule
      case 2:
        guard let key = known.writes.first?.key else { continue }
        var asks = OperatorDefinition(
          name: known.name, kind: .human, reads: known.reads,
          optionalReads: known.optionalReads, writes: [Write(key: key, type: .text)],
          then: known.then)
        asks.ask = try Template.compile("what?")
        made.operators[index] = asks
      case 3:
        made.operators[index] = OperatorDefinition(
          name: known.name, kind: .human, reads: ["draft"], optionalReads: ["draft"],
          writes: [Write(key: "approval_\(known.name)", type: .object)],
          prompt: try Template.compile("right?"))
      case 4:
        made.operators[index] = OperatorDefinition(
          name: known.name, kind: .memory, reads: ["input"],
          writes: [Write(key: "context.memories", type: .list)], memory: .recall)
      case 5:
        var work = delegating("builder", reads: known.reads)
        work.name = known.name
        work.optionalReads = known.optionalReads
        work.writes = [text(known.writes.first?.key ?? "k1")]
        work.then = known.then
        made.operators[index] = work
      case 6: made.operators[index].review = .always
      case 7: made.operators[index].review = .when(try Guard.compile("draft > 2"))
      default: break
      }
    }
    return made
  }

  private static func answer(_ chance: inout SeededNumbers) -> HumanAnswer {
    switch chance.upTo(12) {
    case 0...5: HumanAnswer(.approve, by: "eve")
    case 6, 7: HumanAnswer(.edit, text: .int(Int64(chance.upTo(7))), by: "eve")
    case 8, 9: HumanAnswer(.feedback, text: "more", by: "eve")
    case 10: HumanAnswer(.reject, text: "no", by: "eve")
    default: HumanAnswer(.reject, by: "eve")
    }
  }

  private static func outcome(
    _ invocation: Invocation, on graph: Graph, _ chance: inout SeededNumbers
  ) -> OperatorOutcome {
    let node = graph.nodes[invocation.node]
    if invocation.review != nil || node.definition.isReviewer { return .answered(answer(&chance)) }
    if chance.happens(oneIn: 8) { return .skipped(reason: "it failed") }
    let read = invocation.view.reader(in: graph.frames[node.frame].kind)
    return .wrote(SequentialMeaningTests.act(node, read))
  }

  @Test("every prefix of a journal folds to the state of that moment, and can be gone on with")
  func prefixes() async throws {
    var folded = 0
    var kinds: [OperatorKind: Int] = [:]
    var (reviews, endings, taken) = (0, Set<String>(), 0)
    var seed: UInt64 = 0
    while folded < 400, seed < 20_000 {
      seed += 1
      // Other tests share the two threads that tasks run on.
      await Task.yield()
      var chance = SeededNumbers(seed: seed)
      var made = try Self.persona(&chance)
      made.limits = RunLimits(steps: chance.happens(oneIn: 5) ? 8 : 60)
      guard let graph = try? compile(made) else { continue }
      folded += 1
      var machine = RunMachine(graph: graph)
      var journal: [JournalEntry] = []
      var moments: [Moment] = []
      let run = Identifier("run-1")
      func note(_ event: RunEvent) {
        journal.append(event.entry(of: run, at: Timestamp(milliseconds: 0)))
        moments.append(Moment(machine))
      }
      func apply(_ event: RunEvent) throws {
        try machine.apply(event)
        note(event)
        for told in machine.drainEvents() { note(told) }
      }
      try apply(.started(start(graph)))
      try apply(.contextOpened(["session": [], "notes": [], "memories": []]))
      if chance.happens(oneIn: 4) { try apply(.changed(["k1": 5])) }
      var open: [Invocation] = []
      while machine.isRunning {
        // Another process takes the run up from what is on the disk.
        if chance.happens(oneIn: 10) {
          machine = try journal.folded(on: graph)
          _ = machine.drainEvents()
          open = []
          taken += 1
        }
        open += machine.due()
        guard !open.isEmpty else { break }
        let invocation = open.remove(at: chance.upTo(open.count))
        kinds[graph.nodes[invocation.node].definition.kind, default: 0] += 1
        if invocation.review != nil { reviews += 1 }
        let outcome = Self.outcome(invocation, on: graph, &chance)
        try apply(.operatorFinished(invocation.step, outcome))
      }
      switch machine.status {
      case .running: Issue.record("seed \(seed): nothing is due any more")
      case .finished: endings.insert("finished")
      case .failed(let failure): endings.insert(failure.kind.rawValue)
      }
      // Without asking what is due.
      var again = RunMachine(graph: graph)
      for (index, entry) in journal.enumerated() {
        if let event = RunEvent(folding: entry) { try again.apply(event) }
        guard Moment(again) == moments[index] else {
          Issue.record("seed \(seed): line \(index + 1), \(entry.kind), folds to another state")
          return
        }
      }
      let cut = chance.upTo(journal.count)
      #expect(try Moment(Array(journal[...cut]).folded(on: graph)) == moments[cut])
    }
    #expect(folded == 400)
    // The comparison would say nothing if only a part of what there is came up.
    for kind in [OperatorKind.llm, .human, .memory, .agent] {
      #expect(kinds[kind, default: 0] > 100, "\(kind)")
    }
    #expect(reviews > 100 && taken > 100)
    #expect(endings.isSuperset(of: ["finished", "approval", "limit", "run"]))
  }

  private struct Damage: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var says: String
    var change: @Sendable (inout [RunEvent]) -> Void
  }

  private static let damages: [Damage] = [
    Damage(testDescription: "an outcome twice", says: "it was not under way") {
      $0.append($0[2])
    },
    Damage(testDescription: "an early outcome twice", says: "it had finished before") {
      $0.insert(contentsOf: [$0[3], $0[3]], at: 2)
    },
    Damage(testDescription: "an operator that the persona does not have", says: "`stranger`") {
      $0.insert(wrote("stranger", in: "session_frame"), at: 2)
    },
    Damage(testDescription: "another visit", says: "visit 2") {
      $0.insert(wrote("preference_agent", in: "stateless_frame", visit: 2), at: 2)
    },
    Damage(testDescription: "a line is missing before", says: "what it needs was not there yet") {
      $0.remove(at: 2)
    },
    Damage(
      testDescription: "a decision that nobody was asked for", says: "not waiting for a decision"
    ) {
      $0[2] = .operatorFinished(
        Step(frame: "stateless_frame", visit: 1, operatorName: "preference_agent"),
        .answered(HumanAnswer(.approve, by: "eve")))
    },
    Damage(testDescription: "outcomes without a beginning", says: "it was not under way") {
      $0.remove(at: 1)
    },
    Damage(testDescription: "a second beginning", says: "after an operator has finished") {
      $0.append($0[0])
    },
    Damage(testDescription: "a change after the beginning", says: "after an operator has finished")
    {
      $0.append(.changed(["draft": "x"]))
    },
  ]

  private static func wrote(_ name: String, in frame: String, visit: Int = 1) -> RunEvent {
    .operatorFinished(Step(frame: frame, visit: visit, operatorName: name), .wrote([]))
  }

  @Test("a line that fits nowhere is an error, and changes nothing", arguments: damages)
  private func damaged(_ damage: Damage) throws {
    let graph = try compile(analyst())
    var events: [RunEvent] = [
      .started(start(graph)), .contextOpened(["session": [], "notes": [], "memories": []]),
      .operatorFinished(
        Step(frame: "stateless_frame", visit: 1, operatorName: "preference_agent"),
        .wrote([Update("constraints", ["k": 1])])),
      .operatorFinished(
        Step(frame: "session_frame", visit: 1, operatorName: "recall"),
        .wrote([Update("context.memories", [])])),
      .operatorFinished(
        Step(frame: "session_frame", visit: 1, operatorName: "respond"),
        .wrote([Update("draft", "d")])),
    ]
    damage.change(&events)
    var machine = RunMachine(graph: graph)
    do throws(Failure) {
      for event in events {
        let before = Moment(machine)
        do throws(Failure) {
          try machine.apply(event)
        } catch {
          #expect(Moment(machine) == before)
          throw error
        }
      }
      Issue.record("it was folded")
    } catch {
      #expect(error.kind == .storage && error.message.contains(damage.says), "\(error.message)")
    }
    // Whoever only looks is told as well, and shown what stands before.
    let run = Identifier("run-1")
    let walk = JournalFold(
      graph, events.map { $0.entry(of: run, at: Timestamp(milliseconds: 0)) })
    #expect(walk.damage?.message.contains(damage.says) == true)
  }
}
