import RasaCore
import RasaKit
import RasaModels
import RasaTestKit
import Testing

@Suite("A choice of agent and model") struct RoutingTests {
  private static let task = "Plan a menu with recipes for ten guests"

  private static func cook(_ id: String, fallback: String? = nil) -> Rasa.Agent {
    var agent = Rasa.Agent(
      id: id, description: "Plans menus and recipes for guests.", prompt: "You cook.")
    agent.capabilities = ["menu_planning", "recipes"]
    agent.model = "openai:gpt-4o-mini"
    agent.fallbackModel = fallback
    return agent
  }

  /// Two agents that fit alike.
  private func kit(_ scripts: [Script]? = nil, files: [String: String] = [:]) async throws -> Kit {
    let kit = try Kit(provider: scripts, files: files)
    for id in ["cook-one", "cook-two"] { try await kit.rasa.register(Self.cook(id)) }
    return kit
  }

  private func remember(
    _ succeeded: Int, of runs: Int, _ agent: String, _ kit: Kit, model: String = "mock:mock",
    cost: String = "0.01", milliseconds: Int = 2000
  ) async throws {
    let category = kit.rasa.category(ofTask: Self.task).name
    let lines = (0..<runs).map { number in
      let status = number < succeeded ? "done" : "failed"
      return
        #"{"run": "\#(agent)-\#(model)-\#(number)", "agent": "\#(agent)", "status": "\#(status)", "day": "2026-01-31", "duration_ms": \#(milliseconds), "cost_usd": "\#(cost)", "is_cost_known": true, "category": "\#(category)", "model": "\#(model)"}"#
    }.joined(separator: "\n")
    _ = try await kit.rasa.importRecords(Array(lines.utf8), file: "records.jsonl")
  }

  private func settled(_ change: (inout Rasa.RouteOptions) -> Void = { _ in }) -> Rasa.RouteOptions
  {
    var options = Rasa.RouteOptions()
    options.explores = false
    change(&options)
    return options
  }

  @Test func goesByHowSuchTasksWent() async throws {
    let kit = try await kit()
    let cold = try await kit.rasa.route(Self.task)
    #expect(cold.candidates.map(\.agent).sorted() == ["cook-one", "cook-two"])
    #expect(cold.learns && cold.chosen.success == nil)
    #expect(cold.reason.contains("nothing is known of its runs yet"))
    // The recommendation decides, and so does it again.
    let best = try await kit.rasa.recommend(Self.task).first?.agent.id
    #expect(cold.candidates.first?.agent == best && cold.candidates.first?.probability ?? 0 > 0.98)
    try await remember(2, of: 12, "cook-one", kit)
    try await remember(11, of: 12, "cook-two", kit)
    let route = try await kit.rasa.route(Self.task, options: settled())
    #expect(route.chosen.agent == "cook-two" && route.chosen.probability == 1)
    #expect(route.chosen.succeeded == 11 && route.chosen.success?.runs == 12)
    #expect(route.reason.contains("11 of its 12 runs"), "\(route.reason)")
    #expect(route.runOptions == ["--agent", "cook-two"] && !route.isExplored)
    let explored = try await kit.rasa.route(Self.task)
    let sum = explored.candidates.reduce(0) { $0 + $1.probability }
    #expect(abs(sum - 1) < 1e-9 && explored.candidates.allSatisfy { $0.probability > 0 })
    await kit.rasa.close()
  }

  @Test func knowsTheRunsOfAServerThatAnswersWithWhateverItHas() async throws {
    let kit = try Kit(provider: [.text("a menu")])
    var cook = Self.cook("cook-one")
    cook.model = nil
    try await kit.rasa.register(cook)
    let choice = try await kit.rasa.prepare(bestFor: Self.task)
    let result = try await choice.runnable.ready(Self.task).start().result()
    #expect(result.answeredBy == ["openai:gpt-4o-mini"])
    let route = try await kit.rasa.route(Self.task)
    #expect(route.chosen.model == "openai:default" && route.runOptions == ["--agent", "cook-one"])
    #expect(route.chosen.success?.runs == 1 && route.chosen.succeeded == 1)
    await kit.rasa.close()
  }

