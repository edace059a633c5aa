import RasaCore
import RasaDocuments
import RasaHTTPClient

/// Asks a provider over HTTP in its own wire format.
struct HTTPAdapter: ChatAdapter {
  let settings: ProviderSettings
  let client: HTTPClient
  let time: TimeSource
  /// Whether what costs money may still be sent; nil where nothing speaks against it.
  var maySend: (@Sendable () -> Bool)?

  private static let longestErrorBody = 65_536
  private static let longestList = 4 << 20

  func ask(
    _ call: WireCall, under hold: borrowing Hold, deadline: UInt64
  ) async throws -> any ChatStream {
    let request = settings.dialect.request(call)
    let response = try await send(
      "POST", request.path, body: request.body, idempotencyKey: hold.idempotencyKey,
      trace: hold.trace, deadline: deadline)
    let decoder = settings.dialect.decoder(
      contentType: response.headers.first(named: "content-type"), callPrefix: call.callPrefix)
    return HTTPChatStream(
      body: response.body, decoder: decoder, address: settings.baseURL, key: settings.key,
      requestID: ProviderProblem.requestID { response.headers.first(named: $0) })
  }

  /// Asks for something that comes in one document; returns when the provider has accepted.
  func ask(
    _ request: WireRequest, under hold: borrowing Hold, deadline: UInt64
  ) async throws -> HTTPBody {
    try await send(
      "POST", request.path, body: request.body, idempotencyKey: hold.idempotencyKey,
      trace: hold.trace, deadline: deadline
    ).body
  }

  /// The whole of it; one of more bytes is no answer.
  func document(_ body: HTTPBody, limit: Int, deadline: UInt64) async throws -> [UInt8] {
    do {
      let bytes = try await body.collect(limit: limit + 1, deadline: deadline)
      guard bytes.count <= limit else {
        throw Failure(.provider, "\(settings.name) sent more than \(limit) bytes")
      }
      return bytes
    } catch let error as HTTPError {
      throw try ProviderProblem(error, at: settings.baseURL, isInStream: true)
    }
  }

  /// The models that the provider lists, in its order. Costs nothing, so it needs no hold.
  func listModels(deadline: UInt64) async throws -> [ListedModel] {
    let response = try await send("GET", settings.dialect.listPath, body: [], deadline: deadline)
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
    trace: RequestTrace = RequestTrace(), deadline: UInt64
  ) async throws -> HTTPResponse {
    let begun = time.monotonic()
    do {
      let response = try await client.send(
        HTTPRequest(
          method: method, url: settings.address(of: path),
          headers: settings.headers(idempotencyKey: idempotencyKey), body: body,
          allowsPlainHTTP: settings.allowsPlainHTTP, headerDeadline: deadline, trace: trace,
          maySend: idempotencyKey == nil ? nil : maySend))
      if (200..<300).contains(response.status) { return response }
      let document = try await response.body.collect(
        limit: Self.longestErrorBody, deadline: deadline)
      var problem = ProviderProblem(
        status: response.status, headers: { response.headers.first(named: $0) }, body: document,
        now: time.now())
      if let key = settings.key { problem.message = key.redacting(problem.message) }
      throw problem
    } catch let error as HTTPError {
      // Nobody was reached, which is not the same as somebody who does not answer.
      if error.code == .timeout, !trace.isSent {
        let waited = Double(deadline > begun ? deadline - begun : 0) / 1e9
        let span =
          waited < 1 ? "\(Int(waited * 1_000)) ms" : "\(Int(waited.rounded())) s"
        throw ProviderProblem(
          .connection, "no connection to \(settings.baseURL): nothing answered within \(span)")
      }
      throw try ProviderProblem(error, at: settings.baseURL)
    }
  }
}
