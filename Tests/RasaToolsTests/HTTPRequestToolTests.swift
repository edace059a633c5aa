import RasaCore
import RasaDocuments
import RasaEngine
import RasaHTTPClient
import RasaPersona
import RasaSystem
import RasaTestKit
import Testing

@testable import RasaTools

@Suite struct HTTPRequestToolTests {
  // MARK: What is sent

  @Test func argumentsAreEscapedForWhereTheyStand() async throws {
    let (line, _) = try await sent(
      url: "/users/{name}/notes?q={query}&lang=en&tag={tags}&limit={limit}&from=day-{day}",
      [
        "name": "Zoë/..x?&#%", "query": "a b&c=d\n$(reboot)", "tags": ["x y", "z"], "day": 3,
      ], parameters: ["name", "query", "tags", "limit", "day"], required: ["name"])
    #expect(
      line
        == "GET /users/Zo%C3%AB%2F..x%3F%26%23%25/notes?q=a%20b%26c%3Dd%0A%24%28reboot%29&lang=en"
        + "&tag=x%20y&tag=z&from=day-3 HTTP/1.1")
  }

  @Test(arguments: [
    ("", "is empty"), (".", "leads elsewhere"), ("..", "leads elsewhere"),
    ("a/../b", "leads elsewhere"),
    ("..\\b", "leads elsewhere"), ("a\u{0}", "control character"),
    ("a\r\nX: y", "control character"),
  ])
  func whatWouldLeadElsewhereInThePathIsRefused(_ value: String, _ words: String) async throws {
    let server = try RawServer([])
    let tool = try tool(
      url: "\(server.baseURL)/users/{name}", parameters: ["name"], required: ["name"])
    let result = try await result(of: tool, ["name": .string(value)])
    #expect(result.isError)
    #expect(result.text.contains(words), "\(result.text)")
    #expect(server.received.isEmpty)
  }

  @Test(arguments: [
    "evil.example.com", "127.0.0.1@evil.example.com", "evil.example.com/", "127.0.0.1:1", "",
    "127.0.0.1#",
    "127.0.0.1\\", "LOCALHOST.evil",
  ])
  func anArgumentChoosesAHostOfTheListOnly(_ host: String) async throws {
    let server = try RawServer(["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"])
    var declaration = Self.declaration(
      url: "http://{host}:\(server.port)/", parameters: ["host"], required: ["host"])
    declaration.change { $0.hosts = ["127.0.0.1"] }
    let tool = try HTTPRequestTool(declaration, client: HTTPClient(), environment: Environment())
    #expect(try await result(of: tool, ["host": .string(host)]).isError)
    #expect(try await result(of: tool, ["host": "127.0.0.1"]).text == "ok")
  }

  @Test func bodiesKeepTheTypesOfArguments() async throws {
    let (line, text) = try await sent(
      method: "POST", url: "/orders",
      [
        "symbol": "A\"{count}${HOME}", "count": 3, "limit": 1.5, "options": ["fast": true],
        "note": .null,
      ], parameters: ["symbol", "count", "limit", "options", "note"],
      body: [
        "order": [
          "symbol": "{symbol}", "count": "{count}", "text": "buy {count} of {symbol} {now}",
        ],
        "limit": "{limit}", "options": "{options}", "note": "{note}",
        "fixed": [1, true, .null, "{note}"],
        "query": "query { user { id } }",
      ])
    #expect(line == "POST /orders HTTP/1.1")
    #expect(text.contains("Content-Type: application/json\r\n"))
    let sent = try JSON.parse(String(text.split(separator: "\r\n\r\n", maxSplits: 1).last ?? ""))
    #expect(
      sent == [
        "order": [
          "symbol": "A\"{count}${HOME}", "count": 3, "text": "buy 3 of A\"{count}${HOME} {now}",
        ],
        "limit": 1.5, "options": ["fast": true], "fixed": [1, true, .null],
        "query": "query { user { id } }",
      ])
  }

  @Test func formsAreSentWhereTheHeaderSaysSo() async throws {
    let (_, text) = try await sent(
      method: "POST", url: "/form", ["a": "x y&z", "b": [1, 2]], parameters: ["a", "b"],
      body: ["a": "{a}", "b": "{b}"],
      headers: [Header(name: "Content-Type", value: "application/x-www-form-urlencoded")])
    #expect(text.hasSuffix("\r\n\r\na=x%20y%26z&b=1&b=2"))
  }

  @Test(arguments: [(SideEffects.none, false), (.idempotent, true), (.yes, true)])
  func aSecondAttemptCanBeRecognised(_ effects: SideEffects, _ hasKey: Bool) async throws {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    let server = try RawServer([answer, answer, answer])
    var declaration = Self.declaration(url: server.baseURL + "/")
    declaration.sideEffects = effects
    let tool = try HTTPRequestTool(declaration, client: HTTPClient(), environment: Environment())
    for key in ["one", "one", "two"] { _ = try await result(of: tool, [:], key: key) }
    let keys = server.received.map { text in
      text.split(separator: "\r\n").first { $0.hasPrefix("Idempotency-Key: ") }
    }
    #expect(keys.allSatisfy { ($0 != nil) == hasKey })
    #expect(keys[0] == keys[1])
    if hasKey { #expect(keys[1] != keys[2]) }
  }

  // MARK: Secrets

  private static let environment = Environment(["API_KEY": "sk-very-secret-1&2", "EMPTY": ""])

  @Test func secretsTravelAndAreSeenNowhere() async throws {
    let echo =
      "{\"you sent\": \"Bearer sk-very-secret-1&2\", \"url\": \"?key=sk-very-secret-1%262\"}"
    let server = try RawServer([
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(echo.utf8.count)\r\n\r\n\(echo)",
      "HTTP/1.1 403 No\r\nContent-Length: \(echo.utf8.count)\r\n\r\n\(echo)",
    ])
    let tool = try tool(
      url: server.baseURL + "/?key=${API_KEY}",
      headers: [Header(name: "Authorization", value: "Bearer ${API_KEY}")],
      environment: Self.environment)
    for isError in [false, true] {
      let result = try await result(of: tool, [:])
      #expect(result.isError == isError)
      #expect(!"\(result)".contains("very-secret"))
      #expect(result.text.contains("***"))
    }
    #expect(server.received[0].hasPrefix("GET /?key=sk-very-secret-1%262 HTTP/1.1"))
    #expect(server.received[0].contains("Authorization: Bearer sk-very-secret-1&2\r\n"))
  }

  @Test(arguments: [
    ("${MISSING}", "needs the variable MISSING, which is not set"),
    ("Bearer ${EMPTY}", "needs the variable EMPTY, which is empty"),
  ])
  func aMissingVariableIsNeverSentAsNothing(_ value: String, _ words: String) async throws {
    let server = try RawServer([])
    let tool = try tool(
      url: server.baseURL, headers: [Header(name: "X-Key", value: value)],
      environment: Self.environment)
    let failure = try await #require(throws: Failure.self) { try await result(of: tool, [:]) }
    #expect(failure.message.contains(words))
    #expect(failure.message.contains("header `X-Key` of `quote`"))
    #expect(failure.kind == .configuration)
    #expect(server.received.isEmpty)
  }

  @Test func aVariableWithALineBreakIsRefusedWithoutBeingShown() async throws {
    let tool = try tool(
      url: "http://127.0.0.1:1/", headers: [Header(name: "X-Key", value: "${KEY}")],
      environment: Environment(["KEY": "secret\r\nX-Other: 1"]))
    let failure = try await #require(throws: Failure.self) { try await result(of: tool, [:]) }
    #expect(failure.message.contains("line break"))
    #expect(!failure.description.contains("secret"))
  }

  @Test(arguments: [
    ("a ${B} c", "a b c"), ("${B}${B}", "bb"), ("${env:B}", "b"), ("${NO:-d e}", "d e"),
    ("${EMPTY:-x}", "x"),
    ("${B:-x}", "b"), ("$B {B} $", "$B {B} $"), ("", ""),
  ])
  func variablesAreExpandedOnce(_ text: String, _ expected: String) throws {
    let environment = Environment(["B": "b", "EMPTY": ""])
    #expect(try VariableTemplate(text, of: "it").expand(environment) == expected)
    #expect(
      try VariableTemplate("${X}", of: "it").expand(Environment(["X": "${B}"])) == "${B}")
  }

  @Test(arguments: ["${", "${}", "${1A}", "${A B}", "${input:key}", "${A-b}"])
  func whatIsNoVariableIsRefused(_ text: String) {
    #expect(throws: Failure.self) { try VariableTemplate(text, of: "it") }
  }

  // MARK: What comes back

  @Test(
    arguments: [
      ("application/json", #"{"a":[{"b":1.50}]}"#, "/a/0/b", Value.double(1.5), false),
      ("application/json; charset=utf-8", #"{"a/b":{"~":"x"}}"#, "/a~1b/~0", "x", false),
      ("application/problem+json", "[1,2]", nil, [1, 2], false),
      ("text/plain", #"{"a":1}"#, "/a", 1, false),
      ("application/json", #"{"a":1}"#, "/b", nil, true),
      ("application/json", "[1]", "/1", nil, true),
      ("application/json", "[1]", "/01", nil, true), ("application/json", "{", nil, nil, true),
      ("text/html", "<p>no</p>", "/a", nil, true),
    ] as [(String, String, String?, Value?, Bool)])
  func thePointedPartIsTheResult(
    _ type: String, _ body: String, _ pointer: String?, _ expected: Value?, _ isError: Bool
  ) async throws {
    let result = try await answered(Array(body.utf8), type: type, answer: pointer)
    #expect(result.isError == isError, "\(result.text)")
    #expect(result.structured == expected)
  }

  @Test(
    arguments: [
      ("text/plain; charset=ISO-8859-1", [0x5A, 0x6F, 0xEB], "Zoë"),
      ("text/plain; charset=\"windows-1252\"", [0x80], "€"),
      ("text/plain", [0x5A, 0x6F, 0xEB], "Zoë"),
      ("text/plain; charset=utf-16le", [0x5A, 0, 0x6F, 0, 0xEB, 0], "Zoë"),
      ("text/plain; charset=utf-16", [0xFF, 0xFE, 0x5A, 0], "Z"),
      ("text/plain; charset=Shift_JIS", [0x83, 0x65, 0x83, 0x58, 0x83, 0x67], "テスト"),
      ("text/plain", [0xEF, 0xBB, 0xBF, 0x61], "a"), ("", [0x61], "a"),
    ] as [(String, [UInt8], String)])
  func textIsReadInItsCharset(_ type: String, _ body: [UInt8], _ expected: String) async throws {
    #expect(try await answered(body, type: type).content == [.text(expected)])
  }

  @Test(
    arguments: [
      ("text/plain; charset=ISO-2022-CN-EXT", [0x61]), ("text/plain; charset=utf-8", [0xFF]),
      ("application/zip", [0x50, 0x4B, 0xFF, 0]), ("text/plain; charset=../x//TRANSLIT", [0x61]),
    ] as [(String, [UInt8])])
  func whatIsNeitherTextNorImageIsSaidToBeSo(_ type: String, _ body: [UInt8]) async throws {
    let result = try await answered(body, type: type)
    #expect(result.isError)
    #expect(result.text.contains("neither text nor an image"))
  }

  @Test func imagesAreAttached() async throws {
    let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 1, 2]
    let result = try await answered(png, type: "image/png", path: "/charts/acme.png?x=1")
    guard case .attachment(let image)? = result.content.first else {
      return #expect(Bool(false)) as Void
    }
    #expect(image.type == .png && image.name == "acme.png" && image.byteCount == 11)
  }

  @Test(arguments: [400, 401, 404, 429, 500, 503, 304])
  func anErrorOfTheServerIsAResultWithAnExcerpt(_ status: Int) async throws {
    let body = String(repeating: "x", count: 9_000)
    let result = try await answered(
      Array(body.utf8), type: "text/plain", status: status, headers: "Retry-After: 7\r\n")
    #expect(result.isError)
    #expect(result.text.contains("The server answered \(status)"))
    #expect(result.text.contains("it asks to wait: 7"))
    #expect(result.text.utf8.count < 2_500)
  }

  @Test func aLargeAnswerIsNotRead() async throws {
    var limits = HTTPRequestTool.Limits()
    limits.answer = 1_000
    let large = try await answered(
      Array(repeating: 0x61, count: 1_001), type: "text/plain", limits: limits)
    #expect(large.isError)
    #expect(large.text.contains("more than 1 kB"))
    #expect(
      try await !answered(Array(repeating: 0x61, count: 1_000), type: "text/plain", limits: limits)
        .isError)
  }

  @Test func theResultFitsItsSchema() async throws {
    let server = try RawServer([
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"price\":\"x\"}"
    ])
    var declaration = Self.declaration(url: server.baseURL)
    declaration.change {
      $0.output = ["type": "object", "properties": ["price": ["type": "number"]]]
    }
    let tool = try HTTPRequestTool(declaration, client: HTTPClient(), environment: Environment())
    let result = try await result(of: tool, [:])
    #expect(result.isError && result.text.contains("not as expected"))
  }

  @Test func argumentsFitTheirSchema() async throws {
    let server = try RawServer([])
    let tool = try tool(url: server.baseURL + "/{name}", parameters: ["name"], required: ["name"])
    #expect(try await result(of: tool, [:]).text.contains("name"))
    #expect(server.received.isEmpty)
  }

  // MARK: What goes wrong

  @Test(arguments: [
    (SideEffects.yes, Failure.Kind.timeout), (.idempotent, .timeout), (.none, .run),
  ])
  func aRequestWithoutAnAnswerMayHaveBeenCarriedOut(
    _ effects: SideEffects, _ kind: Failure.Kind
  ) async throws {
    for answer in ["", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"] {
      let server = try RawServer([answer])
      var declaration = Self.declaration(method: "POST", url: server.baseURL)
      declaration.sideEffects = effects
      let tool = try HTTPRequestTool(declaration, client: HTTPClient(), environment: Environment())
      let failure = try await #require(throws: Failure.self) { try await result(of: tool, [:]) }
      #expect(failure.kind == kind, "\(failure)")
      #expect(failure.message.contains("may have been carried out") == (effects != .none))
      #expect(server.received.count == 1)
    }
  }

  @Test func aServerThatNeverAnswersIsWaitedForInVain() async throws {
    let server = try RawServer([""], keepsOpen: true)
    var declaration = Self.declaration(method: "POST", url: server.baseURL)
    declaration.timeout = 0.2
    let tool = try HTTPRequestTool(declaration, client: HTTPClient(), environment: Environment())
    let failure = try await #require(throws: Failure.self) { try await result(of: tool, [:]) }
    #expect(failure.kind == .timeout)
    #expect(failure.message.contains("did not answer within 0.2 seconds"))
  }

  @Test(arguments: [(SideEffects.none, 2), (.idempotent, 2), (.yes, 0)])
  func onlyWhatNeverLeftIsSentAgain(_ effects: SideEffects, _ pauses: Int) async throws {
    let slept = Locked(0)
    var time = TimeSource.system
    time.sleep = { _ in slept.withLock { $0 += 1 } }
    let closed = try RefusingPort()
    var declaration = Self.declaration(method: "POST", url: "http://127.0.0.1:\(closed.port)/")
    declaration.sideEffects = effects
    let tool = try HTTPRequestTool(
      declaration, client: HTTPClient(), environment: Environment(), time: time)
    let failure = try await #require(throws: Failure.self) { try await result(of: tool, [:]) }
    #expect(failure.kind == .run && failure.reason == "connection")
    #expect(slept.withLock { $0 } == pauses)
    withExtendedLifetime(closed) {}
  }

  @Test func addressesAreCheckedAtEachHop() async throws {
    let provider = try ScriptedProvider.start()
    let server = try RawServer([
      "HTTP/1.1 302 Found\r\nLocation: http://[::ffff:127.0.0.1]:\(provider.port)/v1/models\r\n"
        + "Content-Length: 0\r\n\r\n"
    ])
    let failure = try await #require(throws: Failure.self) {
      try await result(of: tool(url: server.baseURL), [:])
    }
    #expect(failure.reason == "address")
    #expect(failure.suggestion.contains("allow_private"))
    #expect(provider.connections == 0)
  }

  // MARK: Declarations

  @Test(arguments: [
    ("http://{host}/", [], "lets an argument choose the host"),
    ("ftp://example.com/", [], "none of https or http"),
    ("example.com/{x}", ["x"], "does not begin with https://"),
    ("https://a:b@example.com/", [], "a password in it"),
    ("https://example.com/{nmae}", ["name"], "uses the argument `nmae`"),
    ("https://example.com/#x", [], "fragment"),

    ("https://example.com/?k=${K", [], "without its `}`"),
    ("https:///x", [], "cannot be read"),
  ])
  func aDeclarationThatCannotWorkIsRefused(
    _ url: String, _ parameters: [String], _ words: String
  ) throws {
    let failure = try #require(throws: Failure.self) {
      try HTTPRequestTool(
        Self.declaration(
          url: url, parameters: parameters + (url.contains("{host}") ? ["host"] : [])),
        client: HTTPClient(), environment: Environment())
    }
    #expect(failure.description.contains(words), "\(failure)")
    #expect(failure.location?.file == "tools.yaml")
  }

  @Test(arguments: [
    ("Host", "x"), ("Content-Length", "1"), ("Transfer-Encoding", "chunked"), ("a b", "x"),
    ("", "x"),
    ("X\r\nY", "x"), ("X-Ok", "${"),
  ])
  func headersThatAreRasasOwnOrNoneAreRefused(_ name: String, _ value: String) {
    #expect(throws: Failure.self) {
      try HeaderTemplate([Header(name: name, value: value)], of: "`quote`")
    }
  }

  // MARK: Set-up

  static func declaration(
    method: String = "GET", url: String, parameters: [String] = [], required: [String] = [],
    body: Value? = nil, headers: [Header] = [], answer: String? = nil
  ) -> ToolDeclaration {
    var tool = HTTPTool(
      method: method, url: url,
      parameters: [
        "type": "object", "properties": .object(ValueObject(parameters.map { ($0, .emptyObject) })),
        "required": .array(required.map { .string($0) }),
      ])
    tool.body = body
    tool.headers = headers
    tool.answer = answer
    tool.allowsPrivate = ["127.0.0.1"]
    return ToolDeclaration(
      name: "quote", kind: .http(tool),
      location: SourceLocation(file: "tools.yaml", line: 3, column: 1))
  }

  private func tool(
    url: String, parameters: [String] = [], required: [String] = [], headers: [Header] = [],
    environment: Environment = Environment()
  ) throws -> HTTPRequestTool {
    try HTTPRequestTool(
      Self.declaration(url: url, parameters: parameters, required: required, headers: headers),
      client: HTTPClient(), environment: environment)
  }

  private func result(
    of tool: HTTPRequestTool, _ arguments: Value, key: String = "key"
  ) async throws -> ToolResult {
    let step = Step(frame: "f", visit: 1, operatorName: "o")
    let use = ToolUse(
      run: Identifier("run"), step: step, key: step.effect("tool:quote"), name: "quote",
      arguments: arguments,
      idempotencyKey: key)
    guard case .result(let result) = try await tool.perform(use, ToolContext()) else {
      throw Failure(.run, "no result")
    }
    return result
  }

  /// The first line of the request and all of it.
  private func sent(
    method: String = "GET", url: String, _ arguments: Value, parameters: [String],
    required: [String] = [],
    body: Value? = nil, headers: [Header] = []
  ) async throws -> (line: String, text: String) {
    let server = try RawServer(["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"])
    let tool = try HTTPRequestTool(
      Self.declaration(
        method: method, url: server.baseURL + url, parameters: parameters, required: required,
        body: body,
        headers: headers), client: HTTPClient(), environment: Environment(["HOME": "/home/x"]))
    let result = try await result(of: tool, arguments)
    #expect(result.text == "ok", "\(result.text)")
    let text = try #require(server.received.first)
    return (String(text.split(separator: "\r\n").first ?? ""), text)
  }

  private func answered(
    _ body: [UInt8], type: String, status: Int = 200, answer: String? = nil, path: String = "/",
    headers: String = "", limits: HTTPRequestTool.Limits = HTTPRequestTool.Limits()
  ) async throws -> ToolResult {
    let type = type.isEmpty ? "" : "Content-Type: \(type)\r\n"
    let server = try RawServer(
      bytes: [
        Array("HTTP/1.1 \(status) X\r\n\(type)\(headers)Content-Length: \(body.count)\r\n\r\n".utf8)
          + (status == 304 ? [] : body)
      ])
    let tool = try HTTPRequestTool(
      Self.declaration(url: server.baseURL + path, answer: answer), client: HTTPClient(),
      environment: Environment(), limits: limits)
    return try await result(of: tool, [:])
  }
}

extension ToolDeclaration {
  mutating func change(_ body: (inout HTTPTool) -> Void) {
    guard case .http(var tool) = kind else { return }
    body(&tool)
    kind = .http(tool)
  }
}
