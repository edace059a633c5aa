import RasaCore
import RasaEngine
import RasaKit
import RasaStore
import RasaSystem
import RasaTerminal

extension RunsCommands {
  func show(_ word: String, asMermaid: Bool, isVerbose: Bool) async throws {
    let account = try await archive.account(of: try await archive.find(word))
    if asMermaid {
      try print(text: account.timeline.mermaid)
    } else if print.isJSON {
      try print(document(account))
    } else {
      let text = TimelineText(
        account: account, style: style, width: print.width, isVerbose: isVerbose,
        time: house.time, others: print.others)
      try print.output.write(text.lines.joined(separator: "\n") + "\n")
    }
    if let damage = account.damage { throw damage }
  }

  private func document(_ account: RunArchive.Account) -> Value {
    // What the store says stands first, and counts: a damaged journal may not even name its run.
    var document = account.found.value.object ?? ValueObject()
    for (key, value) in account.timeline.document where document[key] == nil {
      document[key] = value
    }
    document["changed_at_ms"] = .int(account.found.run.changedAt.milliseconds)
    document["next"] = .array(account.next.map { .string($0) })
    document["damage"] =
      account.damage?.value ?? .null
    return .object(document)
  }
}

extension RunArchive.Account {
  /// The commands that can be given now.
  var next: [String] {
    let id = found.id.text
    guard found.run.record.hasPersona else { return [] }
    switch found.condition {
    case .parked:
      return timeline.openQuestions.flatMap { asked in
        ["rasa approvals show \(asked.approval)", "rasa approvals approve \(asked.approval)"]
      }
    case .answered, .interrupted, .died: return ["rasa resume \(id)"]
    case .failed: return ["rasa resume \(id)", "rasa runs fork \(id)"]
    case .running: return ["rasa runs events \(id) --follow", "rasa runs cancel \(id)"]
    case .done, .cancelled: return []
    }
  }
}
