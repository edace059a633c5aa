package import RasaCore
package import RasaPersona

/// Authorizes the requests to one remote server with the token of a login.
///
/// Where a person can answer, one that is missing is asked for in the browser; elsewhere an error names the command
/// that does it.
package final class OAuthAuthorizer: RequestAuthorizer {
  private let flow: OAuthFlow
  /// Nil where nobody can log in.
  private let person: OAuthInteraction?
  private let state = Locked(State())

  private struct State {
    /// The token of the last request.
    var used: String?
    /// Until when a token that is refused is one that was given because another was refused.
    var freshUntil: UInt64 = 0
    /// When the token was given to requests that may not be over.
    var given: [UInt64] = []
    /// How many requests may still be refused with the token before this one: they need no new login.
    var latecomers = 0
    /// How often a right that was granted has been refused.
    var refusedRights = 0
    /// When a browser was opened.
    var logins: [UInt64] = []
    /// A login that others wait for.
    var running: Task<Result<Void, Failure>, Never>?
  }

  /// How often within some minutes the browser is opened for one server, which may never be content.
  private static let mostLogins = 2
  private static let mostRefusedRights = 8
  private static let window: UInt64 = 600_000_000_000
  private static let fresh: UInt64 = 60_000_000_000

  package init(_ flow: OAuthFlow, with person: OAuthInteraction?) {
    self.flow = flow
    self.person = person
  }

  package func headers(for url: String) async throws(Failure) -> [Header] {
    // A token is for the server that it was given for.
    guard OAuthDiscovery.canonical(url) == flow.server, let login = try await flow.current() else {
      return []
    }
    let now = flow.time.monotonic()
    state.withLock { state in
      if state.used != login.accessToken {
        state.latecomers = max(0, state.given.count { now &- $0 < Self.fresh } - 1)
        state.given = []
        state.used = login.accessToken
      }
      state.given = state.given.suffix(63) + [now]
    }
    return [Header(name: "Authorization", value: "Bearer \(login.accessToken)")]
  }

  /// Whether the request may succeed now.
  package func answer(challenge header: String, status: Int, of url: String) async throws(Failure)
    -> Bool
  {
    guard OAuthDiscovery.canonical(url) == flow.server else { return false }
    let challenges = AuthChallenge.parse(header).filter { $0.scheme == "bearer" }
    let challenge = challenges.first ?? AuthChallenge(scheme: "bearer")
    if status == 403 {
      guard challenge.parameters["error"] == "insufficient_scope" else { return false }
      return try await stepUp(challenge)
    }
    guard status == 401 else { return false }
    let now = flow.time.monotonic()
    let (used, isFresh) = state.withLock { ($0.used, $0.used != nil && now < $0.freshUntil) }
    if isFresh,
      state.withLock({ state in
        state.latecomers -= 1
        return state.latecomers >= 0
      })
    {
      return true
    }
    var scopes: [String] = []
    // Refreshing what has just been refreshed would go on forever.
    if !isFresh {
      let login = try await flow.current(rejected: used)
      if let login, login.accessToken != used {
        state.withLock { $0.freshUntil = now &+ Self.fresh }
        return true
      }
      scopes = login?.scopes ?? []
    }
    let why = used == nil ? "wants a login" : "does not take its login"
    try await logIn(challenge, additional: scopes, why: why)
    state.withLock { $0.freshUntil = flow.time.monotonic() &+ Self.fresh }
    return true
  }

  private func stepUp(_ challenge: AuthChallenge) async throws(Failure) -> Bool {
    guard !challenge.scopes.isEmpty else { return false }
    let granted = try await flow.current()?.scopes ?? []
    let missing = challenge.scopes.filter { !granted.contains($0) }
    let isRepeated = state.withLock { state in
      if missing.isEmpty { state.refusedRights += 1 }
      return state.refusedRights > Self.mostRefusedRights
    }
    guard !isRepeated else { return false }
    // Another request has brought them meanwhile.
    if missing.isEmpty { return true }
    if person == nil { try await flow.note(wanted: challenge.scopes) }
    try await logIn(
      challenge, additional: granted,
      why: "wants more rights: \(missing.joined(separator: " ").printable(atMost: 200))")
    return true
  }

  /// One login at a time, however many requests want it.
  private func logIn(
    _ challenge: AuthChallenge, additional: [String], why: String
  ) async throws(Failure) {
    guard let person else { throw flow.needsLogin(why) }
    let (flow, now) = (flow, flow.time.monotonic())
    let isTooOften = state.withLock { state in
      guard state.running == nil else { return false }
      state.logins.removeAll { now &- $0 > Self.window }
      guard state.logins.count < Self.mostLogins else { return true }
      state.logins.append(now)
      return false
    }
    if isTooOften { throw flow.needsLogin("\(why), just after the last one") }
    let task = state.withLock { state in
      if let running = state.running { return running }
      let task = Task { () -> Result<Void, Failure> in
        do throws(Failure) {
          try await flow.login(challenge: challenge, additional: additional, with: person)
          return .success(())
        } catch {
          return .failure(error)
        }
      }
      state.running = task
      return task
    }
    let result = await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
    state.withLock { if $0.running == task { $0.running = nil } }
    try result.get()
  }
}
