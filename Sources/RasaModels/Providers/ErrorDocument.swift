import RasaCore
import RasaDocuments

/// What providers say when they fail: `{error: {message, type, param, code}}`, `{error: "…"}`,
/// `{detail: "…"}`, `{detail: [{loc, msg}]}`, `{errors: [{message}]}`, `{message}`, one of them in an
/// array, an upstream's own document as text in `metadata.raw`, plain text, or a page for people.
struct ErrorDocument {
  private(set) var message = ""
  private(set) var type: String?
  private(set) var code: String?
  private(set) var parameter: String?
  /// How long the document itself asks to wait.
  private(set) var retryDelay: Duration?
  /// What the provider calls the request, for its support.
  private(set) var requestID: String?
  /// It is a page for people, which a proxy sent and no model server.
  private(set) var isPage = false
  /// What it says about the length of the request.
  private(set) var length = LengthFigures()
  private var reasons: [String] = []

  private init() {}

  init(_ body: [UInt8]) {
    if let document = try? JSON.parse(body) {
      let object = document.array?.first ?? document
      let error = object["error"]
      self.init(error.isNull || error == true || error == false ? object : error)
      if message.isEmpty { message = Self.words(of: object) }
      requestID = requestID ?? object["request_id"].string
    } else {
      self.init()
      let text = String(decoding: body.prefix(16_384), as: UTF8.self)
      isPage = body.first { $0 > 0x20 } == UInt8(ascii: "<")
      message = isPage ? Self.wordsOfPage(text) : Self.printable(text)
      length = LengthFigures(in: message)
    }
  }

  init(_ error: Value) {
    message = Self.words(of: error)
    // A gateway's own words say little, and those of the server behind it stand in a text.
    if let raw = error["metadata"]["raw"].string?.nonEmpty {
      let upstream = ErrorDocument(Array(raw.utf8))
      if !upstream.message.isEmpty, !message.hasBytes(upstream.message) {
        message = Self.printable(
          message.isEmpty ? upstream.message : "\(message): \(upstream.message)")
      }
      parameter = upstream.parameter
      code = upstream.code
      type = upstream.type
    }
    if parameter == nil, let last = error["detail"].array?.first?["loc"].array?.last?.string {
      parameter = last
    }
    type = error["type"].string ?? error["status"].string ?? type
    code = error["code"].string ?? code ?? error["code"].int.map(String.init)
    parameter = error["param"].string ?? parameter
    requestID = error["request_id"].string
    length = LengthFigures(in: message)
    // llama.cpp says it in members of their own.
    length.requested = error["n_prompt_tokens"].int ?? length.requested
    length.most = error["n_ctx"].int ?? length.most
    for detail in error["details"].array ?? [] {
      if let reason = detail["reason"].string { reasons.append(reason) }
      if let delay = detail["retryDelay"].string.flatMap(RetryAfter.duration) {
        retryDelay = max(retryDelay ?? .zero, delay)
      }
    }
  }

  private static func words(of error: Value) -> String {
    if let text = error.string { return printable(text) }
    for key in ["message", "detail", "msg", "error", "errors", "title", "reason"] {
      let member = error[key]
      if let text = member.string?.nonEmpty { return printable(text) }
      if let list = member.array {
        let words = list.prefix(3).map { item -> String in
          // Where in the request it is: without `body`, which is all of it.
          var path: [String] = []
          for part in item["loc"].array ?? [] {
            if let step = part.string ?? part.int.map({ "\($0)" }), step != "body" || !path.isEmpty
            {
              path.append(step)
            }
          }
          let place = path.joined(separator: ".")
          let said = Self.words(of: item)
          return place.isEmpty || said.isEmpty ? said : "\(place): \(said)"
        }.filter { !$0.isEmpty }
        if !words.isEmpty { return printable(words.joined(separator: "; ")) }
      }
      if member.object != nil, case let said = Self.words(of: member), !said.isEmpty { return said }
    }
    return ""
  }

