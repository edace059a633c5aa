import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaPersona
import RasaSystem
import RasaTestKit
import Testing

@testable import RasaModels

/// What comes from something else than a model: it is named, it is not asked for again, and it costs
/// nothing. What a model may have had a part in costs what it may have cost.
@Suite struct ForeignAnswerTests {
  struct Row: CustomTestStringConvertible, Sendable {
    var name: String
    var answer: String
    var kind: ProviderProblem.Kind
    var words: [String]
    var suggestion = "OPENAI_BASE_URL"
    var testDescription: String { name }
  }

  private static func page(_ status: String, _ words: String) -> String {
    let body = "<!DOCTYPE html><html><body><h1>\(words)</h1></body></html>"
    return
      "HTTP/1.1 \(status)\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }
  private static func text(_ type: String, _ body: String, status: String = "200 OK") -> String {
    "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  static let foreign: [Row] = [
    Row(
      name: "a captive page", answer: page("200 OK", "Sign in to the network"), kind: .blocked,
      words: ["a web page (text/html", "Sign in to the network", "[200 from http://127.0.0.1:"]),
    Row(
      name: "a way to a page for logging in",
      answer:
        "HTTP/1.1 302 Found\r\nLocation: https://login.example/in?token=secret\r\nContent-Length: 0\r\n\r\n",
      kind: .blocked, words: ["/v1/chat/completions redirects to https://login.example/in (302)"]),
    Row(
      name: "a server that has moved",
      answer:
        "HTTP/1.1 308 Permanent Redirect\r\nLocation: https://new.example/v1/chat/completions\r\nContent-Length: 0\r\n\r\n",
      kind: .blocked, words: ["redirects to https://new.example/v1/chat/completions (308)"],
      suggestion: "write its address as that says"),
    Row(
      name: "a redirect to nowhere", answer: "HTTP/1.1 303 See Other\r\nContent-Length: 0\r\n\r\n",
      kind: .blocked, words: ["redirects without saying where (303)"]),
    Row(
      name: "a wall", answer: page("403 Forbidden", "Blocked by policy"), kind: .blocked,
      words: ["a web page (text/html", "from http://127.0.0.1:", "(403): Blocked by policy"]),
    Row(
      name: "no content", answer: "HTTP/1.1 204 No Content\r\n\r\n", kind: .notAnAnswer,
      words: ["the response was empty", "[204 from http://127.0.0.1:"]),
    Row(
      name: "nothing in it", answer: text("application/json", ""), kind: .notAnAnswer,
      words: ["the response was empty", "[200 from"]),
    Row(
      name: "a text", answer: text("text/plain", "It works!\u{1B}[31m"), kind: .notAnAnswer,
      words: ["what came (text/plain) is no answer of a model: It works!"]),
    Row(
      name: "some other service's document", answer: text("application/json", #"{"status":"up"}"#),
      kind: .notAnAnswer, words: [#"{"status":"up"}"#]),
    Row(
      name: "a server that wants TLS",
      answer: page("400 Bad Request", "The plain HTTP request was sent to HTTPS port"), kind: .tls,
      words: ["HTTPS port"], suggestion: "https://"),
  ]

  private func asking(_ answers: [String]) throws -> (GateSetting, RawServer) {
    let server = try RawServer(answers)
    let setting = try GateSetting(
      configure: { $0.providers[0].baseURL = server.baseURL + "/v1" },
      options: { $0.retryDelay = .milliseconds(1) })
    return (setting, server)
  }

  @Test("is named, not asked for again, and free", arguments: foreign)
  func isNamed(_ row: Row) async throws {
    let (setting, server) = try asking([row.answer, row.answer, row.answer])
    let failure = try await setting.failure()
    for words in row.words { #expect(failure.message.contains(words), "\(failure)") }
    #expect(!"\(failure)".contains("secret") && !"\(failure)".contains("\u{1B}"))
    #expect(!failure.message.contains("stream ended"))
    #expect(failure.suggestion.contains(row.suggestion), "\(failure)")
    #expect(failure.reason == row.kind.rawValue)
    #expect(setting.ledger.settlements.map(\.actual) == [.zero])
    #expect(
      setting.ledger.entries.filter { $0.kind == "call.failed" }.map { $0.body["reason"] }
        == [.string(row.kind.rawValue)])
    withExtendedLifetime(server) {}
  }

  @Test(
    "a gateway whose server is down is asked again, and named",
    arguments: ["502 Bad Gateway", "503 Busy"])
  func gateway(_ status: String) async throws {
    let page = Self.page(status, "nginx")
    let (setting, server) = try asking([page, page, page])
    let failure = try await setting.failure()
    #expect(failure.reason == "server")
    #expect(failure.message.contains("the server failed: a web page (text/html"), "\(failure)")
    #expect(setting.ledger.settlements.map(\.actual) == [.zero, .zero, .zero])
    withExtendedLifetime(server) {}
  }

  @Test("a page that is not there leads to the address with its version")
  func notThere() async throws {
    let page = Self.page("404 Not Found", "404 page not found")
    // The list of models is asked for, too.
    let server = try RawServer([page, page, page])
    let setting = try GateSetting(configure: { $0.providers[0].baseURL = server.baseURL })
    let failure = try await setting.failure()
    #expect(failure.message.contains("from \(server.baseURL)/chat/completions"), "\(failure)")
    #expect(failure.suggestion.contains("\(server.baseURL)/v1"), "\(failure)")
  }

  @Test(
    "what a model may have worked on is booked",
    arguments: [
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: working\n\n",
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"choices\":[],\"usage\":null}",
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n",
    ])
  func mayHaveCost(_ answer: String) async throws {
    let (setting, server) = try asking([answer, answer, answer])
    _ = try await setting.failure()
    #expect(setting.ledger.settlements.allSatisfy { $0.actual > .zero })
    #expect(!setting.ledger.settlements.isEmpty)
    withExtendedLifetime(server) {}
  }

  @Test("a packed body that does not say so is named")
  func packed() {
    var decoder = ProviderSettings.Dialect.openAI.decoder()
    decoder.feed([0x1F, 0x8B, 8, 0, 0, 0])
    decoder.finish()
    #expect(decoder.progress.problem?.kind == .notAnAnswer)
    #expect(decoder.progress.problem?.message.contains("gzip") == true)
  }

  @Test("the list of models is not read from a page")
  func list() async throws {
    let server = try RawServer([Self.page("200 OK", "Sign in")])
    let settings = try ProviderSettings.openAI(baseURL: server.baseURL + "/v1", key: nil)
    let reports = try await ProviderCheck.run([settings], client: HTTPClient(), time: .system)
    #expect(reports.first?.problem?.message.contains("a web page (text/html") == true)
    #expect(reports.first?.availability == .unavailable)
  }

  @Test("a silence is told by its place, and by the setting that bounds it")
  func silences() async throws {
    let silent = try GateSetting(
      [Script.words(3).with { $0.headersDelay = .seconds(3_600) }],
      time: .system, configure: { $0.providers[0].firstContentTimeout = .milliseconds(100) })
    var failure = try await silent.failure()
    #expect(failure.kind == .timeout && failure.reason == "timeout")
    #expect(failure.suggestion.contains("`timeouts: {first_content: …}` of the provider `openai`"))
    let idle = try GateSetting(
      [Script.words(3).broken(after: 1, .silence)], time: .system,
      configure: { $0.providers[0].idleTimeout = .milliseconds(100) },
      options: { $0.retryDelay = .milliseconds(1) })
    failure = try await idle.failure()
    #expect(failure.reason == "idle", "\(failure)")
    #expect(failure.suggestion.contains("`timeouts: {idle: …}`"))
    let listener = try SilentListener()
    let unreached = try GateSetting(
      time: .system,
      configure: {
        $0.providers[0].baseURL = "https://127.0.0.1:\(listener.port)/v1"
        $0.providers[0].connectTimeout = .milliseconds(100)
      }, options: { $0.rounds = 1 })
    failure = try await unreached.failure()
    #expect(failure.reason == "tls" && failure.message.contains("within 100 ms"), "\(failure)")
    #expect(failure.suggestion.contains("`timeouts: {connect: …}`"))
  }
}

/// Addresses as people paste them.
@Suite struct PastedAddressTests {
  @Test(
    arguments: [
      ("OPENAI_BASE_URL", "https://h.example/v1/chat/completions", "https://h.example/v1"),
      ("OPENAI_BASE_URL", "https://h.example/v1/chat/completions/", "https://h.example/v1"),
      ("OPENAI_BASE_URL", "https://h.example/chat/completions", "https://h.example"),
      ("OPENAI_BASE_URL", "https://h.example/v1/models", "https://h.example/v1"),
      ("OPENAI_BASE_URL", "https://h.example/v1/embeddings", "https://h.example/v1"),
      ("OPENAI_BASE_URL", "https://h.example/api/v1/responses//", "https://h.example/api/v1"),
      ("OPENAI_BASE_URL", " \"https://h.example/v1\" ", "https://h.example/v1"),
      ("OPENAI_BASE_URL", "'h.example'", "https://h.example/v1"),
      ("OPENAI_BASE_URL", "<https://h.example/v1>", "https://h.example/v1"),
      ("OPENAI_BASE_URL", "https://h.example/v1#auth", "https://h.example/v1"),
      ("OPENAI_BASE_URL", "https://h.example/models", "https://h.example/models/v1"),
      ("OPENAI_BASE_URL", "[::1]:8000", "http://[::1]:8000/v1"),
      ("ANTHROPIC_BASE_URL", "https://h.example/v1/messages", "https://h.example"),
      ("ANTHROPIC_BASE_URL", "https://h.example/v1/messages/count_tokens", "https://h.example"),
      (
        "GEMINI_BASE_URL",
        "https://h.example/v1beta/models/gemini-x:streamGenerateContent?alt=sse",
        "https://h.example"
      ),
      ("GEMINI_BASE_URL", "https://h.example/v1beta/models/g:generateContent", "https://h.example"),
      ("OLLAMA_HOST", "http://h.example:11434/api/chat", "http://h.example:11434"),
      ("OLLAMA_HOST", "http://h.example:11434/v1", "http://h.example:11434"),
      ("OLLAMA_HOST", "http://h.example:1/v1/chat/completions", "http://h.example:1"),
      ("OLLAMA_HOST", "0.0.0.0", "http://127.0.0.1:11434"),
      ("OLLAMA_HOST", "[::]", "http://[::1]:11434"), ("OLLAMA_HOST", "::", "http://[::1]:11434"),
      ("OLLAMA_HOST", "[::]:1", "http://[::1]:1"), ("OLLAMA_HOST", ":1", "http://127.0.0.1:1"),
      ("OLLAMA_HOST", "\"h.example:1\"", "http://h.example:1"),
      ("OLLAMA_HOST", "fe80::1%eth0", "http://[fe80::1%25eth0]:11434"),
      ("OLLAMA_HOST", "[2001:db8::1]", "http://[2001:db8::1]:11434"),
    ])
  func isMeantWithoutItsEndpoint(_ row: (variable: String, text: String, address: String)) throws {
    var environment = [row.variable: row.text]
    switch row.variable {
    case "ANTHROPIC_BASE_URL": environment["ANTHROPIC_API_KEY"] = "k"
    case "GEMINI_BASE_URL": environment["GEMINI_API_KEY"] = "k"
    default: break
    }
    let found = try #require(try ModelConfiguration.discover(environment).providers.first)
    #expect(found.baseURL == row.address)
  }

  @Test func aQueryThatIsNoKeyGoesAlong() throws {
    let found = try ProviderSettings.openAI(
      baseURL:
        "https://me.example/openai/deployments/mine/chat/completions?api-version=2024-10-21&x=a%20b",
      key: nil)
    #expect(found.baseURL == "https://me.example/openai/deployments/mine")
    #expect(found.query.map(\.name) == ["api-version", "x"])
    #expect(found.query.map(\.value) == ["2024-10-21", "a b"])
    #expect(
      found.address(of: "/chat/completions")
        == "https://me.example/openai/deployments/mine/chat/completions?api-version=2024-10-21&x=a%20b"
    )
  }

  @Test(
    arguments: [
      ("https://h.example/v1?key=secret", "its query contains a key"),
      ("https://h.example/v1?access_token=secret", "its query contains a key"),
      ("https:/h.example/v1", "`://`"), ("https:h.example", "port"),
      ("http//h.example/v1", "`://`"),
      ("https:///v1", "host"), ("h example", "a space"), ("https://u:secret@h/v1", "a user name"),
    ])
  func isRefusedWithWhatToWrite(_ row: (text: String, words: String)) throws {
    let failure = try #require(throws: Failure.self) {
      try ModelConfiguration.discover(["OPENAI_BASE_URL": row.text])
    }
    #expect(failure.message.contains("OPENAI_BASE_URL") && failure.message.contains(row.words))
    #expect(failure.suggestion.contains("https://host/path") && !"\(failure)".contains("secret"))
  }
}
