package import RasaCore

/// The files that a persona was read from, at that time: a run stores them, so that it can continue
/// with them when the files have changed or are gone.
package struct PinnedFiles: Sendable, Hashable {
  package struct File: Sendable, Hashable {
    package var kind: Kind
    /// The definition's name; for a file beside definitions, its relative path.
    package var name: String
    /// The path for messages.
    package var path: String
    package var text: String
    /// Whether it belonged to a project instead of to the user; nil where nobody kept that.
    package var isProject: Bool?

    package init(
      kind: Kind, name: String, path: String, text: String, isProject: Bool? = nil
    ) {
      self.kind = kind
      self.name = name
      self.path = path
      self.text = text
      self.isProject = isProject
    }
  }
  package enum Kind: String, Sendable, Hashable {
    case persona, `operator`
    case personaSibling = "persona_sibling"
    case operatorSibling = "operator_sibling"
    /// An agent's TOML file, or the Markdown file with its prompt.
    case agent
    case agentPrompt = "agent_prompt"
    /// A file that a prompt inserts; its name starts with the agent's ID.
    case agentSibling = "agent_sibling"
  }

  package var files: [File]

  package init(files: [File] = []) { self.files = files }
}

extension PinnedFiles {
  package var value: Value {
    [
      "files": .array(
        files.map { file in
          var value: ValueObject = [
            "kind": .string(file.kind.rawValue), "name": .string(file.name),
            "path": .string(file.path), "text": .string(file.text),
          ]
          if let isProject = file.isProject { value["project"] = .bool(isProject) }
          return .object(value)
        })
    ]
  }

  /// Nil if the value is not a list of such files.
  package init?(_ value: Value) {
    guard let list = value["files"].array else { return nil }
    files = list.compactMap { file in
      guard let kind = file["kind"].string.flatMap({ Kind(rawValue: $0) }),
        let name = file["name"].string, let text = file["text"].string
      else { return nil }
      return File(
        kind: kind, name: name, path: file["path"].string ?? name, text: text,
        isProject: file["project"].bool)
    }
  }

  /// A library that contains only these files.
  package var library: Library {
    Library(
      personas: [PinnedSource(files: files, kind: .persona, siblings: .personaSibling)],
      operators: [PinnedSource(files: files, kind: .operator, siblings: .operatorSibling)],
      agents: PinnedAgents(files: files))
  }

  /// The file of the persona with that name.
  package func persona(named name: String) -> File? {
    files.first { $0.kind == .persona && $0.name == name }
  }
}

/// Reads pinned agents as if they were in their original place.
private struct PinnedAgents: AgentSource {
  let files: [PinnedFiles.File]

  func agentIDs() -> [String] {
    Set(files.filter { $0.kind == .agent || $0.kind == .agentPrompt }.map(\.name)).sorted()
  }

  func documents(ofAgent id: String) -> AgentDocuments? {
    func document(_ kind: PinnedFiles.Kind) -> SourceDocument? {
      files.first { $0.kind == kind && $0.name == id }.map(\.document)
    }
    let config = document(.agent)
    let prompt = document(.agentPrompt)
    guard config != nil || prompt != nil else { return nil }
    return AgentDocuments(
      config: config, prompt: prompt, fileName: id, origin: "kept with the run")
  }

  func insert(
    _ path: String, intoPromptOf documents: AgentDocuments
  ) throws(Failure) -> SourceDocument {
    let name = "\(documents.fileName):\(path)"
    guard let found = files.first(where: { $0.kind == .agentSibling && $0.name == name }) else {
      throw Failure(
        .configuration, "the run has no copy of the file `\(path)` of `\(documents.fileName)`")
    }
    return found.document
  }
}

extension PinnedFiles.File {
  fileprivate var document: SourceDocument { SourceDocument(bytes: Array(text.utf8), path: path) }
}

/// Reads pinned files like a folder.
private struct PinnedSource: DefinitionSource {
  let files: [PinnedFiles.File]
  let kind: PinnedFiles.Kind
  let siblings: PinnedFiles.Kind

  var label: String { "kept with the run" }
  /// Where nobody knows, the safe answer.
  var isProject: Bool { true }
  func isProject(_ name: String) -> Bool {
    files.first { $0.kind == kind && $0.name == name }?.isProject ?? true
  }

  func list() -> [String] { files.filter { $0.kind == kind }.map(\.name).sorted() }

  func read(_ name: String) -> SourceDocument? { document(kind, name) }

  func readSibling(_ path: String, of _: String) throws(Failure) -> SourceDocument {
    guard let found = document(siblings, path) else {
      throw Failure(.configuration, "the run has no copy of the file `\(path)`")
    }
    return found
  }

