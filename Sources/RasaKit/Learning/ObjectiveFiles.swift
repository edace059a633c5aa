package import RasaCore
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