  /// What a page shows first: its title and the beginning of its text.
  private static func wordsOfPage(_ page: String) -> String {
    var words: [UInt8] = []
    var isInTag = false
    var tag: [UInt8] = []
    var hidden: String?
    for byte in page.utf8 {
      switch byte {
      case UInt8(ascii: "<"):
        isInTag = true
        tag = []
      case UInt8(ascii: ">") where isInTag:
        isInTag = false
        let text = String(decoding: tag.prefix(16), as: UTF8.self).lowercased()
        let name = String(text.prefix { $0.isLetter || $0 == "/" || $0 == "!" })
        if let open = hidden {
          if name == "/" + open { hidden = nil }
        } else if name == "script" || name == "style" {
          hidden = name
        }
        words.append(0x20)
      default:
        if isInTag {
          tag.append(byte)
        } else if hidden == nil {
          words.append(byte)
        }
      }
      if words.count > 400 { break }
    }
    return printable(String(decoding: words, as: UTF8.self))
  }

  /// A server was spoken to without TLS that wants it.
  var isAboutTLS: Bool {
    let text = message.lowercased()
    return text.hasBytes("https port") || text.hasBytes("http request to an https server")
      || text.hasBytes("plain http request was sent")
      || text.hasBytes("combination of host and port")
  }

  /// Waiting does not help: the money is gone, not the rate.
  var isOutOfCredit: Bool {
    let marks = ["insufficient_quota", "billing_hard_limit", "spend_limit", "credit_limit"]
    return [code, type].contains { word in
      word.map { word in marks.contains { word.hasPrefix($0) } } ?? false
    }
  }

  /// The account has to be paid for before it serves anyone, whatever the status says.
  var isAboutPayment: Bool {
    let marks: [String?] = ["billing_error", "billing_not_active"]
    if marks.contains(type) || marks.contains(code) { return true }
    let text = message.lowercased()
    return text.hasBytes("credit balance is too low")
      || (type == "FAILED_PRECONDITION" && text.hasBytes("billing"))
  }

  /// Google says 400 to a wrong key.
  var isAboutKey: Bool {
    reasons.contains { $0 == "API_KEY_INVALID" || $0 == "API_KEY_EXPIRED" }
      || message.lowercased().hasBytes("api key not valid")
  }

  var isAboutMissingModel: Bool {
    if code == "model_not_found" || code == "invalid_model" { return true }
    let text = message.lowercased()
    return text.hasBytes("model")
      && [
        "not found", "does not exist", "not exist", "unknown model", "no such model",
        "not a valid model", "invalid model", "is not served", "not available for your",
      ].contains { text.hasBytes($0) }
  }

  /// The request is longer than the model's window.
  var isAboutLength: Bool {
    if ["context_length_exceeded", "string_above_max_length", "request_too_large"].contains(code) {
      return true
    }
    let text = message.lowercased()
    return [
      "context length", "context window", "context size", "maximum context", "prompt is too long",
      "input is too long", "input token count", "too many input tokens",
      "exceeds the maximum number of tokens", "exceed context limit", "maximum context length",
      "input tokens exceed", "reduce the length",
    ].contains { text.hasBytes($0) }
  }

  /// The model or its server knows something less than the request wants.
  var isAboutSupport: Bool {
    if let code, code.hasPrefix("unsupported") || code.hasPrefix("unknown_parameter") {
      return true
    }
    let text = message.lowercased()
    return [
      "unsupported", "not supported", "does not support", "doesn't support", "unknown parameter",
      "unknown field", "unknown name", "unrecognized", "extra inputs are not permitted",
      "not permitted", "must be at most", "maximum allowed", "is deprecated",
    ].contains { text.hasBytes($0) }
  }

  /// One line without control, bidirectional and zero-width characters, and not long.
  static func printable(_ text: String) -> String {
    var line = ""
    var blank = false
    for scalar in text.unicodeScalars.prefix(1_000) {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate,
        .privateUse, .unassigned:
        blank = !line.isEmpty
      default:
        if blank { line.append(" ") }
        blank = false
        line.unicodeScalars.append(scalar)
      }
      if line.unicodeScalars.count >= 300 {
        line.append("…")
        break
      }
    }
    return line
  }
}
