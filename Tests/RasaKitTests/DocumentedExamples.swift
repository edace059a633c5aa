import RasaKit
import Testing

// The Swift in the documentation, compiled. `ExampleTests` looks up each example of `docs` and of
// `RasaKit.docc` here, line by line, so a page cannot show what a program could not say. Nothing here
// runs.

private struct Warehouse: Sendable {
  func pieces(of article: String) async -> Int { article.isEmpty ? 0 : 3 }
}

private struct Catalogue: Sendable {
  func find(_ word: String) async -> String { word }
}

private struct MyModel: Rasa.ModelProvider {
  let name = "mine"
  let models = [Rasa.ProvidedModel("small", inputPricePerMillion: 0, outputPricePerMillion: 0)]

  func answer(
    _ request: Rasa.ModelRequest,
    emit: @escaping @Sendable (Rasa.ModelOutput) async throws -> Void
  ) async throws -> Rasa.ModelEnding { Rasa.ModelEnding() }
}

/// docs/library.md
private enum LibraryPage {
  static func open() throws {
    let rasa = try Rasa()
    _ = rasa
  }

  static func openService(key: String) throws {
    var configuration = Rasa.Configuration(home: "/srv/rasa", project: "/srv/app")
    configuration.environment = ["OPENAI_API_KEY": key]
    let rasa = try Rasa(configuration)
    _ = rasa
  }

  static func agents(_ rasa: Rasa) async {
    let found = await rasa.discover()  // agents, problems (file, line, column), warnings, shadowed
    let agent = await rasa.agent("code-reviewer")
    let matches = await rasa.agents(
      Rasa.Filter(search: "reveiw", mode: .fuzzy, tags: ["security"]), sortedBy: [.category, .name])
    _ = (found, agent, matches)
  }

  static func register(_ rasa: Rasa, text: String, config: String, markdown: String) async throws {
    var writer = Rasa.Agent(
      id: "release-notes-writer", description: "Writes release notes that users like to read.",
      prompt: "You write release notes in {{language}}.")
    writer.capabilities = ["release_notes", "changelog"]
    writer.model = "openai:gpt-4o-mini"
    writer.defaults = ["language": "English"]
    try await rasa.register(writer)  // a second one with that ID is an error,
    try await rasa.register(markdown: text, replacing: true)  // unless it replaces the first
    try await rasa.register(toml: config, prompt: markdown)
    rasa.unregister(id: "release-notes-writer")
  }

  static func recommend(_ rasa: Rasa) async throws {
    for candidate in try await rasa.recommend("Design a REST API", maxCost: 0.05, limit: 3) {
      print(candidate.agent.id, candidate.score, candidate.verdict, candidate.capability.reason)
    }
  }

  static func run(_ rasa: Rasa) async throws {
    var options = Rasa.RunOptions()
    options.preferences = ["language": "German"]
    options.session = "ada-42"  // one of the user's conversations
    options.maxCost = 0.10  // reserved before anything is sent
    options.maxSeconds = 600  // overrides the agent's own limit
    options.attachments = [try Rasa.Attachment(path: "plan.png")]  // images, PDFs, text
    let run = try await rasa.run(
      agent: "release-notes-writer", input: "What is new?", options: options
    ) { approval in
      approval.payload.contains("password") ? .reject(reason: "it names a password") : .approve
    }
    for try await event in run {
      if case .output(let text) = event { print(text, terminator: "") }
    }
    let result = try await run.result()  // text, finish, notices, cost, …
    _ = result
  }

  static func extend(
    _ rasa: Rasa, persona: String, operation: String, catalogue: Catalogue
  ) async throws {
    try await rasa.register(persona: persona)  // takes precedence over files with that name
    try await rasa.register(operator: operation)
    try await rasa.register(
      Rasa.Operator(name: "look_up", reads: ["input"], writes: ["facts": .object]) { call in
        ["found": Rasa.JSON(await catalogue.find(call.inputs["input"].text))]
      })
    try rasa.register(MyModel())  // a Rasa.ModelProvider
  }

