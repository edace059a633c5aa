import RasaCore
import RasaHTTPServer
import RasaKit

/// Personas, operators, agents: what there is, what fits a task, what it may spend.
enum DefinitionRoutes {
  private static let limit = RouteDescription.Parameter(
    name: "limit", about: "At most so many.", schema: ["type": "integer"])

  static let routes: [Route] = [
    Route("GET", "/v1/personas", .scope(.read), RouteDescription("The personas.")) { call in
      let found = try await call.rasa.personas().filter { call.client.mayAsk($0.name) }
      return .json(["personas": .array(found.map(\.personaDocument))])
    },
    Route(
      "GET", "/v1/personas/{name}", .scope(.read),
      RouteDescription("A persona with its frames, operators and routes.")
    ) { call in
      let name = try await call.rasa.persona(named: call.parameter("name")).name
      return .json(try await call.rasa.details(ofPersona: name).json.value)
    },
    Route("GET", "/v1/operators", .scope(.read), RouteDescription("The operators.")) { call in
      .json(["operators": .array(try await call.rasa.operators().map(\.operatorDocument))])
    },
    Route(
      "GET", "/v1/agents", .scope(.read),
      RouteDescription(
        "The agents, all or those that fit.",
        query: [
          .init(name: "search", about: "Text in ID, name, description or tags."),
          .init(
            name: "mode", about: "How it is compared.",
            schema: ["enum": ["exact", "contains", "fuzzy"]]),
          .init(name: "category", about: "A part of the category."),
          .init(name: "engine", about: "The provider of its first model."),
          .init(name: "tag", about: "A tag or capability."),
        ])
    ) { call in
      var filter = Rasa.Filter(
        search: try call.single("search"), category: try call.single("category"),
        engine: try call.single("engine"))
      if let tag = try call.single("tag") { filter.tags = [tag] }
      if let word = try call.single("mode") {
        guard let mode = Rasa.Filter.Mode(rawValue: word) else {
          throw ServerProblem.invalid(
            "`mode` is \(quoted(word))", suggestion: "exact, contains or fuzzy")
        }
        filter.mode = mode
      }
      _ = await call.rasa.discover()
      let found = try await call.rasa.search(filter).filter { call.client.mayAsk($0.id) }
      return .json(["agents": .array(found.map(\.json.value))])
    },
    Route(
      "GET", "/v1/agents/recommend", .scope(.read),
      RouteDescription(
        "The agents that fit a task best, with their scores. No model is asked.",
        query: [.init(name: "task", about: "What is to be done."), limit])
    ) { call in
      var options = Rasa.RecommendOptions()
      options.limit = try call.number("limit", default: 5, in: 1...100)
      let found = try await call.rasa.recommendations(for: try task(call), options: options)
      return .json(found.document)
    },
    Route(
      "GET", "/v1/agents/route", .scope(.run),
      RouteDescription(
        "Chooses an agent and a model for a task by how such tasks went. Nothing is run.",
        query: [
          .init(name: "task", about: "What is to be done."),
          .init(name: "max_cost_usd", about: "What an answer may be expected to cost."),
        ])
    ) { call in
      var options = Rasa.RouteOptions()
      options.user = call.client.user
      options.maxCost = try call.single("max_cost_usd").map { text throws(ServerProblem) in
        guard let amount = Rasa.Dollars(text) else {
          throw .invalid(
            "`max_cost_usd` is \(quoted(text))", suggestion: "give dollars such as 0.05")
        }
        return amount
      }
      let route = try await call.rasa.route(try task(call), options: options)
      var document = route.document(running: "")
      document["command"] = nil
      return .json(.object(document))
    },
    Route("GET", "/v1/agents/{id}", .scope(.read), RouteDescription("An agent with its prompt.")) {
      call in
      let id = try await call.rasa.agent(withID: call.parameter("id")).name
      return .json(try await call.rasa.details(ofAgent: id).json.value)
    },
    Route(
      "GET", "/v1/agents/{id}/budget", .scope(.read),
      RouteDescription("What an agent or persona has spent and may spend today and this month.")
    ) { call in
      let budget = try await call.rasa.budget(of: call.parameter("id"))
      return .json(try Rasa.JSON(parsing: budget.file()).value)
    },
    Route(
      "GET", "/v1/catalogue", .scope(.read),
      RouteDescription(
        "The models that can be asked, with their prices and how their calls have gone.")
    ) { call in
      let found = try await call.rasa.models().filter {
        call.client.mayAsk("\($0.provider ?? ""):\($0.name)")
      }
      return .json(["models": .array(found.map(\.document))])
    },
    Route("GET", "/v1/tools", .scope(.read), RouteDescription("The declared tools and servers.")) {
      call in
      .json(["tools": .array(try await call.rasa.tools().map(\.document))])
    },
    Route(
      "GET", "/v1/tools/{name}", .scope(.read), RouteDescription("What a tool takes and may reach.")
    ) { call in .json(try await call.rasa.details(ofTool: call.parameter("name")).document) },
  ]

  private static func task(_ call: Call) throws(ServerProblem) -> String {
    guard let task = try call.single("task"), !task.isEmpty else {
      throw .invalid("`task` is missing", suggestion: "say what is to be done")
    }
    return task
  }
}
