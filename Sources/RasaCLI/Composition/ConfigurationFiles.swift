import RasaCore
import RasaPersona
import RasaSystem
import RasaTerminal

/// Where `config.yaml` is looked for: the user's folder, and the project's.
extension House {
  var configurationPath: String { "\(folders.configuration)/config.yaml" }
  static let projectConfigurationPath = ".rasa/config.yaml"

  /// What both files say. A file that is not there costs one attempt to open it.
  func configuration(
    onWarning: (Warning) -> Void = { _ in }
  ) throws(Failure) -> Configuration {
    let time = time
    let loader = ConfigurationLoader(isKnownZone: { time.dayInZone(time.now(), $0) != nil })
    let reading = loader.load(
      user: try Self.document(configurationPath), project: try projectDocument())
    let configuration = try reading.get()
    for warning in reading.warnings { onWarning(warning) }
    return configuration
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
