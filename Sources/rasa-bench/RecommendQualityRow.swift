import RasaAgents
import RasaCore
import RasaDocuments
import RasaPersona
import RasaTestKit

/// How often the right agent or tool comes first, on labelled sets that `RASA_BENCH_RECOMMENDATIONS` names.
///
/// A folder of it holds either `catalogue.jsonl` (agents: `id`, `name`, `description`, `capabilities`) or
/// `tools.jsonl` (`name`, `description`, `server`, `inputSchema`), and `tasks.jsonl` or `queries.jsonl`: `task` or
/// `query`, and what is right as `expected`, `tools` or `tool`. What nothing is right for has no label.
extension Row {
  static let recommendQuality = Row("recommend quality") { _, row in
    func result(_ measured: String, _ notes: String) -> RowResult {
      RowResult(
        name: row.name, measured: measured, floor: "–", ratio: 0, target: "none", isMet: true,
        notes: notes)
    }
    guard let folders = variable("RASA_BENCH_RECOMMENDATIONS") else {
      return result("skipped", "RASA_BENCH_RECOMMENDATIONS names no folders, with : between them")
    }
    let related = RelatedTerms([RelatedTerms.shippedTable])
    let lines = try folders.split(separator: ":").map { folder in
      let set = try LabelledSet(folder: String(folder))
      let figures = set.agents.isEmpty ? set.toolFigures(related) : set.agentFigures(related)
      return "\(folder.split(separator: "/").last ?? ""): \(figures)"
    }
    return result("\(lines.count) sets", lines.joined(separator: "\n    "))
  }
}

private struct LabelledSet {
  struct Task {
    var text: String
    var right: Set<String>
  }
  var agents: [Agent] = []
  var tools: [ToolIndex.Entry] = []
  var tasks: [Task] = []

  init(folder: String) throws {
    func lines(_ names: String...) throws -> [Value] {
      for name in names {
        let bytes = RawFile.read("\(folder)/\(name)")
        guard !bytes.isEmpty else { continue }
        return try bytes.split(separator: UInt8(ascii: "\n")).map { try JSON.parse(Array($0)) }
      }
      return []
    }
    func strings(_ value: Value) -> [String] { value.array?.compactMap(\.string) ?? [] }
    agents = try lines("catalogue.jsonl").map { line in
      let id = line["id"].string ?? ""
      var agent = Agent(
        id: id, name: line["name"].string ?? id, description: line["description"].string ?? "")
      agent.capabilities = strings(line["capabilities"])
      return agent
    }
    tools = try lines("tools.jsonl").map { line in
      let name = line["name"].string ?? ""
      return ToolIndex.Entry(
        name: line["server"].string.map { "mcp:\($0)/\(name)" } ?? name,
        text: line["description"].string ?? "", parameters: line["inputSchema"])
    }
    tasks = try lines("tasks.jsonl", "queries.jsonl").map { line in
      Task(
        text: line["task"].string ?? line["query"].string ?? "",
        right: Set(
          strings(line["expected"]) + strings(line["tools"])
            + [line["tool"].string].compactMap { $0 }))
    }
  }

  func toolFigures(_ related: RelatedTerms) -> String {
    let index = ToolIndex(tools, related: related)
    let names = tools.map { $0.name.split(separator: "/").last.map(String.init) ?? $0.name }
    let depths = [1, 3, 5, 10, 20]
    var recalls = [Double](repeating: 0, count: depths.count)
    for task in tasks {
      let found = index.search(task.text, limit: 20).map { names[$0] }
      for (place, depth) in depths.enumerated() {
        let right = task.right.intersection(found.prefix(depth)).count
        recalls[place] += Double(right) / Double(max(1, task.right.count))
      }
    }
    return zip(depths, recalls).map {
      "recall@\($0) \(($1 / Double(max(1, tasks.count))).thousandths)"
    }
    .joined(separator: ", ")
  }

  func agentFigures(_ related: RelatedTerms) -> String {
    let registry = AgentRegistry(
      agents.map { .init(agent: $0, relevance: AgentTerms.note($0, prompt: "")) })
    let recommender = Recommender(related: related)
    var (first, third, silent, silentWhereRight) = (0, 0, 0, 0)
    var scores: [(score: Double, hasRight: Bool)] = []
    for task in tasks {
      let found = recommender.recommend(
        .init(task: task.text, limit: 3, includesUnfit: true), among: registry
      ).agents
      let isSilent = !found.contains { $0.verdict != .not }
      scores.append((found.first?.score ?? 0, !task.right.isEmpty))
      if task.right.isEmpty {
        silent += isSilent ? 1 : 0
      } else {
        silentWhereRight += isSilent ? 1 : 0
        first += found.first.map { task.right.contains($0.agent) } ?? false ? 1 : 0
        third += found.contains { task.right.contains($0.agent) } ? 1 : 0
      }
    }
    let within = scores.filter(\.hasRight).map(\.score)
    let beyond = scores.filter { !$0.hasRight }.map(\.score)
    func share(_ count: Int, _ of: Int) -> String {
      (Double(count) / Double(max(1, of))).thousandths
    }
    var text =
      "first \(share(first, within.count)), in three \(share(third, within.count)), "
      + "`none fits` wrongly \(share(silentWhereRight, within.count))"
    if !beyond.isEmpty {
      var area = 0.0
      for own in within {
        for other in beyond { area += own > other ? 1 : own == other ? 0.5 : 0 }
      }
      text +=
        ", rightly \(share(silent, beyond.count)), "
        + "AUROC \((area / Double(max(1, within.count * beyond.count))).thousandths)"
    }
    return text
  }
}

extension Double {
  fileprivate var thousandths: String { fixed(3) }
}
