import RasaCore
import RasaDocuments
import RasaKit
import RasaTestKit
import Testing

@testable import RasaServer

@Suite("Tasks over MCP", .timeLimit(.minutes(2)))
struct MCPTaskTests {
  private static let taskCapable: Value = [
    "elicitation": .emptyObject, "extensions": ["io.modelcontextprotocol/tasks": .emptyObject],
  ]

  private struct Setting {
    let home = ScratchDirectory()
    let provider: ScriptedProvider
    let rasa: Rasa
    let service: MCPService
    var client = Client.owner

    init(_ scripts: [Script], after: Duration = .zero) throws {
      provider = try ScriptedProvider.start(scripts, models: ["gpt-4o-mini"])
      try Personas.write(to: home)
      rasa = try Rasa(
        home: home.path, project: home.path, environment: Self.environment(home, provider))
      var settings = MCPService.Settings()
      settings.taskAfter = after
      service = MCPService(rasa, settings)
    }

    static func environment(
      _ home: ScratchDirectory, _ provider: ScriptedProvider
    ) -> [String: String] {
      [
        "HOME": home.path, "USER": "ada", "PATH": "/usr/bin:/bin",
        "OPENAI_BASE_URL": provider.openAIBaseURL, "OPENAI_API_KEY": "sk-test",
        "LLM_MODEL": "gpt-4o-mini",
      ]
    }

    /// Another process with the same files.
    func another() throws -> (Rasa, MCPService) {
      let rasa = try Rasa(
        home: home.path, project: home.path, environment: Self.environment(home, provider))
      return (rasa, MCPService(rasa))
    }

    func ask(_ method: String, _ params: ValueObject, on other: MCPService? = nil) async throws
      -> Value
    {
      let params = modern(params, capabilities: MCPTaskTests.taskCapable)
      return try await (other ?? service).answer(
        PeerRequest(id: .number(1), method: method, params: params),
        try MCPCaller(stateless: params, client), MCPOutlet { _, _ in })
    }

    /// Asks for the task until it is no longer being worked on.
    func end(of task: Value, on other: MCPService? = nil) async throws -> Value {
      while true {
        let state = try await ask("tasks/get", ["taskId": task["taskId"]], on: other)
        if state["status"] != "working" { return state }
        await Task.yield()
      }
    }

    func close() async {
      _ = await service.close()
      await rasa.close()
    }
  }

  @Test("gives a handle for what takes longer, and the answer to whoever comes back for it")
  func handle() async throws {
    let setting = try Setting([.text("All is well.")])
    let task = try await setting.ask("tools/call", call("single", "How is it?"))
    #expect(task["resultType"] == "task" && task["status"] == "working", "\(task)")
    #expect(task["ttlMs"].isNull && task["createdAt"].string?.hasSuffix("Z") == true)
    let end = try await setting.end(of: task)
    #expect(end["status"] == "completed" && end["resultType"] == "complete")
    #expect(end["result"].texts == ["All is well."] && end["result"]["resultType"] == "complete")
    #expect(end["result"]["structuredContent"]["cost_usd"].string?.hasPrefix("0.") == true)
    #expect(setting.provider.requests.count == 1)
    await setting.close()
  }

  @Test("answers at once what is quick")
  func quick() async throws {
    let setting = try Setting([.text("All is well.")], after: .seconds(3_600))
    let result = try await setting.ask("tools/call", call("single", "How is it?"))
    #expect(result["resultType"] == "complete" && result.texts == ["All is well."], "\(result)")
    await setting.close()
  }

  @Test("asks in the middle of a task, and takes the answer by tasks/update")
  func question() async throws {
    let setting = try Setting([.text("Draft.")])
    let task = try await setting.ask("tools/call", call("careful-writer", "Write"))
    let waiting = try await setting.end(of: task)
    #expect(waiting["status"] == "input_required", "\(waiting)")
    let key = try #require(waiting["inputRequests"].object?.keys.first)
    // What does not fit is refused, and what nobody asked is ignored.
    await #expect(throws: JSONRPC.Problem.self) {
      try await setting.ask(
        "tasks/update",
        ["taskId": task["taskId"], "inputResponses": .object([key: ["action": "accept"]])])
    }
    _ = try await setting.ask(
      "tasks/update",
      ["taskId": task["taskId"], "inputResponses": ["other": ["action": "accept"]]])
    #expect(try await setting.end(of: task)["status"] == "input_required")
    let done = try await setting.ask(
      "tasks/update",
      [
        "taskId": task["taskId"],
        "inputResponses": .object([key: ["action": "accept", "content": ["decision": "approve"]]]),
      ])
    #expect(done["resultType"] == "complete")
    let end = try await setting.end(of: task)
    #expect(end["status"] == "completed" && end["result"].texts.first == "Draft.", "\(end)")
    await setting.close()
  }

  @Test("is taken up again by the process that comes after")
  func restart() async throws {
    let stuck = Script.text("One moment please").with {
      $0.breaking = (after: 1, .silence)
      $0.limit = 1
    }
    let setting = try Setting([stuck, .text("All is well.")])
    let task = try await setting.ask("tools/call", call("single", "How is it?"))
    _ = try await setting.provider.waitForRequests(1)
    #expect(await setting.service.close() == 1)
    let (rasa, next) = try setting.another()
    let end = try await setting.end(of: task, on: next)
    #expect(end["status"] == "completed", "\(end)")
    #expect(end["result"].texts.first?.contains("All is well.") == true, "\(end)")
    _ = await next.close()
    await rasa.close()
    await setting.close()
  }

  @Test("is cancelled for good")
  func cancel() async throws {
    let stuck = Script.text("One moment please").with { $0.breaking = (after: 1, .silence) }
    let setting = try Setting([stuck])
    let task = try await setting.ask("tools/call", call("single", "How is it?"))
    _ = try await setting.provider.waitForRequests(1)
    #expect(
      try await setting.ask("tasks/cancel", ["taskId": task["taskId"]])["resultType"] == "complete")
    let end = try await setting.end(of: task)
    #expect(end["status"] == "cancelled", "\(end)")
    #expect(end["result"].isNull)
    await setting.close()
  }

  @Test("ends with the error of a run that fails")
  func failure() async throws {
    let setting = try Setting([Script().with { $0.status = 401 }])
    let task = try await setting.ask("tools/call", call("single", "How is it?"))
    let end = task["resultType"] == "task" ? try await setting.end(of: task)["result"] : task
    #expect(end["isError"] == true && end["structuredContent"]["answer"].isNull, "\(end)")
    await setting.close()
  }

  @Test("belongs to whoever began it")
  func foreign() async throws {
    var setting = try Setting([.text("All is well.")])
    let task = try await setting.ask("tools/call", call("single", "How is it?"))
    _ = try await setting.end(of: task)
    setting.client = Client(name: "other", scopes: [.run, .approve])
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
      await #expect(throws: JSONRPC.Problem.self) {
        try await setting.ask(method, ["taskId": task["taskId"]])
      }
    }
    await setting.close()
  }
}
