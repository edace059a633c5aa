package import RasaCore
import RasaDocuments
import RasaLearning
package import RasaPersona
import RasaSystem

/// The kinds of tasks: those that ship, and the user's own `objectives.yaml`. Read when somebody first asks, which for
/// a run is after its answer.
package final class ObjectiveFiles: Sendable {
  private struct Kept {
    var objectives: [Objective]
    var classifier: ObjectiveClassifier
  }
  private let folders: RasaFolders
  private let kept = Locked<Kept?>(nil)

  static let shippedName = "objectives/objectives.yaml"

  init(_ folders: RasaFolders) { self.folders = folders }

  package var path: String { "\(folders.configuration)/objectives.yaml" }

  /// In the order in which they win a tie: the user's own first.
  package func objectives() throws(Failure) -> [Objective] {
    if let kept = kept.withLock({ $0 }) { return kept.objectives }
    return try read().objectives
  }

  /// The category of a task, and the words that say so. A broken file of the user's is as if it were not there:
  /// `rasa doctor` and `rasa objectives list` say what is wrong with it.
  func classify(_ task: String) -> (category: String, signs: [String]) {
    if let kept = kept.withLock({ $0 }) { return kept.classifier.classify(task) }
    let found = (try? read()) ?? (try? keep(Self.shipped()))
    return found?.classifier.classify(task) ?? (ObjectiveClassifier.unknown, [])
  }

  /// Appends one to the user's file, as JSON, which is YAML, so that no text needs care.
  func add(
    _ name: String, words: [String], description: String, criteria: String
  ) throws(Failure) {
    if try objectives().contains(where: { $0.category == name && $0.isUsers }) {
      throw Failure(
        .usage, "there is a kind of task `\(name)` in \(path)", suggestion: "change it there")
    }
    var object = ValueObject()
    if !description.isEmpty { object["description"] = .string(description) }
    if !criteria.isEmpty { object["criteria"] = .string(criteria) }
    object["words"] = .array(words.map { .string($0) })
    let root = FileRoot(folders.configuration, links: .anywhere)
    let known = try root.readIfPresent("objectives.yaml", limit: 1 << 20) ?? []
    var text = String(decoding: known, as: UTF8.self)
    if !text.isEmpty, !text.hasSuffix("\n") { text += "\n" }
    text += "\(name): \(Value.object(object).json(.compact))\n"
    let reading = readObjectives(SourceDocument(bytes: Array(text.utf8), path: path))
    _ = try reading.get()
    try FileSystem.makeFolder(folders.configuration)
    try FileSystem.write(text, to: path)
    kept.withLock { $0 = nil }
  }

  private func read() throws(Failure) -> Kept {
    var objectives: [Objective] = []
    let root = FileRoot(folders.configuration, links: .anywhere)
    if let bytes = try root.readIfPresent("objectives.yaml", limit: 1 << 20) {
      objectives = try readObjectives(SourceDocument(bytes: bytes, path: path)).get()
      for index in objectives.indices { objectives[index].isUsers = true }
    }
    let own = Set(objectives.map(\.category))
    return keep(objectives + (try Self.shipped()).filter { !own.contains($0.category) })
  }

  private static func shipped() throws(Failure) -> [Objective] {
    try readObjectives(
      SourceDocument(
        bytes: EmbeddedFiles.bytes(of: shippedName) ?? [], path: "shipped:\(shippedName)")
    ).get()
  }

  private func keep(_ objectives: [Objective]) -> Kept {
    let new = Kept(
      objectives: objectives,
      classifier: ObjectiveClassifier(objectives.map { ($0.category, $0.words) }))
    kept.withLock { $0 = new }
    return new
  }
}
