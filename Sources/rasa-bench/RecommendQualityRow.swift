import RasaAgents
import RasaCore
import RasaDocuments
import RasaHTTPClient
import RasaPersona
import RasaTestKit

/// How often the right agent or tool comes first, on labelled sets that `RASA_BENCH_RECOMMENDATIONS` names.
///
/// A folder of it holds either `catalogue.jsonl` (agents: `id`, `name`, `description`, `capabilities`) or
/// `tools.jsonl` (`name`, `description`, `server`, `inputSchema`), and `tasks.jsonl` or `queries.jsonl`: `task` or
/// `query`, and what is right as `expected`, `tools` or `tool`. What nothing is right for has no label.
///
/// With `RASA_BENCH_EMBEDDINGS=http://127.0.0.1:PORT`, the address of a server of this machine that speaks OpenAI's
/// `/v1/embeddings`, vectors count as well.
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
    let related = RelatedTerms.shipped()
    let embedder = try variable("RASA_BENCH_EMBEDDINGS").map { try LocalEmbedder($0) }
    defer { embedder?.client.shutdown() }
    var lines: [String] = []
    for folder in folders.split(separator: ":") {
      let set = try LabelledSet(folder: String(folder))
      var vectors: LabelledSet.Vectors?
      if let embedder { vectors = try await set.vectors(embedder) }
      let figures =
        set.agents.isEmpty
        ? set.toolFigures(related, vectors) : set.agentFigures(related, vectors)
      lines.append("\(folder.split(separator: "/").last ?? ""): \(figures)")
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

  /// Of what is searched, and of each task.
  typealias Vectors = (entries: [[Float]], tasks: [[Float]])

  func vectors(_ embedder: LocalEmbedder) async throws -> Vectors {
    let texts =
      agents.isEmpty
      ? tools.map { VectorSimilarity.text(of: $0) } : agents.map { VectorSimilarity.text(of: $0) }
    return (try await embedder.vectors(texts), try await embedder.vectors(tasks.map(\.text)))
  }

  func toolFigures(_ related: RelatedTerms, _ vectors: Vectors?) -> String {
    let index = ToolIndex(tools, related: related)
    let names = tools.map { $0.name.split(separator: "/").last.map(String.init) ?? $0.name }
    let depths = [1, 3, 5, 10, 20]
    var recalls = [Double](repeating: 0, count: depths.count)
    for (place, task) in tasks.enumerated() {
      let nearness = vectors.map { VectorSimilarity.find($0.tasks[place], among: $0.entries) }
      let found = index.search(task.text, limit: 20, nearness: nearness ?? []).map { names[$0] }
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

  func agentFigures(_ related: RelatedTerms, _ vectors: Vectors?) -> String {
    let registry = AgentRegistry(
      agents.map { .init(agent: $0, relevance: AgentTerms.note($0, prompt: "")) })
    let recommender = Recommender(related: related)
    var (first, third, silent, silentWhereRight) = (0, 0, 0, 0)
    var scores: [(score: Double, hasRight: Bool)] = []
    for (place, task) in tasks.enumerated() {
      var request = Recommender.Request(task: task.text, limit: 3, includesUnfit: true)
      if let vectors {
        let byAgent = zip(agents.map(\.id), vectors.entries)
        request.nearness = VectorSimilarity.find(
          vectors.tasks[place], among: Dictionary(byAgent) { first, _ in first })
      }
      let found = recommender.recommend(request, among: registry).agents
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

/// Asks a server of this machine for vectors.
private struct LocalEmbedder {
  let client = HTTPClient()
  private let address: String
  private static let textsPerCall = 64

  init(_ address: String) throws {
    let hosts = ["http://127.0.0.1:", "http://[::1]:", "http://localhost:"]
    guard hosts.contains(where: address.hasPrefix) else {
      throw Failure(
        .usage, "RASA_BENCH_EMBEDDINGS is no address of this machine: \(address)",
        suggestion: "it looks like http://127.0.0.1:8000")
    }
    self.address = address
  }

  func vectors(_ texts: [String]) async throws -> [[Float]] {
    var vectors: [[Float]] = []
    for begin in stride(from: 0, to: texts.count, by: Self.textsPerCall) {
      let some = texts[begin..<min(begin + Self.textsPerCall, texts.count)]
      let body: Value = [
        "model": "local", "input": .array(some.map { .string($0) }),
      ]
      let response = try await client.send(
        HTTPRequest(
          url: "\(address)/v1/embeddings", headers: [("Content-Type", "application/json")],
          body: Array(body.json().utf8), allowsPlainHTTP: true))
      let bytes = try await response.body.collect(limit: 64 << 20)
      let found = try JSON.parse(bytes)["data"].array ?? []
      guard response.status == 200, found.count == some.count else {
        throw Failure(.provider, "\(address) answered \(response.status) without the vectors")
      }
      for item in found {
        vectors.append((item["embedding"].array ?? []).map { Float($0.double ?? 0) })
      }
    }
    return vectors
  }
}

extension Double {
  fileprivate var thousandths: String { fixed(3) }
}
