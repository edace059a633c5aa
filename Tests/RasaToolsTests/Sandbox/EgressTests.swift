import RasaCore
import RasaHTTPClient
import RasaPersona
import RasaProcess
import RasaSystem
import RasaTestKit
import Testing

@testable import RasaTools

@Suite("Which hosts a sandbox reaches") struct EgressRuleTests {
  @Test("a host is allowed by its name and port, and by nothing like it")
  func names() throws {
    let rules = try EgressRules([
      "api.example.com", "*.cdn.example.com", "db.example.com:5432", "10.1.2.3:80",
      "LOUD.example.com.",
    ])
    let allowed = [
      ("api.example.com", 443), ("api.example.com", 80), ("a.cdn.example.com", 443),
      ("a.b.cdn.example.com", 443), ("db.example.com", 5432), ("10.1.2.3", 80),
      ("loud.example.com", 443),
    ]
    for (host, port) in allowed {
      #expect(rules.refusal(of: host, port: port) == nil, "\(host):\(port)")
    }
    let refused = [
      ("example.com", 443), ("evil-api.example.com", 443), ("api.example.com.evil.example", 443),
      ("xapi.example.com", 443), ("cdn.example.com", 443), ("evilcdn.example.com", 443),
      ("api.example.com", 22), ("db.example.com", 443), ("10.1.2.3", 443), ("10.1.2.4", 80),
      ("", 80),
    ]
    for (host, port) in refused {
      #expect(rules.refusal(of: host, port: port) != nil, "\(host):\(port)")
    }
    #expect(rules.refusal(of: "api.example.com", port: 22)?.contains("port 22") == true)
  }

  @Test(
    "what is no host, or too many, is refused",
    arguments: [
      "", "*", "*.", "*.com", "a*.example.com", "http://example.com", "example.com/path",
      "example.com:0",
      "example.com:99999", "example.com:x", "exa mple.com", "user@example.com", "[::1",
      "[example.com]:80",
      "..example.com", "exämple.com", "example.com\n",
    ])
  func wrongHosts(text: String) {
    #expect(throws: Failure.self) { try EgressRules([text]) }
  }

  @Test("a restricted address needs to be meant")
  func addresses() throws {
    let rules = try EgressRules(
      ["api.example.com", "git.corp.example", "localhost:8080", "[::1]:80", "127.0.0.1"],
      privateHosts: ["git.corp.example"])
    func isRefused(_ address: String, _ host: String, _ port: Int) throws -> Bool {
      let address = try #require(IPAddress(address))
      return rules.refusal(of: address, restriction: "private", host: host, port: port) != nil
    }
    #expect(try isRefused("10.0.0.1", "api.example.com", 443))
    #expect(try !isRefused("10.0.0.1", "git.corp.example", 443))
    #expect(try !isRefused("127.0.0.1", "localhost", 8080))
    #expect(try isRefused("127.0.0.1", "localhost", 8081))
    #expect(try !isRefused("::1", "::1", 80))
    #expect(try !isRefused("127.0.0.1", "127.0.0.1", 80))
  }

  @Test(
    "numbers that only resolvers take for addresses are names",
    arguments: [
      "127.1", "0x7f.0.0.1", "2130706433", "0177.0.0.1", "127.0.0.1.", "1.2.3",
    ])
  func oddNumbers(text: String) { #expect(IPAddress(text) == nil) }
}

@Suite("The way out of a sandbox", .timeLimit(.minutes(2))) struct EgressTests {
  private var setting: SandboxSetting

  init() throws {
    setting = try SandboxSetting()
    setting.settings.resolve = { name in
      let table = [
        "api.test": ["127.0.0.1"], "private.test": ["127.0.0.1"],
        "mixed.test": ["10.9.9.9", "127.0.0.1"],
        "v6.test": ["::ffff:127.0.0.1"], "metadata.test": ["169.254.169.254"],
      ]
      return (table[name] ?? []).compactMap { IPAddress($0) }
    }
  }

  private static let answer =
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"

  /// A request to the proxy as bash makes it, and what comes back.
  private func ask(
    _ request: String, hosts: [String], privateHosts: [String] = [], then: String = "",
    resolve: (@Sendable (String) -> [IPAddress])? = nil
  ) async throws -> (output: String, remarks: [String]) {
    var setting = setting
    if let resolve { setting.settings.resolve = resolve }
    var sandbox = ToolSandbox()
    sandbox.network = .hosts(hosts)
    sandbox.privateHosts = privateHosts
    let script = """
      echo "$HTTP_PROXY $https_proxy $ALL_PROXY $NO_PROXY" >&2
      exec 3<>/dev/tcp/127.0.0.1/3128; printf '%s' "$0" >&3; \(then.isEmpty ? "cat <&3" : then)
      """
    let child = try await setting.start(["/bin/bash", "-c", script, request], sandbox)
    child.closeInput()
    var output: [UInt8] = []
    while let piece = try await child.read() { output += piece }
    let status = await child.wait()
    #expect(status == .exited(0), "\(child.errorTail)")
    #expect(
      child.errorTail.hasPrefix("http://127.0.0.1:3128 http://127.0.0.1:3128"), "\(child.errorTail)"
    )
    return (String(decoding: output, as: UTF8.self), child.remarks)
  }

