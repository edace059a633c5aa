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

  /// - Parameter promptLifetime: how long a compiled prompt is kept although its file seems the same.
  package init(
    environment: Environment, project: String = ".", promptLifetime: Duration? = nil
  ) throws(Failure) {
    self.environment = environment
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
    func sources(_ kind: String) -> [any DefinitionSource] {
      [
        FolderSource(folder: FileSystem.path(kind, in: project)),
        FolderSource(folder: "\(folders.configuration)/\(kind)"),
        EmbeddedSource(folder: kind),
      ]
    }
    var library = Library(
      personas: sources("personas"), operators: sources("operators"), agents: agentSource)
    library.engines = configurationFiles.engines(folders, time)
    library.prompts = prompts
    return library
  }

  /// A persona by name or alias, or by path when the name is one.
  package func persona(_ name: String) throws(Failure) -> PersonaDefinition {
    try persona(name, in: library, from: { $0 })
  }

  private func persona(
    _ name: String, in library: Library, from place: (FolderSource) -> any DefinitionSource
  ) throws(Failure) -> PersonaDefinition {
    guard Self.isPath(name) else {
      return try library.persona(named: name)
    }
    let bytes = try FileSystem.read(name, limit: FolderSource.largest)
    return try library.readPersona(
      SourceDocument(bytes: bytes, path: name),
      beside: place(FolderSource(folder: FileSystem.parent(of: name)))
    ).get()
  }

  /// The persona or agent of that name made ready to run, with the files that it was read from.
  package func graph(_ name: String) throws(Failure) -> Graph {
    try graph { library, recorder throws(Failure) in
      if Self.isPath(name) {
        let persona = try persona(name, in: library, from: recorder.recording)
        let bytes = try FileSystem.read(name, limit: FolderSource.largest)
        recorder.note(.persona, persona.name, SourceDocument(bytes: bytes, path: name))
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
    name.contains("/") || name.hasSuffix(".yaml") || name.hasSuffix(".yml")
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

  /// How long a run belongs to a process that gives no sign of life: `RASA_LEASE`, in seconds.
  private var lease: Duration {
    guard let text = environment["RASA_LEASE"], let seconds = Double(text),
      (0.1...86_400).contains(seconds)
    else { return .seconds(30) }
    return .milliseconds(Int64(seconds * 1000))
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

  /// The door to models, over the books of the given store.
  package func gate(
    ledger: any Ledger, history: any ModelHistory, client: HTTPClient, options: GateOptions,
    onWarning: @escaping @Sendable (Warning) -> Void,
    onSelection: (@Sendable (SelectionReport) -> Void)? = nil
  ) throws(Failure) -> Gate {
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
