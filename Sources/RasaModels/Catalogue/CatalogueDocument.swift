import RasaCore
import RasaDocuments

/// One file of prices and properties, as it stands.
package struct CatalogueDocument: Sendable {
  /// Its path, for messages.
  package var file: String
  package var bytes: [UInt8]
  /// Ours, and checked by tests: its models come last, and what follows the entry that is looked for is not
  /// read.
  package var isShipped: Bool

  package static let largest = 8 << 20

  package init(file: String, bytes: [UInt8], isShipped: Bool = false) {
    self.file = file
    self.bytes = bytes
    self.isShipped = isShipped
  }

  private static let members = [
    "name", "date", "source", "note", "defaults", "classes", "families", "names", "aliases",
    "models",
  ]
}

/// What one look through a document has found.
struct CatalogueSighting: Sendable {
  var aliases: [String: String] = [:]
  /// In the order of the document.
  var models: [(id: String, entry: Value)] = []
  var defaults: [String: String] = [:]
  /// By provider and class, as `openai/fast`: models from the best on, with commas between.
  var classes: [String: String] = [:]
  var families: [String: String] = [:]
  /// What people call a model, and what its provider does.
  var names: [String: String] = [:]
  var origin: CatalogueOrigin
}

extension CatalogueDocument {
  /// Which members of `models` and `aliases` are wanted.
  enum Wanted {
    case everything
    case preferences
    case names([String])

    func contains(_ key: String) -> Bool {
      switch self {
      case .everything: true
      case .preferences: false
      case .names(let names): names.contains(key)
      }
    }
  }

  /// Goes through the document once. A user's file is read to its end, and what stands in it twice
  /// is refused: which of two prices is meant cannot be known.
  func look(for wanted: Wanted) throws(Failure) -> CatalogueSighting {
    var reader = try JSONReader(
      bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...], named: file,
      limits: JSONLimits(bytes: Self.largest))
    var sighting = CatalogueSighting(
      origin: CatalogueOrigin(file: file, edition: "", source: ""))
    var name: String?
    var date: String?
    var source: String?
    guard try reader.kind() == .object, try reader.enterObject() else { throw noCatalogue }
    var hasContent = false
    while let key = try reader.nextKey() {
      switch key {
      case "name": name = try reader.string()
      case "date": date = try reader.string()
      case "source": source = try reader.string()
      case "defaults": sighting.defaults = try texts(key, &reader)
      case "classes": sighting.classes = try texts(key, &reader)
      case "families": sighting.families = try texts(key, &reader)
      case "aliases":
        hasContent = true
        let aliases = try texts(key, &reader)
        sighting.aliases.merge(
          aliases.filter { wanted.contains($0.key) }.mapValues { $0.lowercased() }
        ) { $1 }
        // Those that ship are names that the provider itself knows; a user's own are not.
        if !isShipped { sighting.names.merge(aliases) { first, _ in first } }
      case "names":
        let names = try texts(key, &reader)
        sighting.names.merge(names) { first, _ in first }
        sighting.aliases.merge(
          names.filter { wanted.contains($0.key) }.mapValues { $0.lowercased() }
        ) { first, _ in first }
      case "models":
        hasContent = true
        if isShipped, case .preferences = wanted {
          sighting.origin = origin(name, date, source)
          return sighting
        }
        sighting.models = try models(wanted, &reader)
        if isShipped, case .names(let names) = wanted, sighting.models.first?.id == names.first {
          sighting.origin = origin(name, date, source)
          return sighting
        }
      case let other where Self.members.contains(other): break
      default: throw noCatalogue
      }
    }
    guard hasContent else { throw noCatalogue }
    try reader.finish()
    sighting.origin = origin(name, date, source)
    return sighting
  }

  private func texts(
    _ member: String, _ reader: inout JSONReader, _ wanted: Wanted = .everything
  ) throws(Failure) -> [String: String] {
    guard try reader.enterObject() else { throw unreadable("'\(member)' must be an object") }
    var texts: [String: String] = [:]
    while let key = try reader.nextKey() {
      let key = key.lowercased()
      guard wanted.contains(key) else { continue }
      guard let text = try reader.string() else {
        throw unreadable("'\(key)' in '\(member)' must be text")
      }
      texts[key] = text
    }
    return texts
  }

  private func models(
    _ wanted: Wanted, _ reader: inout JSONReader
  ) throws(Failure) -> [(id: String, entry: Value)] {
    guard try reader.enterObject() else { throw unreadable("'models' must be an object") }
    var models: [(id: String, entry: Value)] = []
    var seen: Set<String> = []
    let stopsAt: String? =
      if isShipped, case .names(let names) = wanted { names.first } else { nil }
    while let key = try reader.nextKey() {
      let key = key.lowercased()
      if !isShipped, !seen.insert(key).inserted {
        throw unreadable("'\(key)' stands there twice")
      }
      guard wanted.contains(key) else { continue }
      models.append((key, try reader.value()))
      // The caller returns at once: a loop that was left cannot be resumed.
      if key == stopsAt { return [models[models.count - 1]] }
    }
    return models
  }

  private func origin(_ name: String?, _ date: String?, _ source: String?) -> CatalogueOrigin {
    let stem = file.split(separator: "/").last.map(String.init) ?? file
    let name = name?.nonEmpty ?? (stem.hasSuffix(".json") ? String(stem.dropLast(5)) : stem)
    // Without a date the content itself tells one edition from the next.
    let edition = date ?? "#\(Digest.sha256(bytes).prefix(8))"
    return CatalogueOrigin(
      file: file, edition: "\(name) \(edition)",
      source: (source ?? name) + (date.map { ", \($0)" } ?? ""))
  }

  private var noCatalogue: Failure {
    unreadable(
      "it does not have the form of a catalogue: {\"models\": {\"NAME\": {\"prices\": […]}}}",
      suggestion: "import prices from other formats with `rasa models import FILE`")
  }

  private func unreadable(_ problem: String, suggestion: String? = nil) -> Failure {
    Failure(
      .configuration, "the model catalogue cannot be read: \(problem)",
      suggestion: suggestion ?? "correct the file, or remove it",
      at: SourceLocation(file: file, line: 0, column: 0))
  }
}
