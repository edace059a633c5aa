import RasaCore
import RasaHTTPServer
import RasaKit

/// The routes of clients that speak the protocols of OpenAI, Anthropic and Ollama.
enum DoorRoutes {
  static let routes = openAI + anthropic + ollama

  // MARK: OpenAI

  static let chat = Door(
    errors: .openAI, passing: ("openai", "/chat/completions"),
    read: { _, body throws(ServerProblem) in try ChatReader.read(body) },
    writer: { ChatWriter(includesUsage: $0.includesUsage) })

  static let responses = Door(
    errors: .openAI,
    read: { _, body throws(ServerProblem) in try ResponsesReader.read(body) },
    writer: { ResponsesWriter(repeated: $0.repeated, isStored: $0.isStored) })

  private static let openAI: [Route] = [
    Route(
      "GET", "/v1/models", .scope(.run), errors: .openAI,
      RouteDescription(
        "Lists personas, agents, classes and models, for clients of OpenAI, and of Anthropic if they send `anthropic-version`."
      )
    ) { try await ModelList.openAI($0) },
    Route(
      "GET", "/v1/models/{id+}", .scope(.run), errors: .openAI,
      RouteDescription("One of them.")
    ) { try await ModelList.openAI($0, named: $0.parameter("id")) },
    Route(
      "POST", "/v1/chat/completions", .scope(.run), errors: .openAI,
      RouteDescription(
        "Answers as OpenAI's Chat Completions do.",
        body: ["type": "object", "required": ["model", "messages"]])
    ) { try await chat.answer($0) },
    Route(
      "POST", "/v1/responses", .scope(.run), errors: .openAI,
      RouteDescription(
        "Answers as OpenAI's Responses do.",
        body: ["type": "object", "required": ["model", "input"]])
    ) { try await responses.answer($0) },
  ]

  // MARK: Anthropic

  static let messages = Door(
    errors: .anthropic, passing: ("anthropic", "/messages"),
    read: { call, body throws(ServerProblem) in
      try MessagesReader.checkVersion(call.request.header("anthropic-version"))
      return try MessagesReader.read(body)
    }, writer: { MessagesWriter(wantsReasoning: $0.wantsReasoning) })

  private static let anthropic: [Route] = [
    Route(
      "POST", "/v1/messages", .scope(.run), errors: .anthropic,
      RouteDescription(
        "Answers as Anthropic's Messages do.",
        body: ["type": "object", "required": ["model", "max_tokens", "messages"]])
    ) { try await messages.answer($0) },
    Route(
      "POST", "/v1/messages/count_tokens", .scope(.run), errors: .anthropic,
      RouteDescription(
        "Estimates how many tokens a request has.",
        body: ["type": "object", "required": ["model", "messages"]])
    ) { try await TokenCount.answer($0) },
  ]

  // MARK: Ollama

  static let ollamaChat = Door(
    errors: .ollama, passing: ("ollama", "/api/chat"),
    read: { _, body throws(ServerProblem) in try OllamaReader.chat(body) },
    writer: { OllamaWriter(wantsReasoning: $0.wantsReasoning) })

  static let ollamaGenerate = Door(
    errors: .ollama,
    read: { _, body throws(ServerProblem) in try OllamaReader.generate(body) },
    writer: { OllamaWriter(isGenerated: true, wantsReasoning: $0.wantsReasoning) })

  private static let ollama: [Route] = [
    Route(
      "GET", "/api/version", .ollama, errors: .ollama,
      RouteDescription("The version of Ollama's protocol that is spoken here.")
    ) { _ in .json(["version": .string(ModelList.ollamaVersion)]) },
    Route(
      "GET", "/api/tags", .ollama, errors: .ollama,
      RouteDescription("Lists personas, agents, classes and models, for clients of Ollama.")
    ) { try await ModelList.ollama($0) },
    Route(
      "GET", "/api/ps", .ollama, errors: .ollama,
      RouteDescription("Models in memory: none, as providers have them.")
    ) { _ in .json(["models": []]) },
    Route(
      "POST", "/api/show", .ollama, errors: .ollama,
      RouteDescription(
        "What is known of one model.", body: ["type": "object", "required": ["model"]])
    ) { try await ModelList.show($0) },
    Route(
      "POST", "/api/chat", .ollama, errors: .ollama,
      RouteDescription(
        "Answers as Ollama's chat does.",
        body: ["type": "object", "required": ["model", "messages"]])
    ) { try await ollamaChat.answer($0) },
    Route(
      "POST", "/api/generate", .ollama, errors: .ollama,
      RouteDescription(
        "Answers one prompt as Ollama does.",
        body: ["type": "object", "required": ["model", "prompt"]])
    ) { try await ollamaGenerate.answer($0) },
  ]
}
