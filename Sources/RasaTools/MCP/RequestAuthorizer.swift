package import RasaCore
package import RasaPersona

/// Knows how rasa proves to HTTP servers who it is: tokens of OAuth.
package protocol RequestAuthorizer: Sendable {
  /// What goes with each request to that URL.
  func headers(for url: String) async throws(Failure) -> [Header]
  /// Takes a server's refusal.
  ///
  /// - Parameters:
  ///   - challenge: its `WWW-Authenticate` header; empty if it sent none.
  ///   - status: 401, or 403 where a token lacks a scope.
  /// - Returns: whether to try again.
  func answer(challenge: String, status: Int, of url: String) async throws(Failure) -> Bool
}