  @Test func isTheSameForTheSameSeed() async throws {
    let kit = try await kit()
    try await remember(6, of: 12, "cook-one", kit)
    try await remember(7, of: 12, "cook-two", kit)
    var chosen: Set<String> = []
    for seed in 0..<40 as Range<UInt64> {
      var options = Rasa.RouteOptions()
      options.seed = seed
      let first = try await kit.rasa.route(Self.task, options: options)
      let again = try await kit.rasa.route(Self.task, options: options)
      #expect(first.chosen == again.chosen && first.seed == seed && first.id != again.id)
      #expect(first.isExplored == (first.chosen.agent != first.candidates[0].agent))
      chosen.insert(first.chosen.agent)
    }
    #expect(chosen.count == 2)
    await kit.rasa.close()
  }

  @Test func anAgentThatFitsMuchLessIsNoCandidateHoweverGood() async throws {
    let kit = try await kit()
    var waiter = Rasa.Agent(
      id: "wine-waiter", description: "Recommends wines to guests of a restaurant.",
      prompt: "You serve.")
    waiter.capabilities = ["wine", "guests", "menu"]
    try await kit.rasa.register(waiter)
    let fits = try await kit.rasa.recommend(Self.task, limit: 9).map(\.agent.id)
    try #require(fits.contains("wine-waiter"), "\(fits)")
    try await remember(50, of: 50, "wine-waiter", kit)
    try await remember(5, of: 12, "cook-one", kit)
    let route = try await kit.rasa.route(Self.task, options: settled())
    #expect(!route.candidates.contains { $0.agent == "wine-waiter" })
    let left = route.others.first { $0.agent == "wine-waiter" }
    #expect(left?.reason.hasPrefix("fits less well (") == true)
    await kit.rasa.close()
  }

