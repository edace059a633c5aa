import RasaCore
import RasaHTTPClient
import RasaPersona
import RasaSystem
import RasaTerminal

/// What the configuration files say, once they have been read.
final class ConfigurationFiles: Sendable {
  private let kept = Locked<(reading: Reading<Configuration>?, warnings: [Warning])>((nil, []))

  func read(
    _ load: () throws(Failure) -> Reading<Configuration>
  ) throws(Failure) -> Reading<Configuration> {
    if let reading = kept.withLock({ $0.reading }) { return reading }
    let reading = try load()
    kept.withLock { $0 = (reading, reading.warnings) }
    return reading
  }

  func takeWarnings() -> [Warning] {
    kept.withLock { kept in
      defer { kept.warnings = [] }
      return kept.warnings
    }
  }
}

/// Where `config.yaml` is looked for: the user's folder, and the project's.
extension House {
  var configurationPath: String { "\(folders.configuration)/config.yaml" }
  static let projectConfigurationPath = ".rasa/config.yaml"

  /// What both files say, read once. A file that is not there costs one attempt to open it. What is
  /// odd in them is told to the first who asks with ears for it.
  func configuration(
    onWarning: ((Warning) -> Void)? = nil
  ) throws(Failure) -> Configuration {
    let reading = try configurationFiles.read { () throws(Failure) in
      let time = time
      let loader = ConfigurationLoader(isKnownZone: { time.dayInZone(time.now(), $0) != nil })
      return loader.load(
        user: try Self.document(configurationPath), project: try projectDocument())
    }
    let configuration = try reading.get()
    if let onWarning {
      for warning in configurationFiles.takeWarnings() { onWarning(warning) }
    }
    return configuration
  }

  /// Requests over the network as the configuration says.
  func client() throws(Failure) -> HTTPClient {
    let network = try configuration().network
    return HTTPClient(
      configuration: HTTPClientConfiguration(proxy: network.proxy, http2: network.http2))
  }

  /// Nil where the project's folder is the user's own.
  private func projectDocument() throws(Failure) -> SourceDocument? {
    let path = Self.projectConfigurationPath
    let document = try Self.document(path)
    guard document != nil,
      FileSystem.absolute(path) != FileSystem.absolute(configurationPath)
    else { return nil }
    return document
  }

  private static func document(_ path: String) throws(Failure) -> SourceDocument? {
    try FileSystem.readIfPresent(path, limit: FolderSource.largest).map {
      SourceDocument(bytes: $0, path: path)
    }
  }
}

extension House {
  /// Says on standard error what does not stop the work.
  func warn(_ warning: Warning) {
    try? errors.write("rasa: warning: \(printable("\(warning)"))\n")
  }
}