  static func tool(_ rasa: Rasa, warehouse: Warehouse) async throws {
    try rasa.register(
      Rasa.Tool(
        name: "stock_level", description: "How many pieces of an article are in stock.",
        parameters: [
          "type": "object", "properties": ["article": ["type": "string"]], "required": ["article"],
        ], sideEffects: .none
      ) { use in
        ["pieces": Rasa.JSON(await warehouse.pieces(of: use.arguments["article"].text))]
      })
    let result = try await rasa.call(tool: "stock_level", arguments: ["article": "chair"])
    _ = result
  }

  static func complete(_ rasa: Rasa) async throws {
    var question = Rasa.Completion(
      model: "fast",
      messages: [.init(.system, "You are brief."), .init(.user, "Why is the sky blue?")])
    question.maxCost = 0.01
    let result = try await rasa.complete(question) { part in
      if case .text(let text) = part { print(text, terminator: "") }
    }
    _ = result
  }

  static func forward(
    _ rasa: Rasa, bytes: [UInt8],
    handOn: @escaping @Sendable (Rasa.ProviderPart) async throws -> Void
  ) async throws {
    let place = try await rasa.dialect(ofModel: "gpt-4o-mini")
    // provider, its name for the model, what it speaks
    var request = Rasa.ProviderRequest(
      model: "openai:gpt-4o-mini", path: "/chat/completions", body: bytes)
    request.alternatives = ["groq:llama-3.1-8b-instant"]
    let call = try await rasa.forward(request) { part in try await handOn(part) }
    // .head once, then .bytes
    _ = (place, call)
  }

  static func limit(_ rasa: Rasa, _ options: inout Rasa.RunOptions) async throws {
    var budget = Rasa.ExtraBudget(name: "token:ci")
    // with a colon, which personas' names do not have
    budget.daily = 2.00
    options.budget = budget  // also of a Completion and a ProviderRequest
    let spent = try await rasa.budget(of: budget)
    _ = spent
  }
}

/// RasaKit.docc/GettingStarted.md
private enum GettingStartedPage {
  static func open(key: String) throws {
    var configuration = Rasa.Configuration(home: "/srv/app/rasa")
    configuration.environment = ["OPENAI_API_KEY": key]
    let rasa = try Rasa(configuration)
    _ = rasa
  }

  static func run(_ rasa: Rasa, text: String) async throws {
    var options = Rasa.RunOptions()
    options.maxCost = 0.10
    let run = try await rasa.run(agent: "code-reviewer", input: text, options: options) {
      approval in
      .later
    }
    for try await event in run {
      if case .output(let piece) = event { print(piece, terminator: "") }
    }
    let result = try await run.result()
    _ = result
  }

  static func observe(
    _ rasa: Rasa, text: String, write: @escaping @Sendable (String) async throws -> Void
  ) async throws {
    let reviewer = try await rasa.prepare(agent: "code-reviewer")
    let ready = try reviewer.ready(text)
    let observer = Rasa.Observer { observation in
      if case .output(let piece) = observation.event { try await write(piece) }
    }
    let result = try await ready.run(observer)
    _ = result
  }
}

/// RasaKit.docc/Errors.md
private enum ErrorsPage {
  static func handle(_ rasa: Rasa, id: String, text: String) async {
    func raiseTheLimit(_ error: RasaError) {}
    func show(_ text: String) {}
    do {
      show(try await rasa.run(agent: id, input: text).result().text)
    } catch {
      switch error.code {
      case .budget: raiseTheLimit(error)
      case .cancelled: break
      default: show(error.description)
      }
    }
  }
}

/// RasaKit.docc/Definitions.md
private enum DefinitionsPage {
  static func validate(_ rasa: Rasa) async throws {
    for file in try await rasa.validateAgents(["agents/"]).files where !file.isValid {
      for problem in file.problems { print(problem) }  // agents/writer.md:3:1: …
    }
  }
}

/// RasaKit.docc/Records.md
private enum RecordsPage {
  static func replay(_ rasa: Rasa, _ id: String) async throws {
    let recorded = try await rasa.record(id)
    try recorded.recording.write(to: "tests/greeting.json")

    let replay = try await rasa.replay(recorded.recording)
    for difference in replay.differences { print(difference.kind, difference.subject) }
  }
}
