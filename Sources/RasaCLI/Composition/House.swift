package import RasaCore
import RasaDocuments
import RasaEngine
import RasaHTTPClient
import RasaModels
import RasaPersona
package import RasaSystem
import RasaStore

/// Everything a command can need, put together from the environment. Nothing is opened or started
/// before it is used.
package struct House: Sendable {
  package let environment: Environment
  let time: TimeSource
  let output: Output
  let errors: Output
  let folders: RasaFolders
  let catalogue: Catalogue
  let configurationFiles = ConfigurationFiles()

  package init(environment: Environment) throws(Failure) {
    self.environment = environment
    time = .system
    output = .standard
    errors = .error
    folders = try RasaFolders(environment)
    catalogue = .ofUser(folders)
  }

  /// Personas and operators: the project's own folder, the user's, what ships.
  var library: Library {
    func sources(_ kind: String) -> [any DefinitionSource] {
      [
        FolderSource(folder: kind), FolderSource(folder: "\(folders.configuration)/\(kind)"),
        EmbeddedSource(folder: kind),
      ]
    }
    return Library(personas: sources("personas"), operators: sources("operators"))
  }

  /// A persona by name or alias, or by path when the name is one.
  func persona(_ name: String) throws(Failure) -> PersonaDefinition {
    try persona(name, in: library, from: { $0 })
  }

  private func persona(
    _ name: String, in library: Library, from place: (FolderSource) -> any DefinitionSource
  ) throws(Failure) -> PersonaDefinition {
    guard name.contains("/") || name.hasSuffix(".yaml") || name.hasSuffix(".yml") else {
      return try library.persona(named: name)
    }
    let bytes = try FileSystem.read(name, limit: FolderSource.largest)
    return try library.readPersona(
      SourceDocument(bytes: bytes, path: name),
      beside: place(FolderSource(folder: FileSystem.parent(of: name)))
    ).get()
  }

  /// The persona made ready to run, with the files that it was read from.
  func graph(_ name: String) throws(Failure) -> Graph {
    let recorder = FileRecorder()
    let library = recorder.recording(library)
    let persona = try persona(name, in: library, from: recorder.recording)
    if name.contains("/") || name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
      let bytes = try FileSystem.read(name, limit: FolderSource.largest)
      recorder.note(.persona, persona.name, SourceDocument(bytes: bytes, path: name))
    }
    var graph = try Graph.compile(persona) { name throws(Failure) in
      try library.operatorDefinition(named: name)
    }
    graph.pinned =
      recorder.files(of: persona.name) { path in
        path.hasPrefix("shipped:") ? path : FileSystem.absolute(path)
      }.value
    return graph
  }

  /// The files that have changed since they were pinned; those that are not here have not.
  func changes(since pinned: PinnedFiles) -> [String] {
    pinned.files.filter { file in
      let shipped = "shipped:"
      let bytes =
        file.path.hasPrefix(shipped)
        ? EmbeddedFiles.bytes(of: String(file.path.dropFirst(shipped.count)))
        : (try? FileSystem.readIfPresent(file.path, limit: FolderSource.largest)) ?? nil
      guard let bytes else { return false }
      return bytes != Array(file.text.utf8)
    }.map(\.path)
  }

  var databasePath: String { "\(folders.data)/rasa.db" }
  var historyPath: String { "\(folders.state)/history" }

  /// Who is remembered: `--user`, else the account's name.
  func user(_ named: String?) -> String {
    named ?? environment["RASA_USER"] ?? environment["USER"] ?? environment["LOGNAME"] ?? "local"
  }

  func store() -> SQLiteStore {
    SQLiteStore(path: databasePath, time: time, lease: lease)
  }

  /// How long a run belongs to a process that gives no sign of life: `RASA_LEASE`, in seconds.
  private var lease: Duration {
    guard let text = environment["RASA_LEASE"], let seconds = Double(text),
      (0.1...86_400).contains(seconds)
    else { return .seconds(30) }
    return .milliseconds(Int64(seconds * 1000))
  }

  func newIdentifier(_ prefix: String) -> Identifier {
    .make(prefix: prefix, at: time.now(), random: .random(in: .min ... .max))
  }

  /// The providers that the environment and the files name.
  func models(
    _ settings: Configuration, onWarning: (Warning) -> Void
  ) throws(Failure) -> ModelConfiguration {
    let models = try ModelConfiguration.discover(environment.variables, configuration: settings)
    for warning in models.warnings { onWarning(warning) }
    return models
  }

  /// The door to models, over the books of the given store.
  func gate(
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
