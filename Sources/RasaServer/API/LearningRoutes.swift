import RasaCore
import RasaHTTPServer
import RasaKit

/// What runs cost, and how good they were.
enum LearningRoutes {
  private static let days = [
    RouteDescription.Parameter(name: "from", about: "The first day, such as 2026-01-31."),
    RouteDescription.Parameter(name: "to", about: "The last day."),
  ]

  static let routes: [Route] = [
    Route(
      "GET", "/v1/costs", .scope(.read),
      RouteDescription(
        "What was spent.",
        query: days + [
          .init(name: "by", about: "What is added up separately, such as `persona,model,day`."),
          .init(name: "of", about: "Of a persona or agent."),
        ])
    ) { call in
      var keys: [Rasa.Costs.Key] = []
      for word in (try call.single("by") ?? "persona,model").split(atByte: ",", omittingEmpty: true)
      {
        guard let key = Rasa.Costs.Key(rawValue: String(word)) else {
          throw ServerProblem.invalid(
            "`by` names \(quoted(String(word)))",
            suggestion: listed(Rasa.Costs.Key.allCases.map { "`\($0.rawValue)`" }, "or"))
        }
        keys.append(key)
      }
      let costs = try await call.rasa.costs(
        from: try day(call, "from"), to: try day(call, "to"), by: keys, of: try call.single("of"))
      return .json(costs.document)
    },
    Route(
      "GET", "/v1/budgets", .scope(.read), RouteDescription("The budgets of today and this month.")
    ) { call in
      let budgets = try await call.rasa.budgets()
      return .json(["budgets": .array(try budgets.map { try Rasa.JSON(parsing: $0.file()).value })])
    },
    leaderboard("/v1/leaderboard"), leaderboard("/api/agents/leaderboard"),
    Route(
      "GET", "/v1/stats", .scope(.read),
      RouteDescription(
        "How runs went: by kind of task, model and node.",
        query: days + [.init(name: "agent", about: "Of a persona or agent.")])
    ) { call in
      let found = try await call.rasa.statistics(
        of: try call.single("agent"), from: try day(call, "from"), to: try day(call, "to"))
      return .json(.object(found.document))
    },
    Route(
      "GET", "/v1/runs/{id}/report", .scope(.read),
      RouteDescription("The score and the points of a run, term by term.")
    ) { call in .json(.object(try await call.rasa.report(ofRun: call.run().id).document)) },
    feedback("/v1/runs/{id}/feedback"), feedback("/api/tasks/{id}/feedback"),
  ]

  private static func leaderboard(_ path: String) -> Route {
    Route(
      "GET", path, .token,
      RouteDescription(
        "Personas and agents, ranked by how their runs went.",
        query: days + [
          .init(
            name: "by", about: "What they are ranked by.",
            schema: ["enum": .array(Rasa.Leaderboard.Measure.allCases.map { .string($0.rawValue) })]
          ),
          .init(name: "category", about: "Runs of that kind of task."),
          .init(name: "model", about: "Runs that this model answered, as `provider:model`."),
        ])
    ) { call in
      var measure = Rasa.Leaderboard.Measure.score
      if let word = try call.single("by") {
        guard let known = Rasa.Leaderboard.Measure(rawValue: word) else {
          throw ServerProblem.invalid(
            "`by` is \(quoted(word))",
            suggestion: listed(Rasa.Leaderboard.Measure.allCases.map { "`\($0.rawValue)`" }, "or"))
        }
        measure = known
      }
      let board = try await call.rasa.leaderboard(
        by: measure, category: try call.single("category"), model: try call.single("model"),
        from: try day(call, "from"), to: try day(call, "to"))
      return .json(.object(board.document))
    }
  }

  private static func feedback(_ path: String) -> Route {
    Route(
      "POST", path, .scope(.run),
      RouteDescription(
        "Gives a run stars, or takes them back.",
        body: [
          "type": "object",
          "properties": [
            "stars": ["type": "integer", "minimum": 1, "maximum": 5],
            "comment": ["type": "string"],
          ],
        ])
    ) { call in
      let run = try await call.run()
      let reader = MemberReader(try call.body())
      // The seed's page calls them a rating.
      let stars = try reader.number("stars") ?? reader.number("rating")
      let report = try await call.rasa.rate(
        run.id, stars: stars.map { Int(clamping: $0) }, comment: try reader.text("comment") ?? "")
      call.context.audit.note(call, "run.rate", run.id)
      return .json(.object(report.document))
    }
  }

  private static func day(_ call: Call, _ name: String) throws(ServerProblem) -> Rasa.Day? {
    guard let text = try call.single(name) else { return nil }
    guard let day = Rasa.Day(text) else {
      throw .invalid("`\(name)` is \(quoted(text))", suggestion: "give a day such as 2026-01-31")
    }
    return day
  }
}
