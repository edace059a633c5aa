import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaPersona
import RasaProcess
import RasaTestKit
import Testing

@testable import RasaTools

/// Starts everything without a sandbox, and keeps what it has started.
struct NotingLauncher: ProcessLauncher {
  let started: Locked<[ChildProcess]>

  func start(
    _ command: ChildCommand, in sandbox: ToolSandbox
  ) async throws(Failure) -> ChildProcess {
    let child = try ChildProcess.start(command)
    started.withLock { $0.append(child) }
    return child
  }
}

@Suite("Programs and servers that are asked as hooks")
struct HookClientTests {
  private static func call(
    _ action: HookDefinition.Action, in folder: String = "/", text: String = "hello",
    allowsPrivate: [String] = ["127.0.0.1"]
  ) -> HookCall {
    var hook = HookDefinition(
      name: "guard", point: .beforeModel, action: action,
      location: SourceLocation(file: "\(folder)/persona.yaml", line: 3, column: 5))
    hook.allowsPrivate = allowsPrivate
    let step = Step(frame: "a", visit: 1, operatorName: "one")
    return HookCall(
      hook: hook, key: step.effect("hook:before_model:guard:call"),
      payload: ["text": .string(text)],
      document: ["event": "before_model", "payload": ["text": .string(text)]],
      idempotencyKey: "r-1/key")
  }

  private static func client(
    _ environment: [String: String] = ["PATH": "/usr/bin:/bin", "SOME_KEY": "secret"],
    started: Locked<[ChildProcess]> = Locked([])
  ) -> HookClient {
    HookClient(
      [], environment: environment, client: { HTTPClient() },
      launcher: NotingLauncher(started: started))
  }

  private func ask(
    _ script: String, text: String = "hello", started: Locked<[ChildProcess]> = Locked([])
  ) async throws -> Value {
    try await Self.client(started: started).ask(
      Self.call(.program(command: ["/bin/sh", "-c", script]), text: text))
  }

  @Test("a program gets the document on its input, and its output is the answer")
  func program() async throws {
    let answer = try await ask(#"read -r line; printf '{"change": %s}' "$line""#)
    #expect(answer["change"]["event"] == "before_model")
    #expect(answer["change"]["payload"]["text"] == "hello")
  }

  @Test(
    "a path begins in the folder of the file that names it, and no key of the environment is passed on"
  )
  func place() async throws {
    let scratch = ScratchDirectory()
    try scratch.write(
      "#!/bin/sh\ncat > /dev/null\nprintf '{\"refuse\": \"%s %s %s\"}' \"$RASA_HOOK\" \"$RASA_EVENT\" \"${SOME_KEY:-none}\"\n",
      to: "guard")
    let made = try ChildProcess.start(ChildCommand(["/bin/chmod", "+x", scratch.file("guard")]))
    _ = await made.wait()
    let answer = try await Self.client().ask(
      Self.call(.program(command: ["./guard"]), in: scratch.path))
    #expect(answer == ["refuse": "guard before_model none"])
  }

  @Test(
    "one that says nothing lets pass, also without reading",
    arguments: ["true", "cat >/dev/null", "echo"])
  func silence(_ script: String) async throws {
    // More than a pipe takes.
    #expect(try await ask(script, text: String(repeating: "x", count: 1_000_000)) == .null)
  }

  @Test(
    "one that gives no usable answer is a failure that says why",
    arguments: [
      ("echo nonsense", "its answer is not JSON"),
      ("echo '{'", "its answer is not JSON"),
      ("echo broken >&2; exit 3", "exit code 3"),
      ("kill -9 $$", "SIGKILL"),
      ("yes | head -c 3000000", "larger than 1 MB"),
      ("yes", "larger than 1 MB"),
    ])
  func failures(_ script: String, _ words: String) async throws {
    let started = Locked<[ChildProcess]>([])
    let failure = await #expect(throws: Failure.self) {
      try await ask(script, started: started)
    }
    #expect(failure?.description.contains(words) == true, "\(failure?.description ?? "")")
    if script.contains("broken") { #expect(failure?.details == ["broken"]) }
    #expect(started.withLock { $0.allSatisfy { $0.status != nil } })
  }

  @Test("one that is not there is named")
  func missing() async throws {
    let failure = await #expect(throws: Failure.self) {
      try await Self.client().ask(Self.call(.program(command: ["no-such-hook"])))
    }
    #expect(failure?.message.contains("no-such-hook") == true)
  }

