import RasaCore
import RasaKit

/// `rasa sessions …`: the conversations.
struct SessionCommands {
  let rasa: Rasa
  let time: TimeSource
  let print: Printer

  func run(_ command: ParsedCommand) async throws {
    let user = command.text("user")
    switch command.path[1] {
    case "list": try await list(of: user, limit: command.integer("limit") ?? 50)
    case "show": try await show(command.arguments[0], of: user)
    default: try await delete(command.arguments[0], of: user)
    }
  }

  private func moment(_ milliseconds: Int64) -> String {
    momentText(Timestamp(milliseconds: milliseconds), time)
  }

  private func list(of user: String?, limit: Int) async throws {
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
        values: sessions.map(\.document),
        whenEmpty: "no sessions yet; `rasa run --session NAME …` starts one"))
  }

  private func show(_ name: String, of user: String?) async throws {
    let turns = try await rasa.turns(of: name, user: user)
    if print.isJSON {
      return try print(.array(turns.map(\.document)))
    }
    for turn in turns {
      try print(
        text: "you, \(moment(turn.time)):\n\(turn.input.indented(by: 2))\n\n"
          + "answer (\(turn.run)):\n\(turn.output.indented(by: 2))\n\n")
    }
  }

  private func delete(_ name: String, of user: String?) async throws {
    try await rasa.deleteSession(name, user: user)
    if print.isJSON {
      return try print(
        [
          "session": .string(name), "user": .string(rasa.user(user)), "deleted": true,
        ] as Value)
    }
    try print(text: "deleted the session \(name), its turns and notes\n")
  }
}
