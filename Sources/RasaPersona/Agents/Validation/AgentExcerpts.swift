import RasaCore
import RasaDocuments

/// The locations of an agent's fields; of a field in both files, the location of the one in use.
struct AgentExcerpts {
  private var places: [String: SourceLocation] = [:]
  private let start: SourceLocation
  private var texts: [SourceText] = []

  init(_ documents: AgentDocuments) {
    let file = documents.config ?? documents.prompt
    start = SourceLocation(file: file?.path ?? documents.fileName, line: 1, column: 1)
    if let config = documents.config {
      texts.append(SourceText(config))
      if let root = try? TOML.parse(config.bytes, file: config.path) {
        note(root["agent"] ?? root)
      }
    }
    if let prompt = documents.prompt {
      texts.append(SourceText(prompt))
      if let node = try? FrontMatter.read(prompt.bytes, file: prompt.path).node { note(node) }
    }
  }

  private mutating func note(_ node: DocumentNode) {
    guard case .mapping(let entries) = node.content else { return }
    for entry in entries { places[entry.key] = entry.keyLocation }
  }

  /// The location of a field; the start of the file if the field is missing.
  subscript(key: String) -> SourceLocation { places[key] ?? start }

  /// A failure with the line that it refers to.
  func failure(_ message: String, suggestion: String, at location: SourceLocation?) -> Failure {
    let place = location ?? start
    if let text = texts.first(where: { $0.file == place.file }) {
      return text.failure(message, suggestion: suggestion, at: place)
    }
    return Failure(.configuration, message, suggestion: suggestion, at: place)
  }
}
