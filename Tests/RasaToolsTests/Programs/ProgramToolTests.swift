import RasaCore
import RasaEngine
import RasaPersona
import RasaProcess
import RasaSystem
import RasaTestKit
import Testing

@testable import RasaTools

@Suite("Programs as tools", .timeLimit(.minutes(2))) struct ProgramToolTests {
  private let folder = ScratchDirectory()

  private func tool(
    _ script: String, launcher: any ProcessLauncher = BareLauncher(),
    environment: [String: String] = [:], timeout: Double? = nil,
    _ change: (inout ProgramTool) -> Void = { _ in }
  ) throws -> ProgramToolRunner {
    try FileSystem.write("#!/bin/sh\n\(script)\n", to: folder.file("tool"), mode: 0o755)
    var program = ProgramTool(command: ["./tool"], parameters: ["type": "object"])
    program.environment["PATH"] = "/usr/bin:/bin"
    change(&program)
    var declaration = ToolDeclaration(
      name: "quote", kind: .process(program),
      location: SourceLocation(file: folder.file("persona.yaml"), line: 1, column: 1))
    declaration.timeout = timeout
    return try #require(
      ProgramToolRunner(
        declaration, launcher: launcher, environment: Environment(environment), time: .system))
  }

  private func use(_ arguments: Value = ["symbol": "NVDA"]) -> ToolUse {
    ToolUse(
      run: Identifier("r"), step: Step(frame: "f", visit: 1, operatorName: "o"),
      key: EffectKey(
        frame: "f", visit: 1, operatorName: "o", label: "tool:quote", occurrence: 1),
      name: "quote", arguments: arguments, idempotencyKey: "r/o-1")
  }

  private func result(_ tool: ProgramToolRunner, _ arguments: Value = ["symbol": "NVDA"])
    async throws -> ToolResult
  {
    guard case .result(let result) = try await tool.perform(use(arguments), ToolContext()) else {
      throw Failure(.run, "no result")
    }
    return result
  }

  @Test("arguments go in as JSON on standard input, and JSON or text comes back")
  func jsonAndText() async throws {
    #expect(try await result(tool("cat")).structured == ["symbol": "NVDA"])
    let text = try await result(tool("echo 'plain text'; echo two"))
    #expect(text.structured == nil && text.text == "plain text\ntwo" && !text.isError)
    #expect(try await result(tool("exit 0")).text == "")
    // One that reads nothing, with arguments larger than a pipe.
    #expect(
      try await result(
        tool("exec 0<&-; echo '[1]'"), ["x": .string(String(repeating: "y", count: 1 << 20))]
      ).structured == [1])
  }

  @Test(
    "whatever is in the arguments, it is data",
    arguments: [
      "$(touch hurt)", "`touch hurt`", "; touch hurt", "-rf", "--help", "a\nb\n", "'\"\\",
      "\u{0}\u{1b}[2J", "${HOME}", "{\"a\":1}",
    ])
  func harmlessArguments(text: String) async throws {
    let arguments: Value = ["text": .string(text), "-o": "x"]
    let result = try await result(tool("[ $# = 0 ] || exit 9; cat"), arguments)
    #expect(result.structured == arguments)
    #expect(!FileSystem.exists(folder.file("hurt")))
  }

  @Test("an exit code is an error for the model, with what the program said")
  func exitCode() async throws {
    let result = try await result(tool("echo partial; echo 'no such symbol' >&2; exit 4"))
    #expect(result.isError && result.structured == nil)
    for part in ["exit code 4", "partial", "no such symbol"] {
      #expect(result.text.contains(part), "\(result.text)")
    }
    let killed = try await self.result(tool("kill -9 $$"))
    #expect(killed.isError && killed.text.contains("SIGKILL"))
  }

  @Test("a flood is cut off and told")
  func flood() async throws {
    let result = try await result(tool("yes"))
    #expect(
      result.isError && result.text.contains("4") && result.text.contains("killed"),
      "\(result.text)")
    #expect(result.text.utf8.count < 20_000)
  }

  @Test("a program that hangs is killed, and may have done what it was asked")
  func timeout() async throws {
    let tool = try tool(
      "echo hanging >&2; trap '' TERM; exec 1>&-; while :; do sleep 100; done", timeout: 0.3)
    let failure = await #expect(throws: Failure.self) { try await result(tool) }
    #expect(
      failure?.kind == .timeout && failure?.details.contains { $0.contains("hanging") } == true)
    var context = ToolContext()
    context.secondsLeft = { 0.1 }
    let other = try self.tool("sleep 100")
    await #expect(throws: Failure.self) { try await other.perform(use(), context) }
  }

  @Test("a cancelled use ends its program")
  func cancelled() async throws {
    let tool = try tool("echo $$ >pid; exec sleep 1000")
    let task = Task { try await result(tool) }
    while !FileSystem.exists(folder.file("pid")) { await Task.yield() }
    task.cancel()
    let failure = await #expect(throws: Failure.self) { try await task.value }
    #expect(failure?.kind == .cancelled)
  }

  @Test("variables are those declared; secrets are not repeated")
  func variables() async throws {
    let environment = ["QUOTE_KEY": "made-up-secret-key", "OTHER": "not yours"]
    let tool = try tool(
      "echo \"key $KEY $PLAIN $OTHER $RASA_IDEMPOTENCY_KEY\"; echo \"$KEY\" >&2; exit 1",
      environment: environment
    ) {
      $0.environment["KEY"] = "Bearer ${QUOTE_KEY}"
      $0.environment["PLAIN"] = "$HOME ${ ${UNSET:-standard}"
    }
    let result = try await result(tool)
    #expect(result.text.contains("key Bearer *** $HOME ${ standard  r/o-1"), "\(result.text)")
    #expect(!result.text.contains("made-up-secret-key"))
    let missing = try self.tool("true") { $0.environment["KEY"] = "${MISSING_KEY}" }
    let failure = await #expect(throws: Failure.self) { try await self.result(missing) }
    #expect(failure?.message.contains("MISSING_KEY") == true)
  }

  @Test("a result that does not fit its schema is an error")
  func schema() async throws {
    let schema: Value = [
      "type": "object", "required": ["price"], "properties": ["price": ["type": "number"]],
    ]
    let good = try tool("echo '{\"price\": 1.5}'") { $0.output = schema }
    #expect(try await result(good).structured == ["price": 1.5])
    for script in ["echo '{\"price\": \"x\"}'", "echo not json", "true"] {
      let bad = try tool(script) { $0.output = schema }
      let result = try await result(bad)
      #expect(result.isError && result.text.contains("output"), "\(script): \(result.text)")
    }
  }

  @Test("in the sandbox it runs as well, and what the sandbox lacks is said")
  func sandboxed() async throws {
    let setting = try SandboxSetting()
    #expect(
      try await result(tool("cat", launcher: setting.launcher)).structured == ["symbol": "NVDA"])
    let refused = try await result(
      tool("cat \(setting.home.path)/project/data.txt", launcher: setting.launcher))
    #expect(refused.isError && refused.text.contains("No such file"), "\(refused.text)")
  }
}
