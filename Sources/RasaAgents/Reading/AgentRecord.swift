import RasaCore
import RasaPersona
import RasaSystem

/// A record that is done: passed on by ten thousands, it is shared and not copied.
final class KeptRecord: Sendable {
  let record: AgentRecord
  init(_ record: AgentRecord) { self.record = record }

  var path: String { record.file.path }

  /// The same, where roots before its own have come or gone.
  func moved(to file: AgentFile) -> KeptRecord {
    guard record.file.root != file.root else { return self }
    var copy = record
    copy.file = file
    return KeptRecord(copy)
  }
}

/// What reading one file gave, and what it was read from.
struct AgentRecord: Sendable {
  var file: AgentFile
  /// What a TOML file says of where its prompt is.
  var promptNames: [String] = []
  /// The prompt that was there.
  var prompt: PromptLookup.Found?
  /// Nil when the file is no agent, or a broken one.
  var entry: AgentRegistry.Entry?
  /// What a file is that is no agent and was not to be one.
  var other: OtherFile?
  /// The files that its prompt inserts, as it names them.
  var inserted: [String] = []
  var failures: [Failure] = []
  var warnings: [Warning] = []
  /// Whether the file could be read while it was being written to, so that its stamp says nothing.
  var isFresh = false

  init(_ file: AgentFile) { self.file = file }

  /// Whether it is an agent only because it is Markdown in a folder of agents.
  var isPlainPrompt: Bool { entry?.agent.files.kind == .prompt }

  /// Whether reading the file, as it stands now, would give the same.
  func isValid(for file: AgentFile, _ lookup: PromptLookup) -> Bool {
    guard !isFresh, self.file.stamp == file.stamp, self.file.origin == file.origin,
      self.file.category == file.category
    else { return false }
    return !file.isConfig || lookup.find(promptNames, for: file) == prompt
  }
}
