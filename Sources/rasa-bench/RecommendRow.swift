import RasaAgents
import RasaCore
import RasaPersona
import RasaSystem

extension Row {
  static let recommending = Row("recommend among 10,000 agents") { bench, row in
    let composition = try AgentBench()
    let registry = try composition.discover(keeping: false).registry
    let tasks = [
      "Design a REST API for user management",
      "our checkout page takes nine seconds to load since the last release, where do we look first?",
      "review the security of our kubernetes deployment and write a report for the board",
      "who should plan the migration of 40 databases to the cloud without downtime",
      "translate the release notes and shorten them",
    ]
    let time = TimeSource.system
    func milliseconds(_ body: () -> Void) -> Double {
      let start = time.monotonic()
      body()
      return Double(time.monotonic() - start) / 1e6
    }
    let recommender = Recommender(related: RelatedTerms.shipped())
    var times: [Double] = []
    var found = 0
    for round in 0..<8 {
      for task in tasks {
        let taken = milliseconds {
          found += recommender.recommend(.init(task: task), among: registry).agents.count
        }
        // The first round warms the caches.
        if round > 0 { times.append(taken) }
      }
    }
    guard found > 0 else { throw Failure(.run, "no agent fits any task") }
    let bytes = registry.entries.reduce(0) { $0 + $1.relevance.count }
    return RowResult(
      name: row.name, measured: "\(times.median.short) ms", floor: "–", ratio: 0,
      target: "≤ 30 ms", isMet: times.median <= 30,
      notes: "longest \((times.max() ?? 0).short) ms; what is kept of an agent's words takes "
        + "\(bytes / max(1, registry.entries.count)) bytes")
  }
}
