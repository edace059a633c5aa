import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaPersona
import RasaStage
import RasaSystem
import RasaTestKit
import RasaTools
import Testing

/// A file of a project, or a server's answer, names an address of this machine in every way that a resolver understands.
@Suite("Requests to addresses that strangers must not choose")
struct AddressAttackTests {
  private static let persona = """
    name: victim
    description: Looks things up.
    frames: [{name: session_frame, kind: session}]
    tools:
      web: {kind: mcp, command: ["false"]}
    operators:
      - name: respond
        tools: ["mcp:web"]
    """

  private func play(_ url: String, allows: [String] = []) async throws -> Stage.Outcome {
    var http = HTTPTool(url: url, parameters: ["type": "object"])
    http.allowsPrivate = allows
    var declaration = ToolDeclaration(
      name: "mcp:web/look", kind: .http(http),
      location: SourceLocation(file: "p", line: 1, column: 1))
    declaration.sideEffects = SideEffects.none
    let client = HTTPClient()
    defer { client.shutdown() }
    let tool = try HTTPRequestTool(declaration, client: client, environment: Environment([:]))
    let stage = try Stage(persona: Self.persona)
    let outcome = try await stage.play(
      ScriptedModel([.calls([.init("mcp:web/look")])]), ScriptedPerson { _ in nil },
      tools: StageTools([tool]), ledger: EffectLedger())
    await stage.close()
    return outcome
  }

  @Test(
    "no connection is made",
    arguments: [
      "127.0.0.1", "localhost", "LOCALHOST", "localhost.", "127.1", "127.0.1", "2130706433",
      "0x7f000001",
      "0x7f.0.0.1", "0177.0.0.1", "017700000001", "127.0.0.1.", "127.255.255.254", "0.0.0.0", "0",
      "[::1]",
      "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:0001]",
      "[64:ff9b::7f00:1]",
      "[::127.0.0.1]", "[fe80::1]", "[fc00::1]", "10.0.0.1", "172.16.0.1", "192.168.0.1",
      "169.254.169.254",
      "100.64.0.1", "user@127.0.0.1", "example.com@127.0.0.1", "１２７.０.０.１", "127。0。0。1",
      "ip6-localhost",
    ])
  func refused(host: String) async throws {
    let server = try RawServer(
      ["HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret"], keepsOpen: false)
    // Some of these are no URLs, and are refused when the file is read.
    let outcome = try? await play("http://\(host):\(server.port)/")
    #expect(server.received.isEmpty)
    #expect(outcome?.prompts.contains("secret") != true)
  }

  @Test(
    "no file is read",
    arguments: ["file://", "FILE://", "file:", "file://localhost", "file://127.0.0.1"])
  func files(beginning: String) async throws {
    let folder = ScratchDirectory()
    try folder.write("only-in-this-file", to: "secret.txt")
    let outcome = try? await play(beginning + folder.file("secret.txt"))
    #expect(outcome?.prompts.contains("only-in-this-file") != true)
  }

  @Test("an address that the user allows by name is reached: the check is what refuses the others")
  func allowed() async throws {
    let server = try RawServer(["HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nnotice"])
    let outcome = try await play(
      "http://127.0.0.1:\(server.port)/", allows: ["127.0.0.1:\(server.port)"])
    #expect(server.received.count == 1)
    #expect(outcome.prompts.contains("notice"))
  }
}
