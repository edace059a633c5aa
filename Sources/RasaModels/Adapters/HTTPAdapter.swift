import RasaCore
import RasaDocuments
import RasaHTTPClient

/// Asks a provider over HTTP in its own wire format.
struct HTTPAdapter: ChatAdapter {
  let settings: ProviderSettings
  let client: HTTPClient
  let time: TimeSource

  private static let longestErrorBody = 65_536
  private static let longestList = 4 << 20

  func ask(
    _ call: WireCall, under hold: borrowing Hold, deadline: UInt64
  ) async throws -> any ChatStream {
    let request =
      switch settings.dialect {
      case .openAI: OpenAIChat.request(call)
      case .ollama: OllamaChat.request(call)
      case .anthropic, .gemini: throw ProviderProblem(.rejected, "not spoken yet")
      }
    let response = try await send(
      "POST", request.path, body: request.body, idempotencyKey: hold.idempotencyKey,
      deadline: deadline)
    let decoder: any ChatDecoder =
      switch settings.dialect {
      case .openAI:
        OpenAIChatDecoder(contentType: response.headers.first(named: "content-type"))
      case .ollama, .anthropic, .gemini: OllamaChatDecoder()
      }
    return HTTPChatStream(body: response.body, decoder: decoder, address: settings.baseURL)
  }

  /// The models that the provider lists, in its order. Costs nothing, so it needs no hold.
  func listModels(deadline: UInt64) async throws -> [ListedModel] {
    let path =
      switch settings.dialect {
      case .openAI: "/models"
      case .ollama, .anthropic, .gemini: "/api/tags"
      }
    let response = try await send("GET", path, body: [], deadline: deadline)
    do {
      let bytes = try await response.body.collect(limit: Self.longestList, deadline: deadline)
      return ListedModel.read(try JSON.parse(bytes, named: "the list of models"))
    } catch let error as HTTPError {
      throw try ProviderProblem(error, at: settings.baseURL)
    } catch let failure as Failure {
      throw ProviderProblem(.server, "the list of models cannot be read: \(failure.message)")
    }
  }

  /// Throws for every status but 2xx.
  private func send(
    _ method: String, _ path: String, body: [UInt8], idempotencyKey: String? = nil,
    deadline: UInt64
  ) async throws -> HTTPResponse {
    var headers: [(name: String, value: String)] = [
      ("Content-Type", "application/json"), ("Accept", "text/event-stream, application/json"),
    ]
    if let key = settings.key { headers.append(("Authorization", "Bearer \(key.value)")) }
    // Servers that know it answer a repeated request from what they have, and bill it once.
    if let idempotencyKey { headers.append(("Idempotency-Key", idempotencyKey)) }
    headers += settings.extraHeaders
    do {
      let response = try await client.send(
        HTTPRequest(
          method: method, url: settings.baseURL + path, headers: headers, body: body,
          allowsPlainHTTP: settings.allowsPlainHTTP, headerDeadline: deadline))
      if (200..<300).contains(response.status) { return response }
      let document = try await response.body.collect(
        limit: Self.longestErrorBody, deadline: deadline)
      var problem = ProviderProblem(
        status: response.status, headers: { response.headers.first(named: $0) }, body: document,
        now: time.now())
      if let key = settings.key { problem.message = key.redacting(problem.message) }
      throw problem
    } catch let error as HTTPError {
      throw try ProviderProblem(error, at: settings.baseURL)
    }
  }
}

/// A model as a provider lists it.
struct ListedModel: Sendable, Hashable {
  var name: String
  /// Ollama passes it on to a cloud, which is not free.
  var isRemote: Bool

  static func read(_ list: Value) -> [ListedModel] {
    let entries = list["models"].array ?? list["data"].array ?? list.array ?? []
    return entries.compactMap { entry in
      guard let name = (entry["name"].string ?? entry["id"].string)?.nonEmpty else { return nil }
      let isRemote = entry["remote_host"].string?.nonEmpty ?? entry["remote_model"].string?.nonEmpty
      return ListedModel(name: name, isRemote: isRemote != nil)
    }
  }

  /// Models that cannot chat stand in the same lists.
  var canChat: Bool {
    let name = name.lowercased()
    let others = ["rerank", "whisper", "tts-", "dall-e", "moderation", "bge-", "all-minilm"]
    return !name.contains("embed") && !others.contains { name.hasPrefix($0) }
  }
}

struct HTTPChatStream: ChatStream {
  let body: HTTPBody
  var decoder: any ChatDecoder
  let address: String

  var progress: ChatProgress {
    get { decoder.progress }
    set { decoder.progress = newValue }
  }

  mutating func advance(deadline: UInt64) async throws -> Bool {
    do {
      guard let chunk = try await body.next(deadline: deadline) else {
        decoder.finish()
        return false
      }
      decoder.feed(chunk)
      return true
    } catch let error as HTTPError {
      throw try ProviderProblem(error, at: address, isInStream: true)
    }
  }

  mutating func drain(deadline: UInt64) async {
    for _ in 0..<8 {
      guard (try? await body.next(deadline: deadline)) != nil else { return }
    }
    body.cancel()
  }

  func cancel() { body.cancel() }
}

extension ProviderProblem {
  /// What went wrong below HTTP. Throws what is no provider's fault: a cancelled task, an address
  /// that cannot be asked.
  init(_ error: HTTPError, at address: String, isInStream: Bool = false) throws {
    switch error.code {
    case .cancelled: throw CancellationError()
    case .invalidURL, .refusedScheme:
      throw Failure(
        .configuration, "\(address) cannot be asked: \(error.message)",
        mend: "correct the provider's address")
    case .timeout: self.init(.timeout, "nothing came for too long")
    case .connect, .resolve, .tls:
      self.init(.connection, "no connection to \(address): \(error.message)")
    case .aborted, .protocolViolation, .tooLarge, .other:
      self.init(
        isInStream ? .brokenStream : .connection,
        isInStream
          ? "the stream broke: \(error.message)"
          : "the connection to \(address) broke: \(error.message)")
    }
  }
}
