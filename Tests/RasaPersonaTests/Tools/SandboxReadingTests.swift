import RasaCore
import RasaDocuments
import RasaPersona
import Testing

@Suite("Tools: the sandbox of a declaration") struct SandboxReadingTests {
  private func read(_ sandbox: String) throws -> Reading<PersonaDefinition> {
    try Loading.persona(
      "frames: [session_frame]\ntools:\n  quote:\n    kind: process\n    command: [./quote]\n    sandbox: \(sandbox)\n"
    )
  }

  private func sandbox(_ text: String) throws -> ToolSandbox {
    try #require(try read(text).get().tools.first).sandbox
  }

  @Test("without a word a program gets nothing; words give something")
  func words() throws {
    #expect(try sandbox("{}") == ToolSandbox())
    #expect(try sandbox("restrictive") == ToolSandbox())
    #expect(try sandbox("bwrap") == ToolSandbox())
    #expect(try sandbox("permissive").network == .all)
    #expect(try sandbox("{profile: permissive, network: none}").network == .none)
    #expect(try sandbox("{network: open}").network == .all)
    #expect(try sandbox("{network: []}").network == .none)
    let custom = try sandbox(
      "{profile: custom, network: [api.example.com, 'git.corp.example:8443'], private: [git.corp.example], read: [~/data], write: [./out]}"
    )
    #expect(custom.network == .hosts(["api.example.com", "git.corp.example:8443"]))
    #expect(
      custom.privateHosts == ["git.corp.example"] && custom.read == ["~/data"]
        && custom.write == ["./out"])
    #expect(
      try sandbox("{type: podman, image: 'debian:12-slim'}").runtime
        == .podman(image: "debian:12-slim"))
    #expect(try sandbox("{type: docker, image: tools}").runtime == .docker(image: "tools"))
  }

  @Test(
    "what cannot be meant is refused with a suggestion",
    arguments: [
      ("podman", "needs an image", "image"), ("{type: docker}", "needs an image", "image"),
      ("{image: x}", "needs a `type`", "type"), ("seatbelt", "another system", "bubblewrap"),
      ("{profile: restrictive, network: all}", "gives nothing", "custom"),
      ("{network: [\"*\"]}", "no host", "network: all"),
      ("{network: [\"https://x.example/\"]}", "no host", "names such as"),
      ("{network: api.example.com}", "list of hosts", "[api.example.com]"),
      ("{private: [x.example]}", "`network` names", "network"),
      ("{type: podman, image: x, network: [a.example]}", "only for bubblewrap", "leave `type` out"),
      ("{profile: permisive}", "permissive", "did you mean"),
    ])
  func problems(text: String, message: String, suggestion: String) throws {
    let failures = try read(text).failures
    #expect(
      failures.contains { $0.message.contains(message) && $0.suggestion.contains(suggestion) },
      "\(text): \(failures)")
  }

  @Test("a declaration is written as it is read")
  func value() throws {
    for text in [
      "{}", "permissive", "{network: [a.example], private: [a.example], read: [~/x], write: [~/y]}",
      "{type: podman, image: x}",
    ] {
      let sandbox = try sandbox(text)
      let written = try self.sandbox(Value.object(sandbox.value).json())
      #expect(written == sandbox, "\(text)")
    }
  }

  @Test("an agent's sandbox means the same")
  func ofAgent() throws {
    #expect(try ToolSandbox(SandboxDefinition(type: "bubblewrap", network: .open)).network == .all)
    #expect(
      try ToolSandbox(SandboxDefinition(type: "bubblewrap", network: .proxied)).network == .none)
    #expect(
      try ToolSandbox(SandboxDefinition(type: "docker", image: "x", profile: .restrictive)).runtime
        == .docker(image: "x"))
    for definition in [SandboxDefinition(type: "docker"), SandboxDefinition(type: "none")] {
      #expect(throws: Failure.self) { try ToolSandbox(definition) }
    }
  }
}
