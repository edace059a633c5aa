import RasaCore
import RasaHTTPServer
import RasaKit

/// Conversations and what is remembered. A token with a user sees that user's alone.
enum MemoryRoutes {
  private static let persona = RouteDescription.Parameter(name: "persona", about: "Of a persona.")
  private static let limit = RouteDescription.Parameter(
    name: "limit", about: "At most so many.", schema: ["type": "integer"])

  static let routes: [Route] = [
    Route(
      "GET", "/v1/sessions", .scope(.read), RouteDescription("The conversations.", query: [limit])
    ) { call in
      let found = try await call.rasa.sessions(
        of: call.client.user, limit: try call.number("limit", default: 50, in: 1...1_000))
      return .json(["sessions": .array(found.map(\.document))])
    },
    Route(
      "GET", "/v1/sessions/{name}", .scope(.read), RouteDescription("The turns of a conversation.")
    ) { call in
      let turns = try await call.rasa.turns(of: call.parameter("name"), user: call.client.user)
      return .json([
        "session": .string(call.parameter("name")), "turns": .array(turns.map(\.document)),
      ])
    },
    Route(
      "DELETE", "/v1/sessions/{name}", .scope(.admin), RouteDescription("Deletes a conversation.")
    ) { call in
      try await call.rasa.deleteSession(call.parameter("name"), user: call.client.user)
      call.context.audit.note(call, "session.delete", call.parameter("name"))
      return .json(["session": .string(call.parameter("name")), "deleted": true])
    },
    Route(
      "GET", "/v1/memories", .scope(.read),
      RouteDescription(
        "What is remembered; with `search`, what fits, and why.",
        query: [.init(name: "search", about: "What to look for."), persona, limit])
    ) { call in
      let (owner, most) = (
        try call.single("persona"), try call.number("limit", default: 50, in: 1...1_000)
      )
      if let text = try call.single("search") {
        let found = try await call.rasa.searchMemories(
          text, persona: owner, user: call.client.user, limit: most)
        return .json([
          "memories": .array(
            found.map { one in
              var document = one.memory.json.value.object ?? ValueObject()
              document["score"] = .double(one.score)
              return .object(document)
            })
        ])
      }
      let found = try await call.rasa.memories(persona: owner, user: call.client.user, limit: most)
      return .json(["memories": .array(found.map(\.json.value))])
    },
    Route(
      "DELETE", "/v1/memories/{id}", .scope(.admin), RouteDescription("Deletes a memory.")
    ) { call in
      guard let id = Int64(call.parameter("id")) else {
        throw ServerProblem.notFound("there is no memory \(quoted(call.parameter("id")))")
      }
      if let user = call.client.user, try await call.rasa.memory(id).user != user {
        throw ServerProblem.notFound("there is no memory \(id)")
      }
      _ = try await call.rasa.forget(memories: [id])
      call.context.audit.note(call, "memory.delete", "\(id)")
      return .json(["memory": .int(id), "deleted": true])
    },
  ]
}
