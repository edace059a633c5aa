import RasaCore
import RasaSystem
import RasaTestKit
import Testing

@testable import RasaHTTPClient

/// A server behind TLS whose CA only its users know.
struct TLSServer {
  let provider: ScriptedProvider
  let relay: RelayServer

  init(_ identity: TestIdentity, overIPv6: Bool = false) throws {
    provider = try ScriptedProvider.start()
    relay = try RelayServer(.tls(identity), to: provider.port, overIPv6: overIPv6)
  }

  var url: String { "https://127.0.0.1:\(relay.port)/v1/models" }
}

func client(_ environment: [String: String]) -> HTTPClient {
  HTTPClient(
    configuration: HTTPClientConfiguration(network: NetworkSettings(environment: environment)))
}

func error(of request: HTTPRequest, by client: HTTPClient) async throws -> HTTPError {
  try await #require(throws: HTTPError.self) { _ = try await client.send(request) }
}

@Suite struct TLSTests {
  @Test func aPrivateCAIsTrustedByItsFile() async throws {
    let scratch = ScratchDirectory()
    let authority = TestAuthority()
    let server = try TLSServer(TestIdentity(by: authority))
    let file = try scratch.write(String(decoding: authority.pem, as: UTF8.self), to: "ca.pem")
    for variable in ["SSL_CERT_FILE", "CURL_CA_BUNDLE"] {
      let client = client([variable: file])
      // The second one reads no file again.
      for _ in 0..<2 {
        let response = try await client.send(HTTPRequest(method: "GET", url: server.url))
        #expect(response.status == 200)
        _ = try await response.body.text()
      }
    }
  }

  static let wrong: [(TestIdentity, String, String)] = [
    (
      TestIdentity(by: TestAuthority("another CA")), "is signed by a CA that is not trusted here",
      "SSL_CERT_FILE"
    ),
    (TestIdentity(by: nil), "is self-signed", "`network: {ca_file: …}`"),
    (TestIdentity(by: known, days: -3 ... -2), "has expired", "clock"),
    (TestIdentity(by: known, days: 2...3), "is not valid yet", "clock"),
    (TestIdentity(by: known, for: "DNS:other.example"), "is for another host", "the name"),
  ]
  static let known = TestAuthority()

  @Test("a certificate problem is named, with the host", arguments: wrong)
  func wrongCertificates(_ identity: TestIdentity, _ what: String, _ suggestion: String)
    async throws
  {
    let scratch = ScratchDirectory()
    let server = try TLSServer(identity)
    let file = try scratch.write(String(decoding: Self.known.pem, as: UTF8.self), to: "ca.pem")
    let error = try await error(
      of: HTTPRequest(method: "GET", url: server.url), by: client(["SSL_CERT_FILE": file]))
    #expect(error.code == .certificate && error.isLasting)
    #expect(
      error.message.hasPrefix("the certificate of 127.0.0.1:\(server.relay.port) \(what)"),
      "\(error)")
    #expect(error.suggestion?.contains(suggestion) == true)
  }

  @Test func aFileForOtherProgramsIsNamedAndNotRead() async throws {
    let scratch = ScratchDirectory()
    let server = try TLSServer(TestIdentity(by: Self.known))
    let file = try scratch.write(String(decoding: Self.known.pem, as: UTF8.self), to: "ca.pem")
    let error = try await error(
      of: HTTPRequest(method: "GET", url: server.url), by: client(["NODE_EXTRA_CA_CERTS": file]))
    #expect(error.code == .certificate)
    #expect(error.suggestion?.contains("NODE_EXTRA_CA_CERTS names \(file)") == true)
  }

  enum File: String, CaseIterable { case missing, empty, text, der, folder, garbage }

  @Test(
    "an invalid CA file is reported with its variable before TLS starts", arguments: File.allCases)
  func uselessFile(_ kind: File) async throws {
    let scratch = ScratchDirectory()
    let server = try TLSServer(TestIdentity(by: Self.known))
    let path = "\(scratch.path)/ca"
    let words: String
    switch kind {
    case .missing: words = "is not there"
    case .empty:
      try scratch.write("\n", to: "ca")
      words = "is empty"
    case .text:
      try scratch.write("hello", to: "ca")
      words = "holds no certificate in PEM"
    case .der:
      try FileSystem.write(Self.known.der, to: path)
      words = "is in DER and not in PEM"
    case .folder:
      try scratch.write("", to: "ca/x")
      words = "cannot be read"
    case .garbage:
      try scratch.write(
        "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n", to: "ca")
      words = "holds a certificate that cannot be read"
    }
    let error = try await error(
      of: HTTPRequest(method: "GET", url: server.url), by: client(["SSL_CERT_FILE": path]))
    #expect(error.code == .certificateStore && error.isLasting, "\(error)")
    #expect(error.message.contains("SSL_CERT_FILE") && error.message.contains("\(path) \(words)"))
    #expect(error.suggestion?.isEmpty == false)
  }

  @Test func anUnusableFileDoesNotMatterWithoutTLS() async throws {
    let provider = try ScriptedProvider.start()
    let client = client(["SSL_CERT_FILE": "/no/such/file"])
    #expect(try await client.send(.chat(provider)).status == 200)
  }

  @Test func aPlainServerOverHTTPSAndViceVersa() async throws {
    let plain = try RawServer(["HTTP/1.1 400 Bad Request\r\n\r\n"])
    let wrong = try await error(
      of: HTTPRequest(method: "GET", url: "https://127.0.0.1:\(plain.port)/"), by: client([:]))
    #expect(wrong.code == .tls && wrong.isLasting)
    #expect(wrong.message.contains("does not speak TLS"))
    #expect(wrong.suggestion?.contains("http://") == true)
    let secure = try TLSServer(TestIdentity(by: nil))
    let other = try await error(
      of: HTTPRequest(
        method: "GET", url: "http://127.0.0.1:\(secure.relay.port)/", allowsPlainHTTP: true),
      by: client([:]))
    #expect(other.message.contains("https://"), "\(other)")
  }

  @Test func anIPv6OnlyHostIsReached() async throws {
    let provider = try ScriptedProvider.start()
    let relay = try RelayServer(.plain, to: provider.port, overIPv6: true)
    let response = try await client(["http_proxy": "http://127.0.0.1:1"]).send(
      HTTPRequest(
        method: "GET", url: "http://[::1]:\(relay.port)/v1/models", allowsPlainHTTP: true))
    #expect(response.status == 200)
  }
}

