import RasaCore
import RasaPersona

/// Collects messages that are reported once per kind of file and folder, instead of once per file.
struct KindNotices {
  private struct Group {
    var agents = 0
    /// The number of files with each unsupported field, in order of first occurrence.
    var unused: [(field: String, count: Int)] = []

    mutating func note(_ field: String) {
      if let index = unused.firstIndex(where: { $0.field == field }) {
        unused[index].count += 1
      } else {
        unused.append((field, 1))
      }
    }
  }

  private struct AgentKey: Hashable {
    var folder: String
    var kind: AgentKind
  }

  private struct OtherKey: Hashable {
    var folder: String
    var other: OtherFile
  }

  private var agents: [AgentKey: Group] = [:]
  private var others: [OtherKey: Int] = [:]
  /// Agents in deprecated folders, with what to do about each.
  private var older: [String: (count: Int, suggestion: String)] = [:]
  private static let mostNames = 6

  mutating func note(_ record: AgentRecord, _ suggestion: String?) {
    if let suggestion, record.entry != nil {
      older[record.file.origin, default: (0, suggestion)].count += 1
    }
    if let other = record.other {
      others[OtherKey(folder: record.file.origin, other: other), default: 0] += 1
    }
    guard let agent = record.entry?.agent, agent.files.kind != .rasa else { return }
    let key = AgentKey(folder: record.file.origin, kind: agent.files.kind)
    agents[key, default: Group()].agents += 1
    for field in agent.unused { agents[key, default: Group()].note(field) }
  }

  var lines: [String] {
    let read = agents.sorted {
      ($0.key.folder, $0.key.kind.rawValue) < ($1.key.folder, $1.key.kind.rawValue)
    }
    .compactMap { line($0.key, $0.value) }
    let left = others.sorted {
      ($0.key.folder, $0.key.other.rawValue) < ($1.key.folder, $1.key.other.rawValue)
    }
    .map { $0.key.other.sentence($0.value, in: $0.key.folder) }
    let places = older.sorted { $0.key < $1.key }.map { folder, group in
      "\(group.count) \(group.count == 1 ? "agent" : "agents") in \(folder), which rasa reads until "
        + "2.0: \(group.suggestion)"
    }
    return read + left + places
  }

  private func line(_ key: AgentKey, _ group: Group) -> String? {
    let isOne = group.agents == 1
    if key.kind == .prompt {
      return
        "\(group.agents) Markdown \(isOne ? "file" : "files") without front matter in \(key.folder) "
        + "\(isOne ? "is read as a prompt, called as its file is" : "are read as prompts, called as their files are"); "
        + "`rasa import` gives \(isOne ? "it" : "them") a front matter"
    }
    guard !group.unused.isEmpty else { return nil }
    let names = group.unused.sorted { ($1.count, $0.field) < ($0.count, $1.field) }
    var words = names.prefix(Self.mostNames).map { "`\($0.field)` (\($0.count))" }
    if names.count > Self.mostNames { words.append("\(names.count - Self.mostNames) more") }
    return "\(key.kind.counted(group.agents)) in \(key.folder): rasa does not use "
      + words.joined(separator: ", ")
  }
}
