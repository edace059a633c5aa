import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

extension RunsCommands {
  func show(_ word: String, asMermaid: Bool, isVerbose: Bool) async throws {
    let timeline = try await rasa.timeline(ofRun: word)
    if asMermaid {
      try print(text: timeline.diagram)
    } else if print.isJSON {
      try print(document(timeline))
    } else {
      let text = TimelineText(
        timeline: timeline, style: style, width: print.width, isVerbose: isVerbose, time: .system,
        others: print.others)
      try print.output.write(text.lines.joined(separator: "\n") + "\n")
    }
    if let damage = timeline.damage { throw damage }
  }

  private func document(_ timeline: Rasa.Timeline) -> Value {
    // What the store says stands first, and counts: a damaged journal may not even name its run.
    var document = timeline.run.document
    for (key, value) in Value(timeline.json).object ?? ValueObject() where document[key] == nil {
      document[key] = value
    }
    document["changed_at_ms"] = .int(timeline.run.changedAt)
    document["next"] = .array(timeline.next.map { .string($0) })
    document["damage"] = timeline.damage.map { Value($0.json) } ?? .null
    document["without_rules"] = timeline.rulesProblem.map { .string($0.message) } ?? .null
    return .object(document)
  }
}

extension Rasa.RunSummary {
  /// The run as lists give it to programs.
  var document: ValueObject {
    [
      "run": .string(id), "persona": .string(persona), "status": .string("\(status)"),
      "is_alive": .bool(isAlive), "session": session.map { .string($0) } ?? .null,
      "fork_of": forkOf.map { .string($0) } ?? .null,
      "user": .string(user), "started_at_ms": .int(startedAt),
      "changed_at_ms": .int(changedAt), "cost_usd": .string(cost.decimalText),
      "waiting": .int(Int64(openQuestions)), "lines": .int(Int64(journalLines)),
      "input": .string(input),
    ]
  }
}
