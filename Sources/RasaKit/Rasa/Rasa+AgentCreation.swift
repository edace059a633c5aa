import RasaCore
import RasaModels
import RasaPersona
import RasaSystem

extension Rasa {
  /// The first version of an agent: files with remarks to change it by. What is not given follows from the id
  /// and the description.
  public struct NewAgent: Sendable, Hashable {
    /// The form of its files.
    @nonexhaustive
    public enum Form: String, Sendable, Hashable, CaseIterable, Codable {
      /// One Markdown file with front matter.
      case markdown
      /// A TOML file, and a Markdown file with the prompt.
      case toml
    }

    /// What it is found by.
    public let id: String
    /// What people call it.
    public var name: String?
    /// What it does and when to use it. Without one the agent is not valid until somebody writes it.
    public var description = ""
    /// What it can do.
    public var capabilities: [String] = []
    /// The model that it wants, as `model` or `provider:model`.
    public var model: String?
    /// What matters most in choosing a model.
    public var profile: Profile?
    /// A folder or folders below that of agents, such as `design/web`.
    public var category: String?
    /// The form of its files.
    public var form = Form.markdown

    /// A new agent.
    ///
    /// - Throws: A `RasaError` of code `usage` when the id is not valid; it proposes one that is.
    public init(id: String) throws(RasaError) {
      guard AgentID.isValid(id) else {
        throw RasaError(
          .usage, "`\(id)` is not a valid agent ID",
          suggestion: (AgentID.make(of: id).map { "did you mean `\($0)`? " } ?? "")
            + "an ID consists of lowercase words joined by hyphens")
      }
      self.id = id
    }

    fileprivate var files: [(name: String, text: String)] {
      RasaPersona.AgentDraft(
        id: id, name: name, description: description, capabilities: capabilities,
        model: model.map(ModelConfiguration.reference), profile: profile?.own
      ).files(AgentDraft.Form(rawValue: form.rawValue) ?? .markdown)
    }
  }

  /// Writes the first version of an agent.
  ///
  /// - Parameters:
  ///   - agent: The agent.
  ///   - folder: The folder of agents that it goes to; nil for the project's.
  ///   - replacing: Whether files of an agent of its id are replaced.
  /// - Returns: The files that were written, the one first that the agent is found by.
  /// - Throws: A `RasaError` of code `usage` when there is such an agent or the category is not valid. Nothing
  ///   has been written then.
  @discardableResult
  public func create(
    _ agent: NewAgent, in folder: String? = nil, replacing: Bool = false
  ) async throws(RasaError) -> [String] {
    try await prepared { rasa throws(Failure) in
      let composition = rasa.composition
      let root =
        folder.map { FileRoot($0) }
        ?? FileRoot(composition.project, links: composition.isProjectOwn ? .anywhere : .inside)
      // Paths in the root: a folder that the user names may be a link; what is made in it stays in it.
      var place = folder == nil ? "agents/" : ""
      if let category = agent.category { place += try Self.checked(category: category) + "/" }
      func shown(_ name: String) -> String {
        FileSystem.path("\(place)\(name)", in: root.folder)
      }
      for other in ["\(agent.id).toml", "\(agent.id).md"]
      where FileSystem.exists(shown(other)) && !replacing {
        throw Failure(
          .usage, "\(shown(other)) exists already",
          suggestion: "choose another ID, or add --force")
      }
      // The other form of the same agent would count beside this one.
      if replacing, agent.form == .markdown, FileSystem.exists(shown("\(agent.id).toml")) {
        throw Failure(
          .usage,
          "\(shown("\(agent.id).toml")) exists, and would take precedence over a Markdown file",
          suggestion: "use `--form toml`, or remove it")
      }
      let files = agent.files
      try writeFiles(
        files.map { ("\(place)\($0.name)", Array($0.text.utf8)) }, in: root,
        replacing: replacing)
      return files.map { shown($0.name) }
    }
  }

  private static func checked(category: String) throws(Failure) -> String {
    let isPlain = category.split(atByte: "/").allSatisfy { part in
      !part.isEmpty && part != "." && part != ".." && !part.hasBytePrefix(".")
        && part.allSatisfy { $0.isLetter || $0.isNumber || "-_. ".contains($0) }
    }
    guard isPlain else {
      throw Failure(
        .usage, "`\(category)` is not a valid category",
        suggestion: "a category is a folder or folders below `--folder`, such as `design/web`")
    }
    return category
  }
}
