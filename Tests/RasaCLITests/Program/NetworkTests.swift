import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

/// The program in networks as people have them: their own CAs, their proxies, their walls. Everything
/// is on this machine; what stands for the world outside is a name that only the proxy knows.
@Suite("rasa in networks as they are")
struct NetworkTests {
  private let authority = TestAuthority()
  /// What has to stay until the test is over.
  private let kept = Locked<[RelayServer]>([])

  /// A provider behind TLS, and the program that is to reach it.
  private func setting(
    _ identity: (TestAuthority) -> TestIdentity = { TestIdentity(by: $0) },
    scripts: [Script] = [.text("fine")]
  ) throws -> (rasa: RasaProgram, provider: ScriptedProvider, relay: RelayServer) {
    let provider = try ScriptedProvider.start(scripts)
    let relay = try RelayServer(.tls(identity(authority)), to: provider.port)
    kept.withLock { $0.append(relay) }
    var rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    rasa.environment["OPENAI_BASE_URL"] = "https://127.0.0.1:\(relay.port)/v1"
    try rasa.home.write(String(decoding: authority.pem, as: UTF8.self), to: "ca.pem")
    return (rasa, provider, relay)
  }

  private func ask(_ rasa: RasaProgram) async throws -> ProgramRun {
    try await rasa.run("run", "-p", "single", "hello")
  }

  @Test("a CA of one's own is named by a variable or by the user's file")
  func ownCA() async throws {
    let (rasa, provider, _) = try setting()
    for (variable, file) in [
      ("SSL_CERT_FILE", "\(rasa.home.path)/ca.pem"), ("CURL_CA_BUNDLE", "\(rasa.home.path)/ca.pem"),
    ] {
      var named = rasa
      named.environment[variable] = file
      let run = try await ask(named)
      #expect(run.exitCode == 0 && run.text == "fine\n", "\(run.errorText)")
    }
    try rasa.home.write("network: {ca_file: ca.pem}\n", to: "config.yaml")
    var wrong = rasa
    wrong.environment["SSL_CERT_FILE"] = "/no/such/file"
    let run = try await ask(wrong)
    #expect(run.exitCode == 0, "the user's file goes before: \(run.errorText)")
    #expect(provider.requests.count == 3)
  }

