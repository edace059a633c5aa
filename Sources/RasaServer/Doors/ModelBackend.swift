import RasaCore
import RasaHTTPServer
import RasaKit

/// Models by name, behind a door.
enum ModelBackend {
  /// An answer in the client's own protocol, translated where the provider has another one.
  ///
  /// - Parameter isClass: Whether the model is a class of models, which the token may ask.
  static func source(
    _ call: Call, _ request: DoorRequest, isClass: Bool = false
  ) async throws -> AnswerSource {
    var asked = request.completion
    if !isClass, !call.client.mayAsk(asked.model) {
      let destination = try await call.rasa.resolve(model: asked.model)
      try await check(call.client, destination?.name ?? asked.model)
    }
    asked.user = call.client.user
    asked.maxCost = call.client.maxCost
    if request.previous != nil {
      throw Member(.null, "previous_response_id").problem(
        "continues answers of personas and agents alone: no conversation of a model is kept",
        suggestion: "send the whole conversation as `input`, with `store: false`")
    }
    if request.session != nil {
      throw ServerProblem.invalid(
        "a model has no sessions: \(quoted(asked.model)) is no persona and no agent",
        suggestion: "send the whole conversation, or ask `rasa/NAME`")
    }
    guard !asked.messages.isEmpty else { return loaded(asked.model) }
    let (rasa, question) = (call.rasa, asked)
    return AnswerSource(id: newSecret(""), model: asked.model) { emit in
      let result = try await rasa.complete(question) { part in
        switch part {
        case .started(let provider, let model): try await emit(.model("\(provider):\(model)"))
        case .text(let text): try await emit(.event(.text(text)))
        case .reasoning(let text): try await emit(.event(.reasoning(text)))
        case .toolCall(let call): try await emit(.event(.toolCall(call)))
        }
      }
      return AnswerEnd(result)
    }
  }

  /// Ollama's clients ask without a message to have a model loaded.
  private static func loaded(_ model: String) -> AnswerSource {
    AnswerSource(id: "", model: model) { _ in
      var end = AnswerEnd()
      end.finish = "load"
      return end
    }
  }

  /// A token may be for some models only: by the name that was sent, or that of whoever is asked.
  static func check(_ client: Client, _ name: String) async throws {
    guard !client.mayAsk(name) else { return }
    throw ServerProblem(
      403, "model", "the token \(quoted(client.name)) may not ask \(quoted(name))",
      suggestion: "`/v1/models` lists what it may ask")
  }
}

extension AnswerEnd {
  init(_ result: Rasa.CompletionResult) {
    finish = result.finish
    model = "\(result.provider):\(result.model)"
    inputTokens = result.inputTokens
    cachedTokens = result.cachedInputTokens
    outputTokens = result.outputTokens
    reasoningTokens = result.reasoningTokens
    facts = ["run": .string(result.run)]
    // What nobody knows is left out, and not zero.
    if result.isPriceKnown { facts["cost_usd"] = .string(result.cost.description) }
    if !result.isCounted { facts["estimated_usage"] = true }
    if result.isMock { facts["mock"] = true }
    if let other = result.insteadOf { facts["instead_of"] = .string(other) }
    if let reason = result.because { facts["because"] = .string(reason) }
    if let refusal = result.refusal { facts["refusal"] = .string(refusal) }
    if finish == "cut_off" { facts["cut_off"] = true }
  }
}

// MARK: Passing on

extension ModelBackend {
  /// Headers of a client that the provider has to see; keys and the connection's are its own.
  private static let forwardedHeaders = ["anthropic-version", "anthropic-beta", "openai-beta"]
  /// Headers of the provider that the client has to see.
  private static let returnedHeaders = [
    "content-type", "retry-after", "request-id", "x-request-id",
  ]

