import RasaCore
import RasaKit

/// Why a request is refused or failed: a status for clients, and what a person reads.
struct ServerProblem: Error, Sendable, Hashable {
  var status: Int
  /// One word for programs, such as `not_found`; those of `RasaError` where one is behind it.
  var code: String
  /// One sentence without a full stop.
  var message: String
  /// What to do about it; empty where there is nothing to say.
  var suggestion = ""
  /// The reason in more detail, such as `rate_limit`.
  var reason: String?
  /// The seconds after which it may be different.
  var retryAfter: Int?
  /// The run that it is about.
  var run: String?
  /// The member of the request that is wrong, such as `messages[0].role`.
  var member: String?
  /// Members of the document beside `error`, such as the approval that another answer settled.
  var more = ValueObject()

  init(
    _ status: Int, _ code: String, _ message: String, suggestion: String = "",
    retryAfter: Int? = nil
  ) {
    self.status = status
    self.code = code
    self.message = message
    self.suggestion = suggestion
    self.retryAfter = retryAfter
  }

  static func notFound(_ message: String, suggestion: String = "") -> ServerProblem {
    ServerProblem(404, "not_found", message, suggestion: suggestion)
  }

  static func invalid(_ message: String, suggestion: String = "") -> ServerProblem {
    ServerProblem(400, "usage", message, suggestion: suggestion)
  }

  /// What any error is to a client.
  init(_ error: any Error) {
    switch error {
    case let problem as ServerProblem: self = problem
    case let error as RasaError: self.init(error)
    case let failure as Failure:
      self.init(RasaError(failure.code, failure.message, suggestion: failure.suggestion))
    case is CancellationError: self.init(499, "cancelled", "it was cancelled")
    default: self.init(500, "run", "\(error)")
    }
  }

  private init(_ error: RasaError) {
    let status =
      switch error.code {
      case .usage: 400
      case .configuration, .limit: 422
      // The provider refused our key, and not we the client's.
      case .authentication, .provider: 502
      case .budget: 402
      case .approval, .cancelled: 409
      case .timeout: 504
      case .storage: 503
      default: 500
      }
    self.init(status, error.code.description, error.message, suggestion: error.suggestion)
    reason = error.reason
    run = error.run
  }
}

extension Failure {
  /// The public code of the same kind.
  fileprivate var code: RasaError.Code {
    switch kind {
    case .usage: .usage
    case .configuration: .configuration
    case .authentication: .authentication
    case .provider: .provider
    case .budget: .budget
    case .approval: .approval
    case .limit: .limit
    case .timeout: .timeout
    case .cancelled: .cancelled
    case .storage: .storage
    default: .run
    }
  }
}

/// In whose words a client is told of a problem.
enum ErrorForm: Sendable, Hashable {
  case rasa, openAI, anthropic, ollama

  func document(_ problem: ServerProblem) -> Value {
    let text =
      problem.suggestion.isEmpty ? problem.message : "\(problem.message): \(problem.suggestion)"
    switch self {
    case .rasa:
      var error: ValueObject = [
        "code": .string(problem.code), "message": .string(problem.message),
        "suggestion": .string(problem.suggestion),
      ]
      if let reason = problem.reason { error["reason"] = .string(reason) }
      if let run = problem.run { error["run"] = .string(run) }
      var document = problem.more
      document["error"] = .object(error)
      return .object(document)
    case .openAI:
      return [
        "error": [
          "message": .string(text), "type": .string(openAIType(problem)),
          "param": problem.member.map { .string($0) } ?? .null,
          "code": .string(problem.code == "budget" ? "insufficient_quota" : problem.code),
        ]
      ]
    case .anthropic:
      return [
        "type": "error",
        "error": ["type": .string(anthropicType(problem)), "message": .string(text)],
      ]
    case .ollama: return ["error": .string(text)]
    }
  }

  /// Clients of that kind know no other status for a budget than 429 (OpenAI) and 402 (Anthropic).
  func status(_ problem: ServerProblem) -> Int {
    self == .openAI && problem.code == "budget" ? 429 : problem.status
  }

  private func openAIType(_ problem: ServerProblem) -> String {
    switch problem.status {
    case 401: "authentication_error"
    case 403: "permission_error"
    case 404: "not_found_error"
    case 402: "insufficient_quota"
    case 429: "rate_limit_error"
    case 400..<500: "invalid_request_error"
    default: "server_error"
    }
  }

  private func anthropicType(_ problem: ServerProblem) -> String {
    switch problem.status {
    case 401: "authentication_error"
    case 402: "billing_error"
    case 403: "permission_error"
    case 404: "not_found_error"
    case 413: "request_too_large"
    case 429: "rate_limit_error"
    case 504: "timeout_error"
    case 529: "overloaded_error"
    case 400..<500: "invalid_request_error"
    default: "api_error"
    }
  }
}
