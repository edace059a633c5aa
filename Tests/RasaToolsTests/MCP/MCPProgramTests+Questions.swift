import RasaCore
import RasaDocuments
import RasaEngine
import RasaPersona
import RasaProcess
import RasaSystem
import RasaTestKit
import Testing

@testable import RasaTools

/// What servers ask people, and calls that become tasks.
extension MCPProgramTests {
  static let question: Value = [
    "ask": [
      "message": "Who are you?",
      "requestedSchema": [
        "type": "object", "properties": ["name": ["type": "string", "minLength": 2]],
        "required": ["name"],
      ],
    ]
  ]

  @Test("a server of the older era is answered while it waits")
  func asksWhileItWaits() async throws {
    let setting = MCPSetting()
    let script: Value = [
      "era": "legacy", "tools": [tool("greet", Self.question, ["answers": true])],
    ]
    let asked = Locked<[ToolQuestion]>([])
    let context = ToolContext(ask: { question in
      let count = asked.withLock { asked in
        asked.append(question)
        return asked.count
      }
      return HumanAnswer(.answer, text: count == 1 ? "A" : "Ada", by: "tester")
    })
    let outcome = try await setting.call(program(script, mayAsk: true), "greet", [:], context)
    #expect(outcome.text.contains("\"accept\"") && outcome.text.contains("\"name\":\"Ada\""))
    #expect(asked.withLock { $0.count } == 2)
    #expect(asked.withLock { $0[1].message }.contains("does not fit the form"))
    let nobody = try await setting.call(program(script, mayAsk: true), "greet")
    #expect(nobody.text.contains("\"cancel\""))
    // Without permission it is refused, and has not been told that it could ask.
    let refused = try await setting.call(program(script), "greet", [:], context)
    #expect(refused.text.contains("-32601"))
    await setting.servers.end()
  }

  @Test("a server of the stateless era is asked again with the answers")
  func asksAgain() async throws {
    let setting = MCPSetting()
    let declaration = program(
      ["era": "modern", "tools": [tool("greet", Self.question, ["answers": true])]], mayAsk: true)
    let tools = try await setting.tools(declaration)
    let greet = try #require(tools["greet"])
    let request = try #require(
      try await greet.perform(use("mcp:box/greet"), ToolContext()).request)
    #expect(request.entries.map(\.question.message) == ["Who are you?"])
    let name = try #require(request.entries.first?.name)
    var again = use("mcp:box/greet")
    again.requestState = request.state
    // An answer that does not fit is not sent.
    again.responses = .object([name: "A"])
    let once = try #require(try await greet.perform(again, ToolContext()).request)
    #expect(once.entries.first?.question.message.contains("does not fit the form") == true)
    for (answer, text) in [
      ("Ada", "\"name\":\"Ada\""), (["action": "decline"], "\"decline\""),
      (["action": "accept", "content": ["name": "Bob"]], "\"name\":\"Bob\""),
    ] as [(Value, String)] {
      again.responses = .object([name: answer])
      let outcome = try await greet.perform(again, ToolContext())
      #expect(outcome.text.contains(text), "\(outcome)")
    }
    do {
      _ = try await setting.call(
        program(["era": "modern", "tools": [tool("greet", Self.question)]]), "greet")
      Issue.record("it may ask")
    } catch let failure as Failure {
      #expect(failure.suggestion.contains("may_ask: true"))
    }
    await setting.servers.end()
  }

  @Test("a page to visit is a question in both eras, and a state alone is sent back at once")
  func pagesAndStates() async throws {
    let setting = MCPSetting()
    let script: Value = [
      "era": "legacy",
      "tools": [tool("open", ["page": "https://example.com/login"], ["text": "in"])],
    ]
    let declaration = program(script, mayAsk: true)
    let request = try #require(try await setting.call(declaration, "open").request)
    #expect(request.entries.first?.question.url == "https://example.com/login")
    var again = use("mcp:box/open")
    again.requestState = request.state
    again.responses = .object(["login": true])
    let tools = try await setting.tools(declaration)
    #expect(try await #require(tools["open"]).perform(again, ToolContext()).text == "in")
    let states = program([
      "era": "modern", "tools": [tool("go", ["state": "blob"], ["text": "there"])],
    ])
    #expect(try await setting.call(states, "go").text == "there")
    await setting.servers.end()
  }

  @Test("a long call becomes a task, which is asked for until it is done")
  func tasks() async throws {
    let setting = MCPSetting()
    let declaration = program(
      [
        "era": "modern",
        "tools": [
          tool("long", ["task": 20], ["delay_ms": 60], ["text": "done"]),
          tool("fails", ["task": 20], ["error": ["code": -32_603, "message": "broke"]]),
          tool("asks", ["task": 20], Self.question, ["answers": true]),
        ],
      ], mayAsk: true)
    let tools = try await setting.tools(declaration)
    #expect(try await #require(tools["long"]).perform(use("l"), ToolContext()).text == "done")
    let failed = try await #require(tools["fails"]).perform(use("f"), ToolContext())
    #expect(failed.isError && failed.text.contains("broke"))
    let asks = try #require(tools["asks"])
    let request = try #require(try await asks.perform(use("a"), ToolContext()).request)
    var again = use("a")
    again.requestState = request.state
    again.responses = .object([request.entries[0].name: ["name": "Ada"]])
    let outcome = try await asks.perform(again, ToolContext())
    #expect(outcome.text.contains("\"name\":\"Ada\""), "\(outcome)")
    await setting.servers.end()
  }

  @Test("a task that is given up is cancelled on the server, and is in doubt")
  func lateTask() async throws {
    let scratch = ScratchDirectory()
    let log = scratch.file("log")
    let setting = MCPSetting()
    var declaration = program([
      "era": "modern", "log": .string(log),
      "tools": [tool("long", ["task": 20], ["delay_ms": 600_000])],
    ])
    // Long enough for the server to make a task of it, on a busy machine too.
    declaration.timeout = 5
    do {
      _ = try await setting.call(declaration, "long")
      Issue.record("it ended")
    } catch let failure as Failure {
      #expect(failure.kind == .timeout)
    }
    let lines = String(decoding: try FileSystem.read(log, limit: 100_000), as: UTF8.self)
    #expect(lines.contains("tasks/cancel"))
    await setting.servers.end()
  }
}
