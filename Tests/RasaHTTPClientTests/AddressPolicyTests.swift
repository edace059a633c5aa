import RasaCore
import RasaHTTPClient
import RasaSystem
import RasaTestKit
import Testing

/// Which addresses a request may reach that strangers have a say in.
@Suite struct AddressPolicyTests {
  @Test(arguments: [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1",
    "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1",
    "::8.8.8.8",
    "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "100::1",
    "fc00::1",
    "fd12:3456::1", "fe80::1", "febf::1", "fec0::1", "ff02::1", "ff0e::1", "2001::1",
    "2001:0:4136::1",
    "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1",
    "2002:808:808::1", "3fff::1", "4000::1", "5f00::1",
  ])
  func addressesOfOnesOwnAndReservedOnesAreRestricted(_ address: String) {
    #expect(AddressPolicy.restriction(ofAddress: address) != nil)
  }

  @Test(arguments: [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1", "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700:4700::1111", "2a00:1450::1",
    "2001:4860::8888",
    "64:ff9b::8.8.8.8",
  ])
  func addressesOfTheInternetAreNot(_ address: String) {
    #expect(AddressPolicy.restriction(ofAddress: address) == nil)
  }

  /// An address of one's own network is one in each form of IPv6 that holds it.
  @Test func noFormOfIPv6HidesAnAddress() {
    var numbers = SeededNumbers(seed: 20_261_129)
    for _ in 0..<2_000 {
      let bytes = (0..<4).map { _ in UInt8.random(in: .min ... .max, using: &numbers) }
      let plain = bytes.map { String($0) }.joined(separator: ".")
      let pairs = [0, 2].map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
        .joined(separator: ":")
      for form in ["::ffff:\(plain)", "::\(plain)", "2002:\(pairs)::1", "64:ff9b:1::\(plain)"] {
        #expect(AddressPolicy.restriction(ofAddress: form) != nil, "\(form)")
      }
      // Networks without IPv4 reach its internet so, and only that.
      #expect(
        (AddressPolicy.restriction(ofAddress: "64:ff9b::\(plain)") == nil)
          == (AddressPolicy.restriction(ofAddress: plain) == nil), "\(plain)")
    }
  }

  /// Every notation of an address of this machine that some program reads.
  @Test(arguments: [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7F.1", "017700000001",
    "0177.0.0.1",
    "0x7f.0.0.1", "0", "0.0.0.0", "0x0", "localhost", "LOCALHOST", "localhost.", "127.0.0.1.",
    "[::1]", "[::]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:1]", "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]", "%31%32%37.0.0.1", "%6c%6f%63%61%6c%68%6f%73%74", "127。0。0。1", "①②⑦.⓪.⓪.①",
    "127.0.0.1%00.example.com", "user:pass@127.0.0.1", "example.com@127.0.0.1",
    "127.0.0.1#@example.com",
    "127.0.0.1\\@example.com", "[::1%25lo]", "4294967297", "0x100000000", "00000177.1",
    "127.0.0.01",
  ])
  func noNotationOfThisMachineIsReached(_ host: String) async throws {
    let provider = try ScriptedProvider.start([.words(1)])
    let client = HTTPClient()
    let place =
      host.contains("#")
      ? host.replacing("#", with: ":\(provider.port)#") : "\(host):\(provider.port)"
    var request = HTTPRequest(
      method: "GET", url: "http://\(place)/v1/models", allowsPlainHTTP: true,
      connectTimeout: .seconds(5))
    request.addressPolicy = AddressPolicy()
    await #expect(throws: HTTPError.self) { try await client.send(request) }
    #expect(provider.connections == 0)
    // With the policy away most of them do reach it, so that the test can fail.
    request.addressPolicy = nil
    if host == "2130706433" || host == "127.1" || host == "[::ffff:127.0.0.1]" {
      #expect(try await client.send(request).status == 200)
    }
  }

  private func client(
    _ names: [String: [String]], proxy: String? = nil
  ) -> HTTPClient {
    var network = NetworkSettings()
    network.proxy = proxy.map { .init($0, from: "the test") }
    network.proxiesLoopback = true
    return HTTPClient(
      configuration: HTTPClientConfiguration(network: network, resolver: { names[$0] }))
  }

  private func request(
    _ host: String, _ port: UInt16, allowing names: [String]? = []
  ) -> HTTPRequest {
    HTTPRequest(
      method: "GET", url: "http://\(host):\(port)/v1/models", allowsPlainHTTP: true,
      addressPolicy: names.map { AddressPolicy(allowsPrivate: $0) })
  }

  @Test(arguments: [["127.0.0.1"], ["::1", "127.0.0.1"], ["::ffff:127.0.0.1"], ["0.0.0.0"]])
  func whatANameResolvesToCounts(_ addresses: [String]) async throws {
    let provider = try ScriptedProvider.start()
    let client = client(["api.example.com": addresses.map { $0.contains(":") ? "[\($0)]" : $0 }])
    await #expect(
      performing: { try await client.send(request("api.example.com", provider.port)) },
      throws: {
        code($0) == .refusedAddress && "\($0)".contains("api.example.com, as ")
      })
    #expect(provider.connections == 0)
  }

  @Test(arguments: [
    (["api.example.com"], true), (["API.example.com."], true), (["api.example.com:PORT"], true),
    (["api.example.com:1"], false), (["example.com"], false), (["x.api.example.com"], false),
    (["127.0.0.1"], false), ([], false),
  ])
  func aPrivateHostIsReachedByItsNameAlone(_ names: [String], _ isReached: Bool) async throws {
    let provider = try ScriptedProvider.start()
    let client = client(["api.example.com": ["127.0.0.1"]])
    let names = names.map { $0.replacing("PORT", with: "\(provider.port)") }
    let request = request("api.example.com", provider.port, allowing: names)
    if isReached {
      #expect(try await client.send(request).status == 200)
    } else {
      await #expect(
        performing: { try await client.send(request) }, throws: { code($0) == .refusedAddress })
    }
  }

  @Test func aConnectionThatStandsIsNotUsedByWhoMayNotMakeIt() async throws {
    let provider = try ScriptedProvider.start()
    let client = client(["api.example.com": ["127.0.0.1"]])
    for names in [nil, ["api.example.com"]] as [[String]?] {
      let response = try await client.send(
        request("api.example.com", provider.port, allowing: names))
      _ = try await response.body.text()
      await #expect(
        performing: { try await client.send(request("api.example.com", provider.port)) },
        throws: { code($0) == .refusedAddress })
    }
    #expect(provider.requests.count == 2)
  }

  /// As a server does whose name has a lifetime of no seconds.
  @Test func aNameThatResolvesDifferentlyTheSecondTimeIsCheckedAgain() async throws {
    let provider = try ScriptedProvider.start()
    let count = Locked(0)
    let client = HTTPClient(
      configuration: HTTPClientConfiguration(resolver: { host in
        // Another port's first answer is of this machine as well, and allowed by name there.
        count.withLock { $0 += 1 }
        return host == "first.example.com" ? ["127.0.0.1"] : ["[::1]", "127.0.0.1"]
      }))
    let server = try RawServer([
      "HTTP/1.1 302 Found\r\nLocation: http://second.example.com:\(provider.port)/v1/models\r\n"
        + "Content-Length: 0\r\n\r\n"
    ])
    let request = request("first.example.com", server.port, allowing: ["first.example.com"])
    await #expect(
      performing: { try await client.send(request, following: RedirectPolicy()) },
      throws: { code($0) == .refusedAddress })
    #expect(server.received.count == 1)
    #expect(provider.connections == 0)
    #expect(count.withLock { $0 } >= 2)
  }

  @Test(arguments: [
    "127.0.0.1", "10.0.0.1", "[::1]", "2130706433", "localhost", "intranet", "db.internal",
    "printer.local",
    "rebound.example.com",
  ])
  func throughAProxyNoForbiddenNameIsRequested(_ host: String) async throws {
    let proxy = try RawServer(["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"])
    let client = client(
      ["rebound.example.com": ["93.184.216.34", "10.0.0.7"]], proxy: proxy.baseURL)
    await #expect(
      performing: { try await client.send(request(host, 8_080)) },
      throws: { code($0) == .refusedAddress })
    #expect(proxy.received.isEmpty)
  }

  @Test(arguments: [
    ("known.example.com", []), ("unknown.example.com", []), ("db.internal", ["db.internal"]),
  ])
  func throughAProxyOtherNamesAreRequested(_ host: String, _ allowed: [String]) async throws {
    let proxy = try RawServer(["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"])
    let client = client(
      ["known.example.com": ["93.184.216.34"], "unknown.example.com": []], proxy: proxy.baseURL)
    let response = try await client.send(request(host, 8_080, allowing: allowed))
    #expect(try await response.body.text() == "ok")
    #expect(proxy.received.first?.hasPrefix("GET http://\(host):8080/") == true)
  }
}
