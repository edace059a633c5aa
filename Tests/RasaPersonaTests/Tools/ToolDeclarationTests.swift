import RasaCore
import RasaDocuments
import RasaPersona
import Testing

@Suite("Tools: declarations") struct ToolDeclarationTests {
  private func read(_ tools: String) throws -> [ToolDeclaration] {
    try Loading.persona("frames: [session_frame]\ntools:\n" + tools).get().tools
  }

  @Test("each kind is read with everything that it may say")
  func kinds() throws {
    let tools = try read(
      """
        time:
          kind: mcp
          description: Knows the time.
          command: [mcp-server-time, --local-timezone=Europe/Berlin]
          env: {TOKEN: "${TIME_TOKEN}", LEVEL: 3}
          folder: servers
          may_ask: true
          timeout: 20
          tools:
            convert_time: {side_effects: none, data: []}
            set_time: {hidden: true}
        tickets:
          kind: mcp
          url: https://mcp.example.com/mcp
          headers: {Authorization: "Bearer ${TICKETS}"}
          oauth: {client_id: abc, client_secret_env: SECRET, scopes: [read, write]}
        quote:
          kind: http
          url: https://quotes.example.com/v1/{symbol}?days={days}
          headers: {X-Key: "${QUOTE_KEY}"}
          answer: /quote/price
          side_effects: none
          data: [untrusted, outward]
        order:
          kind: http
          method: post
          url: https://orders.example.com/
          body: {symbol: "{symbol}", amount: "{amount}"}
          parameters:
            type: object
            properties: {symbol: {type: string}, amount: {type: integer}}
            required: [symbol, amount]
        count_words:
          kind: process
          command: wc
          args: [-w]
          parameters: {type: object, properties: {text: {type: string}}}
          side_effects: idempotent
      """)
    #expect(tools.map(\.name) == ["time", "tickets", "quote", "order", "count_words"])
    #expect(tools.map(\.reference) == ["mcp:time", "mcp:tickets", "quote", "order", "count_words"])
    guard case .mcp(let time) = tools[0].kind, case .mcp(let tickets) = tools[1].kind,
      case .http(let quote) = tools[2].kind, case .http(let order) = tools[3].kind,
      case .process(let count) = tools[4].kind
    else {
      Issue.record("other kinds")
      return
    }
    #expect(
      time.transport
        == .stdio(
          command: ["mcp-server-time", "--local-timezone=Europe/Berlin"],
          environment: ["TOKEN": "${TIME_TOKEN}", "LEVEL": "3"], folder: "servers"))
    #expect(time.tools["convert_time"]?.sideEffects == SideEffects.none)
    #expect(time.tools["convert_time"]?.dataFlow == DataFlow())
    #expect(time.tools["set_time"]?.isHidden == true)
    #expect(tools[0].mayAsk && tools[0].timeout == 20 && tools[0].sideEffects == nil)
    var oauth = OAuthSettings()
    oauth.clientID = "abc"
    oauth.clientSecretVariable = "SECRET"
    oauth.scopes = ["read", "write"]
    #expect(
      tickets.transport
        == .http(
          url: "https://mcp.example.com/mcp",
          headers: [Header(name: "Authorization", value: "Bearer ${TICKETS}")], oauth: oauth))
    #expect(quote.method == "GET" && quote.answer == "/quote/price")
    #expect(quote.parameters["required"] == ["symbol", "days"])
    #expect(
      tools[2].sideEffects == SideEffects.none && tools[2].dataFlow == [.untrustedContent, .wayOut])
    #expect(order.method == "POST" && order.body?["symbol"] == "{symbol}")
    #expect(count.command == ["wc", "-w"] && tools[4].sideEffects == .idempotent)
    #expect(tools[0].variables == ["TIME_TOKEN"] && tools[1].variables == ["SECRET", "TICKETS"])
  }

  @Test(
    "a kind may be left out where only one fits",
    arguments: [
      ("{url: \"https://example.com/{x}\", answer: /a}", "http"),
      ("{url: \"https://example.com/mcp\", may_ask: true}", "mcp"),
      ("{command: [x], tools: {a: {hidden: true}}}", "mcp"),
      ("{command: [x], parameters: {type: object}}", "process"),
    ])
  func impliedKinds(entry: String, kind: String) throws {
    #expect(try read("  it: \(entry)").map(\.kindName) == [kind])
  }

  struct Mistake: Sendable {
    var entry: String
    var place: String
    var message: String
    var suggestion = ""
  }

  @Test(
    "a mistake is told with its place and what to do",
    arguments: [
      Mistake(
        entry: "  it: {command: [x]}", place: "5:3", message: "the tool `it` has no `kind`",
        suggestion: "`kind: process`"),
      Mistake(
        entry: "  it: {url: https://example.com}", place: "5:3",
        message: "the tool `it` has no `kind`", suggestion: "`kind: mcp`"),
      Mistake(
        entry: "  it: {kind: htpp, url: https://example.com}", place: "5:14",
        message: "`kind` must be", suggestion: "did you mean `http`?"),
      Mistake(
        entry: "  My Tool: {kind: mcp, command: [x]}", place: "5:3",
        message: "`My Tool` cannot be the name of a tool", suggestion: "write `my_tool`"),
      Mistake(
        entry: "  it: {kind: process, command: \"python3 -m x\"}", place: "5:32",
        message: "`command` is one text with blanks",
        suggestion: #"command: ["python3", "-m", "x"]"#),
      Mistake(
        entry: "  it: {kind: mcp}", place: "5:7", message: "does not say what it starts",
        suggestion: "`command`"),
      Mistake(
        entry: "  it: {kind: mcp, url: https://example.com, command: [x]}", place: "5:54",
        message: "`url` and `command` are both given"),
      Mistake(
        entry: "  it: {kind: http, url: example.com}", place: "5:25",
        message: "`url` must be an address"),
      Mistake(
        entry: "  it: {kind: http, url: \"https://me:pw@example.com/\"}", place: "5:25",
        message: "contains a user name or a key", suggestion: "`headers`"),
      Mistake(
        entry: "  it: {kind: http, url: \"https://{host}/\"}", place: "5:25",
        message: "must not choose the host"),
      Mistake(
        entry:
          "  it: {kind: http, url: \"https://e.com/{sybmol}\", parameters: {type: object, properties: {symbol: {type: string}}}}",
        place: "5:25", message: "inserts `{sybmol}`", suggestion: "did you mean `{symbol}`?"),
      Mistake(
        entry: "  it: {kind: http, url: https://e.com, body: {a: 1}}", place: "5:46",
        message: "a GET request has no body", suggestion: "`method: POST`"),
      Mistake(
        entry: "  it: {kind: http, url: https://e.com, answer: a.b}", place: "5:48",
        message: "`answer` must be a JSON pointer", suggestion: "`/a/b`"),
      Mistake(
        entry: "  it: {kind: http, url: https://e.com, headers: {\"a b\": c}}", place: "5:50",
        message: "cannot be the name of a header"),
      Mistake(
        entry: "  it: {kind: http, url: https://e.com, headers: {a: \"b\\r\\nc: d\"}}",
        place: "5:53", message: "has a line break"),
      Mistake(
        entry: "  it: {kind: process, command: [x], parameters: {type: array}}", place: "5:56",
        message: "must be a schema of an object"),
      Mistake(
        entry: "  it: {kind: process, command: [x], side_effects: maybe}", place: "5:51",
        message: "`side_effects` must be"),
      Mistake(
        entry: "  it: {kind: process, command: [x], data: [privat]}", place: "5:44",
        message: "`data` must be", suggestion: "did you mean `private`?"),
      Mistake(
        entry: "  it: {kind: mcp, command: [x], env: {\"A-B\": c}}", place: "5:39",
        message: "cannot be the name of a variable"),
      Mistake(entry: "  [time]", place: "5:3", message: "`tools` must be a mapping of names"),
    ])
  func mistakes(mistake: Mistake) throws {
    let reading = try Loading.persona("frames: [session_frame]\ntools:\n" + mistake.entry)
    let failure = try #require(reading.failures.first, "\(mistake.entry)")
    #expect(failure.message.contains(mistake.message), "\(failure)")
    #expect(failure.suggestion.contains(mistake.suggestion), "\(failure)")
    #expect(
      failure.location.map { "\($0.line):\($0.column)" } == mistake.place, "\(failure)")
  }

  @Test("an unknown field warns, and suggests the nearest one of its kind")
  func unknownFields() throws {
    let reading = try Loading.persona(
      "frames: [session_frame]\ntools:\n  it: {kind: mcp, comand: [x], command: [y]}")
    #expect(reading.failures.isEmpty)
    #expect(reading.warnings.count == 1)
    #expect(reading.warnings[0].description.contains("did you mean `command`?"))
  }

  @Test("a digest covers everything but words for people, and what is shown has no secrets")
  func digests() throws {
    func digest(_ more: String) throws -> String {
      try read("  it: {kind: mcp, command: [x], \(more)}")[0].digest
    }
    let plain = try digest("")
    #expect(try digest("description: Another.") == plain)
    for more in ["args: [y]", "env: {A: b}", "may_ask: true", "timeout: 3", "side_effects: none"] {
      #expect(try digest(more) != plain, "\(more)")
    }
    #expect(try digest("env: {A: hunter-one}") != digest("env: {A: hunter-two}"))
    let shown = Value.object(
      try read("  it: {kind: mcp, command: [x], env: {A: hunter-one, B: \"${C}\"}}")[0].shown
    ).json()
    #expect(!shown.contains("hunter") && shown.contains("${C}"))
  }
}