@Suite struct ProxyTests {
  private let authority = TestAuthority()

  private func setting(
    _ proxy: RelayServer.Proxy, user: String = "", more: [String: String] = [:]
  ) throws -> (request: HTTPRequest, client: HTTPClient, proxy: RelayServer, kept: [any Sendable]) {
    let scratch = ScratchDirectory()
    let file = try scratch.write(String(decoding: authority.pem, as: UTF8.self), to: "ca.pem")
    let server = try TLSServer(TestIdentity(by: authority, for: "DNS:llm.invalid"))
    let relay = try RelayServer(.proxy(proxy), to: server.relay.port)
    let environment = [
      "SSL_CERT_FILE": file, "HTTPS_PROXY": "http://\(user)127.0.0.1:\(relay.port)",
    ].merging(more) { $1 }
    let client = HTTPClient(
      configuration: HTTPClientConfiguration(
        connectTimeout: .milliseconds(3_000), network: NetworkSettings(environment: environment)))
    return (
      HTTPRequest(method: "GET", url: "https://llm.invalid/v1/models"), client, relay,
      [scratch, server.provider, server.relay]
    )
  }

  @Test func aHostThatOnlyTheProxyKnowsIsReached() async throws {
    let setting = try setting(.open)
    #expect(try await setting.client.send(setting.request).status == 200)
    #expect(setting.proxy.asked == ["CONNECT llm.invalid:443 HTTP/1.1"])
  }

  @Test func aPasswordIsSentToTheProxyAndNowhereElse() async throws {
    let setting = try setting(.locked("me:a b"), user: "me:a%20b@")
    #expect(try await setting.client.send(setting.request).status == 200)
    let provider = try #require(setting.kept[1] as? ScriptedProvider)
    #expect(provider.requests.first?.header("Proxy-Authorization") == nil)
  }

  @Test(
    arguments: [
      (.locked("a:b"), "", "asks for a password (407)", true, "user:password@"),
      (.locked("a:b"), "a:secret@", "refused its password (407)", true, "HTTPS_PROXY"),
      (.locked("a:b", method: "NTLM"), "", "asks for a password (407)", true, "NTLM"),
      (
        .answers(
          "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n<h1>blocked</h1>"
        ), "", "refused to connect to llm.invalid (403)", true, "NO_PROXY"
      ),
      (
        .answers("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), "",
        "could not reach llm.invalid (503)", false, ""
      ),
      (.answers("220 smtp.example ready\r\n"), "", "is it a proxy?", false, ""),
      (.answers(""), "", "is it a proxy?", false, ""),
    ] as [(RelayServer.Proxy, String, String, Bool, String)])
  func aProxysRefusalIsReportedAsSuch(
    _ row: (
      proxy: RelayServer.Proxy, user: String, words: String, isLasting: Bool, suggestion: String
    )
  ) async throws {
    let setting = try setting(row.proxy, user: row.user)
    let error = try await error(of: setting.request, by: setting.client)
    #expect(error.code == .proxy && error.isLasting == row.isLasting, "\(error)")
    #expect(error.message.contains(row.words), "\(error)")
    #expect(
      error.message.contains("the proxy http://127.0.0.1:\(setting.proxy.port) (HTTPS_PROXY)"))
    #expect(error.suggestion?.contains(row.suggestion) ?? row.suggestion.isEmpty)
    #expect(!"\(error)\(error.suggestion ?? "")".contains("secret"))
  }

