import Glibc
import RasaAgents
import RasaCore
import RasaPersona
import RasaSystem
import RasaTestKit

/// Ten thousand made-up agents on the disk, and how they are looked up.
struct AgentBench: Sendable {
  static let count = 10_000
  let scratch: ScratchDirectory
  let agents: MadeUpAgents

  init() throws(Failure) {
    scratch = ScratchDirectory()
    agents = MadeUpAgents(count: Self.count)
    try agents.write(to: scratch.file("project/agents"))
    // What was written this moment is taken for still being written.
    var pause = timespec(tv_sec: 0, tv_nsec: 200_000_000)
    unsafe nanosleep(&pause, nil)
  }

  func discovery(keeping: Bool = true) -> AgentDiscovery {
    let noter = TermVectorBuilder()
    return AgentDiscovery(
      AgentRoots(project: scratch.file("project"), home: scratch.file("home")),
      indexFolder: keeping ? scratch.file("state") : nil, noteName: AgentTerms.name,
      note: { noter.note($0, prompt: $1) })
  }

  /// All agents, and that it is all of them.
  func discover(keeping: Bool = true) throws(Failure) -> DiscoveredAgents {
    let found = discovery(keeping: keeping).discover()
    guard found.registry.count >= Self.count, found.failures.isEmpty else {
      throw Failure(
        .run, "found \(found.registry.count) agents and \(found.failures.count) failures",
        details: found.failures.prefix(3).map(\.description))
    }
    return found
  }
}

/// Nanoseconds on the clock and of all processors.
private func spent<Failed: Error>(
  _ body: () throws(Failed) -> Void
) throws(Failed) -> (elapsed: Double, worked: Double) {
  let time = TimeSource.system
  let work = ProcessTime.microseconds()
  let start = time.monotonic()
  try body()
  return (Double(time.monotonic() - start), (ProcessTime.microseconds() - work) * 1000)
}

extension Row {
  static let agents: [Row] = [
    .discovery, .agentLookUp, .fuzzySearch, .recommending, .recommendQuality,
  ]

  private static let discovery = Row("discover 10,000 agents") { bench, row in
    let composition = try AgentBench()
    var cold: [(elapsed: Double, worked: Double)] = []
    var unchanged: [(elapsed: Double, worked: Double)] = []
    for _ in 0..<5 {
      cold.append(try spent { () throws(Failure) in _ = try composition.discover(keeping: false) })
    }
    _ = try composition.discover()
    for _ in 0..<11 {
      unchanged.append(try spent { () throws(Failure) in _ = try composition.discover() })
    }
    func milliseconds(_ times: [Double]) -> Double { times.median / 1e6 }
    let (anew, again) = (milliseconds(cold.map(\.elapsed)), milliseconds(unchanged.map(\.elapsed)))
    let worked = (milliseconds(cold.map(\.worked)), milliseconds(unchanged.map(\.worked)))
    let index = try FileSystem.list(composition.scratch.file("state")).map {
      FileSystem.status(of: composition.scratch.file("state/\($0.name)"))?.stamp.size ?? 0
    }.reduce(0, +)
    return RowResult(
      name: row.name, measured: "\(anew.short) / \(again.short) ms", floor: "–",
      ratio: 0, target: "≤ 1,500 / ≤ 150 ms",
      isMet: anew <= 1_500 && again <= 150,
      notes: "read anew / unchanged since the last time; processor time \(worked.0.short) / "
        + "\(worked.1.short) ms; the index has \(index / 1_000_000) MB")
  }

  private static let agentLookUp = Row("look-up among 10,000 agents") { bench, row in
    let composition = try AgentBench()
    let registry = try composition.discover(keeping: false).registry
    let ids = (0..<1000).map { composition.agents.id($0 * 10) }
    var times: [Double] = []
    var found = 0
    for _ in 0..<21 {
      times.append(
        spent { for id in ids where registry[id]?.agent.id == id { found += 1 } }.elapsed
          / Double(ids.count))
    }
    guard found == 21 * ids.count else { throw Failure(.run, "agents are missing") }
    return RowResult(
      name: row.name, measured: "\(times.median.short) ns", floor: "–", ratio: 0,
      target: "≤ 1 µs", isMet: times.median <= 1_000, notes: "by id")
  }

  private static let fuzzySearch = Row("fuzzy search, 10,000 agents") { bench, row in
    let composition = try AgentBench()
    let entries = try composition.discover(keeping: false).registry.entries
    let queries = [
      "kuberntes", "postgre", "accesibility", "security reviwer 120", "database-architct-1",
      "vulnerabilty audit",
    ]
    var first: [Double] = []
    var next: [Double] = []
    var found = 0
    for round in 0..<7 {
      let registry = AgentRegistry(entries)
      for index in 0..<2 * queries.count {
        let query = AgentQuery(queries[(index + round) % queries.count], mode: .fuzzy)
        let time = spent { found += registry.search(query).count }.elapsed / 1e6
        if index == 0 { first.append(time) } else { next.append(time) }
      }
    }
    return RowResult(
      name: row.name, measured: "\(next.median.short) ms", floor: "–", ratio: 0,
      target: "≤ 10 ms", isMet: next.median <= 10,
      notes: "the first search, which gathers the words, \(first.median.short) ms; "
        + "\(found / 84) found on average")
  }
}
