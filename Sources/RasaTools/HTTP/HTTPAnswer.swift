import RasaCore
import RasaDocuments
import RasaEngine
import RasaHTTPClient
import RasaSystem

/// What a server answered, and the result that it is.
struct HTTPAnswer {
  var status: Int
  var headers: HTTPHeaders
  var body: [UInt8]
  /// Nil where all of it has been read.
  var cutAt: Int?
  var url: String

  /// What of an error's body is shown.
  static let excerptLimit = 2_000

  private var type: MediaType { MediaType(headers.first(named: "content-type")) }

  func result(answer pointer: JSONPointer?, output: Schema?) -> ToolResult {
    guard (200..<300).contains(status) else { return error(statusText + excerpt) }
    if let cutAt {
      return error(
        "The server answered \(status) with more than \(byteCountText(cutAt)), which is not read: the request "
          + "has been carried out, its answer is not known.")
    }
    if body.isEmpty {
      if let pointer, !pointer.steps.isEmpty {
        return error("The server answered \(status) without a body.")
      }
      return ToolResult([.text("The server answered \(status) without a body.")])
    }
    if pointer != nil || type.isJSON { return document(pointer ?? .whole, output) }
    if let kind = Attachment.MediaType(ofBytes: body) {
      return ToolResult([.attachment(Attachment(name: fileName(kind), type: kind, bytes: body))])
    }
    guard let text = text() else {
      return error(
        "The server answered with \(byteCountText(body.count)) of \(shown(type.name)), which is neither text nor "
          + "an image\(type.charset.map { " (charset \(shown($0)))" } ?? "").")
    }
    // Many servers send JSON as text.
    if type.name != "text/html", let output, let value = try? JSON.parse(text) {
      return checked(value, output)
    }
    return ToolResult([.text(text)])
  }

  private func document(_ pointer: JSONPointer, _ output: Schema?) -> ToolResult {
    guard let text = text() else { return error("The server's answer is no text.") }
    let value: Value
    do {
      value = try JSON.parse(text, named: "the answer")
    } catch {
      return self.error("The server's answer is not JSON: \(error.message)." + excerpt)
    }
    switch pointer.value(in: value) {
    case .success(let part): return checked(part, output)
    case .failure(let missing):
      return error("The server's answer is not as expected: \(missing.message)." + excerpt)
    }
  }

  private func checked(_ value: Value, _ output: Schema?) -> ToolResult {
    let problems = output?.problems(in: value) ?? []
    guard problems.isEmpty else {
      return error(
        "The server's answer is not as expected: \(problems.prefix(8).joined(separator: "; "))."
          + excerpt)
    }
    return ToolResult([.text(ArgumentValues.text(value))], structured: value)
  }

  private func text() -> String? {
    guard let label = type.charset else {
      // Without a charset it is UTF-8, or what web pages were in before.
      return Charset.utf8.decode(body)
        ?? (type.isText && !body.contains(0) ? Charset("latin1")?.decode(body) : nil)
    }
    return Charset(label)?.decode(body)
  }

  private func error(_ text: String) -> ToolResult { ToolResult([.text(text)], isError: true) }

  private var statusText: String {
    var text = "The server answered \(status)\(Self.words[status].map { " (\($0))" } ?? "")"
    if (300..<400).contains(status) { text += ", which leads nowhere" }
    if let wait = headers.first(named: "retry-after") {
      text += "; it asks to wait: \(shown(wait))"
    }
    return text + "."
  }

  private var excerpt: String {
    guard !body.isEmpty, let text = text() else { return "" }
    let scalars = text.unicodeScalars
    let part = String(String.UnicodeScalarView(scalars.prefix(Self.excerptLimit)))
    let isCut = cutAt != nil || scalars.count > Self.excerptLimit
    return "\n\n" + part + (isCut ? " […]" : "")
  }

  private func shown(_ text: String) -> String {
    text.isEmpty ? "an unknown type" : text.printable(atMost: 80, ellipsis: "…")
  }

  private func fileName(_ kind: Attachment.MediaType) -> String {
    let path = URLParts(url)?.path ?? ""
    let last = path.split(atByte: "/", omittingEmpty: true).last.map(String.init) ?? ""
    return last.isEmpty || !last.hasByte(".")
      ? "answer." + (kind.rawValue.split(atByte: "/").last ?? "") : last
  }

  private static let words: [Int: String] = [
    304: "not modified", 400: "bad request", 401: "unauthorized", 402: "payment required",
    403: "forbidden",
    404: "not found", 405: "method not allowed", 406: "not acceptable", 408: "request timeout",
    409: "conflict",
    410: "gone", 413: "content too large", 415: "unsupported media type",
    422: "unprocessable content",
    429: "too many requests", 500: "internal server error", 501: "not implemented",
    502: "bad gateway",
    503: "service unavailable", 504: "gateway timeout",
  ]
}
