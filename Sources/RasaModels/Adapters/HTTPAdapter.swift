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
    try refuseEmpty(response, at: request.path)
    let decoder = settings.dialect.decoder(
      contentType: response.headers.first(named: "content-type"), callPrefix: call.callPrefix)
    return HTTPChatStream(
      body: response.body, decoder: decoder, address: settings.baseURL,
      asked: shownAddress(of: request.path), status: response.status, key: settings.key,
      requestID: ProviderProblem.requestID { response.headers.first(named: $0) })
  }

  /// Asks for something that comes in one document; returns when the provider has accepted.
  func ask(
    _ request: WireRequest, under hold: borrowing Hold, deadline: UInt64
  ) async throws -> HTTPBody {
    let response = try await send(
      "POST", request.path, body: request.body, idempotencyKey: hold.idempotencyKey,
      trace: hold.trace, deadline: deadline)
    try refuseEmpty(response, at: request.path)
    return response.body
  }

  /// A response that says that it has nothing in it.
  private func refuseEmpty(_ response: HTTPResponse, at path: String) throws(ProviderProblem) {
    let isEmpty =
      response.status == 204 || response.status == 205
      || response.headers.first(named: "content-length") == "0"
    guard isEmpty else { return }
    var problem = ProviderProblem(
      .notAnAnswer, "the response was empty", status: response.status)
    problem.note(status: response.status, from: shownAddress(of: path))
    throw problem
  }

  /// Without the query, in which gateways want what may be secret.
  private func shownAddress(of path: String) -> String {
    String(settings.address(of: path).prefix { $0 != "?" })
  }

  /// The whole of it; one of more bytes is no answer.
  func document(_ body: HTTPBody, limit: Int, deadline: UInt64) async throws -> [UInt8] {
    do {
      let bytes = try await body.collect(limit: limit + 1, deadline: deadline)
      guard bytes.count <= limit else {
        throw Failure(.provider, "\(settings.name) sent more than \(limit) bytes")
      }
      if bytes.beginsAsPage { throw ProviderProblem.page(nil, bytes) }
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
      if bytes.beginsAsPage {
        var problem = ProviderProblem.page(response.headers.first(named: "content-type"), bytes)
        problem.note(status: response.status, from: shownAddress(of: settings.dialect.listPath))
        throw problem
      }
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
    do {
      let response = try await client.send(
        HTTPRequest(
          method: method, url: settings.address(of: path),
          headers: settings.headers(idempotencyKey: idempotencyKey), body: body,
          allowsPlainHTTP: settings.allowsPlainHTTP, headerDeadline: deadline,
          connectTimeout: settings.connectTimeout, trace: trace,
          maySend: idempotencyKey == nil ? nil : maySend))
      if (200..<300).contains(response.status) { return response }
      let document = try await response.body.collect(
        limit: Self.longestErrorBody, deadline: deadline)
      var problem = ProviderProblem(
        status: response.status, headers: { response.headers.first(named: $0) }, body: document,
        now: time.now(), address: shownAddress(of: path))
      if let proxy = response.route.proxy, problem.status == 407 || document.beginsAsPage {
        problem.message += ", through \(proxy.name)"
      }
      if let key = settings.key { problem.message = key.redacting(problem.message) }
      throw problem
    } catch let error as HTTPError {
      throw try ProviderProblem(error, at: settings.baseURL)
    }
  }
}

extension [UInt8] {
  /// The first thing in it is a tag: it is a page for people.
  var beginsAsPage: Bool {
    first { $0 > 0x20 && !Self.byteOrderMark.contains($0) } == UInt8(ascii: "<")
  }

  private static var byteOrderMark: [UInt8] { [0xEF, 0xBB, 0xBF] }
}
