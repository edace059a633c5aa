import RasaAgents
import RasaCore
import RasaDocuments
import RasaPersona
import RasaSystem

/// Copies the whole files of a definition, under the same or another name.
struct DefinitionCopier {
  /// Files by their paths from the folder that they go to, the one first that is found by its name.
  struct Copy {
    var name: String
    var files: [(path: String, bytes: [UInt8])]
    /// Where it comes from.
    var source: String
    var warnings: [String] = []
  }

  let kind: Rasa.DefinitionKind
  let library: Library
  let agents: any AgentSource

  func check(_ name: String) throws(Failure) {
    let isRight = kind == .agent ? AgentID.isValid(name) : Library.isName(name)
    guard isRight else {
      throw Failure(
        .usage,
        "\(quoted(name)) is not a valid name for \(kind == .persona ? "a" : "an") \(kind.rawValue)",
        suggestion: kind == .agent
          ? "an ID consists of lowercase words joined by hyphens"
          : "use lowercase letters, digits, `_` and `-`")
    }
  }

  func copy(_ name: String, as newName: String?) throws(Failure) -> Copy {
    switch kind {
    case .agent: try agent(name, as: newName)
    case .persona: try definition(name, as: newName, in: library.personaSources)
    case .operator: try definition(name, as: newName, in: library.operatorSources)
    }
  }

  /// A persona or operator with the prompts that it names.
  private func definition(
    _ name: String, as newName: String?, in sources: [any DefinitionSource]
  ) throws(Failure) -> Copy {
    for source in sources {
      guard let document = try source.read(name) else { continue }
      let node = try YAML.parse(document.bytes, file: document.path)
      var bytes = document.bytes
      var warnings: [String] = []
      if let newName {
        bytes = try DefinitionRenaming(document).renamed("name", to: newName)
        if node["alias"] != nil {
          bytes = DefinitionRenaming(bytes: bytes, node: node).commented("alias")
          warnings.append("the alias stays with `\(name)`; give the copy its own")
        }
      }
      var copy = Copy(
        name: newName ?? name, files: [("\(newName ?? name).yaml", bytes)], source: source.label,
        warnings: warnings)
      for path in Self.prompts(in: node).sorted() {
        guard Self.isPlain(path) else {
          copy.warnings.append("the prompt \(path) is outside the folder, and is not copied")
          continue
        }
        copy.files.append((path, try source.readSibling(path, of: document.path).bytes))
      }
      return copy
    }
    let known = (kind == .persona ? try library.personas() : try library.operators())
      .map(\.name)
    let hint = nearestName(to: name, among: known).map { "did you mean `\($0)`? " } ?? ""
    throw Failure(
      .configuration, "there is no \(kind.rawValue) `\(name)`",
      suggestion: hint + "`rasa \(kind.rawValue)s list` lists them")
  }

  private static func prompts(in node: DocumentNode) -> Set<String> {
    switch node.content {
    case .scalar: []
    case .sequence(let elements): elements.reduce(into: []) { $0.formUnion(prompts(in: $1)) }
    case .mapping(let entries):
      entries.reduce(into: []) { found, entry in
        if entry.key == "prompt_path", let path = entry.value.value.string { found.insert(path) }
        found.formUnion(prompts(in: entry.value))
      }
    }
  }

  private static func isPlain(_ path: String) -> Bool {
    !path.isEmpty && !path.hasBytePrefix("/") && !path.split(separator: "/").contains("..")
  }

  private func agent(_ id: String, as newName: String?) throws(Failure) -> Copy {
    guard let documents = try agents.documents(ofAgent: id) else {
      throw library.unknownAgent(id)
    }
    let loaded = try AgentLoader.load(documents, engines: library.engines).get()
    let name = newName ?? id
    let folder = documents.category.map { "\($0)/" } ?? ""
    var copy = Copy(name: name, files: [], source: documents.origin)
    if loaded.agent.files.kind != .rasa, let document = documents.prompt {
      guard
        var foreign = try ForeignFile(document).agents(engines: library.engines).first
      else { throw library.unknownAgent(id) }
      foreign.rename(to: name)
      copy.files = [("\(folder)\(name).md", Array(foreign.text(from: document.path).utf8))]
      return copy
    }
    if let config = documents.config {
      try addConfig(config, documents, id, as: newName, folder, to: &copy)
    } else if let prompt = documents.prompt {
      let bytes =
        try newName.map { name throws(Failure) in
          try DefinitionRenaming(frontMatterOf: prompt).renamed(
            loaded.agent, to: name)
        } ?? prompt.bytes
      let file = newName ?? FilePlace.stem(of: prompt.path)
      copy.files = [("\(folder)\(file).md", bytes)]
    }
    try addInsertions(loaded, documents, folder, to: &copy)
    return copy
  }

  /// A TOML file with its prompt, at the path that it names where that lies below it.
  private func addConfig(
    _ config: SourceDocument, _ documents: AgentDocuments, _ id: String, as newName: String?,
    _ folder: String, to copy: inout Copy
  ) throws(Failure) {
    var bytes = config.bytes
    if let newName {
      bytes = try DefinitionRenaming(config).renamed("id", to: newName, inTOML: true)
    }
    let paths = try AgentLoader.promptPaths(in: config)
    guard let prompt = documents.prompt else {
      throw Failure(
        .configuration, "the prompt of `\(id)` does not exist",
        suggestion: "`rasa agents validate \(id)` says why")
    }
    var path = paths.first ?? "\(copy.name).md"
    if !Self.isPlain(path) || newName != nil {
      path = "\(copy.name).md"
      bytes = try DefinitionRenaming(bytes: bytes, node: nil).renamed(
        "prompt_path", to: path, inTOML: true)
    }
    copy.files.append(("\(folder)\(copy.name).toml", bytes))
    copy.files.append(("\(folder)\(path)", prompt.bytes))
  }

  /// What the prompt inserts, beside it.
  private func addInsertions(
    _ loaded: AgentLoader.LoadedAgent, _ documents: AgentDocuments, _ folder: String,
    to copy: inout Copy
  ) throws(Failure) {
    guard let prompt = loaded.prompt else { return }
    let place = copy.files.last.map { FileSystem.parent(of: $0.path) } ?? folder
    for file in try loaded.agent.template(prompt).files {
      guard Self.isPlain(file.path) else {
        copy.warnings.append("\(file.path), which the prompt inserts, is not copied")
        continue
      }
      let path = FileSystem.path(file.path, in: place == "." ? "" : place)
      guard !copy.files.contains(where: { $0.path == path }) else { continue }
      copy.files.append(
        (path, try agents.insert(file.path, intoPromptOf: documents).bytes))
    }
  }
}
