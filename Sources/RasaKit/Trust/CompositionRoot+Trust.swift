import RasaAgents
package import RasaCore
import RasaDocuments
import RasaPersona
import RasaSystem

/// Whether the user has agreed to what the project's files change, for this process.
package final class ProjectTrust: Sendable {
  private let isGiven: Locked<Bool>

  package init(isGiven: Bool = false) { self.isGiven = Locked(isGiven) }

  package func give() { isGiven.withLock { $0 = true } }
  fileprivate var given: Bool { isGiven.withLock { $0 } }
}

extension CompositionRoot {
  /// What nobody has agreed to, with the files that have changed since somebody did; nil when there
  /// is nothing. Where no file has the name of another, only names are compared.
  package func untrustedChanges() throws(Failure) -> (changes: ProjectChanges, changed: [String])? {
    guard !trust.given else { return nil }
    var changes = try projectChanges(agents.foundSoFar)
    guard !changes.isEmpty else { return nil }
    let projects = TrustedProjects(folders)
    let known = try projects.project(changes.project)
    if let known, changes.changed(since: known.files).isEmpty { return nil }
    // Who is asked is asked about everything at once.
    changes = try projectChanges(agents.found)
    let changed = known.map { known in
      changes.changed(since: known.files).filter { known.files[$0] != nil }
    }
    return (changes, changed ?? [])
  }

  /// What asks models goes through here.
  func requireTrust() throws(Failure) {
    guard let (changes, changed) = try untrustedChanges() else { return }
    throw changes.refusal(changed: changed)
  }

  /// Everything that the project's files change.
  package func projectChanges() throws(Failure) -> ProjectChanges {
    try projectChanges(agents.found)
  }

  private func projectChanges(_ found: DiscoveredAgents?) throws(Failure) -> ProjectChanges {
    var survey = ProjectScan(project)
    guard !isProjectOwn else { return survey.changes }
    try survey.addConfiguration(configuration())
    let library = library
    try survey.addDefinitions("persona", library.personaSources)
    try survey.addDefinitions("operator", library.operatorSources)
    if let found {
      try survey.addAgents(found, personas: library.personaSources) { path throws(Failure) in
        try documents(ofAgentAt: path)
      }
    }
    return survey.changes
  }

  /// The files that make an agent, with those that its prompt inserts.
  private func documents(ofAgentAt path: String) throws(Failure) -> [SourceDocument] {
    let found = try agents.documents(at: path)
    var documents = [found.config, found.prompt].compactMap { $0 }
    let braces = Array("{{".utf8)
    // Most insert nothing.
    if let bytes = found.prompt?.bytes,
      bytes.indices.contains(where: { bytes[$0...].starts(with: braces) }),
      let loaded = AgentLoader.load(found).definition, let prompt = loaded.prompt,
      let template = try? loaded.agent.template(prompt)
    {
      for file in template.files {
        // One that cannot be inserted is reported when the agent runs.
        if let inserted = try? agents.insert(file.path, intoPromptOf: found) {
          documents.append(inserted)
        }
      }
    }
    return documents
  }
}

/// Collects what a project's files change.
private struct ProjectScan {
  var changes: ProjectChanges
  private let project: String

  init(_ project: String) {
    self.project = project
    changes = ProjectChanges(
      project: FileSystem.realPath(project) ?? FileSystem.absolute(project))
  }

  private mutating func add(_ line: String, _ documents: [SourceDocument]) {
    changes.lines.append(line)
    for document in documents {
      changes.files[fromProject(document.path)] = Digest.sha256(document.bytes)
    }
  }

  private func fromProject(_ path: String) -> String {
    let base = project.hasSuffix("/") ? project : project + "/"
    return path.hasPrefix(base) ? String(path.dropFirst(base.count)) : path
  }

  // MARK: Configuration

  mutating func addConfiguration(_ configuration: Configuration) throws(Failure) {
    guard let own = configuration.ofProject else { return }
    let file = CompositionRoot.projectConfigurationPath
    for provider in configuration.providers where provider.isProject {
      add("\(file) adds the provider `\(provider.name)` at \(provider.baseURL)", [own.document])
    }
    if let model = own.model {
      add("\(file) has \(model) asked where a persona recommends no model", [own.document])
    }
    if let profile = own.profile {
      add("\(file) sets the profile to \(profile.rawValue)", [own.document])
    }
  }

