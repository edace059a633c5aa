package import RasaCore
import RasaEngine

/// Why one attempt at one model failed, as far as it decides what happens next.
package struct ProviderProblem: Error, Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    /// Nobody answers at that address.
    case connection
    /// Its name does not resolve.
    case unresolved
    /// The proxy is not there, refuses the way or is none.
    case proxy
    /// TLS does not come about.
    case tls
    /// The server's certificate is not trusted, or not for it, or not for today.
    case certificate
    /// The answer did not begin in time.
    case timeout
    /// It began, and then nothing arrived for too long.
    case idle
    /// 429: too many requests.
    case rateLimit
    /// 408, 5xx, 529: the server's own trouble.
    case server
    /// The stream ended or turned into nonsense before the answer was complete.
    case brokenStream
    case modelNotFound
    /// 429 that waiting does not help: the account has no more credit.
    case quota
    /// 401, 403.
    case authentication
    /// 402.
    case payment
    /// 400: the request itself, which no model would take.
    case rejected
    /// The request is longer than what this model reads.
    case tooLong
    /// 413, 422, an unknown parameter or value: another model may take the request.
    case unsupported
    /// Something between here and the model answered: a page for people, or a way to elsewhere.
    case blocked
    /// What came is surely nothing that a model said.
    case notAnAnswer
    /// The model declined to answer.
    case refused
    /// The provider's content filter stopped the answer.
    case filtered
    /// The answer ended in good order and had nothing in it.
    case empty
    /// A limit has no room for this call.
    case budget
    /// A limit is in force, and the model's price is unknown.
    case unknownPrice
    /// The model does not take what is attached: it is not asked.
    case unfit
  }

  package var kind: Kind
  /// One clause for people: no keys, nothing unprintable, not long.
  package var message: String
  package var status: Int?
  /// What the server calls the problem, and the field of the request that it blames.
  package var code: String?
  package var parameter: String?
  package var retryAfter: Duration?
  /// The same request would fail in the same way, whatever the kind says of others like it.
  package var isLasting = false
  /// It was waited for as long as the settings allow.
  package var isWait = false
  /// How long the request was and how long it may be, in tokens, as far as the server says so.
  package var length = LengthFigures()
  /// What was sent of the conversation, where that was too long.
  package var sent: SentConversation?
  /// What to do, where more is known than the kind says.
  package var suggestion: String?

  package init(
    _ kind: Kind, _ message: String, status: Int? = nil, code: String? = nil,
    parameter: String? = nil, retryAfter: Duration? = nil
  ) {
    self.kind = kind
    self.message = message
    self.status = status
    self.code = code
    self.parameter = parameter
    self.retryAfter = retryAfter
  }

  /// The same model may well answer in a moment.
  package var isTransient: Bool {
    guard !isLasting else { return false }
    switch kind {
    case .connection, .unresolved, .proxy, .tls, .rateLimit, .server, .brokenStream, .idle:
      return true
    case .certificate, .timeout, .modelNotFound, .quota, .authentication, .payment, .rejected,
      .tooLong, .unsupported, .blocked, .notAnAnswer, .refused, .filtered, .empty, .budget,
      .unknownPrice, .unfit:
      return false
    }
  }

  /// No model of this provider will answer.
  package var condemnsProvider: Bool {
    switch kind {
    case .authentication, .payment, .quota, .blocked, .certificate: true
    default: isLasting && isBelowHTTP
    }
  }

  /// No server was reached that could have worked on the request.
  var isBelowHTTP: Bool {
    switch kind {
    case .connection, .unresolved, .proxy, .tls, .certificate: true
    default: false
    }
  }

  /// No model had a part in what came, so that nobody can want money for it.
  var isForeign: Bool { kind == .blocked || kind == .notAnAnswer }

  /// Whether it says something about the model's availability to later calls.
  var isAboutAvailability: Bool {
    switch kind {
    case .rejected, .tooLong, .unsupported, .refused, .filtered, .empty, .budget, .unknownPrice,
      .unfit:
      false
    default: true
    }
  }

  /// The model came to its end, was paid, and there is no answer.
  var isNoAnswer: Bool {
    switch kind {
    case .refused, .filtered, .empty: true
    default: false
    }
  }
}

