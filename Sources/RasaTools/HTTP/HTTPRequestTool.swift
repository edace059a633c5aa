package import RasaCore
import RasaDocuments
package import RasaEngine
package import RasaHTTPClient
package import RasaPersona
package import RasaSystem

/// A tool that is one HTTP request, as a file declares it.
package struct HTTPRequestTool: Tool {
  package struct Limits: Sendable, Hashable {
    /// Of the answer, in bytes.
    package var answer = 4_000_000
    /// For one use, in seconds, where the declaration says nothing.
    package var timeout = 30.0
    package var redirects = 5
    /// How often a request is sent again of which nothing has left.
    package var retries = 2
    package init() {}
  }

  package let description: ToolDescription
  private let tool: HTTPTool
  private let url: URLTemplate
  private let headers: HeaderTemplate
  private let body: BodyTemplate?
  private let answer: JSONPointer?
  private let parameters: Schema
  private let output: Schema?
  private let timeout: Double?
  private let client: HTTPClient
  private let environment: Environment
  private let time: TimeSource
  private let limits: Limits

  /// - Throws: every problem of the declaration at once. Whether the variables are set is asked at each use.
  package init(
    _ declaration: ToolDeclaration, client: HTTPClient, environment: Environment,
    time: TimeSource = .system, limits: Limits = Limits()
  ) throws(Failure) {
    guard case .http(let tool) = declaration.kind else {
      throw Failure(
        .configuration, "`\(declaration.name)` is no HTTP tool", at: declaration.location)
    }
    let (name, location) = (declaration.name, declaration.location)
    var failures: [Failure] = []
    func part<Result>(_ make: () throws(Failure) -> Result) -> Result? {
      do throws(Failure) { return try make() } catch {
        failures.append(error)
        return nil
      }
    }
    func problem(_ what: String, _ suggestion: String) {
      failures.append(
        Failure(.configuration, "`\(name)` \(what)", suggestion: suggestion, at: location))
    }
    let known = tool.parameters["properties"].object?.keys ?? []
    let url = part { () throws(Failure) in
      try URLTemplate(tool.url, hosts: tool.hosts, of: name, at: location)
    }
    let headers = part { () throws(Failure) in
      try HeaderTemplate(tool.headers, of: "`\(name)`", at: location)
    }
    let body = part { () throws(Failure) in
      try tool.body.map { body throws(Failure) in
        try BodyTemplate(
          body, known: Set(known), of: "the body of `\(name)`", at: location)
      }
    }
    let parameters = part { () throws(Failure) in try Schema.compile(tool.parameters) }
    let output = part { () throws(Failure) in
      try tool.output.map { value throws(Failure) in try Schema.compile(value) }
    }
    let pointer = tool.answer.flatMap { JSONPointer($0) }
    if let answer = tool.answer, pointer == nil {
      problem(
        "has `\(answer.printable(atMost: 60))` as the pointer of its answer",
        "write a JSON pointer, as /quotes/0/price")
    }
    if tool.method.isEmpty
      || !tool.method.utf8.allSatisfy({ (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) })
    {
      problem(
        "has `\(tool.method.printable(atMost: 20))` as its method",
        "write GET, POST, PUT, PATCH or DELETE")
    } else if tool.body != nil, ["GET", "HEAD"].contains(tool.method) {
      problem("sends a body with \(tool.method)", "use POST, or put the arguments into the URL")
    } else if ["CONNECT", "TRACE"].contains(tool.method) {
      problem("uses \(tool.method), which no tool may", "write GET, POST, PUT, PATCH or DELETE")
    }
    for argument in Set(url?.arguments ?? []).sorted() where !known.contains(argument) {
      let near = nearestName(to: argument, among: known).map { "did you mean `\($0)`? " } ?? ""
      problem(
        "uses the argument `\(argument)`, which its parameters do not have",
        near + "Declare it under `parameters:`")
    }
    if let failure = Failure(allOf: failures) { throw failure }
    guard let url, let headers, let body, let parameters, let output else {
      throw Failure(.configuration, "`\(name)` cannot be read", at: location)
    }
    description = ToolDescription(
      name: name, text: declaration.description, parameters: tool.parameters, output: tool.output,
      sideEffects: declaration.sideEffects ?? .yes, dataFlow: declaration.dataFlow, origin: .http)
    self.tool = tool
    self.url = url
    self.headers = headers
    self.body = body
    answer = pointer
    self.parameters = parameters
    self.output = output
    timeout = declaration.timeout
    self.client = client
    self.environment = environment
    self.time = time
    self.limits = limits
  }

  private var name: String { description.name }
  private var isRepeatable: Bool {
    description.sideEffects != .yes || ["GET", "HEAD"].contains(tool.method)
  }
  private var secrets: SecretValues {
    SecretValues(
      headers.variables + url.variables + (body?.templates.flatMap(\.variables) ?? []), environment)
  }
}

// MARK: - One use

