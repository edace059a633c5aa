import RasaLearning
import RasaTestKit
import Testing

@Suite struct RoutingSimulationTests {
  @Test func `routing learns who is good at what`() {
    var routed: [RoutingSimulation.Outcome] = []
    var others: [String: [RoutingSimulation.Outcome]] = [:]
    for seed in 1...20 as ClosedRange<UInt64> {
      let simulation = RoutingSimulation(agents: 8, categories: 3, seed: seed)
      routed.append(simulation.run(.policy(RoutingPolicy()), tasks: 200))
      for (name, rule) in [
        ("random", .random), ("greedy", .greedy(untrusted: 0.5)),
        ("greedy, trying all first", .greedy(untrusted: 1)),
      ] as [(String, RoutingSimulation.Rule)] {
        others[name, default: []].append(simulation.run(rule, tasks: 200))
      }
    }
    func mean(
      _ outcomes: [RoutingSimulation.Outcome], _ part: (RoutingSimulation.Outcome) -> Double
    )
      -> Double
    { outcomes.map(part).reduce(0, +) / Double(outcomes.count) }
    #expect(mean(routed, \.lastShare) >= 0.93)
    #expect(mean(routed, \.share) >= 0.9)
    for (name, outcomes) in others {
      #expect(mean(routed, \.share) > mean(outcomes, \.share), "\(name)")
      #expect(mean(routed, \.lastShare) > mean(outcomes, \.lastShare) + 0.01, "\(name)")
    }
  }

  @Test func `a category's questions go to the large model where that pays`() {
    let questions = TwoModelQuestions.madeUp(categories: 20, each: 120, seed: 3)
    var policy = RoutingPolicy()
    policy.worth = 240
    policy.second = 0
    func mean(passesBefore: Int, _ part: (TwoModelQuestions.Outcome) -> Double) -> Double {
      (1...5).map { part(questions.run(policy, seed: $0, passesBefore: passesBefore)) }
        .reduce(0, +) / 5
    }
    let first = mean(passesBefore: 0, \.gain)
    #expect(first > 0.01)
    #expect(mean(passesBefore: 1, \.gain) > first + 0.005)
    #expect(mean(passesBefore: 1, \.cost) < 0.65)
  }
}