extension ProviderProblem {
  /// An answer that ended, and is none.
  ///
  /// - Parameter calledTools: it asked for tools that it was not offered.
  init(_ finish: FinishReason, saying words: String, calledTools: Bool) {
    let words = ErrorDocument.printable(words)
    let said = words.isEmpty ? "" : ": \(words)"
    switch finish {
    case .refused: self.init(.refused, "the model declined to answer\(said)")
    case .filtered: self.init(.filtered, "the provider's content filter stopped the answer\(said)")
    default:
      self.init(
        .empty,
        calledTools
          ? "the model asked for tools that it was not offered, and said nothing"
          : "the answer was empty\(said)")
    }
  }
}

extension ProviderProblem {
  /// What a status other than 2xx means. `body` is the error document as it came.
  ///
  /// - Parameter address: what was asked, without what may be secret in it.
  package init(
    status: Int, headers: (String) -> String?, body: [UInt8], now: Timestamp, address: String = ""
  ) {
    let document = ErrorDocument(body)
    if (300..<400).contains(status), status != 304 {
      self.init(redirect: status, to: headers("location"), from: address, saying: document)
      return
    }
    var delay = RetryAfter.read(headers, now: now) ?? document.retryDelay
    if status == 429, delay == nil { delay = RetryAfter.readResets(headers, now: now) }
    self.init(status: status, document, retryAfter: delay)
    if document.isPage {
      let type = headers("content-type").map { ErrorDocument.printable($0) } ?? "text/html"
      let place = address.isEmpty ? "" : " from \(address)"
      let words = document.message.isEmpty ? "" : ": \(document.message)"
      let what = "a web page (\(type)) came\(place) instead of an answer (\(status))"
      message = (kind == .server ? "the server failed: " : "") + what + words
    } else if status == 404, !document.isAboutMissingModel, !address.isEmpty {
      message += " [asked: \(address)]"
    }
    if status == 407 {
      isLasting = true
      kind = .proxy
      let words = document.message.isEmpty ? "" : ": \(document.message)"
      message = "a proxy asks for a password (407)\(words)"
      suggestion = "write the user and the password into the proxy's address"
    } else if document.isAboutTLS, address.hasPrefix("http:") {
      isLasting = true
      kind = .tls
      suggestion = "write the address with https://"
    }
    note(requestID: Self.requestID(headers) ?? document.requestID)
  }

  /// Redirects are not followed: the key would go along to wherever they lead.
  private init(
    redirect status: Int, to location: String?, from address: String, saying document: ErrorDocument
  ) {
    let place = address.isEmpty ? "the server" : address
    let target = location.map { text in
      ErrorDocument.printable(String(text.prefix { $0 != "?" && $0 != "#" }.prefix(200)))
    }
    let words = document.message.isEmpty ? "" : ": \(document.message)"
    self.init(
      .blocked,
      "\(place) redirects \(target.map { "to \($0)" } ?? "without saying where") (\(status))\(words)",
      status: status)
    guard let target, let path = address.pathOfURL, target.hasSuffix(path) else { return }
    if target.hasPrefix("https://") || target.hasPrefix("http://") {
      suggestion =
        "if that is where the server is now, write its address as that says: redirects are "
        + "not followed, since the key would go along"
    }
  }

  private init(status: Int, _ document: ErrorDocument, retryAfter: Duration?) {
    let said = document.message.isEmpty ? "" : ": \(document.message)"
    let kind: Kind
    let words: String
    switch status {
    case 402,
      400..<500 where document.isAboutPayment:
      kind = .payment
      words = "the provider asks for payment (\(status))"
    case 401 where document.isPage, 403 where document.isPage:
      kind = .blocked
      words = "a web page came instead of an answer (\(status))"
    case 401, 403,
      400 where document.isAboutKey:
      kind = .authentication
      words = "the key was refused (\(status))"
    case 429 where document.isOutOfCredit:
      kind = .quota
      words = "the account's quota is used up (429)"
    case 429:
      kind = .rateLimit
      words = "too many requests (429)"
    case 404:
      kind = .modelNotFound
      words =
        document.isAboutMissingModel
        ? "the model was not found (404)" : "the server knows no such model or address (404)"
    case 400 where document.isAboutMissingModel, 422 where document.isAboutMissingModel:
      kind = .modelNotFound
      words = "the model was not found (\(status))"
    case 413,
      400..<500 where document.isAboutLength:
      kind = .tooLong
      words = "the request is too long for the model (\(status))"
    case 422,
      400 where document.isAboutSupport:
      kind = .unsupported
      words = "the model does not take such a request (\(status))"
    case 408, 409, 425, 500...599:
      kind = .server
      words = status == 529 ? "the provider is overloaded (529)" : "the server failed (\(status))"
    default:
      kind = .rejected
      words = "the request was refused (\(status))"
    }
    self.init(
      kind, words + said, status: status, code: document.code, parameter: document.parameter,
      retryAfter: retryAfter)
    length = document.length
  }

