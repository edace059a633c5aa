package import RasaCore

/// Where agents come from. Whoever reads files implements this.
package protocol AgentSource: Sendable {
  /// The agent's files as they are now; nil when there is no agent of that id.
  func documents(ofAgent id: String) throws(Failure) -> AgentDocuments?
  /// The limits of other files of that agent which the one that is used may not lift: it came with
  /// the folder that the user is in.
  func limits(ofAgent id: String) -> [CostBudget]
  /// The files of the same place that are of that id too, and are not used.
  func duplicates(ofAgent id: String) -> [Warning]
  /// The id of the agent that somebody means by its id or by its name for people; nil when there is
  /// none, or more than one.
  func agentID(for word: String) -> String?
  /// The ids, for messages.
  func agentIDs() -> [String]
  /// A file that a prompt inserts: relative to the prompt's own folder or the project's, and below
  /// one of both.
  func insert(_ path: String, intoPromptOf documents: AgentDocuments) throws(Failure)
    -> SourceDocument
}

extension AgentSource {
  package func duplicates(ofAgent id: String) -> [Warning] { [] }
  package func agentID(for word: String) -> String? { nil }
  package func limits(ofAgent id: String) -> [CostBudget] { [] }
}

/// The files that make one agent, as they stand.
package struct AgentDocuments: Sendable, Hashable {
  package var config: SourceDocument?
  package var prompt: SourceDocument?
  /// What the prompt's file was known by before it was read and after; nil when it cannot be known
  /// again by that.
  package var promptStamp: PromptCache.Stamp?
  /// The paths for the prompt that lead where no prompt may lie.
  package var promptsOutside: [String] = []
  /// The id, for an agent whose file does not say it.
  package var fileName: String
  /// From the folders between the agents root and the file; nil in the root.
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
