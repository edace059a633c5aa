import RasaCore
import RasaEngine
import RasaTestKit
import Testing

@testable import RasaTools

@Suite("Definitions of MCP tools") struct MCPDefinitionTests {
  private func read(
    _ value: Value, isHTTP: Bool = false
  ) -> Result<MCPToolDefinition, MCPToolDefinition.Refusal> {
    do throws(MCPToolDefinition.Refusal) {
      return .success(try MCPToolDefinition(value, isHTTP: isHTTP))
    } catch {
      return .failure(error)
    }
  }

  static let names: [(String, Bool)] = [
    ("get_time", true), ("admin.tools/list-2", true), ("größe", true), ("時間", true),
    ("", false), ("two words", false), ("*", false), ("git_*", false), ("a?", false),
    ("[ab]", false), ("{a}", false), ("a\nb", false), ("a\u{202E}b", false), ("a\u{200B}", false),
    ("a\u{1B}[31m", false), ("`a`", false), ("a,b", false), ("a\"b", false), ("a\u{A0}b", false),
    (String(repeating: "a", count: 128), true), (String(repeating: "a", count: 129), false),
  ]

  @Test("names that could be taken for something else are refused", arguments: names)
  func named(_ row: (name: String, isTaken: Bool)) throws {
    let outcome = read(tool(row.name))
    switch outcome {
    case .success(let definition):
      #expect(row.isTaken, "\(row.name)")
      #expect(definition.name == row.name)
    case .failure(let refusal):
      #expect(!row.isTaken, "\(row.name)")
      #expect(!refusal.name.unicodeScalars.contains { $0.isHidden || $0 == "\n" })
      #expect(refusal.reason.contains("name"))
    }
  }

  static let schemas: [(Value, String?)] = [
    (["type": "object"], nil), ([:], nil), (.null, "no `inputSchema`"),
    ("object", "no `inputSchema`"),
    (["type": "string"], "no object"), (["type": ["object", "null"]], "no object"),
    (["type": "object", "properties": ["a": ["type": "what"]]], "cannot be used"),
    (
      ["type": "object", "properties": ["a": ["$ref": "https://example.com/a.json"]]],
      "cannot be used"
    ),
    (["type": "object", "properties": ["a": ["pattern": "(", "format": "email"]]], nil),
  ]

  @Test("schemas that models and rasa cannot use are refused", arguments: schemas)
  func schema(_ row: (schema: Value, reason: String?)) {
    var entry: ValueObject = ["name": "a", "inputSchema": row.schema]
    if row.schema.isNull { entry["inputSchema"] = nil }
    switch read(.object(entry)) {
    case .success(let definition):
      #expect(row.reason == nil)
      #expect(definition.input["type"] == "object")
    case .failure(let refusal): #expect(row.reason.map(refusal.reason.contains) == true)
    }
  }

  static let marked: [(Value, [String]?)] = [
    (["region": ["type": "string", "x-mcp-header": "Region"]], ["Region"]),
    (
      ["a": ["type": "object", "properties": ["b": ["type": "integer", "x-mcp-header": "B"]]]],
      ["B"]
    ),
    (["x-mcp-header": ["type": "string"]], []),
    (["region": ["type": "number", "x-mcp-header": "Region"]], nil),
    (["region": ["type": "string", "x-mcp-header": ""]], nil),
    (["region": ["type": "string", "x-mcp-header": "A\r\nB"]], nil),
    (["region": ["type": "string", "x-mcp-header": 7]], nil),
    (
      [
        "a": ["type": "string", "x-mcp-header": "Same"],
        "b": ["type": "string", "x-mcp-header": "same"],
      ], nil
    ),
    (["a": ["type": "array", "items": ["type": "string", "x-mcp-header": "A"]]], nil),
    (["a": ["anyOf": [["type": "string", "x-mcp-header": "A"]]]], nil),
  ]

