package import RasaCore

/// A source of agents, implemented by code that reads files.
package protocol AgentSource: Sendable {
  /// The agent's current files; nil if there is no agent with that ID.
  func documents(ofAgent id: String) throws(Failure) -> AgentDocuments?
  /// The limits in other files of that agent, which the one in use cannot lift because it belongs
  /// to the current project.
  func limits(ofAgent id: String) -> [CostBudget]
  /// The unused files with that ID in the same folder.
  func duplicates(ofAgent id: String) -> [Warning]
  /// The ID of the agent with this ID or display name; nil if there is none, or more than one.
  func agentID(for word: String) -> String?
  /// All IDs, for messages.
  func agentIDs() -> [String]
  /// A file that a prompt inserts: relative to the prompt's folder or the project's, and inside one
  /// of the two.
  func insert(_ path: String, intoPromptOf documents: AgentDocuments) throws(Failure)
    -> SourceDocument
}

extension AgentSource {
  package func duplicates(ofAgent id: String) -> [Warning] { [] }
  package func agentID(for word: String) -> String? { nil }
  package func limits(ofAgent id: String) -> [CostBudget] { [] }
}

/// The current files of one agent.
package struct AgentDocuments: Sendable, Hashable {
  package var config: SourceDocument?
  package var prompt: SourceDocument?
  /// The stamp of the prompt's file before and after it was read; nil if that cannot identify it.
  package var promptStamp: PromptCache.Stamp?
  /// The prompt paths that lead outside the allowed folders.
  package var promptsOutside: [String] = []
  /// The ID, for an agent whose file does not set one.
  package var fileName: String
  /// The folders between the agents root and the file; nil in the root.
  package var category: String?
  package var origin: String

  package init(
    config: SourceDocument? = nil, prompt: SourceDocument? = nil, fileName: String,
    category: String? = nil, origin: String = ""
  ) {
    self.config = config
    self.prompt = prompt
    self.fileName = fileName
    self.category = category
    self.origin = origin
  }
}