  @Test("one that hangs, ignoring SIGTERM, is ended with the question")
  func hanging() async throws {
    let started = Locked<[ChildProcess]>([])
    let scratch = ScratchDirectory()
    let task = Task {
      try await ask(
        "trap '' TERM; : > \(scratch.file("ready")); while :; do read -r x || :; done",
        started: started)
    }
    while try scratch.read("ready") == nil { await Task.yield() }
    task.cancel()
    await #expect(throws: (any Error).self) { try await task.value }
    let child = try #require(started.withLock { $0.first })
    #expect(await child.wait() == .signalled(9))
  }

  private static func server(_ body: String, status: String = "200 OK", headers: String = "") throws
    -> RawServer
  {
    try RawServer([
      "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)Connection: close\r\n\r\n\(body)"
    ])
  }

  private func post(
    to server: RawServer, _ headers: [Header] = []
  ) async throws -> Value {
    try await Self.client().ask(
      Self.call(.http(url: "\(server.baseURL)/hook", headers: headers)))
  }

  @Test("a server is asked with a POST")
  func http() async throws {
    let answer = try await post(
      to: try Self.server(#"{"refuse": "no"}"#), [Header(name: "X-Key", value: "k ${SOME_KEY}")])
    #expect(answer == ["refuse": "no"])
    #expect(try await post(to: try Self.server("", status: "204 No Content")) == .null)
  }

  @Test(
    "a server that gives no usable answer is a failure that says why",
    arguments: [
      ("oops", "500 Internal Server Error", "", "status 500"),
      ("", "302 Found", "Location: http://127.0.0.1:1/\r\n", "status 302"),
      ("<html>", "200 OK", "", "not JSON"),
      (String(repeating: "[", count: 1_100_000), "200 OK", "", "larger than 1 MB"),
    ])
  func badServers(_ body: String, _ status: String, _ headers: String, _ words: String) async throws
  {
    let server = try Self.server(body, status: status, headers: headers)
    let failure = await #expect(throws: Failure.self) { try await post(to: server) }
    #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
  }

  @Test("a server that hangs up, and one that is not there, are failures")
  func noServer() async throws {
    let server = try RawServer(["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"])
    await #expect(throws: Failure.self) { try await post(to: server) }
    let failure = await #expect(throws: Failure.self) {
      try await Self.client().ask(Self.call(.http(url: "http://127.0.0.1:1/", headers: [])))
    }
    #expect(failure?.message.hasPrefix("it cannot be reached") == true)
  }

  @Test(
    "an address of this machine or network is reached only where it is meant, however it is written",
    arguments: [
      "http://127.0.0.1", "http://localhost", "https://localhost", "https://127.0.0.1",
      "https://2130706433", "https://0x7f.1", "https://[::ffff:127.0.0.1]",
      "https://169.254.169.254", "https://10.0.0.1", "https://private.test",
    ])
  func privateAddresses(_ origin: String) async throws {
    let server = try Self.server("{}")
    let client = HookClient(
      [], environment: [:],
      client: {
        HTTPClient(
          configuration: HTTPClientConfiguration(resolver: {
            $0 == "private.test" ? ["127.0.0.1"] : nil
          }))
      }, launcher: NotingLauncher(started: Locked([])))
    let failure = await #expect(throws: Failure.self) {
      try await client.ask(
        Self.call(
          .http(url: "\(origin):\(server.port)/hook", headers: []),
          allowsPrivate: ["other.test", "127.0.0.1:\(server.port ^ 1)"]))
    }
    #expect(failure?.message.contains("is not reached") == true, "\(failure?.message ?? "")")
    #expect(failure?.suggestion.contains("`allow_private:`") == true)
    #expect(server.received.isEmpty)
  }

  @Test("a header whose variable is not set is told before anything is sent")
  func noVariable() async throws {
    let failure = await #expect(throws: Failure.self) {
      try await Self.client().ask(
        Self.call(
          .http(url: "http://127.0.0.1:1/", headers: [Header(name: "A", value: "${NOPE}")])))
    }
    #expect(failure?.kind == .configuration && failure?.message.contains("`NOPE`") == true)
  }
}
