import RasaCore
import RasaKit
import RasaTestKit
import Testing

@testable import RasaServer

@Suite("What the server says of itself", .timeLimit(.minutes(1)))
struct OpenAPITests {
  private static func operations(_ document: Value) -> [(
    method: String, path: String, about: Value
  )] {
    (document["paths"].object ?? ValueObject()).flatMap { path, methods in
      (methods.object ?? ValueObject()).map { ($0.key.uppercased(), path, $0.value) }
    }
  }

  @Test("every route is there once, and every operation is answered by a route")
  func complete() async throws {
    let kit = try ServedKit()
    let document = try await kit.ask("GET", "/openapi.json").json
    #expect(document["openapi"].string == "3.1.0")
    let operations = Self.operations(document)
    #expect(operations.count == Routes.all.count)
    for (method, path, _) in operations {
      let filled = path.split(separator: "/").map { $0.hasPrefix("{") ? "none" : String($0) }
      let answer = try await kit.ask(
        method, "/" + filled.joined(separator: "/"), method == "POST" ? "{}" : nil)
      #expect(answer.status != 405 && answer.status != 500, "\(method) \(path): \(answer.body)")
      #expect(!answer.body.contains("there is nothing at"), "\(method) \(path)")
    }
    await kit.stop()
  }

  @Test("what can be read without parameters is read, in the type that is promised")
  func reading() async throws {
    let kit = try ServedKit([.text("Hello.")], files: RunRouteTests.files)
    _ = try await kit.ask(
      "POST", "/v1/runs", #"{"persona": "single", "input": "Hi", "wait": true, "session": "s"}"#)
    let operations = Self.operations(try await kit.ask("GET", "/openapi.json").json)
    let needing: Set = ["/v1/agents/recommend", "/v1/agents/route"]
    for (method, path, about) in operations
    where method == "GET" && !path.contains("{") && !needing.contains(path) {
      let answer = try await kit.ask(method, path)
      #expect(answer.status == 200, "\(path): \(answer.body)")
      let types = (about["responses"]["2XX"]["content"].object ?? ValueObject()).map(\.key)
      let type = answer.header("content-type") ?? ""
      #expect(types.contains { type.hasPrefix($0.split(separator: ";")[0]) }, "\(path): \(type)")
      if type.hasPrefix("application/json") { #expect(answer.json.object != nil, "\(path)") }
    }
    for (method, path, about) in operations where about["x-rasa-scope"].string != nil {
      let filled = path.split(separator: "/").map { $0.hasPrefix("{") ? "none" : String($0) }
      let answer = try await kit.ask(method, "/" + filled.joined(separator: "/"), token: nil)
      #expect(answer.status == 401, "\(method) \(path)")
    }
    await kit.stop()
  }

  @Test("what the command line prints is what the server sends")
  func sameDocuments() async throws {
    let kit = try ServedKit([.text("Hello.")], files: RunRouteTests.files)
    let run = try await kit.ask(
      "POST", "/v1/runs", #"{"persona": "single", "input": "Hi", "wait": true, "session": "s"}"#)
    let id = try #require(run.json["run"].string)
    let rated = try await kit.ask("POST", "/api/tasks/\(id)/feedback", #"{"stars": 5}"#)
    #expect(rated.json["stars"].int == 5, "\(rated.body)")
    #expect(try await kit.ask("POST", "/api/tasks/\(id)/feedback", #"{"stars": 9}"#).status == 400)
    let rasa = RasaProgram(
      home: kit.folder,
      environment: [
        "RASA_HOME": kit.folder.file("home"), "HOME": kit.folder.path, "USER": "ada",
        "PATH": "/usr/bin:/bin",
        "OPENAI_BASE_URL": kit.provider.openAIBaseURL, "OPENAI_API_KEY": "sk-test",
      ])
    for (path, member, command) in [
      ("/v1/personas", "personas", ["personas", "list"]),
      ("/v1/operators", "operators", ["operators", "list"]),
      ("/v1/sessions", "sessions", ["sessions", "list"]), ("/v1/runs", "runs", ["runs", "list"]),
      ("/v1/leaderboard", nil, ["leaderboard"]), ("/api/agents/leaderboard", nil, ["leaderboard"]),
      ("/v1/stats", nil, ["stats"]),
      ("/v1/costs", nil, ["costs", "--since", "today", "--format", "json"]),
      ("/v1/tools", "tools", ["tools", "list"]), ("/v1/catalogue", "models", ["models", "list"]),
      (
        "/v1/agents/recommend?task=Review%20this%20code", nil,
        ["agents", "recommend", "Review this code"]
      ),
      ("/v1/agents/code-reviewer", nil, ["agents", "info", "code-reviewer"]),
      ("/v1/runs/\(id)/report", nil, ["runs", "show", id, "--reward"]),
      ("/v1/personas/single", nil, ["personas", "show", "single"]),
    ] as [(String, String?, [String])] {
      let served = try await kit.ask("GET", path).json
      let printed = try await ProgramRun.run(
        RasaProgram.binary, command.contains("json") ? command : command + ["--json"],
        environment: rasa.environment,
        folder: kit.folder.path)
      let document = ServedKit.Answer(status: 0, head: "", body: printed.text).json
      #expect((member.map { served[$0] } ?? served) == document, "\(path)\n\(printed.errorText)")
    }
    await kit.stop()
  }

  @Test(
    "the paths of the original program answer", .serialized,
    arguments: ["/output", "/output/json", "/stream"])
  func aliases(path: String) async throws {
    let kit = try ServedKit([.text("Hello.")], files: RunRouteTests.files)
    let answer = try await kit.ask("POST", path, #"{"persona": "single", "input": "Hi"}"#)
    #expect(answer.status == 200, "\(answer.body)")
    switch path {
    case "/output": #expect(answer.body == "Hello.")
    case "/output/json": #expect(answer.json["output"].string == "Hello.")
    default: #expect(Events(answer.body).text == "Hello.")
    }
    // Who waits for a person has no output to show.
    kit.provider.add(Script.text("A draft.").once())
    if path == "/output" {
      let parked = try await kit.ask("POST", path, #"{"persona": "asking", "input": "Hi"}"#)
      #expect(parked.status == 409 && !parked.body.contains("A draft."), "\(parked.body)")
    }
    await kit.stop()
  }
}