  /// The answer of a provider that speaks as the client does: not a byte of it is changed. Nil where the request has to
  /// be translated.
  static func forward(
    _ call: Call, _ door: Door, model name: String, _ document: Value
  ) async throws -> ServerResponse? {
    guard let passing = door.passing, !name.hasBytePrefix(Backends.prefix),
      let destination = try await call.rasa.resolve(model: name),
      destination.dialect == passing.dialect
    else { return nil }
    if !call.client.mayAsk(name) { try await check(call.client, destination.name) }
    var request = Rasa.ProviderRequest(
      model: destination.name, path: passing.path, body: call.request.body)
    if destination.model != name {
      guard let body = ModelMember.replace(in: request.body, by: destination.model) else {
        return nil
      }
      request.body = body
    }
    request.headers = forwardedHeaders.compactMap { header in
      call.request.header(header).map { (name: header, value: $0) }
    }
    request.user = call.client.user
    request.maxCost = call.client.maxCost
    let (rasa, made, errors) = (call.rasa, request, door.errors)
    let heartbeat = call.context.settings.heartbeat
    return try await AnswerTask { pipe in
      await pass(rasa, made, errors, heartbeat, into: pipe)
    }.response(errors)
  }

  private static func pass(
    _ rasa: Rasa, _ request: Rasa.ProviderRequest, _ errors: ErrorForm, _ heartbeat: Duration,
    into pipe: AnswerPipe
  ) async {
    let passage = Locked(Passage())
    await pipe.beating(
      every: heartbeat,
      { try passage.withLock { try pipe.push(Array($0.heartbeat(errors).utf8)) } },
      while: {
        do {
          let result = try await rasa.forward(request) { part in
            switch part {
            case .head(let status, let headers):
              let returned = headers.filter { returnedHeaders.contains($0.name.lowercased()) }
              passage.withLock { $0.begin(status, headers) }
              pipe.begin(.head(status: status, headers: returned))
            case .bytes(let bytes):
              try passage.withLock { passage in
                passage.note(bytes)
                try pipe.push(bytes)
              }
              try await pipe.room()
            }
          }
          guard result.finish == "cut_off" else { return }
          throw ServerProblem(
            402, "budget", "the answer was cut off: no budget has room for more of it",
            suggestion: "raise the limit, or ask for a shorter answer")
        } catch {
          let problem = ServerProblem(error)
          switch passage.withLock({ $0.ending(problem, errors) }) {
          case nil: pipe.begin(.failure(problem))
          case .text(let text): try? pipe.push(Array(text.utf8))
          case .cut: pipe.cut()
          }
        }
      })
  }

  /// Where a passed on answer stands.
  private struct Passage {
    /// Of a stream, between whose events something may stand.
    private var type: String?
    private var lastBytes: [UInt8] = []

    enum Ending {
      case text(String)
      /// A document that is not whole must not look so.
      case cut
    }

    mutating func begin(_ status: Int, _ headers: [(name: String, value: String)]) {
      type = headers.first { $0.name.lowercased() == "content-type" }?.value.lowercased() ?? ""
    }

    mutating func note(_ bytes: [UInt8]) { lastBytes = (lastBytes + bytes.suffix(2)).suffix(2) }

    private var isEventStream: Bool { type?.hasBytePrefix("text/event-stream") == true }
    private var isBetweenEvents: Bool { lastBytes == Array("\n\n".utf8) }

    func heartbeat(_ errors: ErrorForm) -> String {
      guard isEventStream, isBetweenEvents else { return "" }
      return errors == .anthropic ? MessagesWriter().heartbeat() : ChatWriter().heartbeat()
    }

    /// Nil where nothing was sent yet.
    func ending(_ problem: ServerProblem, _ errors: ErrorForm) -> Ending? {
      guard let type else { return nil }
      if isEventStream {
        let fresh = lastBytes.isEmpty || isBetweenEvents ? "" : "\n\n"
        return .text(
          fresh
            + (errors == .anthropic
              ? MessagesWriter().fail(problem) : ChatWriter().fail(problem)))
      }
      if type.hasBytePrefix("application/x-ndjson") {
        return .text(
          (lastBytes.last == UInt8(ascii: "\n") || lastBytes.isEmpty ? "" : "\n")
            + OllamaWriter().fail(problem))
      }
      return .cut
    }
  }
}
