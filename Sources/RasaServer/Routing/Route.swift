import RasaCore
import RasaHTTPServer

/// One thing that can be asked of the server: the table of these is what it answers, and what `/openapi.json` says.
struct Route: Sendable {
  /// Who may ask.
  enum Need: Sendable, Hashable {
    /// Anybody who reaches the server.
    case nobody
    /// A valid token, whatever its scopes.
    case token
    case scope(Scope)
    /// As `run`; and without a token where the server was started with `--ollama-open`.
    case ollama
  }

  var method: String
  /// Such as `/v1/runs/{id}/events`.
  var path: String
  var need: Need
  var errors = ErrorForm.rasa
  var about: RouteDescription
  var answer: @Sendable (Call) async throws -> ServerResponse
  let segments: [Segment]

  enum Segment: Sendable, Hashable {
    case word(String)
    case parameter(String)
    /// Everything up to the end, with its slashes.
    case rest(String)
  }

  init(
    _ method: String, _ path: String, _ need: Need, errors: ErrorForm = .rasa,
    _ about: RouteDescription, _ answer: @escaping @Sendable (Call) async throws -> ServerResponse
  ) {
    self.method = method
    self.path = path
    self.need = need
    self.errors = errors
    self.about = about
    self.answer = answer
    segments = path.split(atByte: "/", omittingEmpty: true).map { part in
      guard part.utf8.first == UInt8(ascii: "{") else { return .word(String(part)) }
      let name = part.dropFirst().dropLast()
      return name.hasByteSuffix("+") ? .rest(String(name.dropLast())) : .parameter(String(name))
    }
  }

  /// The values of the parameters, decoded; nil where the path is another one.
  func match(_ parts: [String]) -> [String: String]? {
    var values: [String: String] = [:]
    for (index, segment) in segments.enumerated() {
      switch segment {
      case .rest(let name):
        guard index < parts.count else { return nil }
        values[name] = parts[index...].joined(separator: "/")
        return values
      case .word(let word): guard index < parts.count, parts[index] == word else { return nil }
      case .parameter(let name):
        guard index < parts.count, !parts[index].isEmpty else { return nil }
        values[name] = parts[index]
      }
    }
    return parts.count == segments.count ? values : nil
  }
}

/// What a program that has never seen the server is told of a route.
struct RouteDescription: Sendable {
  struct Parameter: Sendable {
    var name: String
    var about: String
    var schema: Value = ["type": "string"]
  }

  var summary: String
  /// Parameters of the query, all optional.
  var query: [Parameter] = []
  /// JSON Schema of the body; nil for none.
  var body: Value?
  /// The content types of a success.
  var types = ["application/json"]

  init(_ summary: String, query: [Parameter] = [], body: Value? = nil) {
    self.summary = summary
    self.query = query
    self.body = body
  }
  func answering(_ types: [String]) -> RouteDescription {
    var description = self
    description.types = types
    return description
  }
}
