import Glibc
import RasaCore
import RasaLearning
import RasaSystem
import RasaTestKit

extension Row {
  static let routing = [routeAmongMany, replayOfMany, routedSuccess, routedModels]

  private static func milliseconds(_ work: () -> Void) -> Double {
    let start = ContinuousClock.now
    work()
    return (ContinuousClock.now - start) / .milliseconds(1)
  }

  private static let routeAmongMany = Row("route among 1,000 agents") { _, row in
    var numbers = SeededNumbers(seed: 1)
    var history = RoutingHistory()
    for agent in 0..<1000 {
      let rate = 0.2 + 0.6 * numbers.unit()
      for _ in 0..<100 {
        history.add(
          RoutingOutcome(succeeded: numbers.unit() < rate, cost: 0.01, seconds: 5),
          agent: "agent-\(agent)", model: "model", category: "\(numbers.upTo(8))")
      }
    }
    var times: [Double] = []
    for seed in 0..<51 as Range<UInt64> {
      times.append(
        milliseconds {
          let arms = (0..<1000).map {
            history.filled(
              RoutingArm(agent: "agent-\($0)", model: "model", relevance: 50), category: "1")
          }
          _ = Router().decide(
            RoutingTask(text: "", category: "1", seed: seed), among: arms,
            at: Timestamp(milliseconds: 0))
        })
    }
    return RowResult(
      name: row.name, measured: "\(times.median.short) ms", floor: "", ratio: 0, target: "≤ 5 ms",
      isMet: times.median <= 5, notes: "the router alone; 100 runs of each in 8 categories")
  }

  private static let replayOfMany = Row("replay of 100,000 routing decisions") { _, row in
    let run = RoutingSimulation(agents: 5, categories: 4, seed: 1)
      .run(.policy(RoutingPolicy()), tasks: 25_000, keepsDecisions: true)
    let log = zip(run.decisions, run.outcomes).map { (decision: $0, outcome: $1) }
    var policy = RoutingPolicy()
    policy.relevance = 0.5
    policy.exploration = 0.5
    let times = (0..<3).map { _ in milliseconds { _ = RoutingReplay(policy, on: log) } }
    return RowResult(
      name: row.name, measured: "\((times.median / 1000).short) s", floor: "", ratio: 0,
      target: "≤ 1 s", isMet: times.median <= 1000,
      notes: "five arms each; reading them from the database comes on top")
  }

  private static let routedSuccess = Row("routing among agents of hidden quality") { _, row in
    func mean(_ rule: RoutingSimulation.Rule) -> (all: Double, last: Double) {
      var sums = (all: 0.0, last: 0.0)
      for seed in 1...30 as ClosedRange<UInt64> {
        let run = RoutingSimulation(agents: 8, categories: 3, seed: seed).run(rule, tasks: 200)
        sums.all += run.share / 30
        sums.last += run.lastShare / 30
      }
      return sums
    }
    let routed = mean(.policy(RoutingPolicy()))
    let greedy = mean(.greedy(untrusted: 1))
    let timid = mean(.greedy(untrusted: 0.5))
    let random = mean(.random)
    return RowResult(
      name: row.name, measured: "\(routed.last.fixed(3)) of the best",
      floor: "\(max(greedy.last, timid.last).fixed(3)) (greedy)", ratio: 0,
      target: "≥ 0.9, more than greedy",
      isMet: routed.last >= 0.9 && routed.last > max(greedy.last, timid.last),
      notes: "the last 50 of 200 tasks in each of 3 categories, 8 agents, 30 seeds; of all 200: "
        + "\(routed.all.fixed(3)), greedy \(greedy.all.fixed(3)) and \(timid.all.fixed(3)), random "
        + random.all.fixed(3))
  }

  /// The questions are no part of the project: `RASA_ROUTING_QUESTIONS` names their file.
  private static let routedModels = Row("routing between two models") { _, row in
    func result(_ measured: String, _ isMet: Bool, _ notes: String) -> RowResult {
      RowResult(
        name: row.name, measured: measured, floor: "", ratio: 0,
        target: "≥ 3 points, ≥ 97 %, ≤ 60 %", isMet: isMet, notes: notes)
    }
    guard let path = unsafe getenv("RASA_ROUTING_QUESTIONS").map({ unsafe String(cString: $0) })
    else { return result("skipped", true, "RASA_ROUTING_QUESTIONS names no file of questions") }
    let questions = try TwoModelQuestions(
      lines: String(decoding: try FileSystem.read(path, limit: 100_000_000), as: UTF8.self))
    var policy = RoutingPolicy()
    policy.worth = 240
    policy.second = 0
    policy.pooling = 3
    policy.prior = 1
    policy.exploration = 1
    func mean(passesBefore: Int, seesBoth: Bool) -> TwoModelQuestions.Outcome {
      var sum = TwoModelQuestions.Outcome()
      for seed in 1...10 as ClosedRange<UInt64> {
        let one = questions.run(
          policy, seed: seed, passesBefore: passesBefore, seesBoth: seesBoth)
        sum.gain += one.gain / 10
        sum.kept += one.kept / 10
        sum.cost += one.cost / 10
      }
      return sum
    }
    func text(_ outcome: TwoModelQuestions.Outcome) -> String {
      "\((100 * outcome.gain).fixed(1)) points, \((100 * outcome.kept).fixed(1)) % at "
        + "\((100 * outcome.cost).fixed(0)) %"
    }
    let online = mean(passesBefore: 0, seesBoth: false)
    return result(
      text(online), online.gain >= 0.03 && online.kept >= 0.97 && online.cost <= 0.6,
      "above a random mix of the models at the same cost, success and cost of the large model's; "
        + "with the history of one pass before: \(text(mean(passesBefore: 1, seesBoth: false))); "
        + "where both answers are known afterwards: \(text(mean(passesBefore: 0, seesBoth: true)))")
  }
}
