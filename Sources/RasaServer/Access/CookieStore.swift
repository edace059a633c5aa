import RasaCore
import RasaHTTPServer

/// How a browser comes in: a code that is valid once and for a minute becomes a cookie, and the page gets a word that it
/// has to send along with whatever changes something.
final class CookieStore: Sendable {
  static let name = "rasa_session"
  private static let codeTime: UInt64 = 60_000_000_000
  private static let cookieTime: UInt64 = 12 * 3_600_000_000_000

  private struct State {
    /// Until when each code is valid, by its digest.
    var codes: [String: UInt64] = [:]
    /// By the cookie's digest.
    var sessions: [String: (csrf: String, until: UInt64)] = [:]
  }

  private let state = Locked(State())
  private let now: @Sendable () -> UInt64

  /// - Parameter now: nanoseconds of a clock that never goes back.
  init(now: @escaping @Sendable () -> UInt64) { self.now = now }

  func newCode() -> String {
    let code = newSecret("")
    let until = now() &+ Self.codeTime
    state.withLock { state in
      state.codes = state.codes.filter { $0.value > now() }
      state.codes[Digest.sha256(code)] = until
    }
    return code
  }

  /// The cookie and the page's word for a code; nil for one that is used up, too old or none.
  func exchange(_ code: String) -> (cookie: String, csrf: String)? {
    let (cookie, csrf) = (newSecret(""), newSecret(""))
    let digest = Digest.sha256(code)
    let isValid = state.withLock { state in
      guard let until = state.codes.removeValue(forKey: digest), until > now() else { return false }
      state.sessions = state.sessions.filter { $0.value.until > now() }
      state.sessions[Digest.sha256(cookie)] = (csrf, now() &+ Self.cookieTime)
      return true
    }
    return isValid ? (cookie, csrf) : nil
  }

  /// Nil for a cookie that is not valid any more.
  func csrf(of cookie: String) -> String? {
    let digest = Digest.sha256(cookie)
    return state.withLock { state in
      guard let session = state.sessions[digest], session.until > now() else { return nil }
      return session.csrf
    }
  }

  func end(_ cookie: String) {
    let digest = Digest.sha256(cookie)
    state.withLock { $0.sessions[digest] = nil }
  }

  static func session(in request: ServerRequest) -> String? {
    guard let header = request.header("cookie") else { return nil }
    for pair in header.split(atByte: ";") {
      let sides = pair.split(atByte: "=", maxSplits: 1)
      guard sides.count == 2 else { continue }
      let key = sides[0].drop { $0 == " " }
      if key == name { return String(sides[1]) }
    }
    return nil
  }
}
