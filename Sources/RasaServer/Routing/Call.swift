import RasaCore
import RasaDocuments
import RasaHTTPServer
import RasaKit

/// One request, by somebody who may make it.
struct Call: Sendable {
  var request: ServerRequest
  /// Parts of the path by name, decoded.
  var parameters: [String: String]
  var client: Client
  let context: ServerContext

  var rasa: Rasa { context.rasa }

  func parameter(_ name: String) -> String { parameters[name] ?? "" }

  /// The body as JSON; an empty object where there is none.
  func body() throws(ServerProblem) -> Value {
    guard !request.body.isEmpty else { return .emptyObject }
    do throws(Failure) {
      return try JSON.parse(request.body, named: "the body")
    } catch {
      throw ServerProblem(
        400, "usage", error.description, suggestion: "send a JSON document in UTF-8")
    }
  }

  /// A whole number of the query within bounds.
  func number(
    _ name: String, default standard: Int, in range: ClosedRange<Int>
  ) throws(ServerProblem) -> Int {
    guard let text = try single(name) else { return standard }
    guard let number = Int(text), range.contains(number) else {
      throw .invalid(
        "`\(name)` is \(quoted(text))",
        suggestion: "give a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  func flag(_ name: String) throws(ServerProblem) -> Bool {
    switch try single(name) {
    case nil, "false", "0": return false
    case "true", "1", "": return true
    case .some(let text):
      throw .invalid("`\(name)` is \(quoted(text))", suggestion: "give `true` or `false`")
    }
  }

  /// The parameter of the query; nil where there is none.
  func single(_ name: String) throws(ServerProblem) -> String? {
    let found = request.query.filter { $0.name == name }
    guard found.count < 2 else { throw .invalid("`\(name)` is there more than once") }
    return found.first?.value
  }
}

extension ServerResponse {
  static func json(_ value: Value, status: Int = 200, headers: [(String, String)] = [])
    -> ServerResponse
  {
    ServerResponse(
      status: status, value.json(.compact) + "\n", type: "application/json",
      headers: headers.map { (name: $0.0, value: $0.1) })
  }

  static func problem(_ problem: ServerProblem, _ form: ErrorForm) -> ServerResponse {
    var headers: [(String, String)] = []
    if let seconds = problem.retryAfter { headers.append(("Retry-After", "\(seconds)")) }
    if problem.status == 401 { headers.append(("WWW-Authenticate", "Bearer realm=\"rasa\"")) }
    return json(form.document(problem), status: form.status(problem), headers: headers)
  }
}
