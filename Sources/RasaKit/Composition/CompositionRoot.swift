package import RasaAgents
package import RasaCore
import RasaDocuments
package import RasaEngine
package import RasaHTTPClient
package import RasaModels
package import RasaPersona
package import RasaStore
package import RasaSystem
import RasaTools

/// Everything that running personas needs, put together from the environment. Nothing is opened or started
/// before it is used.
package struct CompositionRoot: Sendable {
  package let environment: Environment
  package let time: TimeSource
  package let output: Output
  package let errors: Output
  package let folders: RasaFolders
  package let catalogue: Catalogue
  package let configurationFiles: ConfigurationFiles
  /// Looked for when somebody first asks.
  package let agents: AgentLibrary
  let prompts: PromptCache
  /// What the gates of all runs learn.
  let gateMemory = GateMemory()
  /// Who is asked for an agent's files: those above, unless a program has agents of its own.
  package var agentSource: any AgentSource
  let skillFolders = SkillFolders()
  /// What a program has of its own beside files; nil for the program `rasa`.
  var registered: RegisteredDefinitions?
  /// The tools that files declare, read when somebody first asks.
  let toolFiles: ToolFiles
  /// The kinds of tasks.
  package let objectives: ObjectiveFiles
  /// The folder whose own files go before the user's.
  package let project: String
  /// What the command line leaves of all agents; the configuration leaves less.
  package var askedNarrowing = AgentNarrowing()
  package let trust: ProjectTrust
  /// Whether only the project and the user's own folder are looked at.
  let isHermetic: Bool
  /// How long a process that does not renew its lease keeps a run: `RASA_LEASE`, in seconds.
  private let lease: Duration

  /// - Parameters:
  ///   - promptLifetime: how long a compiled prompt is kept although its file seems the same.
  ///   - isHermetic: whether agents are looked for in the project and the user's folder alone.
  package init(
    environment: Environment, project: String = ".", promptLifetime: Duration? = nil,
    trustsProject: Bool = false, isHermetic: Bool = false
  ) throws(Failure) {
    self.environment = environment
    trust = ProjectTrust(isGiven: trustsProject)
    self.isHermetic = isHermetic
    lease = try Self.lease(environment["RASA_LEASE"])
    self.project = project
    configurationFiles = ConfigurationFiles(project: project)
    toolFiles = ToolFiles()
    time = .system
    prompts = PromptCache(lifetime: promptLifetime, now: time.monotonic)
    output = .standard
    errors = .error
    folders = try RasaFolders(environment)
    catalogue = .ofUser(folders)
    objectives = ObjectiveFiles(folders)
    var places = AgentRoots(folders, environment)
    places.project = project
    if isHermetic { places.isolate() }
    let noter = TermVectorBuilder()
    var discovery = AgentDiscovery(
      places, indexFolder: folders.state, noteName: AgentTerms.name,
      note: { noter.note($0, prompt: $1) })
    discovery.engines = { [configurationFiles, folders, time] in
      configurationFiles.engines(folders, time)
    }
    agents = AgentLibrary(discovery)
    agentSource = agents
  }

  /// Personas and operators: the project's own folder, the user's, what ships.
  package var library: Library {
    let isOwn = isProjectOwn
    func sources(_ kind: String) -> [any DefinitionSource] {
      let own = FolderSource(FileRoot("\(folders.configuration)/\(kind)", links: .anywhere))
      let shipped = EmbeddedSource(folder: kind)
      let files: [any DefinitionSource] =
        isOwn
        ? [own, shipped]
        : [FolderSource(FileRoot(kind, beneath: project), isProject: true), own, shipped]
      return (registered.map { [$0.source(of: kind)] } ?? []) + files
    }
    var library = Library(
      personas: sources("personas"), operators: sources("operators"), agents: agentSource)
    library.engines = configurationFiles.engines(folders, time)
      .union(registered?.providers.map(\.name) ?? [])
    library.prompts = prompts
    library.narrowing = narrowing
    library.tools = registered?.toolNames ?? []
    library.declaredTools = { () throws(Failure) in
      try declaredTools().layers.flatMap(\.declarations)
    }
    library.limits = { [folders] name throws(Failure) in
      let own = FolderSource(FileRoot("\(folders.configuration)/personas", links: .anywhere))
      guard let document = try own.read(name) else { return nil }
      return try Library.costBudget(in: document)
    }
    return library
  }

  /// A persona by name or alias, or by path when the name is one.
  package func persona(_ name: String) throws(Failure) -> PersonaDefinition {
    guard Self.isPath(name) else { return try library.persona(named: name) }
    return try persona(namedFile(name), in: library, from: { $0 })
  }

  /// The same, with all problems and warnings.
  package func readPersona(_ name: String) throws(Failure) -> Reading<PersonaDefinition> {
    guard Self.isPath(name) else { return try library.readPersona(named: name) }
    return read(try namedFile(name), in: library, from: { $0 })
  }

  private func persona(
    _ file: SourceDocument, in library: Library,
    from place: (FolderSource) -> any DefinitionSource
  ) throws(Failure) -> PersonaDefinition {
    try library.narrowed(try read(file, in: library, from: place).get())
  }

  /// A file that the user has named may be a link; what it names stays beneath the folder it is in.
  private func read(
    _ file: SourceDocument, in library: Library,
    from place: (FolderSource) -> any DefinitionSource
  ) -> Reading<PersonaDefinition> {
    let folder = FileRoot(FileSystem.parent(of: file.path))
    let reading = library.readPersona(file, beside: place(FolderSource(folder)))
    // The content of a file outside the folder is not shown.
    let name = file.path.split(separator: "/").last.map(String.init) ?? file.path
    guard folder.standing(of: name) == .outside else { return reading }
    return reading.hidingExcerpts
  }

  /// A persona that is given as a file has the name in that file, which one of the library may have as well.
  private func sharedBudget(
    of persona: PersonaDefinition, _ file: SourceDocument, in library: Library
  ) -> Warning? {
    guard library.hasPersona(named: persona.name),
      let other = try? library.personaDocument(named: persona.name),
      FileSystem.realPath(other.path) != FileSystem.realPath(file.path),
      other.bytes != file.bytes
    else { return nil }
    return Warning(
      "there is also a persona `\(persona.name)` in \(other.path), and both share one budget and one "
        + "memory", at: persona.location)
  }

  private func namedFile(_ path: String) throws(Failure) -> SourceDocument {
    do throws(Failure) {
      return SourceDocument(
        bytes: try FileSystem.read(path, limit: FolderSource.largest), path: path)
    } catch {
      guard FileSystem.kind(of: path) == nil else { throw error }
      // A name was meant, perhaps.
      let file = path.split(separator: "/").last.map(String.init) ?? path
      let name = String(file.prefix { $0 != "." })
      var failure = error
      failure.suggestion =
        (try? library.personaDocument(named: name)) != nil
        ? "a persona is named without a folder and ending: write `\(name)`"
        : "check the path, or name a persona; `rasa personas list` shows which there are"
      throw failure
    }
  }

  /// Whether the folder that the user is in is the one with the user's own files.
  package var isProjectOwn: Bool {
    guard let own = FileSystem.status(of: folders.configuration)?.stamp.identity else {
      return false
    }
    return FileSystem.status(of: project)?.stamp.identity == own
  }

  /// The persona or agent of that name made ready to run, with the files that it was read from.
  package func graph(_ name: String) throws(Failure) -> Graph {
    try graph { library, recorder throws(Failure) in
      if Self.isPath(name) {
        // What is kept is what ran: the file is read once.
        let file = try namedFile(name)
        var persona = try persona(file, in: library, from: recorder.recording)
        if let warning = sharedBudget(of: persona, file, in: self.library) {
          persona.warnings.append(warning)
        }
        recorder.note(
          .persona, persona.name, file, isProject: persona.tools.isEmpty ? nil : false)
        return persona
      }
      if let found = try library.runnable(named: name) { return found }
      return try library.persona(named: name)
    }
  }

  /// The agent of that id or name, or of that file, made ready to run.
  package func graph(agent word: String) throws(Failure) -> Graph {
    try graph { library, recorder throws(Failure) in
      var agent: PersonaDefinition?
      if Self.isAgentPath(word) {
        agent = try self.agent(at: word, library, recorder)
      } else if let known = try library.agentPersona(named: word) {
        agent = known
      } else if let id = library.agentID(for: word) {
        agent = try library.agentPersona(named: id)
      }
      guard var agent else { throw library.unknownAgent(word) }
      // What is looked up here is no part of the run.
      if self.library.hasPersona(named: agent.name) {
        agent.warnings.append(Library.shares(budgetOf: agent.name, at: agent.location))
      }
      return agent
    }
  }

  /// An agent that need not be in any of the places. Under the id of one that is there it spends what
  /// that one may spend.
  private func agent(
    at path: String, _ library: Library, _ recorder: FileRecorder
  ) throws(Failure) -> PersonaDefinition {
    var documents = try agents.documents(at: path)
    guard let id = AgentLoader.load(documents, engines: library.engines).definition?.agent.id else {
      return try library.agentPersona(documents)
    }
    documents.fileName = id
    if let config = documents.config { recorder.note(.agent, id, config) }
    if let prompt = documents.prompt { recorder.note(.agentPrompt, id, prompt) }
    var persona = try library.agentPersona(documents)
    guard let known = agents.found.registry[id]?.agent,
      let other = known.files.config ?? known.files.prompt,
      FileSystem.realPath(other) != FileSystem.realPath(path)
    else { return persona }
    persona.budget.narrow(by: known.budget)
    persona.warnings.append(
      Warning(
        "the agent `\(id)` is also in \(other), and both share one budget and one memory",
        at: persona.location))
    return persona
  }

  /// Whether a word names an agent's file, and not an agent.
  package static func isAgentPath(_ word: String) -> Bool {
    word.hasByte("/")
      || [".toml", ".md", ".yaml", ".yml", ".json"].contains(where: word.hasByteSuffix)
  }

  private func graph(
    of find: (Library, FileRecorder) throws(Failure) -> PersonaDefinition
  ) throws(Failure) -> Graph {
    let recorder = FileRecorder()
    let library = recorder.recording(library)
    var graph = try Graph.compile(try find(library, recorder), in: library)
    graph.pinned =
      recorder.files(of: graph.workers) { path in
        path.hasPrefix("shipped:") || path.hasPrefix("\(RegisteredDefinitions.origin):")
          ? path : FileSystem.absolute(path)
      }.value
    if let list = graph.persona.agents {
      for (sentence, hint) in AgentNarrowing([list]).unknown(among: agentSource.agentIDs()) {
        graph.warnings.append(
          Warning(sentence + (hint.map { "; \($0)" } ?? ""), at: graph.persona.location))
      }
    }
    return graph
  }

  /// The composition root as the run began with it: what `--agents` left then is all that is left.
  package func narrowed(asFor start: RunStart) -> CompositionRoot {
    guard let kept = start.options["agents"]?.array else { return self }
    var composition = self
    composition.askedNarrowing = askedNarrowing.and(
      AgentNarrowing([
        .init(kept.compactMap(\.string), place: "`--agents` of \(start.run)")
      ]))
    return composition
  }

  /// Leaves only these agents, by ids in which `*` stands for any part.
  ///
  /// - Parameter place: where the list stands, for messages.
  package mutating func narrow(to ids: [String], place: String) {
    askedNarrowing = AgentNarrowing([.init(ids, place: place)])
  }

  /// Which agents may be seen and have work: what the command line and the configuration both leave.
  package var narrowing: AgentNarrowing {
    let configured = try? configurationFiles.read(folders, time).definition?.narrowing
    return askedNarrowing.and(configured ?? AgentNarrowing())
  }

  /// The agents that may be seen. What a list names that is no agent is an error on the command line
  /// and told elsewhere: a file may be meant for more than one machine.
  package func agentRegistry(onWarning: (Warning) -> Void) throws(Failure) -> AgentRegistry {
    try narrowed(agents.found.registry, onWarning: onWarning)
  }

  /// Those agents of a registry that may be seen.
  func narrowed(
    _ registry: AgentRegistry, onWarning: (Warning) -> Void
  ) throws(Failure) -> AgentRegistry {
    let narrowing = narrowing
    guard !narrowing.isEmpty else { return registry }
    let ids = registry.ids
    if let (sentence, hint) = askedNarrowing.unknown(among: ids).first {
      throw Failure(
        .usage, sentence,
        suggestion: "\(hint.map { "\($0) " } ?? "")`rasa agents list` shows which there are")
    }
    for (sentence, hint) in narrowing.unknown(among: ids) {
      onWarning(Warning(sentence + (hint.map { "; \($0)" } ?? "")))
    }
    return registry.narrowed(to: narrowing)
  }

  static func isPath(_ name: String) -> Bool {
    name.hasByte("/") || name.hasSuffix(".yaml") || name.hasSuffix(".yml")
  }

  /// The files that have changed since they were pinned; those that are not here have not.
  package func changes(since pinned: PinnedFiles) -> [String] {
    pinned.files.filter { file in
      guard !file.path.hasPrefix("shipped:"),
        !file.path.hasPrefix("\(RegisteredDefinitions.origin):"),
        let bytes = (try? FileSystem.readIfPresent(file.path, limit: FolderSource.largest)) ?? nil
      else { return false }
      return bytes != Array(file.text.utf8)
    }.map(\.path)
  }

  package var databasePath: String { "\(folders.data)/rasa.db" }
  package var historyPath: String { "\(folders.state)/history" }

  /// Who is remembered: `--user`, else the account's name.
  package func user(_ named: String?) -> String {
    named ?? environment["RASA_USER"] ?? environment["USER"] ?? environment["LOGNAME"] ?? "local"
  }

  /// The store of this composition root, or one in another file.
  package func store(at path: String? = nil) -> any RunStore {
    openStore(at: path ?? databasePath, time: time, lease: lease) { [self] in
      // Where the configuration cannot be read, nothing is risked.
      (try? configuration())?.flush == .relaxed ? Self.relaxedFlush : nil
    }
  }

  /// What a power failure may lose where the user allows it.
  private static let relaxedFlush = Duration.milliseconds(500)

  private static func lease(_ text: String?) throws(Failure) -> Duration {
    guard let text, !text.isEmpty else { return .seconds(30) }
    guard let seconds = Double(text), (0.1...86_400).contains(seconds) else {
      throw Failure(
        .configuration, "RASA_LEASE is not a number of seconds from 0.1 to 86400",
        suggestion: "unset it, or write it as `RASA_LEASE=30`")
    }
    return .milliseconds(Int64(seconds * 1000))
  }

  /// The keys and passwords that no message shows.
  package var redaction: Redaction {
    // What holds a key is known once the files have been read; else its name has to tell.
    let named = configurationFiles.readSoFar?.providers.compactMap(\.keyVariable) ?? []
    return Redaction(environment.variables, named: Set(named))
  }

  package func newIdentifier(_ prefix: String) -> Identifier {
    .make(prefix: prefix, at: time.now(), random: .random(in: .min ... .max))
  }

  /// The providers that the environment and the files name.
  package func models(
    _ settings: Configuration, onWarning: (Warning) -> Void
  ) throws(Failure) -> ModelConfiguration {
    var models = try ModelConfiguration.discover(environment.variables, configuration: settings)
    if let registered { models.add(registered.providers) }
    for warning in models.warnings { onWarning(warning) }
    return models
  }

  /// The door to models, over the books of the given store. It is shut while the project's files
  /// change what is asked and nobody has agreed to that.
  ///
  /// - Parameter onlyEstimates: nothing is going to be asked.
  package func gate(
    ledger: any Ledger, history: any ModelHistory, client: HTTPClient, options: GateOptions,
    onWarning: @escaping @Sendable (Warning) -> Void,
    onSelection: (@Sendable (SelectionReport) -> Void)? = nil, onlyEstimates: Bool = false
  ) throws(Failure) -> Gate {
    if !onlyEstimates { try requireTrust() }
    let settings = try configuration(onWarning: onWarning)
    var options = options
    options.budget = settings.budget
    options.usualProfile = settings.profile
    return Gate(
      configuration: try models(settings, onWarning: onWarning), catalogue: catalogue,
      ledger: ledger, history: history,
      client: client, time: time, random: { .random(in: .min ... .max) }, options: options,
      memory: gateMemory, onWarning: onWarning, onSelection: onSelection)
  }
}
