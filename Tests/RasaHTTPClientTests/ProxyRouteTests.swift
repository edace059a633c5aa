import Testing

@testable import RasaHTTPClient

/// Which way a request takes, by the variables that every tool has and by the user's own settings.
@Suite struct ProxyRouteTests {
  private func route(
    _ url: String, _ environment: [String: String],
    _ own: (inout NetworkSettings) -> Void = { _ in }
  ) throws -> ProxyRoute {
    var settings = NetworkSettings()
    own(&settings)
    return try NetworkSettings(environment: environment, under: settings).route(to: url)
  }

  @Test(
    arguments: [
      ("https://h.example/v1", ["HTTPS_PROXY": "http://p:1"], "http://p:1"),
      ("https://h.example/v1", ["https_proxy": "q:2", "HTTPS_PROXY": "http://p:1"], "http://q:2"),
      ("https://h.example/v1", ["https_proxy": " ", "HTTPS_PROXY": "p:1"], "http://p:1"),
      ("https://h.example/v1", ["HTTP_PROXY": "http://p:1"], nil),
      ("http://h.example/v1", ["HTTP_PROXY": "http://p:1"], "http://p:1"),
      ("http://h.example/v1", ["HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"], nil),
      ("http://h.example/v1", ["http_proxy": "p:1", "REQUEST_METHOD": "GET"], "http://p:1"),
      ("http://h.example/v1", ["HTTPS_PROXY": "http://p:1"], nil),
      ("https://h.example/v1", ["ALL_PROXY": "socks5h://p"], "socks5h://p:1080"),
      ("https://h.example", ["all_proxy": "q:2", "HTTPS_PROXY": "https://p"], "https://p:443"),
      ("https://h.example", ["HTTPS_PROXY": "HTTP://u:secret@[::1]:3128/x"], "http://[::1]:3128"),
      ("https://localhost:1/v1", ["HTTPS_PROXY": "p:1"], nil),
      ("https://a.localhost/v1", ["HTTPS_PROXY": "p:1"], nil),
      ("http://127.8.9.1:1/v1", ["http_proxy": "p:1"], nil),
      ("http://[::1]:1/v1", ["http_proxy": "p:1"], nil),
      ("http://[::ffff:127.0.0.1]:1/v1", ["http_proxy": "p:1"], nil),
      ("http://10.0.0.1/v1", ["http_proxy": "p:1"], "http://p:1"),
    ] as [(String, [String: String], String?)])
  func isChosenByTheVariables(
    _ row: (url: String, environment: [String: String], proxy: String?)
  ) throws {
    #expect(try route(row.url, row.environment).proxy?.address == row.proxy)
  }

  @Test(
    arguments: [
      ("*", true), ("h.example", true), (".example", true), ("example", true),
      ("*.example", true), ("EXAMPLE.", true), ("a,h.example", true), ("a h.example", true),
      ("h.example:443", true), ("h.example:80", false), ("ample", false), ("g.h.example", false),
      ("", false), (",,", false), ("10.0.0.0/8", false), ("h.example/8", false),
    ])
  func leavesOutTheHostsOfTheList(_ row: (list: String, isDirect: Bool)) throws {
    let route = try route(
      "https://h.example/v1", ["HTTPS_PROXY": "p:1", "NO_PROXY": row.list])
    #expect((route.proxy == nil) == row.isDirect)
    #expect(route.passedOver.isEmpty != row.isDirect)
  }

  @Test(
    arguments: [
      ("10.1.2.3", "10.0.0.0/8", true), ("10.1.2.3", "10.1.2.3", true),
      ("10.1.2.3", "10.1.4.0/23", false), ("10.1.3.3", "10.1.2.0/23", true),
      ("10.1.2.3", "11.0.0.0/8", false), ("10.1.2.3", "10.0.0.0/33", false),
      ("10.1.2.3", "0.0.0.0/0", true), ("10.1.2.3", ".2.3", false), ("10.1.2.3", "1.2.3", false),
      ("[2001:db8::1]", "2001:db8::/32", true), ("[2001:db8::1]", "2001:DB8::1", true),
      ("[2001:db8::1]", "[2001:db8::1]:80", true), ("[2001:db8::1]", "[2001:db8::1]:81", false),
      ("[2001:db8::1]", "10.0.0.0/8", false), ("10.1.2.3", "10.1.2.3:80", true),
    ])
  func readsAddressesAndNetworks(_ row: (host: String, list: String, isDirect: Bool)) throws {
    let route = try route(
      "http://\(row.host)/v1", ["http_proxy": "p:1", "no_proxy": row.list])
    #expect((route.proxy == nil) == row.isDirect)
  }

