import RasaCore
import RasaDocuments

/// Reads the kinds of tasks from a document of the form of `objectives.yaml`.
package func readObjectives(_ document: SourceDocument) -> Reading<[Objective]> {
  if document.bytes.allSatisfy({ $0 <= 0x20 }) {
    return Reading(read: [], failures: [], warnings: [])
  }
  do {
    let read = try YAML.read(document.bytes, file: document.path)
    var reader = DocumentReader(text: SourceText(document))
    var objectives: [Objective] = []
    guard case .mapping(let entries) = read.node.content else {
      reader.fail(
        read.node, "the file has no kinds of tasks",
        suggestion: "write them as `NAME: {description: …, words: […]}`")
      return Reading(read: [], failures: reader.failures, warnings: reader.warnings)
    }
    for entry in entries {
      guard
        let fields = reader.fields(
          entry.value, of: "`\(entry.key)`", known: ["description", "criteria", "words", "agents"])
      else { continue }
      if !DocumentReader.isName(entry.key) {
        reader.fail(
          Failure(
            .configuration, "`\(DocumentReader.printable(entry.key))` is no name of a category",
            suggestion: "use lower-case letters, digits, `-` and `_`", at: entry.keyLocation))
        continue
      }
      var objective = Objective(category: entry.key)
      objective.description = reader.text(fields["description"], "description") ?? ""
      objective.criteria = reader.text(fields["criteria"], "criteria") ?? ""
      objective.words = reader.texts(fields["words"], "words")
      objective.agents = reader.texts(fields["agents"], "agents")
      objectives.append(objective)
    }
    return Reading(
      read: objectives, failures: read.problems.map(\.failure) + reader.failures,
      warnings: reader.warnings)
  } catch {
    return Reading(failure: error)
  }
}
