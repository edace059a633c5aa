import RasaAgents
package import RasaCore
import RasaDocuments
import RasaPersona
import RasaSystem
import RasaTools

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
  ///
  /// - Parameter startingTools: whether the project's tools count, which change nothing as long as they are not used.
  package func untrustedChanges(
    startingTools: Bool = false
  ) throws(Failure) -> (changes: ProjectChanges, changed: [String])? {
    guard !trust.given else { return nil }
    var changes = try projectChanges(agents.foundSoFar, withTools: startingTools)
    guard changes.needsTrust else { return nil }
    let projects = TrustedProjects(folders)
    let known = try projects.project(changes.project)
    if let known, changes.changed(since: known.files).isEmpty { return nil }
    // Who is asked is asked about everything at once.
    changes = try projectChanges(agents.found, withTools: true, withSkills: true)
    let changed = known.map { known in
      changes.changed(since: known.files).filter { known.files[$0] != nil }
    }
    return (changes, changed ?? [])
  }

  /// What asks models goes through here, and what starts tools of the project.
  func requireTrust(startingTools: Bool = false) throws(Failure) {
    guard let (changes, changed) = try untrustedChanges(startingTools: startingTools) else {
      return
    }
    throw changes.refusal(changed: changed)
  }

  /// Everything that the project's files change.
  package func projectChanges() throws(Failure) -> ProjectChanges {
    try projectChanges(agents.found, withTools: true, withSkills: true)
  }

  /// Whether the user trusts the files of the project's skills as they are now.
  func trustsProjectSkills() throws(Failure) -> Bool {
    if trust.given { return true }
    var survey = ProjectScan(project)
    survey.addSkills(projectSkillPlaces)
    guard let known = try TrustedProjects(folders).project(survey.changes.project) else {
      return false
    }
    return survey.changes.offeredFiles.allSatisfy { known.files[$0.key] == $0.value }
  }

  /// - Parameter withSkills: whether to look at the files of skills, which takes time.
  private func projectChanges(
    _ found: DiscoveredAgents?, withTools: Bool, withSkills: Bool = false
  ) throws(Failure) -> ProjectChanges {
    var survey = ProjectScan(project)
    guard !isProjectOwn else { return survey.changes }
    try survey.addConfiguration(configuration())
    if withSkills { survey.addSkills(projectSkillPlaces) }
    let library = library
    try survey.addDefinitions("persona", library.personaSources)
    try survey.addHooks(library.personaSources)
    try survey.addDefinitions("operator", library.operatorSources)
    if withTools {
      if let own = try configuration().ofProject { survey.addTools(own.tools, of: own.document) }
      for case .success(let document) in projectServerDocuments() {
        let reading = ServerFile.load(document, isProject: true)
        survey.addTools(reading.definition ?? reading.partial ?? [], of: document)
      }
      try survey.addTools(ofPersonasIn: library.personaSources)
    }
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
    let hooks = configuration.hooks.filter(\.isProject)
    if !hooks.isEmpty {
      add("\(file) \(Self.whatHooksDo(hooks))", [own.document] + programs(of: hooks))
    }
    if let profile = own.profile {
      add("\(file) sets the profile to \(profile.rawValue)", [own.document])
    }
  }

  // MARK: Skills

  mutating func addSkills(_ places: [SkillLibrary.Place]) {
    let skills = SkillLibrary(places.filter(\.isProject))
    for skill in skills.skills {
      let files = skills.files(of: skill).paths
      let scripts = files.count { $0.hasBytePrefix("scripts/") }
      changes.offers.append(
        "\(fromProject(skill.folder)) offers models the skill `\(skill.name)`"
          + (scripts > 0 ? ", with \(scripts == 1 ? "a script" : "\(scripts) scripts")" : ""))
      for path in files + [Skill.fileName] {
        guard let bytes = try? skills.file(path, of: skill, limit: 10_000_000) else { continue }
        changes.offeredFiles[fromProject("\(skill.folder)/\(path)")] = Digest.sha256(bytes)
      }
    }
  }

  // MARK: Tools

  /// What the tools of a file start and reach.
  mutating func addTools(_ tools: [ToolDeclaration], of document: SourceDocument) {
    let file = fromProject(document.path)
    for tool in tools {
      let variables = tool.variables
      let given =
        variables.isEmpty ? "" : " and gives it \(variables.joined(separator: ", "))"
      if let command = tool.command {
        let line = command.joined(separator: " ").printable(atMost: 200, ellipsis: "…")
        add("\(file) starts `\(line)` as the tool `\(tool.reference)`\(given)", [document])
      } else if let address = tool.address {
        add(
          "\(file) has the tool `\(tool.reference)` at \(address.printable(atMost: 200, ellipsis: "…"))\(given)",
          [document])
      }
    }
  }

  // MARK: Hooks

  private static func whatHooksDo(_ hooks: [HookDefinition]) -> String {
    func listed(_ hooks: [HookDefinition]) -> String {
      hooks.map { "\($0.target) at \($0.point.rawValue)" }.joined(separator: ", ")
    }
    let programs = hooks.filter { if case .program = $0.action { true } else { false } }
    let others = hooks.filter { if case .http = $0.action { true } else { false } }
    return [
      programs.isEmpty ? nil : "runs programs as hooks: \(listed(programs))",
      others.isEmpty ? nil : "sends what runs do to \(listed(others))",
    ].compactMap(\.self).joined(separator: ", and ")
  }

  /// The files of the project that the hooks' commands name.
  private func programs(of hooks: [HookDefinition]) -> [SourceDocument] {
    hooks.flatMap { hook -> [SourceDocument] in
      guard case .program(let command) = hook.action else { return [] }
      let folder = FileSystem.parent(of: hook.location.file)
      return command.compactMap { word in
        let path = word.hasBytePrefix("/") ? word : FileSystem.path(word, in: folder)
        guard let bytes = try? FileSystem.readIfPresent(path, limit: 10_000_000) else { return nil }
        return SourceDocument(bytes: bytes, path: path)
      }
    }
  }

  /// Personas of the project that have hooks of their own.
  mutating func addHooks(_ personas: [any DefinitionSource]) throws(Failure) {
    guard let source = personas.first(where: \.isProject) else { return }
    let key = Array("hooks".utf8)
    for name in try source.list().filter(Library.isName) {
      // Most have none, and are not read as YAML here.
      guard let document = try source.read(name),
        document.bytes.indices.contains(where: { document.bytes[$0...].starts(with: key) }),
        let node = try? YAML.parse(document.bytes, file: document.path), node["hooks"] != nil
      else { continue }
      let hooks = PersonaLoader.hooks(
        in: node, text: SourceText(document.bytes[...], file: document.path))
      guard !hooks.isEmpty else { continue }
      add(
        "\(fromProject(document.path)) \(Self.whatHooksDo(hooks))", [document] + programs(of: hooks)
      )
    }
  }

  /// Those of the project's personas, whatever their names.
  mutating func addTools(ofPersonasIn sources: [any DefinitionSource]) throws(Failure) {
    guard let source = sources.first(where: \.isProject) else { return }
    for name in try source.list().filter(Library.isName) {
      guard let document = try source.read(name) else { continue }
      addTools(Library.declaredTools(in: document), of: document)
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