  @Test(
    "arguments wanted as headers are found, or the tool is refused over HTTP", arguments: marked)
  func headers(_ row: (properties: Value, names: [String]?)) {
    let entry = tool("a", input: ["type": "object", "properties": row.properties])
    let found = try? read(entry, isHTTP: true).get().headers.map(\.name)
    #expect(found == row.names)
    // A program never sees them.
    #expect((try? read(entry).get().headers) == [])
  }

  @Test("headers carry what arguments say, in a form that headers can have")
  func headerValues() throws {
    let input: Value = [
      "type": "object",
      "properties": [
        "text": ["type": "string", "x-mcp-header": "Text"],
        "deep": ["type": "object", "properties": ["n": ["type": "integer", "x-mcp-header": "N"]]],
        "flag": ["type": "boolean", "x-mcp-header": "Flag"],
      ],
    ]
    let definition = try read(tool("a", input: input), isHTTP: true).get()
    let values = definition.headerValues(["text": "x", "deep": ["n": 42], "flag": false])
    #expect(values.map { "\($0.name)=\($0.value)" } == ["Flag=false", "N=42", "Text=x"])
    #expect(definition.headerValues(["text": .null]).isEmpty)
  }

  @Test(
    "values of headers cannot end their line",
    arguments: [
      ("us-west1", "us-west1"), ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
      (" padded ", "=?base64?IHBhZGRlZCA=?="), ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
      ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="), ("", ""),
    ])
  func headerText(_ row: (value: String, text: String)) {
    #expect(RasaTools.headerText(row.value) == row.text)
  }
}

@Suite("Results of MCP tools") struct MCPContentTests {
  private let content = MCPContent(tool: "a", attachment: imagesByTheirBeginning)

  static let pixel = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] as [UInt8]

  static let blocks: [(Value, String)] = [
    (["type": "text", "text": "a\u{1B}[31mb"], "a\u{1B}[31mb"),
    (["type": "text"], ""),
    (["type": "resource", "resource": ["uri": "file:///a", "text": "hi"]], "[file:///a]\nhi"),
    (
      ["type": "resource_link", "uri": "file:///a", "name": "a", "description": "The letter."],
      "[link to a <file:///a>: The letter.]"
    ),
    (
      ["type": "audio", "data": "AAAA", "mimeType": "audio/wav"],
      "[audio-1: 3 bytes of audio/wav, which rasa does not pass on]"
    ),
    (
      ["type": "image", "data": "AAAA", "mimeType": "image/png"],
      "[image-1 (image/png) is left out: it is neither an image nor a PDF]"
    ),
    (
      ["type": "image", "data": "%", "mimeType": "image/png"],
      "[image-1: its content (image/png) is not base64]"
    ),
    (["type": "hologram"], "[content of a type that rasa does not know: hologram]"),
    (7, "[content of a type that rasa does not know: none]"),
  ]

  @Test("content of every type reaches the model as something", arguments: blocks)
  func maps(_ row: (block: Value, text: String)) {
    let result = content.result(["content": [row.block]], output: nil)
    #expect(result.content == [.text(row.text)])
    #expect(!result.isError)
  }

  @Test("images are attachments")
  func images() {
    let block: Value = [
      "type": "image", "data": .string(Base64.encode(Self.pixel)), "mimeType": "image/png",
    ]
    guard
      case .attachment(let image)? = content.result(["content": [block]], output: nil).content.first
    else {
      Issue.record("it is none")
      return
    }
    #expect(image.type == .png && image.byteCount == 8)
  }

  @Test("structured content has to fit the schema that the tool gave")
  func structured() {
    let output: Value = [
      "type": "object", "properties": ["sum": ["type": "integer"]], "required": ["sum"],
    ]
    let good = content.result(["structuredContent": ["sum": 1]], output: output)
    #expect(good.structured == ["sum": 1] && !good.isError)
    for bad: Value in [["structuredContent": ["sum": "1"]], ["structuredContent": [:]], [:]] {
      let result = content.result(bad, output: output)
      #expect(result.isError && result.structured == nil)
      #expect(result.text.contains("does not have the form that the tool `a` promises"))
    }
    let failed = content.result(
      ["isError": true, "content": [["type": "text", "text": "no"]]], output: output)
    #expect(failed.isError && failed.text == "no")
    // Any JSON may be structured content, null included.
    #expect(content.result(["structuredContent": [1, 2]], output: nil).structured == [1, 2])
  }
}

