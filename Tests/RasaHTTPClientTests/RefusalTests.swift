import RasaCore
import RasaHTTPClient
import RasaTestKit
import Testing

@Suite struct RefusalTests {
  @Test(arguments: [
    (Script.words(10).broken(after: 3, .close), true), (.words(10).broken(after: 3, .reset), true),
    (.words(10).with { $0.closesBeforeHeaders = true }, false),
  ])
  func aPeerThatHangsUpIsDistinguishedFromOneThatIsDone(_ script: Script, _ hasHeaders: Bool)
    async throws
  {
    let provider = try ScriptedProvider.start([script])
    let client = HTTPClient()
    await #expect(
      performing: {
        let response = try await client.send(.chat(provider))
        #expect(hasHeaders)
        _ = try await response.body.text()
      }, throws: { code($0) == .aborted })
  }

  @Test func aPasswordInAnAddressIsInNoMessage() async throws {
    let relay = try RelayServer(.proxy(.answers("HTTP/1.1 403 Forbidden\r\n\r\n")), to: 1)
    for variables in [["HTTPS_PROXY": "http://127.0.0.1:\(relay.port)"], [:]] {
      let client = HTTPClient(
        configuration: HTTPClientConfiguration(
          network: NetworkSettings(environment: variables), resolver: { _ in [] }))
      let error = await #expect(throws: HTTPError.self) {
        _ = try await client.send(HTTPRequest(url: "https://user:secret@far.test/"))
      }
      #expect(error?.message.contains("far.test") == true, "\(error?.message ?? "")")
      #expect(error?.message.contains("secret") == false, "\(error?.message ?? "")")
    }
  }

  @Test func shortBodyIsAborted() async throws {
    let server = try RawServer(["HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"])
    let body = try await HTTPClient().send(.get(server)).body
    #expect(try await body.next() == Array("short".utf8))
    await #expect(performing: { try await body.next() }, throws: { code($0) == .aborted })
  }

  @Test func keptConnectionThatThePeerClosedIsReplaced() async throws {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    let server = try RawServer([answer, answer, answer])
    let client = HTTPClient()
    for _ in 0..<3 { #expect(try await client.send(.get(server)).body.text() == "ok") }
  }

  @Test func bodyWithoutALengthEndsWithTheConnection() async throws {
    let server = try RawServer(["HTTP/1.1 200 OK\r\n\r\nall of it"])
    #expect(try await HTTPClient().send(.get(server)).body.text() == "all of it")
  }

  @Test func interimResponsesAreSkipped() async throws {
    let server = try RawServer([
      "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
        + "HTTP/1.1 200 OK\r\nX-Late: 2\r\nContent-Length: 2\r\n\r\nok"
    ])
    let response = try await HTTPClient().send(.get(server))
    #expect(response.status == 200)
    #expect(response.headers.first(named: "x-early") == nil)
    #expect(response.headers.first(named: "x-late") == "2")
    #expect(try await response.body.text() == "ok")
  }

  @Test func redirectsAreNotFollowed() async throws {
    let server = try RawServer([
      "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    ])
    let response = try await HTTPClient().send(.get(server))
    #expect(response.status == 302)
    #expect(response.headers.first(named: "location") == "http://127.0.0.1:1/")
    #expect(try await response.body.next() == nil)
  }

  enum Endless: String, CaseIterable { case line, lines, head }

  @Test(arguments: Endless.allCases)
  func endlessHeadersAreRefused(_ kind: Endless) async throws {
    let lines = String(repeating: "X-Line: 0123456789\r\n", count: 30_000)
    let headers =
      switch kind {
      case .line: "X-Long: " + String(repeating: "x", count: 300_000) + "\r\n\r\n"
      case .lines: lines + "\r\n"
      case .head: lines
      }
    let server = try RawServer(["HTTP/1.1 200 OK\r\n" + headers])
    let client = HTTPClient()
    await #expect(
      performing: { try await client.send(.get(server)) }, throws: { code($0) == .tooLarge })
  }

  @Test(arguments: [
    "SSH-2.0-OpenSSH_9.2\r\n", "", "HTTP/1.1 abc\r\n\r\n", "HTTP/7.5 200 OK\r\n\r\n",
  ])
  func anInvalidResponseIsAnError(_ answer: String) async throws {
    let server = try RawServer([answer])
    let client = HTTPClient()
    await #expect(
      performing: { try await client.send(.get(server)).body.text() },
      throws: { code($0) == .protocolViolation || code($0) == .aborted })
  }

  @Test func closedPortIsAConnectError() async throws {
    let closed = try RefusingPort()
    defer { withExtendedLifetime(closed) {} }
    let request = HTTPRequest(
      method: "POST", url: "http://127.0.0.1:\(closed.port)/v1/chat/completions",
      allowsPlainHTTP: true)
    let client = HTTPClient()
    await #expect(performing: { try await client.send(request) }, throws: { code($0) == .connect })
  }

  @Test func unknownHostIsAResolveError() async throws {
    let request = HTTPRequest(url: "https://no-such-host.invalid/v1")
    let client = HTTPClient()
    await #expect(performing: { try await client.send(request) }, throws: { code($0) == .resolve })
  }

  @Test func plainTextOverHTTPSIsATLSError() async throws {
    let server = try RawServer(["HTTP/1.1 400 Bad Request\r\n\r\n"])
    let request = HTTPRequest(method: "GET", url: "https://127.0.0.1:\(server.port)/")
    let client = HTTPClient()
    await #expect(performing: { try await client.send(request) }, throws: { code($0) == .tls })
  }

  @Test(arguments: [
    ("http://127.0.0.1:1/", HTTPError.Code.refusedScheme), ("file:///etc/passwd", .refusedScheme),
    ("gopher://127.0.0.1/", .refusedScheme), ("ftp://127.0.0.1/", .refusedScheme),
    ("127.0.0.1:80/v1", .invalidURL), ("", .invalidURL), ("https:/x", .invalidURL),
    ("https://exa mple.com/", .invalidURL), ("https://host/\r\nX: y", .invalidURL),
    ("https://", .invalidURL), ("https://host:99999/", .invalidURL),
  ])
  func urlsThatAreNotHTTPSAreRefused(_ url: String, _ expected: HTTPError.Code) async throws {
    let client = HTTPClient()
    await #expect(
      performing: { try await client.send(HTTPRequest(url: url)) },
      throws: { code($0) == expected })
  }

  @Test(arguments: [
    ("X-Key", "secret\r\nX-Other: 1"), ("X-Key", "secret\u{0}"), ("X Key", "secret"),
    ("", "secret"), ("X-Key:", "secret"),
  ])
  func headersThatBreakOutAreRefused(_ name: String, _ value: String) async throws {
    let client = HTTPClient()
    let request = HTTPRequest(url: "https://127.0.0.1:1/", headers: [(name, value)])
    await #expect(
      performing: { try await client.send(request) },
      throws: { code($0) == .other && !"\($0)".contains("secret") })
  }

  @Test func explicitProxyIsUsedForOtherHostsOnly() async throws {
    let proxy = try ScriptedProvider.start()
    let provider = try ScriptedProvider.start()
    var network = NetworkSettings()
    network.proxy = NetworkSettings.Choice(proxy.baseURL, from: "`proxy`")
    let client = HTTPClient(configuration: HTTPClientConfiguration(network: network))
    _ = try await client.send(.chat(provider)).body.text()
    #expect(proxy.requests.isEmpty)
    var request = HTTPRequest.chat(provider)
    request.url = "http://far-away.invalid/v1/models"
    let response = try await client.send(request)
    #expect(response.status == 404)
    #expect(proxy.requests.map(\.path) == ["http://far-away.invalid/v1/models"])
  }

  @Test func requestArrivesAsItWasMade() async throws {
    let provider = try ScriptedProvider.start()
    var request = HTTPRequest.chat(provider)
    request.body = Array(repeating: UInt8(ascii: " "), count: 2_000_000) + request.body
    request.headers.append(("X-Empty", ""))
    _ = try await HTTPClient().send(request).body.text()
    let received = try #require(provider.requests.first)
    #expect(received.method == "POST")
    #expect(received.body == request.body)
    #expect(received.header("Authorization") == "Bearer sk-secret")
    #expect(received.header("Content-Type") == "application/json")
    #expect(received.header("User-Agent") == "rasa")
    #expect(received.header("X-Empty") == "")
    #expect(received.header("Expect") == nil)
  }
}