@Suite("Tools: files of other MCP clients") struct ServerFileTests {
  private func read(_ text: String) -> Reading<[ToolDeclaration]> {
    ServerFile.load(
      SourceDocument(bytes: Array(text.utf8), path: ".mcp.json"), isProject: true)
  }

  private func servers(_ text: String) throws -> [String: MCPServer.Transport] {
    var servers: [String: MCPServer.Transport] = [:]
    for declaration in try read(text).get() {
      if case .mcp(let server) = declaration.kind { servers[declaration.name] = server.transport }
    }
    return servers
  }

  @Test("Claude Code's, Claude Desktop's and Gemini's form")
  func mcpServers() throws {
    let servers = try servers(
      #"""
      {"globalShortcut": "Ctrl+Space",
       "mcpServers": {
        "time": {"command": "uvx", "args": ["mcp-server-time", "--port", 8080], "env": {"TZ": "${ZONE:-UTC}"}},
        "git": {"type": "stdio", "command": "mcp-server-git", "cwd": "/src", "disabled": false},
        "off": {"command": "x", "disabled": true},
        "remote": {"type": "http", "url": "https://mcp.example.com/", "headers": {"Authorization": "Bearer ${KEY}"}},
        "gemini": {"httpUrl": "https://gemini.example.com/mcp", "timeout": 5000, "trust": true}
      }}
      """#)
    #expect(
      servers == [
        "time": .stdio(
          command: ["uvx", "mcp-server-time", "--port", "8080"],
          environment: ["TZ": "${ZONE:-UTC}"], folder: nil),
        "git": .stdio(command: ["mcp-server-git"], environment: [:], folder: "/src"),
        "remote": .http(
          url: "https://mcp.example.com/",
          headers: [Header(name: "Authorization", value: "Bearer ${KEY}")], oauth: nil),
        "gemini": .http(url: "https://gemini.example.com/mcp", headers: [], oauth: nil),
      ])
  }

  @Test("VS Code's form, with comments and with what it asks for")
  func visualStudioCode() throws {
    let reading = read(
      #"""
      // Servers of this workspace.
      {
        "inputs": [{"type": "promptString", "id": "api-key", "password": true}],
        "servers": {
          "files": {
            "type": "stdio", /* as in "args" */
            "command": "npx", "args": ["-y", "files", "${workspaceFolder}/src"],
            "env": {"KEY": "${input:api-key}", "HOME_OF": "${env:WORK}", "NOTE": "a // b"},
          },
        },
      }
      """#)
    let declaration = try #require(try reading.get().first)
    guard case .mcp(let server) = declaration.kind else { return }
    #expect(
      server.transport
        == .stdio(
          command: ["npx", "-y", "files", "./src"],
          environment: ["KEY": "${API_KEY}", "HOME_OF": "${WORK}", "NOTE": "a // b"], folder: nil))
    #expect(reading.warnings.map(\.description).contains { $0.contains("the variable API_KEY") })
    #expect(declaration.location.line == 5 && declaration.isProject)
  }

  @Test("one entry that cannot be used hides none of the others, and says where it is")
  func broken() throws {
    let reading = read(
      """
      {"mcpServers": {
        "a": {"comand": "x"},
        "b": {"type": "sse", "url": "https://example.com/sse"},
        "c": {"command": "y"},
        "D E/f": {"command": "z"}
      }}
      """)
    let partial = try #require(reading.partial)
    #expect(partial.map(\.name) == ["c", "D-E-f"])
    #expect(reading.failures.map { $0.location?.line } == [2])
    let warnings = reading.warnings.map(\.description)
    #expect(warnings.contains { $0.contains("did you mean `command`?") })
    #expect(warnings.contains { $0.contains("HTTP+SSE") })
    #expect(warnings.contains { $0.contains("is called `D-E-f` here") })
  }

  @Test(
    "what is no such file is told with its place",
    arguments: [
      ("[]", "must be an object"), ("{\"mcpServers\": []}", "must be an object with a member"),
      ("{\"mcpServers\": {\"a\": {\"command\": \"x\", \"command\": \"y\"}}}", "twice"),
      ("{\"mcpServers\": {\"a\": 1}}", "must be a mapping"),
      ("{\"mcpServers\": {\"a\": {\"url\": \"ftp://x\"}}}", "must be an address"),
      (String(repeating: "[", count: 100_000), ""), ("{/*", ""),
    ])
  func mistakes(text: String, message: String) throws {
    let failure = try #require(read(text).failures.first)
    #expect(failure.message.contains(message), "\(failure)")
    #expect(failure.location?.file == ".mcp.json" && (failure.location?.line ?? 0) > 0)
  }

  @Test("comments and commas at the end become blanks, and nothing else does")
  func comments() {
    func without(_ text: String) -> String {
      String(decoding: JSON.withoutComments(Array(text.utf8)), as: UTF8.self)
    }
    #expect(without(#"{"a": "x, } // /* \" */",}"#) == #"{"a": "x, } // /* \" */" }"#)
    #expect(without("[1, // a\n2, /* b\n */ ]") == "[1,     \n2      \n    ]")
    #expect(without("/* never ends") == "/* never ends")
    #expect(without("\"never ends\\") == "\"never ends\\")
  }
}

@Suite("Tools: references and variables") struct ToolReferenceTests {
  @Test(
    "a reference is read as it is written",
    arguments: [
      ("mcp:time", ToolReference.server("time", tools: nil)),
      ("mcp:time/convert_time", .server("time", tools: "convert_time")),
      ("mcp:git/git_*", .server("git", tools: "git_*")),
      ("agent:security-reviewer", .agent("security-reviewer")), ("quote", .named("quote")),
      ("mcp__time", .named("mcp__time")),
    ])
  func references(text: String, reference: ToolReference) {
    #expect(ToolReference(text) == reference)
    #expect(reference.text == text)
  }

  @Test("Claude Code's notation means the same")
  func claudeCode() {
    #expect(ToolReference(claudeCode: "mcp__time__convert_time")?.text == "mcp:time/convert_time")
    #expect(ToolReference(claudeCode: "mcp__my_server__a__b")?.text == "mcp:my_server/a__b")
    #expect(ToolReference(claudeCode: "mcp__time")?.text == "mcp:time")
    #expect(ToolReference(claudeCode: "mcp__") == nil && ToolReference(claudeCode: "Read") == nil)
  }

  @Test(
    "variables are inserted once",
    arguments: [
      ("a", "a"), ("${A}", "one"), ("x${A}y${B}", "xoney${A}"), ("${C:-d e}", "d e"),
      ("${A:-d}", "one"), ("${E:-d}", "d"), ("$A ${ ${1} $${A}", "$A ${ ${1} $one"), ("${A", "${A"),
      ("${C:-}", ""), ("${input:x}", "${input:x}"), ("${env:A}", "one"), ("${env:C:-d}", "d"),
    ])
  func variables(text: String, expanded: String) throws {
    let variables = ["A": "one", "B": "${A}", "E": ""]
    #expect(try VariableText.expanded(text, variables) == expanded)
  }

  @Test("trust is asked for each variable that is inserted, however its name is written")
  func givenVariables() throws {
    #expect(VariableText.names(in: "${A}${env:B}${C:-d}${env:D:-e}") == ["A", "B", "C", "D"])
  }

  @Test("a variable that is not set is named")
  func unset() {
    #expect(throws: Failure.self) { try VariableText.expanded("${NOT_SET}", [:]) }
    do { _ = try VariableText.expanded("${NOT_SET}", [:]) } catch {
      #expect(error.message.contains("NOT_SET"))
    }
  }
}