  @Test("an unknown CA is reported once with a suggestion, and costs nothing")
  func unknownCA() async throws {
    let (rasa, provider, relay) = try setting()
    let run = try await rasa.run("run", "-p", "single", "hello", "--json")
    #expect(run.exitCode == 5)
    let error = try JSON.parse(run.output)["error"]
    #expect(error["reason"] == "certificate")
    let message = error["message"].string ?? ""
    #expect(
      message.contains("the certificate of 127.0.0.1:\(relay.port) is signed by a CA that is not"))
    #expect(
      error["suggestion"].string?.contains("SSL_CERT_FILE or `network: {ca_file: …}`") == true)
    #expect(!"\(error)".contains("tried"))
    #expect(provider.requests.isEmpty)
    let id = try #require(try JSON.parse(run.output)["run"].string)
    let events = try await rasa.run("runs", "events", id, "--json")
    #expect(events.text.contains("\"certificate\""), "\(events.text)")
  }

  @Test("a project's file says nothing of the network")
  func project() async throws {
    let (rasa, provider, _) = try setting()
    try rasa.home.write("network: {ca_file: ca.pem}\n", to: "project/.rasa/config.yaml")
    let run = try await rasa.shell("cd project && \"$RASA\" run -p single hello")
    #expect(run.exitCode == 5 && provider.requests.isEmpty)
    #expect(run.errorText.contains("`network` is ignored in a project's file"))
  }

  @Test("a CA file that is none is a mistake of the configuration")
  func uselessFile() async throws {
    var (rasa, _, _) = try setting()
    rasa.environment["SSL_CERT_FILE"] = rasa.home.path + "/none.pem"
    let run = try await ask(rasa)
    #expect(run.exitCode == 3, "\(run.errorText)")
    #expect(
      run.errorText.contains("SSL_CERT_FILE") && run.errorText.contains("none.pem is not there"))
    let doctor = try await rasa.run("doctor")
    #expect(doctor.text.contains("network: SSL_CERT_FILE") && doctor.exitCode == 3)
  }

  /// A proxy that alone knows where `llm.invalid` is.
  private func proxied(
    _ proxy: RelayServer.Proxy
  ) throws -> (rasa: RasaProgram, provider: ScriptedProvider, kept: [RelayServer]) {
    var (rasa, provider, relay) = try setting { TestIdentity(by: $0, for: "DNS:llm.invalid") }
    let front = try RelayServer(.proxy(proxy), to: relay.port)
    rasa.environment["OPENAI_BASE_URL"] = "https://llm.invalid/v1"
    rasa.environment["SSL_CERT_FILE"] = rasa.home.path + "/ca.pem"
    rasa.environment["HTTPS_PROXY"] = "http://me:hush-hush@127.0.0.1:\(front.port)"
    return (rasa, provider, [relay, front])
  }

  @Test("requests go through the proxy that the variables or the user's file name")
  func proxy() async throws {
    var (rasa, provider, kept) = try proxied(.locked("me:hush-hush"))
    var run = try await ask(rasa)
    #expect(run.exitCode == 0 && run.text == "fine\n", "\(run.errorText)")
    #expect(kept[1].asked.first?.hasPrefix("CONNECT llm.invalid:443") == true)
    let address = try #require(rasa.environment["HTTPS_PROXY"])
    rasa.environment["HTTPS_PROXY"] = "http://127.0.0.1:1"
    try rasa.home.write("network: {proxy: \"\(address)\"}\n", to: "config.yaml")
    run = try await ask(rasa)
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(provider.requests.count == 2)
    let doctor = try await rasa.run("doctor")
    #expect(
      doctor.text.contains(
        "network: through the proxy http://127.0.0.1:\(kept[1].port) (`proxy` in"))
    #expect(doctor.text.contains("ca.pem (SSL_CERT_FILE)"))
    #expect(!(doctor.text + doctor.errorText).contains("hush-hush"))
    let health = try await rasa.run("llm", "health", "--json")
    #expect(
      health.text.contains("http://127.0.0.1:\(kept[1].port)") && !health.text.contains("hush"))
  }

  @Test(
    "a proxy that refuses is named without its password, and nothing is booked",
    arguments: [
      (.locked("me:other"), "refused its password (407)", 1),
      (
        .answers("HTTP/1.1 403 No\r\nContent-Type: text/html\r\n\r\n<h1>No</h1>"),
        "refused to connect to llm.invalid (403)", 1
      ),
      (.answers(""), "is it a proxy?", 3),
    ] as [(RelayServer.Proxy, String, Int)])
  func refusals(_ proxy: RelayServer.Proxy, _ words: String, _ tries: Int) async throws {
    let (rasa, provider, kept) = try proxied(proxy)
    let run = try await ask(rasa)
    #expect(run.exitCode == 5 && run.errorText.contains(words), "\(run.errorText)")
    #expect(run.errorText.contains("the proxy http://127.0.0.1:\(kept[1].port) (HTTPS_PROXY)"))
    #expect(!run.errorText.contains("hush-hush"))
    #expect(kept[1].asked.count == tries && provider.requests.isEmpty)
    let costs = try await rasa.run("costs")
    #expect(!costs.text.contains("$0.00000"), "\(costs.text)")
  }

  @Test("a name that does not resolve names the host and the proxy that is not used")
  func unresolved() async throws {
    var (rasa, _, _) = try proxied(.open)
    rasa.environment["NO_PROXY"] = "llm.invalid"
    let run = try await ask(rasa)
    #expect(run.exitCode == 5, "\(run.errorText)")
    #expect(run.errorText.contains("llm.invalid"))
    #expect(run.errorText.contains("HTTPS_PROXY not used, as NO_PROXY has `llm.invalid`"))
  }

  @Test("a captive page is named, once, and costs nothing")
  func captive() async throws {
    let body = "<html><h1>Sign in to the network</h1></html>"
    let page =
      "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    let server = try RawServer([page, page, page])
    var rasa = try RasaProgram()
    try rasa.writeSingle()
    rasa.environment["LLM_PROVIDER"] = nil
    rasa.environment["OPENAI_BASE_URL"] = server.baseURL + "/v1"
    rasa.environment["OPENAI_API_KEY"] = "sk-made-up"
    let run = try await rasa.run("run", "-p", "single", "--model", "gpt-4o-mini", "hello")
    #expect(run.exitCode == 5)
    #expect(run.errorText.contains("a web page (text/html) came instead of an answer: Sign in"))
    #expect(!run.errorText.contains("tried"))
    let costs = try await rasa.run("costs")
    #expect(costs.text.contains("$0.00") && !costs.text.contains("$0.0000"), "\(costs.text)")
  }

  @Test("a timeout names the setting that changes it")
  func waits() async throws {
    let provider = try ScriptedProvider.start([
      Script.words(1).with { $0.headersDelay = .seconds(3_600) }
    ])
    let rasa = try RasaProgram()
    var asking = rasa
    asking.environment["LLM_PROVIDER"] = nil
    try rasa.writeSingle()
    try rasa.home.write(
      "providers: {own: {base_url: \"\(provider.openAIBaseURL)\", timeouts: {first_content: 0.2}}}\n",
      to: "config.yaml")
    let run = try await asking.run("run", "-p", "single", "--model", "own:m", "hello", "--json")
    #expect(run.exitCode == 124)
    let error = try JSON.parse(run.output)["error"]
    #expect(error["kind"] == "timeout" && error["reason"] == "timeout")
    #expect(
      error["suggestion"].string?.contains("`timeouts: {first_content: …}` of the provider `own`")
        == true)
  }
}