extension HTTPRequestTool {
  package func perform(_ use: ToolUse, _ context: ToolContext) async throws -> ToolOutcome {
    let secrets = secrets
    let problems = parameters.problems(in: use.arguments, named: "arguments")
    guard problems.isEmpty else {
      return .result(
        refusal("The arguments do not fit: \(problems.prefix(8).joined(separator: "; "))."))
    }
    let request: HTTPRequest
    do {
      request = try self.request(use)
    } catch let unfit as UnfitArgument {
      return .result(refusal("The request was not sent: \(unfit.message)."))
    }
    do {
      let answer = try await send(request, context)
      var result = answer.result(answer: self.answer, output: output)
      result.structured = result.structured.map { secrets.hide($0) }
      result.content = result.content.map { content in
        if case .text(let text) = content { .text(secrets.hide(text)) } else { content }
      }
      return .result(result)
    } catch let failure as Failure {
      throw secrets.hide(failure)
    }
  }

  private func refusal(_ text: String) -> ToolResult { ToolResult([.text(text)], isError: true) }

  private func request(_ use: ToolUse) throws -> HTTPRequest {
    let arguments = ArgumentValues(values: use.arguments.object ?? ValueObject())
    let address = try url.url(arguments, environment)
    var fields = try headers.headers(environment).map { (name: $0.name, value: $0.value) }
    var bytes: [UInt8] = []
    if let content = try body?.value(arguments, environment) {
      let type = MediaType(fields.first { $0.name.lowercased() == "content-type" }?.value)
      if type.name == "application/x-www-form-urlencoded", let object = content.object {
        bytes = Array(form(object).utf8)
      } else {
        bytes = content.jsonBytes(.compact, escaping: .onlyNeeded)
        if type.name.isEmpty { fields.append(("Content-Type", "application/json")) }
      }
    }
    if !headers.has("accept") {
      fields.append(("Accept", "application/json, text/*;q=0.9, */*;q=0.5"))
    }
    if description.sideEffects != .none, !headers.has("idempotency-key") {
      // A digest, as the key names the run, which is nobody else's business.
      fields.append(("Idempotency-Key", String(Digest.sha256(use.idempotencyKey).prefix(32))))
    }
    return HTTPRequest(
      method: tool.method, url: address, headers: fields, body: bytes,
      allowsPlainHTTP: address.lowercased().hasBytePrefix("http:"),
      addressPolicy: AddressPolicy(allowsPrivate: tool.allowsPrivate))
  }

  private func form(_ object: ValueObject) -> String {
    object.flatMap { name, value in
      (value.array ?? [value]).map {
        "\(percentEncoded(name))=\(percentEncoded(ArgumentValues.text($0)))"
      }
    }.joined(separator: "&")
  }

  private func send(_ request: HTTPRequest, _ context: ToolContext) async throws -> HTTPAnswer {
    let seconds = min(timeout ?? limits.timeout, context.secondsLeft())
    let nanoseconds = min(max(0, seconds), 86_400) * 1_000_000_000
    let deadline = time.monotonic() &+ UInt64(nanoseconds)
    var attempt = 0
    while true {
      var request = request
      let trace = RequestTrace()
      request.trace = trace
      request.headerDeadline = deadline
      do {
        return try await answer(to: request, until: deadline)
      } catch let error as HTTPError {
        try Task.checkCancellation()
        attempt += 1
        let mayTryAgain =
          isRepeatable && !trace.isSent && !error.isLasting && attempt <= limits.retries
          && [.connect, .resolve, .tls, .aborted].contains(error.code)
        guard mayTryAgain, time.monotonic() < deadline else {
          throw failure(error, isSent: trace.isSent, seconds: seconds)
        }
        try await time.sleep(.milliseconds(200 * attempt * attempt))
      }
    }
  }

  private func answer(to request: HTTPRequest, until deadline: UInt64) async throws -> HTTPAnswer {
    let response = try await client.send(request, following: RedirectPolicy(hops: limits.redirects))
    var bytes: [UInt8] = []
    var cutAt: Int?
    while let chunk = try await response.body.next(deadline: deadline) {
      bytes += chunk
      if bytes.count > limits.answer {
        response.body.cancel()
        bytes = Array(bytes.prefix(HTTPAnswer.excerptLimit * 4))
        cutAt = limits.answer
        break
      }
    }
    return HTTPAnswer(
      status: response.status, headers: response.headers, body: bytes, cutAt: cutAt,
      url: response.url)
  }

  private func failure(_ error: HTTPError, isSent: Bool, seconds: Double) -> Failure {
    // Whoever may have been asked may have done it.
    if isSent, error.code == .timeout || description.sideEffects != .none,
      ![.refusedAddress, .redirect].contains(error.code)
    {
      let what =
        error.code == .timeout
        ? "did not answer within \(secondsText(seconds)) seconds" : "was cut off: \(error.message)"
      let doubt =
        description.sideEffects == .none
        ? "" : ": the request was sent, and may have been carried out"
      return Failure(
        .timeout, "the server of `\(name)` \(what)\(doubt)",
        suggestion: error.code == .timeout ? "raise `timeout:` of `\(name)` if it needs longer" : ""
      )
    }
    var failure = Failure(
      .run, "`\(name)` could not be requested: \(error.message)", suggestion: error.suggestion ?? ""
    )
    switch error.code {
    case .connect, .aborted: failure.reason = "connection"
    case .resolve: failure.reason = "name"
    case .certificate, .certificateStore, .tls: failure.reason = "certificate"
    case .proxy, .proxySetting: failure.reason = "proxy"
    case .timeout: failure.reason = "time"
    case .refusedAddress:
      failure.reason = "address"
      failure.suggestion =
        "if it is meant, name the host under `allow_private:` of `\(name)`, with its port if it has one"
    default: break
    }
    return failure
  }
}