  @Test func theUsersOwnSettingsGoBefore() throws {
    let environment = ["HTTPS_PROXY": "p:1", "NO_PROXY": "h.example"]
    func choice(_ text: String) -> NetworkSettings.Choice { .init(text, from: "config.yaml:1:1") }
    var route = try route("https://g.example", environment) { $0.proxy = choice("http://own:1") }
    #expect(route.proxy?.address == "http://own:1" && route.proxy?.origin == "config.yaml:1:1")
    route = try self.route("https://g.example", environment) { $0.proxy = choice("") }
    #expect(
      route.proxy == nil
        && route.passedOver == ["HTTPS_PROXY not used, as config.yaml:1:1 is empty"])
    route = try self.route("https://h.example", environment) { $0.noProxy = choice("g.example") }
    #expect(route.proxy?.address == "http://p:1")
    route = try self.route("https://localhost", environment) { $0.proxiesLoopback = true }
    #expect(route.proxy?.address == "http://p:1")
  }

  @Test func saysWhyAProxyThatIsSetIsNotUsed() throws {
    let route = try route(
      "https://h.example/v1", ["HTTPS_PROXY": "p:1", "NO_PROXY": "corp,.example"])
    #expect(route.passedOver == ["HTTPS_PROXY not used, as NO_PROXY has `.example`"])
  }

  @Test(
    "a proxy that is none is refused by its variable, without its password",
    arguments: [
      "ftp://p:1", "http://", "http://u:secret@p:port", "http://p:0", "http://p:99999", "a b:1",
      "http://u:secret@[::1", "quic://u:secret@p:1",
    ])
  func refused(_ text: String) throws {
    let error = try #require(throws: HTTPError.self) {
      try route("https://h.example", ["HTTPS_PROXY": text])
    }
    #expect(error.code == .proxySetting && error.isLasting)
    #expect(error.message.hasPrefix("HTTPS_PROXY is not the address of a proxy"))
    #expect(!"\(error)\(error.suggestion ?? "")".contains("secret"))
  }

  @Test func nothingIsReadWhereNoProxyIsNamed() throws {
    #expect(!NetworkSettings(environment: ["NO_PROXY": "*"]).namesProxy)
    #expect(try route("no address", ["NO_PROXY": "*"]) == .direct)
  }
}

@Suite struct CertificateStoreTests {
  private func settings(_ environment: [String: String]) -> NetworkSettings {
    NetworkSettings(environment: environment)
  }

  @Test(
    arguments: [
      (["SSL_CERT_FILE": "/s", "SSL_CERT_DIR": "/d"], "/s", "/d"),
      (["CURL_CA_BUNDLE": "/c", "SSL_CERT_FILE": "/s", "SSL_CERT_DIR": "/d"], "/c", nil),
      (["REQUESTS_CA_BUNDLE": "/r", "NODE_EXTRA_CA_CERTS": "/n"], nil, nil),
      (["SSL_CERT_FILE": " "], nil, nil),
    ] as [([String: String], String?, String?)])
  func isNamedByTheUsualVariables(
    _ row: (environment: [String: String], file: String?, folder: String?)
  ) {
    let found = settings(row.environment)
    #expect(found.caFile?.value == row.file && found.caFolder?.value == row.folder)
  }

  @Test func theSystemsCAsAreFound() throws {
    let store = try CertificateStore(settings([:]), builtIn: "/no/such/file", folder: "/no/such")
    // Whatever this machine has; the place that libcurl was built with is only one of them.
    #expect(store.file?.value != "/no/such/file" && store.isOfSystem)
    let bundle = try CertificateStore(settings([:]))
    #expect(bundle.file == nil || bundle.folder == nil)
  }
}
