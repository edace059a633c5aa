package import RasaCore
package import RasaHTTPClient
package import RasaPersona
import RasaSystem

/// What the configuration files say, once they have been read.
package final class ConfigurationFiles: Sendable {
  private let project: String
  private let kept = Locked<(reading: Reading<Configuration>?, warnings: [Warning])>((nil, []))

  init(project: String) { self.project = project }

  func read(_ folders: RasaFolders, _ time: TimeSource) throws(Failure) -> Reading<Configuration> {
    if let reading = kept.withLock({ $0.reading }) { return reading }
    let loader = ConfigurationLoader(isKnownZone: { time.dayInZone(time.now(), $0) != nil })
    let reading = loader.load(
      user: try Self.document(
        "config.yaml", in: FileRoot(folders.configuration, links: .anywhere)),
      project: try projectDocument(folders))
    kept.withLock { $0 = (reading, reading.warnings) }
    return reading
  }

  /// What they say, where somebody has read them.
  var readSoFar: Configuration? { kept.withLock { $0.reading?.definition } }

  func takeWarnings() -> [Warning] {
    kept.withLock { kept in
      defer { kept.warnings = [] }
      return kept.warnings
    }
  }
}

extension ConfigurationFiles {
  static func path(_ folders: RasaFolders) -> String { "\(folders.configuration)/config.yaml" }

  /// The engines that agents may name.
  func engines(_ folders: RasaFolders, _ time: TimeSource) -> Set<String> {
    let configured = try? read(folders, time).definition?.providers.map(\.name)
    return AgentLoader.builtInEngines.union(configured ?? [])
  }

  /// Nil where the project's folder is the user's own.
  private func projectDocument(_ folders: RasaFolders) throws(Failure) -> SourceDocument? {
    let path = FileSystem.path(CompositionRoot.projectConfigurationPath, in: project)
    guard let found = FileSystem.status(of: path),
      found.stamp.identity != FileSystem.status(of: Self.path(folders))?.stamp.identity
    else { return nil }
    return try Self.document(CompositionRoot.projectConfigurationPath, in: FileRoot(project))
  }

  private static func document(
    _ path: String, in root: FileRoot
  ) throws(Failure) -> SourceDocument? {
    try root.readIfPresent(path, limit: FolderSource.largest).map {
      SourceDocument(bytes: $0, path: FileSystem.path(path, in: root.folder))
    }
  }
}

/// Where `config.yaml` is looked for: the user's folder, and the project's.
extension CompositionRoot {
  package var configurationPath: String { ConfigurationFiles.path(folders) }
  package static let projectConfigurationPath = ".rasa/config.yaml"

  /// What both files say, read once. A file that is not there costs one attempt to open it. What is
  /// odd in them is reported once, to the first caller that passes `onWarning`.
  package func configuration(
    onWarning: ((Warning) -> Void)? = nil
  ) throws(Failure) -> Configuration {
    let configuration = try configurationFiles.read(folders, time).get()
    if let onWarning {
      for warning in configurationFiles.takeWarnings() { onWarning(warning) }
    }
    return configuration
  }

  /// Requests over the network as the configuration says.
  package func client() throws(Failure) -> HTTPClient {
    HTTPClient(
      configuration: HTTPClientConfiguration(
        network: try network(), http2: try configuration().network.http2))
  }

  /// Proxies and CAs, by the user's file and then by the environment.
  package func network() throws(Failure) -> NetworkSettings {
    let definition = try configuration().network
    func choice(_ setting: NetworkDefinition.Setting?, _ key: String) -> NetworkSettings.Choice? {
      setting.map { NetworkSettings.Choice($0.value, from: "`\(key)` in \($0.location)") }
    }
    /// `~` is the user's folder, and other paths begin where the file is that names them.
    func path(_ setting: NetworkDefinition.Setting?) -> NetworkDefinition.Setting? {
      guard var setting else { return nil }
      if setting.value.hasBytePrefix("~/"), let home = environment["HOME"] {
        setting.value = home + setting.value.dropFirst()
      } else if !setting.value.hasBytePrefix("/") {
        setting.value = FileSystem.path(setting.value, in: folders.configuration)
      }
      return setting
    }
    var own = NetworkSettings()
    own.proxy = choice(definition.proxy, "proxy")
    own.noProxy = choice(definition.noProxy, "no_proxy")
    own.proxiesLoopback = definition.proxiesLoopback
    own.caFile = choice(path(definition.caFile), "ca_file")
    own.caFolder = choice(path(definition.caFolder), "ca_dir")
    return NetworkSettings(environment: environment.variables, under: own)
  }
}
