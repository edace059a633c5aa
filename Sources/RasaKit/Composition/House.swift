package import RasaAgents
package import RasaCore
import RasaDocuments
package import RasaEngine
package import RasaHTTPClient
package import RasaModels
package import RasaPersona
import RasaRanking
package import RasaStore
package import RasaSystem

/// Everything that running personas needs, put together from the environment. Nothing is opened or started
/// before it is used.
package struct House: Sendable {
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
  /// Who is asked for an agent's files: those above, unless a program has agents of its own.
  package var agentSource: any AgentSource
  /// The folder whose own files go before the user's.
  package let project: String
  package let trust: ProjectTrust
  /// How long a run belongs to a process that gives no sign of life: `RASA_LEASE`, in seconds.
  private let lease: Duration

  /// - Parameter promptLifetime: how long a compiled prompt is kept although its file seems the same.
  package init(
    environment: Environment, project: String = ".", promptLifetime: Duration? = nil,
    trustsProject: Bool = false
  ) throws(Failure) {
    self.environment = environment
    trust = ProjectTrust(isGiven: trustsProject)
    lease = try Self.lease(environment["RASA_LEASE"])
    self.project = project
    configurationFiles = ConfigurationFiles(project: project)
    time = .system
    prompts = PromptCache(lifetime: promptLifetime, now: time.monotonic)
    output = .standard
    errors = .error
    folders = try RasaFolders(environment)
    catalogue = .ofUser(folders)
    var places = AgentPlaces(folders, environment)
    places.project = project
    let noter = AgentNoter()
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
      return isOwn
        ? [own, shipped]
        : [FolderSource(FileRoot(kind, beneath: project), isProject: true), own, shipped]
    }
    var library = Library(
      personas: sources("personas"), operators: sources("operators"), agents: agentSource)
    library.engines = configurationFiles.engines(folders, time)
    library.prompts = prompts
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

  /// A file that the user has named may be a link; what it names stays beneath the folder it is in.
  private func persona(
    _ file: SourceDocument, in library: Library,
    from place: (FolderSource) -> any DefinitionSource
  ) throws(Failure) -> PersonaDefinition {
    let folder = FileRoot(FileSystem.parent(of: file.path))
    do throws(Failure) {
      return try library.narrowed(
        try library.readPersona(file, beside: place(FolderSource(folder))).get())
    } catch {
      // What stands in a file of another folder is not shown.
      let name = file.path.split(separator: "/").last.map(String.init) ?? file.path
      guard folder.standing(of: name) == .outside else { throw error }
      var failure = error
      failure.excerpt = nil
      throw failure
    }
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
      failure.mend =
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
        let persona = try persona(file, in: library, from: recorder.recording)
        recorder.note(.persona, persona.name, file)
        return persona
      }
      if let found = try library.runnable(named: name) { return found }
      return try library.persona(named: name)
    }
  }

  /// The agent of that id made ready to run.
  package func graph(agent id: String) throws(Failure) -> Graph {
    try graph { library, _ throws(Failure) in
      guard let agent = try library.agentPersona(named: id) else { throw library.unknownAgent(id) }
      return agent
    }
  }

  private func graph(
    of find: (Library, FileRecorder) throws(Failure) -> PersonaDefinition
  ) throws(Failure) -> Graph {
    let recorder = FileRecorder()
    let library = recorder.recording(library)
    var graph = try Graph.compile(try find(library, recorder), in: library)
    graph.pinned =
      recorder.files(of: graph.workers) { path in
        path.hasPrefix("shipped:") ? path : FileSystem.absolute(path)
      }.value
    return graph
  }

  static func isPath(_ name: String) -> Bool {
    name.hasByte("/") || name.hasSuffix(".yaml") || name.hasSuffix(".yml")
  }

  /// The files that have changed since they were pinned; those that are not here have not.
  package func changes(since pinned: PinnedFiles) -> [String] {
    pinned.files.filter { file in
      guard !file.path.hasPrefix("shipped:"),
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

  package func store() -> SQLiteStore {
    SQLiteStore(path: databasePath, time: time, lease: lease)
  }

  private static func lease(_ text: String?) throws(Failure) -> Duration {
    guard let text, !text.isEmpty else { return .seconds(30) }
    guard let seconds = Double(text), (0.1...86_400).contains(seconds) else {
      throw Failure(
        .configuration, "RASA_LEASE is not a number of seconds from 0.1 to 86400",
        mend: "unset it, or write it as `RASA_LEASE=30`")
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
    let models = try ModelConfiguration.discover(environment.variables, configuration: settings)
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
      onWarning: onWarning, onSelection: onSelection)
  }
}