  @Test("a host that is named answers, and hears the request as it would without a proxy")
  func namedHost() async throws {
    let server = try RawServer([Self.answer])
    let host = "api.test:\(server.port)"
    let (output, remarks) = try await ask(
      "GET http://\(host)/path?q=1 HTTP/1.1\r\nHost: other.example\r\nProxy-Authorization: x\r\nX-Own: kept\r\nConnection: keep-alive\r\n\r\n",
      hosts: [host], privateHosts: ["api.test"])
    #expect(output == Self.answer && remarks.isEmpty)
    let heard = try #require(server.received.first)
    #expect(
      heard.hasPrefix("GET /path?q=1 HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n"),
      "\(heard)")
    #expect(
      heard.contains("X-Own: kept") && !heard.contains("other.example") && !heard.contains("Proxy-")
    )
  }

  @Test("a tunnel carries bytes in both directions")
  func tunnel() async throws {
    let server = try RawServer([Self.answer])
    let host = "localhost:\(server.port)"
    let (output, _) = try await ask(
      "CONNECT 127.0.0.1:\(server.port) HTTP/1.1\r\nHost: \(host)\r\n\r\nGET / HTTP/1.1\r\n\r\n",
      hosts: ["127.0.0.1:\(server.port)"])
    #expect(output == "HTTP/1.1 200 Connection established\r\n\r\n" + Self.answer)
  }

  @Test("whatever is not named is refused, with a reason for the program and for the person")
  func refused() async throws {
    let server = try RawServer([])
    let port = server.port
    let table: [(request: String, reason: String)] = [
      ("CONNECT evil.test:443 HTTP/1.1\r\n\r\n", "not among the hosts"),
      ("CONNECT api.test:22 HTTP/1.1\r\n\r\n", "port 22"),
      ("GET http://127.0.0.1:\(port)/ HTTP/1.1\r\n\r\n", "not among the hosts"),
      ("GET http://2130706433:\(port)/ HTTP/1.1\r\n\r\n", "not among the hosts"),
      ("CONNECT [::1]:\(port) HTTP/1.1\r\n\r\n", "not among the hosts"),
      // Names that resolve to what nobody meant.
      ("CONNECT private.test:\(port) HTTP/1.1\r\n\r\n", "127.0.0.1"),
      ("CONNECT v6.test:\(port) HTTP/1.1\r\n\r\n", "127.0.0.1"),
      ("CONNECT metadata.test:80 HTTP/1.1\r\n\r\n", "169.254.169.254"),
    ]
    for (request, reason) in table {
      let (output, remarks) = try await ask(
        request,
        hosts: ["api.test", "private.test:\(port)", "v6.test:\(port)", "metadata.test"])
      #expect(output.hasPrefix("HTTP/1.1 403 ") && output.contains(reason), "\(request): \(output)")
      #expect(remarks.count == 1 && remarks[0].contains(reason), "\(request): \(remarks)")
    }
    #expect(server.received.isEmpty)
  }

  @Test("a name is resolved once, and the address that was checked is the one that is connected to")
  func rebinding() async throws {
    let server = try RawServer([Self.answer])
    let count = Locked(0)
    let resolve: @Sendable (String) -> [IPAddress] = { _ in
      let number = count.withLock { count in
        count += 1
        return count
      }
      // The first time an address of the internet, for whoever checks; then one of this machine, for whoever connects.
      return [IPAddress(number == 1 ? "192.0.2.1" : "127.0.0.1")].compactMap { $0 }
    }
    let (output, remarks) = try await ask(
      "GET http://api.test:\(server.port)/ HTTP/1.1\r\n\r\n", hosts: ["api.test:\(server.port)"],
      resolve: resolve)
    #expect(output.hasPrefix("HTTP/1.1 403 ") && remarks.count == 1, "\(output)")
    #expect(count.withLock { $0 } == 1 && server.received.isEmpty)
  }

  @Test("an unresolved name and an unreachable host are told")
  func unreachable() async throws {
    let (unknown, remarks) = try await ask(
      "CONNECT gone.test:443 HTTP/1.1\r\n\r\n", hosts: ["gone.test"])
    #expect(unknown.hasPrefix("HTTP/1.1 502 ") && remarks[0].contains("cannot be resolved"))
    // Of a listener that is gone.
    let port = try SilentListener().port
    let (closed, others) = try await ask(
      "CONNECT 127.0.0.1:\(port) HTTP/1.1\r\n\r\n", hosts: ["127.0.0.1:\(port)"])
    #expect(closed.hasPrefix("HTTP/1.1 502 ") && others.count == 1, "\(closed)")
  }

  @Test(
    "garbage is answered and hurts nobody",
    arguments: [
      "GET / HTTP/1.1\r\n\r\n", "GET https://api.test/ HTTP/1.1\r\n\r\n",
      "CONNECT api.test HTTP/1.1\r\n\r\n",
      "CONNECT user@api.test:443 HTTP/1.1\r\n\r\n", "GET http://user:pw@api.test/ HTTP/1.1\r\n\r\n",
      "GET http://api.test/ HTTP/1.1\r\n folded: x\r\n\r\n",
      "GET http://api.test/ HTTP/1.1\r\nno colon\r\n\r\n",
      "GET http://api.test/ HTTP/1.1\r\nHost : x\r\n\r\n", "\u{1}\u{2}\r\n\r\n",
      "GET http://*.test/ HTTP/1.1\r\n\r\n",
      "CONNECT *:443 HTTP/1.1\r\n\r\n", "A B C\r\n\r\n",
    ])
  func garbage(request: String) async throws {
    let (output, _) = try await ask(request, hosts: ["api.test"])
    #expect(output.hasPrefix("HTTP/1.1 400 "), "\(output)")
  }

  // MARK: Through the user's own proxy

  private func ask(
    _ request: String, hosts: [String], privateHosts: [String] = [],
    through variables: [String: String]
  ) async throws -> (output: String, remarks: [String]) {
    var other = self
    other.setting.settings.network = NetworkSettings(environment: variables)
    return try await other.ask(request, hosts: hosts, privateHosts: privateHosts)
  }

  @Test("a tunnel goes through the user's proxy, whose password the program never sees")
  func tunnelThroughProxy() async throws {
    let server = try RawServer([Self.answer])
    let relay = try RelayServer(.proxy(.locked("user:pa ss")), to: server.port)
    let (output, remarks) = try await ask(
      "CONNECT far.test:443 HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", hosts: ["far.test"],
      through: ["HTTPS_PROXY": "http://user:pa%20ss@127.0.0.1:\(relay.port)"])
    #expect(output == "HTTP/1.1 200 Connection established\r\n\r\n" + Self.answer)
    #expect(remarks.isEmpty)
    #expect(
      relay.asked == [
        "CONNECT far.test:443 HTTP/1.1 | Proxy-Authorization: Basic dXNlcjpwYSBzcw=="
      ])
    #expect(server.received == ["GET / HTTP/1.1\r\n\r\n"])
  }

  @Test("a plain request goes to the user's proxy with its whole address, and alone")
  func requestThroughProxy() async throws {
    let proxy = try RawServer([Self.answer])
    let (output, _) = try await ask(
      "POST http://far.test/x HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiGET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n",
      hosts: ["far.test"], through: ["http_proxy": "127.0.0.1:\(proxy.port)"])
    #expect(output == Self.answer)
    #expect(
      proxy.received == [
        "POST http://far.test/x HTTP/1.1\r\nHost: far.test\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"
      ])
  }

  @Test("what NO_PROXY names, and this machine, is reached without the user's proxy")
  func aroundProxy() async throws {
    for (host, variables) in [
      ("api.test", ["NO_PROXY": "other.test,.test"]), ("127.0.0.1", ["NO_PROXY": ""]),
    ] {
      let server = try RawServer([Self.answer])
      let relay = try RelayServer(.proxy(.open), to: server.port)
      let (output, _) = try await ask(
        "GET http://\(host):\(server.port)/ HTTP/1.1\r\n\r\n", hosts: ["\(host):\(server.port)"],
        privateHosts: ["api.test"],
        through: variables.merging(["ALL_PROXY": "http://127.0.0.1:\(relay.port)"]) { $1 })
      #expect(output == Self.answer && relay.asked.isEmpty, "\(host): \(output)")
    }
  }

  @Test(
    "the user's proxy is not asked for what is not named, nor for what is private",
    arguments: [
      ("evil.test:443", "not among the hosts"), ("far.test:22", "port 22"),
      ("169.254.169.254:80", "not among the hosts"), ("0x7f.1:443", "not among the hosts"),
      ("intranet:443", "a name of this machine or network"),
      ("db.internal:443", "a name of this machine or network"),
      ("private.test:443", "127.0.0.1"), ("mixed.test:443", "10.9.9.9"),
      ("metadata.test:443", "169.254.169.254"),
    ])
  func refusedThroughProxy(_ place: String, _ reason: String) async throws {
    let relay = try RelayServer(.proxy(.open), to: 1)
    let (output, remarks) = try await ask(
      "CONNECT \(place) HTTP/1.1\r\n\r\n",
      hosts: [
        "far.test", "intranet", "db.internal", "private.test", "mixed.test", "metadata.test",
      ],
      through: ["HTTPS_PROXY": "http://127.0.0.1:\(relay.port)"])
    #expect(output.hasPrefix("HTTP/1.1 403 ") && output.contains(reason), "\(output)")
    #expect(remarks.count == 1 && relay.asked.isEmpty)
  }

  @Test("what is meant to be private goes to the user's proxy, which may know it alone")
  func privateThroughProxy() async throws {
    let server = try RawServer([Self.answer])
    let relay = try RelayServer(.proxy(.open), to: server.port)
    let (output, _) = try await ask(
      "CONNECT db.internal:443 HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", hosts: ["db.internal"],
      privateHosts: ["db.internal"], through: ["HTTPS_PROXY": "http://127.0.0.1:\(relay.port)"])
    #expect(output.hasSuffix(Self.answer) && relay.asked.count == 1)
  }

  @Test(
    "a user's proxy that does not help is named, without its password",
    arguments: [
      ("http://", RelayServer.Proxy.locked("another:one"), "(407)"),
      ("http://", .answers("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"), "403"),
      ("http://", .answers("SSH-2.0-x\r\n\r\n"), "does not speak HTTP"),
      ("http://", .answers(""), "no answer"),
      ("https://", .open, "http:// proxies only"), ("socks5h://", .open, "http:// proxies only"),
      ("nonsense://", .open, "no proxy of its scheme"),
    ])
  func uselessProxy(_ scheme: String, _ proxy: RelayServer.Proxy, _ words: String) async throws {
    let relay = try RelayServer(.proxy(proxy), to: 1)
    let (output, remarks) = try await ask(
      "CONNECT far.test:443 HTTP/1.1\r\n\r\n", hosts: ["far.test"],
      through: ["HTTPS_PROXY": "\(scheme)user:pass-word@127.0.0.1:\(relay.port)"])
    #expect(output.hasPrefix("HTTP/1.1 502 ") && output.contains(words), "\(output)")
    #expect(remarks.count == 1 && remarks[0].contains(words), "\(remarks)")
    #expect(!(output + remarks.joined()).contains("pass-word"))
  }

  @Test("there is no other way out: no direct connection, no name service")
  func noOtherWay() async throws {
    let silent = try SilentListener()
    let (output, _) = try await ask(
      "", hosts: ["127.0.0.1:\(silent.port)"],
      then:
        "(exec 4<>/dev/tcp/127.0.0.1/\(silent.port)) 2>&1; (exec 4<>/dev/tcp/192.0.2.1/80) 2>&1; (exec 4<>/dev/tcp/169.254.169.254/80) 2>&1; ls /proc/self/fd | wc -l; true"
    )
    #expect(output.contains("refused") && output.contains("unreachable"), "\(output)")
    // Three, the connection to the proxy, and what `ls` opens.
    #expect(output.hasSuffix("5\n"), "\(output)")
  }

  @Test("a program that ends takes its way out with it, and one that does not start says why")
  func failures() async throws {
    let sandbox = Self.reaching("api.test")
    let child = try await setting.start(["/bin/sh", "-c", "exit 7"], sandbox)
    #expect(await child.wait() == .exited(7))
    let without = withoutHelper
    let failure = await #expect(throws: Failure.self) {
      _ = try await without.start(["/bin/true"], sandbox)
    }
    #expect(failure?.message.contains("needs the program `rasa`") == true)
  }

  private static func reaching(_ host: String) -> ToolSandbox {
    var sandbox = ToolSandbox()
    sandbox.network = .hosts([host])
    return sandbox
  }

  private var withoutHelper: SandboxSetting {
    var setting = setting
    setting.settings.helper = nil
    return setting
  }
}
