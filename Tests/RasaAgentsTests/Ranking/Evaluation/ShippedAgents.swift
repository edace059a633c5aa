import RasaCore
import RasaPersona
import RasaSystem

@testable import RasaAgents

/// The shipped agents, prepared for recommendation and for plain BM25.
struct ShippedAgents {
  let registry: AgentRegistry
  let bm25: BM25

  init() throws {
    var entries: [AgentRegistry.Entry] = []
    var texts: [(id: String, text: String)] = []
    for name in EmbeddedFiles.names.sorted()
    where name.hasPrefix("agents/") && name.hasSuffix(".md") {
      let path = name.split(separator: "/").map(String.init)
      let stem = String(name.dropLast(3))
      let config = EmbeddedFiles.bytes(of: "\(stem).toml")
      let loaded = try AgentLoader.load(
        AgentDocuments(
          config: config.map { SourceDocument(bytes: $0, path: "\(stem).toml") },
          prompt: SourceDocument(bytes: EmbeddedFiles.bytes(of: name) ?? [], path: name),
          fileName: String(path[path.count - 1].dropLast(3)), category: path[1])
      ).get()
      let agent = loaded.agent
      let prompt = loaded.prompt?.text ?? ""
      entries.append(.init(agent: agent, relevance: AgentTerms.note(agent, prompt: prompt)))
      let fields = [agent.name, agent.description] + agent.capabilities + agent.exampleQueries
      texts.append((agent.id, (fields + [prompt]).joined(separator: "\n")))
    }
    registry = AgentRegistry(entries)
    bm25 = BM25(texts.sorted { $0.id < $1.id })
  }
}
