import RasaCore
import RasaPersona
import RasaSystem

/// A completed record: shared rather than copied, because there are tens of thousands.
final class SharedAgentRecord: Sendable {
  let record: AgentRecord
  init(_ record: AgentRecord) { self.record = record }

  var path: String { record.file.path }

  /// The same after roots before its own have been added or removed.
  func moved(to file: AgentFile) -> SharedAgentRecord {
    guard record.file.root != file.root else { return self }
    var copy = record
    copy.file = file
    return SharedAgentRecord(copy)
  }
}

/// The result of reading one file, and the files that it came from.
struct AgentRecord: Sendable {
  var file: AgentFile
  /// What a TOML file says about the path of its prompt.
  var promptNames: [String] = []
  /// The prompt that was found.
  var prompt: PromptLookup.Found?
  /// Nil if the file is not an agent, or is broken.
  var entry: AgentRegistry.Entry?
  /// The kind of a file that is not, and was not meant to be, an agent.
  var other: OtherFile?
  /// The files that its prompt inserts, by their names there.
  var inserted: [String] = []
  var failures: [Failure] = []
  var warnings: [Warning] = []
  /// Whether the file could have been written to while it was read, so that its stamp proves
  /// nothing.
  var isFresh = false

  init(_ file: AgentFile) { self.file = file }

  /// Whether it is an agent only because it is Markdown in an agent folder.
  var isPlainPrompt: Bool { entry?.agent.files.kind == .prompt }

  /// Whether reading the current file would give the same result.
  func isValid(for file: AgentFile, _ lookup: PromptLookup) -> Bool {
    guard !isFresh, self.file.stamp == file.stamp, self.file.origin == file.origin,
      self.file.category == file.category
    else { return false }
    return !file.isConfig || lookup.find(promptNames, for: file) == prompt
  }
}
