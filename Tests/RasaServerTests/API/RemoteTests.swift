import Glibc
import RasaCore
import RasaKit
import RasaTestKit
import Testing

@testable import RasaServer

@Suite("rasa --mode api", .timeLimit(.minutes(2)))
struct RemoteTests {
  /// The program of another user's home, which knows nothing but the address and the token.
  private func run(
    _ kit: ServedKit, _ arguments: [String], token: String = ServedKit.token, input: String = ""
  ) async throws -> ProgramRun {
    let home = ScratchDirectory()
    return try await ProgramRun.run(
      RasaProgram.binary,
      ["--mode", "api", "--api-url", "http://127.0.0.1:\(kit.server.port)", "run"] + arguments,
      environment: [
        "RASA_HOME": home.path, "HOME": home.path, "USER": "eve", "PATH": "/usr/bin:/bin",
        "RASA_TOKEN": token,
      ], input: Array(input.utf8), folder: home.path)
  }

  @Test("an answer, its document and its lines are those of a local run")
  func formats() async throws {
    let kit = try ServedKit(
      [.text("Hello wörld."), .text("Hello wörld."), .text("Hello wörld.")],
      files: RunRouteTests.files)
    let text = try await run(kit, ["-p", "single", "--preferences", "tone=dry", "Hi"])
    #expect(text.exitCode == 0 && text.text == "Hello wörld.\n", "\(text.errorText)")
    let json = try await run(
      kit, ["-p", "single", "Hi", "--output-format", "json", "--session", "s"])
    let document = ServedKit.Answer(status: 0, head: "", body: json.text).json
    #expect(document["output"].string == "Hello wörld." && document["status"].string == "done")
    #expect(document["persona"].string == "single" && document["session"].string == "s")
    #expect(document["answered_by"].array?.count == 1 && document["finish"].string == "stop")
    let id = try #require(document["run"].string)
    let stored = try await kit.rasa.run(withID: id)
    #expect(stored.cost.decimalText == document["cost_usd"].string && stored.user == "ada")
    let lines = try await run(kit, ["-p", "single", "Hi", "--output-format", "stream-json"])
    let types = lines.text.split(separator: "\n").map { line in
      ServedKit.Answer(status: 0, head: "", body: String(line)).json["type"].string ?? ""
    }
    #expect(types.first == "run.started" && types.last == "result", "\(types)")
    #expect(kit.provider.requests.first?.body.isEmpty == false)
    await kit.stop()
  }

  @Test("failures have the exit codes of a local run")
  func failures() async throws {
    let kit = try ServedKit([.error(401, "no such key")], files: RunRouteTests.files)
    #expect(try await run(kit, ["-p", "nobody", "Hi"]).exitCode == 2)
    #expect(try await run(kit, ["-p", "single", "Hi"], token: "rasa_wrong").exitCode == 4)
    let refused = try await run(kit, ["-p", "single", "Hi"])
    #expect(refused.exitCode == 4, "\(refused.errorText)")
    let far = try await run(kit, ["-p", "single", "Hi", "--record", "x.json"])
    #expect(far.exitCode == 2 && far.errorText.contains("--record"))
    await kit.stop()
    let gone = try await run(kit, ["-p", "single", "Hi"])
    #expect(gone.exitCode == 5 && gone.errorText.contains("rasa serve"), "\(gone.errorText)")
  }

  @Test("a question is asked here, and answered there")
  func approvals() async throws {
    let kit = try ServedKit([.text("A draft."), .text("Another.")], files: RunRouteTests.files)
    let parked = try await run(kit, ["-p", "asking", "Hi", "--approval", "defer"])
    #expect(parked.exitCode == 7 && parked.text.isEmpty, "\(parked.text) \(parked.errorText)")
    #expect(parked.errorText.contains("is parked on the server"))
    let allowed = try await run(kit, ["-p", "asking", "Hi", "--approval", "allow"])
    #expect(allowed.exitCode == 0 && allowed.text == "Another.\n", "\(allowed.errorText)")
    await kit.stop()
  }

  @Test(
    "a server that is restarted in the middle of an answer is waited for, and nothing comes twice")
  func restart() async throws {
    let slow = Script.tokens(["one ", "two ", "three"]).with { $0.breaking = (1, .silence) }
    let kit = try ServedKit(
      [slow, .tokens(["one ", "two ", "three"])], files: RunRouteTests.files)
    let port = kit.server.port
    async let answer = run(kit, ["-p", "single", "Hi"])
    _ = try await kit.provider.waitForRequests(1)
    // Its first words have arrived, or will come with the rest: either way it is whole and once.
    await kit.stop()
    let next = try kit.next { $0.port = port }
    let run = try await answer
    #expect(run.exitCode == 0 && run.text == "one two three\n", "\(run.text) \(run.errorText)")
    await next.stop()
  }

  @Test("Ctrl-C parks the run on the server")
  func interruption() async throws {
    let slow = Script.tokens(["one ", "two "]).with { $0.breaking = (1, .silence) }
    let kit = try ServedKit([slow], files: RunRouteTests.files)
    let home = ScratchDirectory()
    let program = try RunningProgram(
      RasaProgram.binary,
      [
        "--mode", "api", "--api-url", "http://127.0.0.1:\(kit.server.port)", "run", "-p", "single",
        "Hi",
      ],
      environment: [
        "RASA_HOME": home.path, "HOME": home.path, "USER": "eve", "PATH": "/usr/bin:/bin",
        "RASA_TOKEN": ServedKit.token,
      ], folder: home.path)
    _ = try await kit.provider.waitForRequests(1)
    program.signal(SIGINT)
    #expect(try await program.finish().exitCode == 130)
    let runs = try await kit.rasa.runs()
    #expect(runs.map(\.status) == [.interrupted])
    await kit.stop()
  }
}