  private func document(_ kind: PinnedFiles.Kind, _ name: String) -> SourceDocument? {
    files.first { $0.kind == kind && $0.name == name }.map(\.document)
  }
}

/// Forwards all reads and records which files were read.
package final class FileRecorder: Sendable {
  private let read = Locked<[PinnedFiles.File]>([])

  package init() {}

  /// The place of a persona's own file, recorded.
  package func recording(_ source: any DefinitionSource) -> any DefinitionSource {
    RecordedSource(inner: source, recorder: self, kind: .persona, siblings: .personaSibling)
  }

  /// The library, recorded.
  package func recording(_ library: Library) -> Library {
    var recorded = Library(
      personas: library.personaSources.map {
        RecordedSource(inner: $0, recorder: self, kind: .persona, siblings: .personaSibling)
      },
      operators: library.operatorSources.map {
        RecordedSource(inner: $0, recorder: self, kind: .operator, siblings: .operatorSibling)
      }, agents: library.agentSource.map { RecordedAgents(inner: $0, recorder: self) })
    recorded.engines = library.engines
    recorded.prompts = library.prompts
    recorded.limits = library.limits
    recorded.narrowing = library.narrowing
    recorded.tools = library.tools
    recorded.declaredTools = library.declaredTools
    return recorded
  }

  package func note(
    _ kind: PinnedFiles.Kind, _ name: String, _ document: SourceDocument, isProject: Bool? = nil
  ) {
    let text = String(decoding: document.bytes, as: UTF8.self)
    let file = PinnedFiles.File(
      kind: kind, name: name, path: document.path, text: text, isProject: isProject)
    read.withLock { files in
      if !files.contains(where: { $0.kind == kind && $0.name == name }) { files.append(file) }
    }
  }

  /// The files that were read, without personas that were only consulted during the search.
  ///
  /// - Parameter locate: the path to store for a path that was read.
  package func files(
    of personas: Set<String>, locate: (String) -> String = { $0 }
  ) -> PinnedFiles {
    var files = read.withLock { files in
      files.filter { $0.kind != .persona || personas.contains($0.name) }
    }
    for index in files.indices { files[index].path = locate(files[index].path) }
    return PinnedFiles(
      files: files.sorted { ($0.kind.rawValue, $0.name) < ($1.kind.rawValue, $1.name) })
  }
}

private struct RecordedSource: DefinitionSource {
  let inner: any DefinitionSource
  let recorder: FileRecorder
  let kind: PinnedFiles.Kind
  let siblings: PinnedFiles.Kind

  var label: String { inner.label }
  var isProject: Bool { inner.isProject }
  func isProject(_ name: String) -> Bool { inner.isProject(name) }

  func list() throws(Failure) -> [String] { try inner.list() }

  func read(_ name: String) throws(Failure) -> SourceDocument? {
    let document = try inner.read(name)
    // Most definitions have nothing that depends on it, and their copies stay as they were.
    let word = Array("tools:".utf8)
    if let document {
      let hasTools =
        kind == .persona
        && document.bytes.indices.contains { document.bytes[$0...].starts(with: word) }
      recorder.note(kind, name, document, isProject: hasTools ? inner.isProject(name) : nil)
    }
    return document
  }

  func readSibling(_ path: String, of document: String) throws(Failure) -> SourceDocument {
    let document = try inner.readSibling(path, of: document)
    recorder.note(siblings, path, document)
    return document
  }
}

private struct RecordedAgents: AgentSource {
  let inner: any AgentSource
  let recorder: FileRecorder

  func agentIDs() -> [String] { inner.agentIDs() }
  func limits(ofAgent id: String) -> [CostBudget] { inner.limits(ofAgent: id) }
  func duplicates(ofAgent id: String) -> [Warning] { inner.duplicates(ofAgent: id) }
  func agentID(for word: String) -> String? { inner.agentID(for: word) }

  func documents(ofAgent id: String) throws(Failure) -> AgentDocuments? {
    guard var documents = try inner.documents(ofAgent: id) else { return nil }
    if let config = documents.config { recorder.note(.agent, id, config) }
    if let prompt = documents.prompt { recorder.note(.agentPrompt, id, prompt) }
    documents.fileName = id
    return documents
  }

  func insert(
    _ path: String, intoPromptOf documents: AgentDocuments
  ) throws(Failure) -> SourceDocument {
    let document = try inner.insert(path, intoPromptOf: documents)
    recorder.note(.agentSibling, "\(documents.fileName):\(path)", document)
    return document
  }
}
