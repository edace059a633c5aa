import RasaCore
import RasaKit
import RasaTestKit
import Testing

@testable import RasaServer

@Suite("Who may ask the server", .timeLimit(.minutes(1)))
struct AccessTests {
  enum Host: String, CaseIterable { case own, foreign, none }
  enum Page: String, CaseIterable { case none, own, foreign, null, allowed }
  enum Word: String, CaseIterable { case none, valid, wrong, cookie, cookieWithCSRF }

  /// Written down, and nothing else: a Host that is ours; no Origin, our own, or an allowed one; a valid token, or our
  /// page's cookie, which needs the page's word for everything but reading.
  private static func isAllowed(_ host: Host, _ page: Page, _ word: Word, _ method: String) -> Int {
    if host == .none { return 400 }
    if host == .foreign { return 421 }
    if page == .foreign || page == .null { return 403 }
    switch word {
    case .valid, .cookieWithCSRF: return 200
    case .none, .wrong: return 401
    case .cookie: return method == "GET" || method == "HEAD" ? 200 : 403
    }
  }

  @Test("Host × Origin × token × method", arguments: Host.allCases, Page.allCases)
  func matrix(host: Host, page: Page) async throws {
    let kit = try ServedKit { $0.origins = ["https://chat.example"] }
    let own = "127.0.0.1:\(kit.server.port)"
    let code = try #require(kit.server.newLink().split(separator: "=").last)
    let entered = try await kit.ask("POST", "/v1/browser", #"{"code": "\#(code)"}"#, token: nil)
    let cookie = try #require(entered.header("set-cookie")?.split(separator: ";").first)
    let csrf = try #require(entered.json["csrf"].string)
    for word in Word.allCases {
      for method in ["GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "HEAD"] {
        var lines = ["\(method) /v1/runs HTTP/1.1", "Connection: close"]
        switch host {
        case .own: lines.append("Host: \(own)")
        case .foreign: lines.append("Host: rebound.example")
        case .none: break
        }
        switch page {
        case .none: break
        case .own: lines.append("Origin: http://\(own)")
        case .foreign: lines.append("Origin: http://evil.example")
        case .null: lines.append("Origin: null")
        case .allowed: lines.append("Origin: https://chat.example")
        }
        switch word {
        case .none: break
        case .valid: lines.append("Authorization: Bearer \(ServedKit.token)")
        case .wrong: lines.append("Authorization: Bearer rasa_wrong")
        case .cookie: lines.append("Cookie: \(cookie)")
        case .cookieWithCSRF: lines += ["Cookie: \(cookie)", "X-Rasa-CSRF: \(csrf)"]
        }
        let client = try RawClient(port: kit.server.port)
        await client.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
        let answer = ServedKit.answer(await client.receive())
        var expected = Self.isAllowed(host, page, word, method)
        // Which methods there are is told to everybody who reaches the server; an empty body is none.
        if ["DELETE", "PUT", "PATCH", "OPTIONS"].contains(method), expected != 421, host == .own,
          page != .foreign, page != .null
        {
          expected = 405
        } else if expected == 200, method == "POST" {
          expected = 400
        }
        let cell = "\(host) \(page) \(word) \(method)"
        #expect(answer.status == expected, "\(cell): \(answer.head)")
        let shares = answer.header("access-control-allow-origin")
        #expect(shares == nil || page == .allowed, "\(cell)")
      }
    }
    await kit.stop()
  }

  @Test("a code of the link is valid once, and for a minute")
  func codes() {
    let now = Locked<UInt64>(1)
    let store = CookieStore { now.withLock { $0 } }
    let code = store.newCode()
    #expect(store.exchange("wrong") == nil)
    let entry = store.exchange(code)
    #expect(entry != nil && store.exchange(code) == nil)
    #expect(entry.flatMap { store.csrf(of: $0.cookie) } == entry?.csrf)
    let late = store.newCode()
    now.withLock { $0 += 61_000_000_000 }
    #expect(store.exchange(late) == nil)
    now.withLock { $0 += 13 * 3_600_000_000_000 }
    #expect(entry.flatMap { store.csrf(of: $0.cookie) } == nil)
  }

  @Test("a token in a URL is refused, and so are two that differ")
  func tokenPlaces() async throws {
    let kit = try ServedKit()
    #expect(try await kit.ask("GET", "/v1/runs?token=\(ServedKit.token)").status == 400)
    #expect(try await kit.ask("GET", "/v1/runs", headers: ["X-API-Key: other"]).status == 400)
    let key = try await kit.ask(
      "GET", "/v1/runs", token: nil, headers: ["X-API-Key: \(ServedKit.token)"])
    #expect(key.status == 200)
    let basic = try await kit.ask(
      "GET", "/v1/runs", token: nil, headers: ["Authorization: Basic eDp5"])
    #expect(basic.status == 401)
    await kit.stop()
  }

  @Test(
    "a further token does what its scopes say, sees its user's runs alone, and is revoked at once")
  func scopes() async throws {
    let kit = try ServedKit([.text("own"), .text("other")], files: RunRouteTests.files)
    let list = TokenList(folder: kit.rasa.folders.data)
    let token = try list.create([
      "name": "bob", "scopes": ["run", "read"], "user": "bob", "models": ["single"],
    ])
    let reader = try list.create(["name": "looker", "scopes": ["read"], "user": "eve"])
    let body = #"{"persona": "single", "input": "Hi", "wait": true}"#
    let own = try await kit.ask("POST", "/v1/runs", body)
    let other = try await kit.ask("POST", "/v1/runs", body, token: token)
    #expect(own.status == 200 && other.status == 200, "\(other.body)")
    let ownRun = try #require(own.header("x-rasa-run"))
    let otherRun = try #require(other.header("x-rasa-run"))
    for path in ["", "/events", "/result", "/journal", "/compare/\(otherRun)"] {
      let seen = try await kit.ask("GET", "/v1/runs/\(ownRun)\(path)", token: token)
      #expect(seen.status == 404, "\(path)")
    }
    let listed = try await kit.ask("GET", "/v1/runs", token: token)
    #expect(listed.json["runs"].array?.compactMap { $0["run"].string } == [otherRun])
    #expect(try await kit.ask("GET", "/v1/runs/\(otherRun)", token: reader).status == 404)
    #expect(try await kit.ask("POST", "/v1/runs", body, token: reader).status == 403)
    let asks = #"{"persona": "asking", "input": "Hi"}"#
    #expect(try await kit.ask("POST", "/v1/runs", asks, token: token).status == 403)
    let forced = #"{"persona": "single", "input": "Hi", "force": true}"#
    #expect(try await kit.ask("POST", "/v1/runs", forced, token: token).status == 403)
    #expect(try await kit.ask("DELETE", "/v1/runs/\(otherRun)", token: token).status == 403)
    #expect(try list.revoke("bob"))
    #expect(try await kit.ask("GET", "/v1/runs", token: token).status == 401)
    let log = String(decoding: RawFile.read(kit.folder.file("home/audit.jsonl")), as: UTF8.self)
    #expect(log.contains(#""token":"bob","action":"run.start","subject":"\#(otherRun)""#), "\(log)")
    #expect(!log.contains(token))
    await kit.stop()
  }

  @Test("a token's rate and its runs at the same time are bounded")
  func bounds() async throws {
    let kit = try ServedKit([.text("a"), .text("b"), .text("c")], files: RunRouteTests.files)
    let list = TokenList(folder: kit.rasa.folders.data)
    let token = try list.create([
      "name": "bob", "scopes": ["run"], "requests_per_minute": 2, "concurrency": 1,
    ])
    let body = #"{"persona": "single", "input": "Hi", "wait": true}"#
    async let one = kit.ask("POST", "/v1/runs", body, token: token)
    async let two = kit.ask("POST", "/v1/runs", body, token: token)
    #expect(try await [one.status, two.status] == [200, 200])
    let refused = try await kit.ask("POST", "/v1/runs", body, token: token)
    #expect(refused.status == 429 && refused.header("retry-after") != nil)
    await kit.stop()
  }
}
