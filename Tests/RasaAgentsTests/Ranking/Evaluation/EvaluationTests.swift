import RasaPersona
import Testing

@testable import RasaAgents

/// Recommendation of shipped agents for tasks as people type them, compared to plain BM25 over the
/// same text. Weights and the table of related terms were chosen on the first file alone.
@Suite("The right agent comes first")
struct EvaluationTests {
  @Test func moreOftenThanWithPlainTextSearch() throws {
    let shipped = try ShippedAgents()
    let recommender = Recommender(related: RelatedTerms.shipped())
    var lines = ["tasks          count   rasa: first, in three        BM25: first, in three"]
    var ours = Accuracy()
    var theirs = Accuracy()
    var refused: [String] = []
    for name in ["development", "held-out", "unseen"] {
      var own = Accuracy()
      var base = Accuracy()
      for task in try LabelledTasks(name).tasks {
        let found = recommender.recommend(
          .init(task: task.text, limit: 3, includesUnfit: true), among: shipped.registry)
        own.add(found.agents.map(\.agent), task.agents)
        if !found.agents.contains(where: { $0.verdict != .not }) { refused.append(task.text) }
        base.add(shipped.bm25.rank(task.text), task.agents)
      }
      lines.append(line(name, own, base))
      #expect(own.tasks > 0)
      #expect(own.first >= base.first, "first on \(name)")
      #expect(own.third >= base.third, "among three on \(name)")
      ours = ours + own
      theirs = theirs + base
    }
    lines.append(line("all", ours, theirs))
    print(lines.joined(separator: "\n"))
    #expect(ours.tasks >= 200)
    #expect(ours.first > theirs.first)
    // Each of them has an agent, so that “none fits” is wrong.
    lines = ["refused \(refused.count) of \(ours.tasks)"] + refused
    print(lines.joined(separator: "\n"))
    #expect(refused.count * 20 <= ours.tasks)
  }

  private func line(_ name: String, _ own: Accuracy, _ base: Accuracy) -> String {
    func column(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(1, width - text.count))
    }
    return column(name, 15) + column("\(own.tasks)", 8) + column("\(own)", 29) + "\(base)"
  }

  /// A label that names no agent would count as a miss for every method.
  @Test(arguments: ["development", "held-out", "unseen"])
  func everyLabelIsAnAgent(name: String) throws {
    let shipped = try ShippedAgents()
    for task in try LabelledTasks(name).tasks {
      for agent in task.agents { #expect(shipped.registry[agent] != nil, "\(agent)") }
    }
  }
}
