import RasaCore
import RasaKit

/// `rasa sessions …` and `rasa memory …`: what was said and what is kept of it.
struct MemoryCommands {
  let rasa: Rasa
  let time: TimeSource
  let print: Printer

  private func moment(_ milliseconds: Int64) -> String {
    momentText(Timestamp(milliseconds: milliseconds), time)
  }

  func listSessions(of user: String?, limit: Int) async throws {
    let sessions = limit > 0 ? try await rasa.sessions(of: user, limit: limit) : []
    try print(
      Table(
        columns: ["SESSION", "PERSONA", "TURNS", "LAST USED", "USER"],
        rows: sessions.map { session in
          [
            session.name, session.persona, String(session.turns), moment(session.usedAt),
            session.user,
          ]
        },
        values: sessions.map { session in
          [
            "session": .string(session.name), "persona": .string(session.persona),
            "user": .string(session.user), "turns": .int(Int64(session.turns)),
            "started_at_ms": .int(session.startedAt), "used_at_ms": .int(session.usedAt),
          ]
        }, whenEmpty: "no sessions yet; `rasa run --session NAME …` starts one"))
  }

  func showSession(_ name: String, of user: String?) async throws {
    let turns = try await rasa.turns(of: name, user: user)
    if print.isJSON {
      return try print(
        .array(
          turns.map { turn in
            [
              "run": .string(turn.run), "at_ms": .int(turn.time), "input": .string(turn.input),
              "output": .string(turn.output),
            ]
          }))
    }
    for turn in turns {
      try print(
        text: "you, \(moment(turn.time)):\n\(turn.input.indented(by: 2))\n\n"
          + "answer (\(turn.run)):\n\(turn.output.indented(by: 2))\n\n")
    }
  }

  func deleteSession(_ name: String, of user: String?) async throws {
    try await rasa.deleteSession(name, user: user)
    if print.isJSON {
      return try print(
        [
          "session": .string(name), "user": .string(rasa.user(user)), "deleted": true,
        ] as Value)
    }
    try print(text: "deleted the session \(name), its turns and notes\n")
  }

  // MARK: Memories

  func listMemories(
    _ search: String?, persona: String?, user: String?, limit: Int
  ) async throws {
    let memories =
      limit > 0
      ? try await rasa.memories(search: search, persona: persona, user: user, limit: limit) : []
    try print(
      Table(
        columns: ["ID", "PERSONA", "FROM", "KEPT", "MEMORY"],
        rows: memories.map { memory in
          [
            String(memory.id), memory.persona, memory.source, moment(memory.time), memory.text,
          ]
        },
        values: memories.map { memory in
          [
            "id": .int(memory.id), "persona": .string(memory.persona),
            "user": .string(memory.user), "text": .string(memory.text),
            "source_run": .string(memory.run), "trust": .string(memory.source),
            "at_ms": .int(memory.time),
          ]
        }, whenEmpty: "no memories"))
  }

  func add(_ text: String, persona: String, user: String?) async throws {
    try await rasa.remember(text, persona: persona, user: user)
    if print.isJSON {
      return try print(
        [
          "persona": .string(persona), "user": .string(rasa.user(user)), "text": .string(text),
        ] as Value)
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
          suggestion:
            "`rasa memory list` shows them with their ids, as in `rasa memory forget 12 15`")
      }
      if !numbers.contains(number) { numbers.append(number) }
    }
    return numbers
  }

  func forget(_ ids: [Int64]) async throws {
    var forgotten = 0
    for id in ids {
      guard try await rasa.forget(memory: id) else {
        throw Failure(
          .usage, "there is no memory \(id)",
          suggestion: "`rasa memory list` shows them with their ids",
          details: forgotten == 0 ? [] : ["the \(forgotten) before it were deleted"])
      }
      forgotten += 1
    }
    try printForgotten(forgotten)
  }

  func forgetAll(persona: String?, user: String?) async throws {
    try printForgotten(try await rasa.forgetAll(persona: persona, user: user))
  }

  private func printForgotten(_ count: Int) throws {
    if print.isJSON { return try print(["forgotten": .int(Int64(count))] as Value) }
    try print(text: "forgot \(count)\n")
  }
}