  // MARK: Personas and operators

  mutating func addDefinitions(
    _ kind: String, _ sources: [any DefinitionSource]
  ) throws(Failure) {
    guard let source = sources.first(where: \.isProject) else { return }
    let others = sources.filter { !$0.isProject }
    let names = try source.list().filter(Library.isName)
    guard !names.isEmpty else { return }
    let aliases = kind == "persona" ? try Self.aliases(in: others) : [:]
    for name in names {
      for other in others {
        guard let theirs = try Self.documents(name, in: other) else { continue }
        let own = try Self.documents(name, in: source) ?? []
        if own.map(\.bytes) != theirs.map(\.bytes), let file = own.first?.path {
          let whose = other.label == "shipped" ? "the shipped" : "your own"
          add("\(fromProject(file)) takes the place of \(whose) \(kind) `\(name)`", own)
        }
        break
      }
      if let aliased = aliases[name], let own = try Self.documents(name, in: source) {
        add(
          "\(fromProject(own.first?.path ?? name)) takes the name `\(name)` from the persona "
            + "`\(aliased)`", own)
      }
      if kind == "persona", Self.shippedAgents.contains(name),
        let own = try Self.documents(name, in: source)
      {
        add(
          "\(fromProject(own.first?.path ?? name)) takes the name of the shipped agent `\(name)`",
          own)
      }
    }
  }

  private static var shippedAgents: Set<String> {
    Set(
      EmbeddedFiles.names.lazy.filter { $0.hasPrefix("agents/") }.compactMap { path in
        path.split(separator: "/").last?.split(separator: ".").first.map(String.init)
      })
  }

  /// Other names of personas, with whose they are. The line alone is looked for.
  private static func aliases(
    in sources: [any DefinitionSource]
  ) throws(Failure) -> [String: String] {
    var aliases: [String: String] = [:]
    let key = Array("alias:".utf8)
    for source in sources {
      for name in try source.list() {
        guard let document = try source.read(name) else { continue }
        for line in document.bytes.split(separator: UInt8(ascii: "\n"))
        where line.starts(with: key) {
          let word = line.dropFirst(key.count).split { " \t\r\"'#".utf8.contains($0) }.first
          if let word { aliases[String(decoding: word, as: UTF8.self)] = name }
        }
      }
    }
    return aliases
  }

  /// A definition with the prompts that it names.
  private static func documents(
    _ name: String, in source: any DefinitionSource
  ) throws(Failure) -> [SourceDocument]? {
    guard let document = try source.read(name) else { return nil }
    var documents = [document]
    // One that cannot be read is reported when it is used.
    guard let node = try? YAML.parse(document.bytes, file: document.path) else { return documents }
    for path in prompts(in: node).sorted() {
      if let prompt = try? source.readSibling(path, of: document.path) { documents.append(prompt) }
    }
    return documents
  }

  private static func prompts(in node: DocumentNode) -> Set<String> {
    switch node.content {
    case .scalar: return []
    case .sequence(let elements):
      return elements.reduce(into: []) { $0.formUnion(prompts(in: $1)) }
    case .mapping(let entries):
      return entries.reduce(into: []) { found, entry in
        if entry.key == "prompt_path", let path = entry.value.value.string { found.insert(path) }
        found.formUnion(prompts(in: entry.value))
      }
    }
  }

  // MARK: Agents

  mutating func addAgents(
    _ found: DiscoveredAgents, personas: [any DefinitionSource],
    _ documents: (String) throws(Failure) -> [SourceDocument]
  ) throws(Failure) {
    for shadowed in found.replacedByProject {
      guard let own = try? documents(shadowed.by) else { continue }
      if own.map(\.bytes) == (try? documents(shadowed.file))?.map(\.bytes) { continue }
      let whose = shadowed.file.hasPrefix("shipped:") ? "the shipped" : "your own"
      add(
        "\(fromProject(shadowed.by)) takes the place of \(whose) agent `\(shadowed.id)`", own)
    }
    // Where somebody works inside a persona, an agent goes before a persona of the same name.
    for agent in found.agentsOfProject {
      for source in personas where !source.isProject {
        guard try source.read(agent.id) != nil, let own = try? documents(agent.file) else {
          continue
        }
        add(
          "\(fromProject(agent.file)) takes the name of the persona `\(agent.id)`", own)
      }
    }
  }
}