  @Test func whatExceedsALimitOrHasNoPriceIsLeftOutWithTheReason() async throws {
    let kit = try Kit(provider: [.text("x")])
    for (id, model) in [("cook-one", "openai:gpt-4o-mini"), ("cook-two", "openai:never-heard-of")] {
      var agent = Self.cook(id)
      agent.model = model
      try await kit.rasa.register(agent)
    }
    let free = try await kit.rasa.route(Self.task, options: settled())
    #expect(free.candidates.allSatisfy { $0.exclusion == nil })
    let limited = try await kit.rasa.route(Self.task, options: settled { $0.maxCost = 0.5 })
    #expect(limited.chosen.agent == "cook-one" && limited.chosen.cost.map { $0 < 0.5 } == true)
    let unknown = try #require(limited.candidates.last)
    #expect(unknown.agent == "cook-two" && unknown.cost == nil && unknown.probability == 0)
    #expect(unknown.exclusion == "its cost is unknown")
    #expect(limited.runOptions.suffix(2) == ["--max-cost", "0.5"])
    let poor = await #expect(throws: RasaError.self) {
      try await kit.rasa.route(Self.task, options: settled { $0.maxCost = 0.000001 })
    }
    #expect(poor?.code == .configuration && poor?.suggestion.contains("--max-cost") == true)
    #expect(
      poor?.details.contains { $0.contains("more than $0.0000") } == true, "\(poor?.details ?? [])")
    try await remember(9, of: 9, "cook-one", kit, model: "openai:gpt-4o-mini", milliseconds: 90_000)
    let quick = try await kit.rasa.route(Self.task, options: settled { $0.maxSeconds = 30 })
    #expect(quick.chosen.agent == "cook-two")
    #expect(quick.candidates.last?.exclusion?.contains("more than 30.0 s") == true)
    await kit.rasa.close()
  }

  @Test func noAgentThatFitsIsAnErrorThatSaysWhatToDo() async throws {
    let kit = try await kit()
    let failure = await #expect(throws: RasaError.self) { try await kit.rasa.route("xyzzy plugh") }
    #expect(failure?.code == .configuration && failure?.suggestion.contains("--agent ID") == true)
    let empty = try Kit()
    let narrowed = await #expect(throws: RasaError.self) { try await empty.rasa.route("   ") }
    #expect(narrowed?.message == "no agent fits this task")
    await empty.rasa.close()
    await kit.rasa.close()
  }

  @Test func asksTheModelThatDoesBestAndFallsBackAsUsual() async throws {
    let kit = try Kit(provider: [.text("a menu")])
    try await kit.rasa.register(Self.cook("cook-one", fallback: "openai:gpt-4o"))
    try await remember(1, of: 9, "cook-one", kit, model: "openai:gpt-4o-mini")
    try await remember(9, of: 9, "cook-one", kit, model: "openai:gpt-4o")
    let route = try await kit.rasa.route(Self.task, options: settled())
    #expect(route.candidates.map(\.model).sorted() == ["openai:gpt-4o", "openai:gpt-4o-mini"])
    #expect(route.chosen.model == "openai:gpt-4o")
    #expect(route.runOptions == ["--agent", "cook-one", "--model", "openai:gpt-4o"])
    var options = Rasa.RunOptions()
    options.model = "openai:gpt-4o-mini"
    let pinned = try await kit.rasa.prepare(bestFor: Self.task, options: options)
    #expect(pinned.route.candidates.map(\.model) == ["openai:gpt-4o-mini"])
    let choice = try await kit.rasa.prepare(bestFor: Self.task)
    let result = try await choice.runnable.ready(Self.task).start().result()
    let asked = kit.provider?.requests.last { $0.method == "POST" }?.json["model"].string
    #expect(asked.map { "openai:\($0)" } == choice.route.chosen.model)
    #expect(result.answeredBy.last == choice.route.chosen.model)
    #expect(!result.notices.contains { $0.kind == "fallback" })
    await kit.rasa.close()
  }

  @Test func aResumedRunAsksTheSameModelFirst() {
    var plan = RunPlan()
    plan.gate.preferred = "openai:gpt-4o"
    #expect(RunPlan().goingOn(with: plan.kept).gate.preferred == "openai:gpt-4o")
    #expect(RunPlan().goingOn(with: RunPlan().kept).gate.preferred == nil)
  }

  @Test func aChoiceIsKeptWithTheRunThatItLeadsToAndNotBefore() async throws {
    let kit = try await kit()
    try kit.folder.write("worth: 0.5\n", to: "policy.yaml")
    let file = kit.folder.file("policy.yaml")
    func replay() async throws -> Rasa.RouteReplay {
      try await kit.rasa.replayRouting(policyFile: file)
    }
    let choice = try await kit.rasa.prepare(bestFor: Self.task)
    _ = try await choice.runnable.forecast(Self.task)
    #expect(try await replay().stored == 0)
    let result = try await choice.runnable.ready(Self.task).start().result()
    let first = try await replay()
    #expect(first.stored == 1 && first.decisions == 1 && first.success?.logged == 1)
    #expect(choice.notice.json["decision"].string == choice.route.id)
    #expect(try await kit.rasa.report(ofRun: result.run).agent == choice.route.chosen.agent)
    // `route` alone leads to no run.
    _ = try await kit.rasa.route(Self.task)
    let both = try await replay()
    #expect(both.stored == 2 && both.decisions == 1)
    #expect(
      try await kit.rasa.replayRouting(policyFile: file, to: Rasa.Day("2020-01-01")).stored == 0)
    await kit.rasa.close()
  }

  @Test func anAgentAtWorkIsLeftAloneUntilItHasAPlace() async throws {
    let kit = try Kit(provider: [Script.tokens(["one", " two"]).broken(after: 1, .silence)])
    var agent = Self.cook("cook-one")
    agent.maxConcurrentTasks = 1
    try await kit.rasa.register(agent)
    let run = try await kit.rasa.run(agent: "cook-one", input: "hello")
    for try await event in run {
      if case .output = event { break }
    }
    let failure = await #expect(throws: RasaError.self) { try await kit.rasa.route(Self.task) }
    #expect(failure?.code == .limit && failure?.suggestion.contains("waits until") == true)
    try await kit.rasa.register(Self.cook("cook-two"))
    let route = try await kit.rasa.route(Self.task)
    #expect(route.chosen.agent == "cook-two")
    #expect(route.candidates.last?.load == 1 && route.candidates.last?.exclusion != nil)
    run.cancel()
    _ = try? await run.result()
    #expect(try await kit.rasa.route(Self.task).candidates.allSatisfy { $0.exclusion == nil })
    await kit.rasa.close()
  }

  @Test func recommendationAloneDecidesWhereLearningIsOff() async throws {
    let kit = try await kit(files: ["home/config.yaml": "learning: {enabled: false}\n"])
    try await remember(12, of: 12, "cook-two", kit)
    try await remember(0, of: 12, "cook-one", kit)
    let best = try await kit.rasa.recommend(Self.task).first?.agent.id
    let route = try await kit.rasa.route(Self.task)
    #expect(!route.learns && route.id == nil && route.chosen.agent == best)
    #expect(route.chosen.success == nil && route.reason.contains("learning is turned off"))
    let choice = try await kit.rasa.prepare(bestFor: Self.task)
    _ = try await choice.runnable.ready(Self.task).start().result()
    try kit.folder.write("{}", to: "policy.yaml")
    #expect(
      try await kit.rasa.replayRouting(policyFile: kit.folder.file("policy.yaml")).stored == 0)
    await kit.rasa.close()
  }

  @Test func anotherPolicyIsJudgedOnManyDecisionsAndNotOnFew() async throws {
    let kit = try await kit()
    try kit.folder.write("exploration: 1\n", to: "policy.yaml")
    let file = kit.folder.file("policy.yaml")
    func run() async throws {
      let choice = try await kit.rasa.prepare(bestFor: Self.task)
      _ = try await choice.runnable.ready(Self.task).start().result()
    }
    for _ in 0..<3 { try await run() }
    let few = try await kit.rasa.replayRouting(policyFile: file)
    #expect(few.decisions == 3 && few.doubts.first?.contains("only 3 decisions") == true)
    #expect(few.success?.doublyRobust == nil && few.success?.inversePropensity == nil)
    #expect(few.success?.isDifferent == nil && few.success?.logged == 1)
    for _ in 0..<57 { try await run() }
    let many = try await kit.rasa.replayRouting(policyFile: file)
    #expect(many.decisions == 60 && many.uncovered == 0)
    // How much sixty decisions of this policy are worth to the other one depends on what was drawn.
    if many.doubts.isEmpty {
      let estimate = try #require(many.success?.doublyRobust)
      #expect(estimate.low <= estimate.value && estimate.value <= estimate.high)
      #expect(many.success?.inversePropensity != nil && many.seconds?.difference != nil)
    } else {
      #expect(many.effectiveDecisions < 30 && many.success?.doublyRobust == nil)
    }
    await kit.rasa.close()
  }

  @Test(
    arguments: [
      ("worth: 0.5\nfloor: 7\n", 2, 1, "write a number from 0 to 1"),
      ("worth: 0.5\n  wroth: 1\n", 2, nil, ""), ("wroth: 1\n", 1, 1, "did you mean `worth`?"),
      ("- 1\n", 1, 1, "key: value"), ("", 1, 1, "write the document"),
      ("explores: perhaps\n", 1, 1, "true or false"), ("{", 1, nil, ""),
    ] as [(String, Int?, Int?, String)])
  func aPolicyThatCannotBeReadIsPointedAt(
    text: String, line: Int?, column: Int?, suggestion: String
  ) async throws {
    let kit = try await kit()
    try kit.folder.write(text, to: "policy.yaml")
    let file = kit.folder.file("policy.yaml")
    for replays in [true, false] {
      let failure = await #expect(throws: RasaError.self) {
        if replays {
          _ = try await kit.rasa.replayRouting(policyFile: file)
        } else {
          _ = try await kit.rasa.route(Self.task, options: settled { $0.policyFile = file })
        }
      }
      #expect(failure?.code == .configuration && failure?.file == file, "\(failure as Any)")
      if let line { #expect(failure?.line == line, "\(failure as Any)") }
      if let column { #expect(failure?.column == column) }
      #expect(
        failure?.suggestion.contains(suggestion) == true || suggestion.isEmpty, "\(failure as Any)")
    }
    let missing = await #expect(throws: RasaError.self) {
      try await kit.rasa.replayRouting(policyFile: "\(file).missing")
    }
    #expect(missing?.message.contains("policy.yaml.missing") == true)
    await kit.rasa.close()
  }
}