  /// An error that arrived inside a stream whose status was 200.
  package init(inStream error: Value) {
    let document = ErrorDocument(error)
    let words = document.message.isEmpty ? "the provider broke off with an error" : document.message
    if let status = document.code.flatMap({ Int($0) }), (400..<600).contains(status) {
      self.init(status: status, document, retryAfter: document.retryDelay)
      message = words
    } else {
      self.init(
        Self.kind(named: document), words, code: document.code, parameter: document.parameter,
        retryAfter: document.retryDelay)
      length = document.length
    }
    note(requestID: document.requestID)
  }

  private static func kind(named document: ErrorDocument) -> Kind {
    if document.isOutOfCredit { return .quota }
    if document.isAboutPayment { return .payment }
    if document.isAboutMissingModel { return .modelNotFound }
    switch document.type ?? document.code {
    case "rate_limit_error", "rate_limit_exceeded", "requests", "tokens", "RESOURCE_EXHAUSTED":
      return .rateLimit
    case "authentication_error", "permission_error", "invalid_api_key", "UNAUTHENTICATED",
      "PERMISSION_DENIED":
      return .authentication
    case "not_found_error", "NOT_FOUND": return .modelNotFound
    case "invalid_request_error", "request_too_large", "INVALID_ARGUMENT":
      if document.isAboutKey { return .authentication }
      if document.isAboutLength || document.type == "request_too_large" { return .tooLong }
      return document.isAboutSupport ? .unsupported : .rejected
    default: return document.isAboutLength ? .tooLong : .server
    }
  }

  /// What support wants to know.
  static func requestID(_ headers: (String) -> String?) -> String? {
    (headers("request-id") ?? headers("x-request-id"))?.nonEmpty
  }

  mutating func note(requestID: String?) {
    guard let requestID, case let name = ErrorDocument.printable(requestID), !name.isEmpty,
      name.utf8.count <= 100, !message.hasBytes(name)
    else { return }
    message += " [request \(name)]"
  }
}

extension ProviderProblem {
  /// A page for people where a model's answer was expected, with a status that promised one.
  static func page(_ contentType: String?, _ page: [UInt8]) -> ProviderProblem {
    let type = ErrorDocument.printable(contentType ?? "text/html")
    let words = ErrorDocument(page).message
    return ProviderProblem(
      .blocked,
      "a web page (\(type)) came instead of an answer\(words.isEmpty ? "" : ": \(words)")")
  }

  /// - Parameter body: what came, or its beginning.
  static func notAnAnswer(_ contentType: String?, _ body: [UInt8]) -> ProviderProblem {
    let type = contentType.map { ErrorDocument.printable($0) } ?? "without a content type"
    let words = ErrorDocument.printable(String(decoding: body.prefix(1_000), as: UTF8.self))
    return ProviderProblem(
      .notAnAnswer, "what came (\(type)) is no answer of a model: \(words.prefix(200))")
  }

  static let packed = ProviderProblem(
    .notAnAnswer, "what came is packed (gzip), and its headers do not say so")

  /// Says which address answered so, and with what status.
  mutating func note(status: Int, from address: String) {
    guard isForeign, !address.isEmpty, !message.hasBytes(address) else { return }
    message += " [\(status) from \(address)]"
  }
}

extension String {
  /// What stands behind the host of an address; nil where nothing does.
  fileprivate var pathOfURL: String? {
    let parts = split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, let slash = parts[2].firstIndex(of: "/") else { return nil }
    return String(parts[2][slash...])
  }
}
