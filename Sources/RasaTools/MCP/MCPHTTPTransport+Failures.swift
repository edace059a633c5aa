import RasaCore
import RasaHTTPClient

extension MCPHTTPTransport {
  func inDoubtIfSent(_ failure: Failure, _ request: MCPRequest) -> Failure {
    guard request.isUse else { return failure }
    var failure = failure
    failure.kind = .timeout
    failure.message += ", and it is not known whether the call was done"
    return failure
  }

  func tooLong(_ request: MCPRequest) -> Failure {
    inDoubtIfSent(
      Failure(
        .run,
        "the MCP server `\(name)` sent more than \(limits.message >> 20) MB for an answer"),
      request)
  }

  func unauthorized(_ status: Int, _ challenge: String) -> Failure {
    Failure(
      .authentication,
      "the MCP server `\(name)` requires authorization: HTTP \(status)"
        + (challenge.isEmpty ? "" : ", \(challenge.printable(atMost: 200, ellipsis: "…"))"),
      suggestion: "log in, or set a header with a token where the server is declared")
  }

  func failure(_ error: HTTPError, _ request: MCPRequest, isSent: Bool) -> Failure {
    switch error.code {
    case .invalidURL, .refusedScheme:
      return Failure(
        .configuration, "the MCP server `\(name)` cannot be reached: \(error.message)",
        suggestion: "correct its address")
    case .refusedAddress:
      return Failure(
        .configuration, "the MCP server `\(name)` is not asked: \(error.message)",
        suggestion:
          "if it is meant, name the host under `allow_private:` of `\(name)`, with its port if it has one"
      )
    case .timeout:
      let late = Failure(
        .timeout, "the MCP server `\(name)` did not answer `\(request.method)` in time",
        suggestion: request.isUse ? "raise `timeout:` where the server is declared" : "")
      // What never left was not done.
      guard request.isUse, !isSent else { return late }
      return Failure(.run, late.message)
    default:
      let failure = Failure(
        .run, "the MCP server `\(name)` cannot be reached: \(error.message)",
        suggestion: error.suggestion ?? "check its address, and that it runs")
      return isSent ? inDoubtIfSent(failure, request) : failure
    }
  }
}
