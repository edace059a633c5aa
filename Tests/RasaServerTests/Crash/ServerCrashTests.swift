import Glibc
import RasaCore
import RasaTestKit
import Testing

@testable import RasaServer

@Suite("A server that is killed", .timeLimit(.minutes(3)))
struct ServerCrashTests {
  /// What a client has of one run.
  private struct Client: Sendable {
    var run = ""
    var events = Events("")
  }

  private static func request(
    _ method: String, _ path: String, _ body: String = "", to server: ServedProgram,
    after last: String? = nil
  ) async throws -> RawClient {
    let client = try RawClient(port: server.port)
    var lines = [
      "\(method) \(path) HTTP/1.1", "Host: 127.0.0.1:\(server.port)", "Connection: close",
      "Authorization: Bearer \(server.token)", "Content-Length: \(body.utf8.count)",
    ]
    if let last { lines.append("Last-Event-ID: \(last)") }
    await client.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
    return client
  }

  @Test(
    "under 50 live streams: every client that comes back has each byte once, and nobody pays for a whole answer twice"
  )
  func kill() async throws {
    let words = Script.words(60).with { $0.tokenDelay = .milliseconds(40) }
    let provider = try ScriptedProvider.start([words], models: ["gpt-4o-mini"])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let first = try await ServedProgram(rasa)
    // All of them have begun to read when the server is killed; some have much, some little, and none all.
    let live = try await withThrowingTaskGroup(of: (RawClient, Client).self) { group in
      for number in 0..<50 {
        group.addTask {
          let client = try await Self.request(
            "POST", "/v1/runs",
            #"{"persona": "single", "input": "Task \#(number)", "stream": true}"#,
            to: first)
          let text = await client.receive {
            Events(ServedKit.answer($0).body).text.utf8.count > number
          }
          let answer = ServedKit.answer(text)
          return (
            client, Client(run: answer.header("x-rasa-run") ?? "", events: Events(answer.body))
          )
        }
      }
      var live: [(RawClient, Client)] = []
      for try await one in group { live.append(one) }
      return live
    }
    first.signal(SIGKILL)
    _ = try await first.finish()
    // What had arrived before the end counts as well.
    var clients: [Client] = []
    for (connection, client) in live {
      let answer = ServedKit.answer(await connection.receive())
      clients.append(Client(run: client.run, events: Events(answer.body)))
    }
    #expect(clients.count == 50 && clients.allSatisfy { !$0.run.isEmpty })
    let second = try await ServedProgram(rasa)
    let whole = try await withThrowingTaskGroup(of: (Client, Events, String).self) { group in
      for client in clients {
        group.addTask {
          let connection = try await Self.request(
            "GET", "/v1/runs/\(client.run)/events", to: second, after: client.events.lastID)
          let rest = ServedKit.answer(await connection.receive()).body
          return (client, Events(rest, after: client.events.text), rest)
        }
      }
      var whole: [(Client, Events, String)] = []
      for try await one in group { whole.append(one) }
      return whole
    }
    for (client, events, _) in whole {
      let wasDone = client.events.types.contains("result")
      #expect(wasDone || events.result["status"].string == "done", "\(client.run)")
      let output = try #require((wasDone ? client.events : events).result["output"].string)
      #expect(events.text == output, "\(client.run)")
      #expect(!events.types.contains("restart"), "\(client.run)")
      #expect(!events.types.contains("run.started"), "\(client.run)")
    }
    // One attempt before and at most one after the kill.
    #expect(provider.requests.count <= 100)
    second.signal(SIGTERM)
    let end = try await second.finish()
    #expect(end.exitCode == 0, "\(end.errorText)")
  }
}
