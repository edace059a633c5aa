import RasaCore
import RasaHTTPClient
import RasaTestKit
import Testing

@Suite struct RedirectTests {
  private static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

  private static func redirect(_ status: Int, to location: String) -> String {
    "HTTP/1.1 \(status) Elsewhere\r\nLocation: \(location)\r\nContent-Length: 4\r\n\r\ngone"
  }

  private func request(_ method: String, _ url: String) -> HTTPRequest {
    HTTPRequest(
      method: method, url: url,
      headers: [
        ("Authorization", "Bearer secret-of-one"), ("X-Key", "k"), ("Cookie", "c=1"),
        ("Accept", "text/plain"),
        ("Content-Type", "text/plain"),
      ], body: method == "GET" ? [] : Array("the body".utf8), allowsPlainHTTP: true)
  }

  @Test(arguments: [
    (301, "GET", "GET"), (302, "GET", "GET"), (303, "GET", "GET"), (307, "GET", "GET"),
    (308, "GET", "GET"),
    (301, "POST", "GET"), (302, "POST", "GET"), (303, "POST", "GET"), (307, "POST", "POST"),
    (308, "POST", "POST"), (301, "PUT", "PUT"), (303, "PUT", "GET"), (308, "DELETE", "DELETE"),
  ])
  func theMethodIsTheOneOfTheStandard(_ status: Int, _ method: String, _ expected: String)
    async throws
  {
    let server = try RawServer([Self.redirect(status, to: "/there?x=1"), Self.ok])
    let response = try await HTTPClient().send(
      request(method, server.baseURL + "/here"), following: RedirectPolicy())
    #expect(try await response.body.text() == "ok")
    #expect(response.url == server.baseURL + "/there?x=1")
    let second = try #require(server.received.last)
    #expect(second.hasPrefix("\(expected) /there?x=1 HTTP/1.1\r\n"))
    #expect(second.contains("the body") == (expected == method && method != "GET"))
    #expect(second.contains("Content-Type") == (expected == method))
    #expect(second.contains("Bearer secret-of-one"))
  }

  @Test func headersOfOnesOwnStayWithTheirOriginAlsoOnTheWayBack() async throws {
    // The port belongs to the origin.
    let first = try RawServer([Self.ok])
    let second = try RawServer([Self.redirect(307, to: first.baseURL + "/back")])
    let start = try RawServer([Self.redirect(307, to: second.baseURL + "/away")])
    let response = try await HTTPClient().send(
      request("POST", start.baseURL), following: RedirectPolicy())
    #expect(try await response.body.text() == "ok")
    #expect(start.received[0].contains("Bearer secret-of-one"))
    for received in second.received + first.received {
      #expect(
        !received.contains("secret-of-one") && !received.contains("X-Key")
          && !received.contains("Cookie"))
      #expect(received.contains("Accept: text/plain") && received.contains("the body"))
    }
  }

  @Test func hopsAreBounded() async throws {
    let server = try RawServer((0..<8).map { Self.redirect(302, to: "/\($0)") })
    await #expect(
      performing: {
        try await HTTPClient().send(request("GET", server.baseURL), following: RedirectPolicy())
      }, throws: { code($0) == .redirect })
    #expect(server.received.count == 6)
  }

  @Test(arguments: [
    "ftp://127.0.0.1/", "file:///etc/passwd", "javascript:alert(1)",
    "http://user:pass@127.0.0.1:1/", "http://",
    "gopher://127.0.0.1:1/", "//user@127.0.0.1:1/",
  ])
  func otherSchemesAndPasswordsAreRefused(_ location: String) async throws {
    let server = try RawServer([Self.redirect(302, to: location)])
    await #expect(
      performing: {
        try await HTTPClient().send(request("GET", server.baseURL), following: RedirectPolicy())
      }, throws: { code($0) == .redirect })
  }

  @Test func aRedirectWithoutALocationIsAnAnswer() async throws {
    let server = try RawServer(["HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"])
    let response = try await HTTPClient().send(
      request("GET", server.baseURL), following: RedirectPolicy())
    #expect(response.status == 302)
  }

  @Test func noHopLeavesTheEncryption() async throws {
    let plain = try RawServer([Self.ok])
    let behind = try RawServer([Self.redirect(302, to: plain.baseURL)])
    let scratch = ScratchDirectory()
    let authority = TestAuthority()
    let front = try RelayServer(.tls(TestIdentity(by: authority)), to: behind.port)
    let client = client([
      "SSL_CERT_FILE": try scratch.write(
        String(decoding: authority.pem, as: UTF8.self), to: "ca.pem")
    ])
    await #expect(
      performing: {
        try await client.send(
          request("GET", "https://127.0.0.1:\(front.port)/"), following: RedirectPolicy())
      }, throws: { code($0) == .redirect && "\($0)".contains("from https to http") })
    #expect(plain.received.isEmpty)
  }
}
