import RasaCore
import RasaDocuments

/// What providers say when they fail: `{error: {message, type, param, code}}`, `{error: "…"}`,
/// either of them in an array, or plain text.
struct ErrorDocument {
  private(set) var message = ""
  private(set) var type: String?
  private(set) var code: String?
  private(set) var parameter: String?
  /// How long the document itself asks to wait.
  private(set) var retryDelay: Duration?
  /// What the provider calls the request, for its support.
  private(set) var requestID: String?
  private var reasons: [String] = []

  private init() {}

  init(_ body: [UInt8]) {
    if let document = try? JSON.parse(body) {
      let object = document.array?.first ?? document
      let error = object["error"]
      self.init(error.isNull ? object : error)
      requestID = requestID ?? object["request_id"].string
    } else {
      self.init()
      let text = String(decoding: body.prefix(2_000), as: UTF8.self)
      // A proxy's HTML page tells a person nothing.
      message = text.hasPrefix("<") ? "" : Self.printable(text)
    }
  }

  init(_ error: Value) {
    let text = error.string ?? error["message"].string ?? error["detail"].string ?? ""
    message = Self.printable(text)
    type = error["type"].string ?? error["status"].string
    code = error["code"].string ?? error["code"].int.map(String.init)
    parameter = error["param"].string
    requestID = error["request_id"].string
    for detail in error["details"].array ?? [] {
      if let reason = detail["reason"].string { reasons.append(reason) }
      if let delay = detail["retryDelay"].string.flatMap(RetryAfter.duration) {
        retryDelay = max(retryDelay ?? .zero, delay)
      }
    }
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
    return text.contains("credit balance is too low")
      || (type == "FAILED_PRECONDITION" && text.contains("billing"))
  }

  /// Google says 400 to a wrong key.
  var isAboutKey: Bool {
    reasons.contains { $0 == "API_KEY_INVALID" || $0 == "API_KEY_EXPIRED" }
      || message.lowercased().contains("api key not valid")
  }

  var isAboutMissingModel: Bool {
    if code == "model_not_found" || code == "invalid_model" { return true }
    let text = message.lowercased()
    return text.contains("model")
      && ["not found", "does not exist", "not exist", "unknown model", "no such model"]
        .contains { text.contains($0) }
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