  @Test func aSilentProxyIsNotMistakenForTheServer() async throws {
    let provider = try ScriptedProvider.start()
    let relay = try RelayServer(.proxy(.silent), to: provider.port)
    let client = HTTPClient(
      configuration: HTTPClientConfiguration(
        connectTimeout: .milliseconds(200),
        network: NetworkSettings(
          environment: ["https_proxy": "http://127.0.0.1:\(relay.port)"])))
    let error = try await error(
      of: HTTPRequest(method: "GET", url: "https://llm.invalid/"), by: client)
    #expect(error.code == .proxy && error.isWait)
    #expect(error.message.contains("did not answer CONNECT llm.invalid within 200 ms"))
  }

  @Test(
    arguments: [
      ("http://127.0.0.1:PORT", "cannot be reached"),
      ("http://no-such-proxy.invalid:3128", "cannot be found"),
      ("socks5h://127.0.0.1:PORT", "cannot be reached"),
    ])
  func aProxyThatIsNotThereIsNamed(_ row: (proxy: String, words: String)) async throws {
    let gone = try RefusingPort()
    defer { withExtendedLifetime(gone) {} }
    let address = row.proxy.replacing("PORT", with: "\(gone.port)")
    let error = try await error(
      of: HTTPRequest(method: "GET", url: "https://llm.invalid/"),
      by: client(["ALL_PROXY": address]))
    #expect(error.code == .proxy)
    #expect(error.message.hasPrefix("the proxy \(address) (ALL_PROXY) \(row.words)"), "\(error)")
  }

  @Test func aServerThatIsNotASOCKSProxyIsReportedAsSuch() async throws {
    let server = try RawServer(["HTTP/1.1 400 Bad Request\r\n\r\n"])
    let error = try await error(
      of: HTTPRequest(method: "GET", url: "https://llm.invalid/"),
      by: client(["ALL_PROXY": "socks5h://127.0.0.1:\(server.port)"]))
    #expect(error.code == .proxy && error.isLasting, "\(error)")
  }

  @Test func aNameThatDoesNotResolveNamesTheProxiesThatAreNotUsed() async throws {
    let error = try await error(
      of: HTTPRequest(method: "GET", url: "https://no-such-host.invalid/v1"),
      by: client(["HTTPS_PROXY": "http://p:1", "NO_PROXY": ".invalid"]))
    #expect(error.code == .resolve)
    #expect(error.message.contains("no-such-host.invalid"))
    #expect(error.message.contains("HTTPS_PROXY not used, as NO_PROXY has `.invalid`"))
  }
}

/// Bodies that were packed without having been asked for.
@Suite struct PackedBodyTests {
  private static let gzip: [UInt8] = [
    0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0, 0, 0x03, 0xCB, 0xC8, 0x04, 0, 0xAC, 0x2A, 0x93, 0xD8, 2, 0, 0,
    0,
  ]

  private func server(_ encoding: String, _ body: [UInt8]) throws -> ScriptedProvider {
    try ScriptedProvider.start([
      .error(400, "", headers: [("Content-Encoding", encoding)]).with { $0.document = body }
    ])
  }

  @Test func areUnpacked() async throws {
    let provider = try server("gzip", Self.gzip)
    let response = try await HTTPClient().send(.chat(provider))
    #expect(try await response.body.text() == "hi")
    #expect(provider.requests.first?.header("Accept-Encoding") == "identity")
  }

  @Test func areNamedWhereThatCannotBe() async throws {
    let provider = try server("rot13", Array("uv".utf8))
    let error = try await #require(throws: HTTPError.self) {
      _ = try await HTTPClient().send(.chat(provider)).body.text()
    }
    #expect(error.code == .protocolViolation && error.isLasting)
    #expect(error.message.contains("packed"))
  }
}
