import RasaCore
import RasaEngine
import RasaKit
import RasaStore
import RasaSystem

/// `rasa sessions …` and `rasa memory …`: what was said and what is kept of it.
struct MemoryCommands {
  let house: House
  let store: any RunStore
  let print: Printer

  func listSessions(of user: String?, limit: Int) async throws {
    let sessions = try await store.sessions(of: user, limit: limit)
    try print(
      Listing(
        columns: ["SESSION", "PERSONA", "TURNS", "LAST USED", "USER"],
        rows: sessions.map { session in
          [
            session.id.name, session.persona, String(session.turns),
            momentText(session.usedAt, house.time), session.id.user,
          ]
        },
        values: sessions.map { session in
          [
            "session": .string(session.id.name), "persona": .string(session.persona),
            "user": .string(session.id.user), "turns": .int(Int64(session.turns)),
            "started_at_ms": .int(session.startedAt.milliseconds),
            "used_at_ms": .int(session.usedAt.milliseconds),
          ]
        }, whenEmpty: "no sessions yet; `rasa run --session NAME …` starts one"))
  }

  func showSession(_ id: SessionID) async throws {
    guard try await store.session(id) != nil else { throw try await unknownSession(id) }
    let turns = try await store.turns(of: id, limit: 1000)
    if print.isJSON {
      return try print(
        .array(
          turns.map { turn in
            [
              "run": .string(turn.run.text), "at_ms": .int(turn.time.milliseconds),
              "input": .string(turn.input), "output": .string(turn.output),
            ]
          }))
    }
    for turn in turns {
      try print(
        text: "you, \(momentText(turn.time, house.time)):\n\(turn.input.indented(by: 2))\n\n"
          + "answer (\(turn.run)):\n\(turn.output.indented(by: 2))\n\n")
    }
  }

  func deleteSession(_ id: SessionID) async throws {
    guard try await store.deleteSession(id) else { throw try await unknownSession(id) }
    if print.isJSON {
      return try print(
        ["session": .string(id.name), "user": .string(id.user), "deleted": true] as Value)
    }
    try print(text: "deleted the session \(id.name), its turns and notes\n")
  }

  private func unknownSession(_ id: SessionID) async throws -> Failure {
    if let other = try await store.users(ofSessionsNamed: id.name).first {
      return Failure(
        .usage, "\(id.user) has no session `\(id.name)`, but \(other) has one",
        mend: "add `--user \(other)`")
    }
    let known = try await store.sessions(of: id.user, limit: 200).map(\.id.name)
    let hint = nearestName(to: id.name, among: known).map { "did you mean `\($0)`? " } ?? ""
    return Failure(
      .usage, "there is no session `\(id.name)`", mend: hint + "`rasa sessions list` shows them")
  }

  // MARK: Memories

  func listMemories(of owner: MemoryOwner, limit: Int) async throws {
    try show(try await store.memories(of: owner, limit: limit))
  }

  func searchMemories(of owner: MemoryOwner, query: String, limit: Int) async throws {
    try show(try await store.searchMemories(of: owner, query: query, limit: limit))
  }

  private func show(_ facts: [MemoryFact]) throws {
    try print(
      Listing(
        columns: ["ID", "PERSONA", "FROM", "KEPT", "MEMORY"],
        rows: facts.map { fact in
          [
            String(fact.id), fact.persona, fact.trust, momentText(fact.time, house.time), fact.text,
          ]
        },
        values: facts.map { fact in
          [
            "id": .int(fact.id), "persona": .string(fact.persona), "user": .string(fact.user),
            "text": .string(fact.text), "source_run": .string(fact.sourceRun.text),
            "trust": .string(fact.trust), "at_ms": .int(fact.time.milliseconds),
          ]
        }, whenEmpty: "no memories"))
  }

  func add(_ text: String, persona: String, user: String) async throws {
    _ = try house.persona(persona)
    try await store.remember([
      MemoryFact(
        persona: persona, user: user, text: text, sourceRun: Identifier("by-hand"),
        time: house.time.now(), trust: "person")
    ])
    if print.isJSON {
      return try print(
        ["persona": .string(persona), "user": .string(user), "text": .string(text)] as Value)
    }
    try print(text: "remembered\n")
  }

  /// The numbers of memories as they are written: apart, or with commas between them.
  static func numbers(in words: [String]) throws(Failure) -> [Int64] {
    var numbers: [Int64] = []
    for word in words.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
      guard let number = Int64(word), number > 0 else {
        throw Failure(
          .usage, "\(quoted(String(word))) is not the ID of a memory",
          mend: "`rasa memory list` shows them with their ids, as in `rasa memory forget 12 15`")
      }
      if !numbers.contains(number) { numbers.append(number) }
    }
    return numbers
  }

  func forget(_ ids: [Int64]) async throws {
    var forgotten = 0
    for id in ids {
      guard try await store.forget(id) else {
        throw Failure(
          .usage, "there is no memory \(id)", mend: "`rasa memory list` shows them with their ids",
          details: forgotten == 0 ? [] : ["the \(forgotten) before it were deleted"])
      }
      forgotten += 1
    }
    try tellForgotten(forgotten)
  }

  func forgetAll(of owner: MemoryOwner) async throws {
    try tellForgotten(try await store.forgetAll(of: owner))
  }

  private func tellForgotten(_ count: Int) throws {
    if print.isJSON { return try print(["forgotten": .int(Int64(count))] as Value) }
    try print(text: "forgot \(count)\n")
  }
}
