import RasaCore
import RasaLearning
import RasaTestKit
import Testing

@Suite struct RoutingReplayTests {
  private func log(
    _ policy: RoutingPolicy, tasks: Int, seed: UInt64 = 1
  ) -> (simulation: RoutingSimulation, log: [(decision: RoutingDecision, outcome: RoutingOutcome)])
  {
    let simulation = RoutingSimulation(agents: 4, categories: 2, seed: seed)
    let run = simulation.run(.policy(policy), tasks: tasks, keepsDecisions: true)
    return (simulation, zip(run.decisions, run.outcomes).map { (decision: $0, outcome: $1) })
  }

  @Test func `intervals cover the truth in at least 93 % of 500 logs`() {
    var other = RoutingPolicy()
    other.relevance = 1
    other.exploration = 0.5
    var covered = (robust: 0, inverse: 0, difference: 0)
    for seed in 1...500 as ClosedRange<UInt64> {
      let (simulation, log) = log(RoutingPolicy(), tasks: 50, seed: seed)
      let replay = RoutingReplay(other, on: log)
      var truth = 0.0
      var own = 0.0
      for (decision, _) in log {
        let category = Int(decision.task.category) ?? 0
        let would = Router(other).assess(decision.arms, for: decision.task)
        for agent in would.indices {
          let quality = simulation.quality[agent][category] / Double(log.count)
          truth += would[agent].probability * quality
          own += decision.assessments[agent].probability * quality
        }
      }
      func covers(_ estimate: RoutingReplay.Estimate, _ truth: Double) -> Int {
        estimate.interval.low <= truth && truth <= estimate.interval.high ? 1 : 0
      }
      covered.robust += covers(replay.success.doublyRobust, truth)
      covered.inverse += covers(replay.success.inversePropensity, truth)
      covered.difference += covers(replay.success.difference, truth - own)
    }
    #expect(covered.robust >= 465)
    #expect(covered.inverse >= 465)
    #expect(covered.difference >= 465)
  }

  @Test func `the policy that decided differs from itself by nothing`() {
    let replay = RoutingReplay(RoutingPolicy(), on: log(RoutingPolicy(), tasks: 60).log)
    #expect(replay.doubts.isEmpty)
    #expect((replay.effectiveDecisions - 120).magnitude < 1e-6)
    #expect(!replay.success.isDifferent)
    #expect(replay.success.difference.value.magnitude < 1e-9)
    #expect(
      (replay.success.inversePropensity.value - replay.success.logged.value).magnitude < 1e-9)
    #expect((replay.cost?.logged.value ?? 0) == 0.01)
  }

  @Test func `nothing is claimed of few decisions`() {
    let replay = RoutingReplay(.plain, on: log(RoutingPolicy(), tasks: 10).log)
    #expect(replay.doubts.count == 1)
    #expect(replay.doubts[0].contains("only 20 decisions"))
    #expect(!RoutingReplay(.plain, on: []).doubts.isEmpty)
  }

  @Test func `that all have succeeded does not make it certain`() {
    let log = log(RoutingPolicy(), tasks: 30).log.map { decision, outcome in
      var outcome = outcome
      outcome.succeeded = true
      return (decision: decision, outcome: outcome)
    }
    let success = RoutingReplay(RoutingPolicy(), on: log).success
    #expect(success.inversePropensity.value == 1)
    #expect(success.inversePropensity.interval.low < 0.97)
    #expect(success.doublyRobust.interval.low < 0.97)
    // What was logged is known of a single one, too.
    #expect(RoutingReplay(RoutingPolicy(), on: Array(log.prefix(1))).success.logged.value == 1)
  }

  @Test func `nothing is claimed of choices that could not be made`() {
    var greedy = RoutingPolicy()
    greedy.explores = false
    let replay = RoutingReplay(RoutingPolicy(), on: log(greedy, tasks: 60).log)
    #expect(replay.uncovered > 0.01)
    #expect(replay.doubts.contains { $0.contains("no chance of being chosen") })
  }

  @Test func `nothing is claimed of choices that were hardly ever made`() {
    var contrary = RoutingPolicy()
    contrary.explores = false
    // Prefers by far what costs nothing, which is the last arm here.
    contrary.worth = 1e-6
    var log = log(RoutingPolicy(), tasks: 60).log
    for index in log.indices {
      var decision = log[index].decision
      decision.arms[3].price = 0
      decision.arms[3].overall = RoutingTally()
      decision.arms[3].inCategory = RoutingTally()
      let chance = 0.001
      for arm in decision.assessments.indices where arm != decision.chosen {
        decision.assessments[arm].probability = chance
      }
      if decision.chosen != 3 { log[index].decision = decision }
    }
    log = log.filter { $0.decision.chosen != 3 } + log.filter { $0.decision.chosen == 3 }.prefix(1)
    let replay = RoutingReplay(contrary, on: log)
    #expect(replay.doubts.contains { $0.contains("too rarely") })
  }

  @Test func `a decision is read as it was stored`() throws {
    for policy in [RoutingPolicy(), .plain] {
      for (decision, _) in log(policy, tasks: 20).log {
        let read = try #require(RoutingDecision(decision.value, time: decision.time))
        #expect(read.chosen == decision.chosen && read.task == decision.task)
        #expect(read.policy == policy && read.policy.digest == policy.digest)
        #expect(read.assessments == decision.assessments)
        #expect(
          Router(policy).assess(read.arms, for: read.task).map(\.probability)
            == decision.assessments.map(\.probability))
      }
    }
    #expect(RoutingDecision(.emptyObject, time: Timestamp(milliseconds: 0)) == nil)
    #expect(RoutingDecision(.null, time: Timestamp(milliseconds: 0)) == nil)
  }
}