@Suite("Answers to questions of MCP servers") struct MCPElicitationTests {
  static let form: Value = [
    "type": "object",
    "properties": [
      "name": ["type": "string", "minLength": 2], "age": ["type": "integer", "default": 7],
    ], "required": ["name"],
  ]

  static let answers: [(HumanAnswer?, Value?)] = [
    (nil, ["action": "cancel"]),
    (HumanAnswer(.reject, by: "a"), ["action": "decline"]),
    (HumanAnswer(.feedback, text: "why?", by: "a"), ["action": "decline"]),
    (
      HumanAnswer(.answer, text: "Ada", by: "a"),
      ["action": "accept", "content": ["name": "Ada", "age": 7]]
    ),
    (
      HumanAnswer(.answer, text: "{\"name\":\"Ada\",\"age\":36}", by: "a"),
      ["action": "accept", "content": ["name": "Ada", "age": 36]]
    ),
    (
      HumanAnswer(.edit, text: ["name": "Ada"], by: "a"),
      ["action": "accept", "content": ["name": "Ada", "age": 7]]
    ),
    (HumanAnswer(.answer, text: "A", by: "a"), nil),
    (HumanAnswer(.answer, text: ["name": "Ada", "age": "old"], by: "a"), nil),
    // To approve is no answer to a question that wants a name.
    (HumanAnswer(.approve, by: "a"), nil),
  ]

  @Test("answers fit the form, or are asked for again", arguments: answers)
  func responds(_ row: (answer: HumanAnswer?, response: Value?)) {
    let question = ToolQuestion(message: "Who?", schema: Self.form)
    #expect((try? MCPElicitation.response(to: question, row.answer).get()) == row.response)
  }

  static let typed: [(Value, String, Value)] = [
    (["type": "boolean"], "yes", true), (["type": "boolean"], "No", false),
    (["type": "integer"], " 42 ", 42), (["type": "number"], "4.5", 4.5),
    (["type": "string", "oneOf": [["const": "#F00", "title": "Red"]]], "Red", "#F00"),
    (["type": "array", "items": ["type": "string", "enum": ["a", "b"]]], "a, b", ["a", "b"]),
  ]

  @Test("what a person types becomes what the form asks for", arguments: typed)
  func types(_ row: (property: Value, text: String, value: Value)) throws {
    let question = ToolQuestion(
      message: "?", schema: ["type": "object", "properties": ["only": row.property]])
    let answer = HumanAnswer(.answer, text: .string(row.text), by: "a")
    let response = try MCPElicitation.response(to: question, answer).get()
    #expect(response["content"]["only"] == row.value)
  }

  @Test(
    "only pages of the web are to be opened",
    arguments: [
      ("https://example.com/login?a=b", true), ("http://localhost:8080/", true),
      ("javascript:alert(1)", false), ("file:///etc/passwd", false), ("", false),
      ("https://exam ple.com", false), ("https://a\u{1B}[2J", false),
    ])
  func pages(_ row: (url: String, isTaken: Bool)) {
    let question = try? MCPElicitation.question(
      ["mode": "url", "url": .string(row.url), "message": "Log in."])
    #expect((question != nil) == row.isTaken)
    #expect(question?.url == (row.isTaken ? row.url : nil))
  }

  @Test("consent to a page sends nothing but the consent")
  func consent() throws {
    let question = ToolQuestion(message: "Log in.", url: "https://example.com")
    let answer = HumanAnswer(.approve, text: "secret", by: "a")
    #expect(try MCPElicitation.response(to: question, answer).get() == ["action": "accept"])
  }
}
