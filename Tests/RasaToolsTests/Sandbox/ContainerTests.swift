import RasaCore
import RasaPersona
import RasaProcess
import RasaSystem
import RasaTestKit
import Testing

@testable import RasaTools

@Suite("Docker and Podman", .timeLimit(.minutes(1))) struct ContainerTests {
  private var setting: SandboxSetting

  init() throws {
    setting = try SandboxSetting()
    // A stand-in for both, which says what it was asked and with which variables.
    let script = """
      #!/bin/sh
      echo "$0" "$@" >>"\(setting.home.path)/asked"
      [ "$1" = rm ] && exit 0
      for argument in "$@"; do printf '[%s]' "$argument"; done; echo
      cat /proc/self/fd/3; env | cut -d= -f1 | sort | tr '\\n' ' '
      cat
      """
    for name in ["docker", "podman"] {
      try FileSystem.makeFolder(setting.home.file("programs"))
      try FileSystem.write(script, to: setting.home.file("programs/\(name)"), mode: 0o755)
    }
    setting.settings.path = "\(setting.home.file("programs")):/usr/bin:/bin"
    setting.settings.containerVariables = ["HOME": setting.home.path, "PATH": "/usr/bin:/bin"]
  }

  private func output(
    _ runtime: ToolSandbox.Runtime, _ change: (inout ToolSandbox) -> Void = { _ in }
  ) async throws -> String {
    var sandbox = ToolSandbox()
    sandbox.runtime = runtime
    change(&sandbox)
    let child = try await setting.start(
      ["quote", "--all", "-x"], sandbox, folder: setting.home.file("project"),
      environment: ["KEY": "made-up-secret"])
    try await child.write(Array("input".utf8))
    child.closeInput()
    var output: [UInt8] = []
    while let piece = try await child.read() { output += piece }
    #expect(await child.wait() == .exited(0))
    return String(decoding: output, as: UTF8.self)
  }

  @Test(
    "a container gets nothing that was not declared",
    arguments: [
      ToolSandbox.Runtime.docker(image: "tools:1"), .podman(image: "tools:1"),
    ])
  func arguments(runtime: ToolSandbox.Runtime) async throws {
    let output = try await output(runtime)
    let command = output.split(separator: "\n")[0]
    for part in [
      "[run][--rm][--interactive]", "[--pull][never]", "[--network][none]", "[--read-only]",
      "[--cap-drop][ALL]",
      "[--security-opt][no-new-privileges]", "[--pids-limit][1024]", "[--memory][4294967296]",
      "[--tmpfs][/tmp:rw,nosuid,nodev,mode=1777,size=536870912]", "[--env-file][/proc/self/fd/3]",
      "[--mount][type=bind,source=\(setting.home.path)/project,target=\(setting.home.path)/project,readonly]",
      "[--workdir][\(setting.home.path)/project]",
    ] { #expect(command.contains(part), "\(part): \(command)") }
    #expect(command.hasSuffix("[tools:1][quote][--all][-x]"), "\(command)")
    #expect(!command.contains("made-up-secret"))
    #expect(output.contains("KEY=made-up-secret\n") && output.hasSuffix("input"), "\(output)")
    #expect(!output.contains(" KEY "))
  }

  @Test("what is declared is given, and no more")
  func declared() async throws {
    let output = try await output(.docker(image: "tools:1")) {
      $0.network = .all
      $0.write = ["~/project"]
    }
    #expect(output.contains("[--network][bridge]"))
    #expect(
      output.contains(
        "[type=bind,source=\(setting.home.path)/project,target=\(setting.home.path)/project]"),
      "\(output)")
    for change: @Sendable (inout ToolSandbox) -> Void in [
      { $0.read = ["~/.ssh"] }, { $0.network = .hosts(["api.test"]) },
      { $0.runtime = .docker(image: "--privileged") },
      { $0.runtime = .podman(image: "") },
    ] {
      await #expect(throws: Failure.self) {
        try await self.output(.docker(image: "tools:1"), change)
      }
    }
  }

  @Test("a container is removed with the program that was started for it")
  func removal() async throws {
    _ = try await output(.podman(image: "tools:1"))
    var asked = ""
    while !asked.contains("rm --force rasa-") {
      asked = try setting.home.read("asked") ?? ""
      await Task.yield()
    }
    let name = try #require(asked.split(separator: " ").first { $0.hasPrefix("rasa-") })
    #expect(asked.contains("rm --force \(name)"))
  }

  @Test("without the program the error says how to get it, or what else there is")
  func missing() async throws {
    let setting = withoutPrograms
    for runtime in [ToolSandbox.Runtime.docker(image: "tools:1"), .podman(image: "tools:1")] {
      let sandbox = Self.sandbox(runtime)
      let failure = await #expect(throws: Failure.self) {
        _ = try await setting.start(["x"], sandbox)
      }
      #expect(
        failure?.message.contains("not installed") == true
          && failure?.suggestion.contains("bubblewrap") == true)
    }
  }

  private static func sandbox(_ runtime: ToolSandbox.Runtime) -> ToolSandbox {
    var sandbox = ToolSandbox()
    sandbox.runtime = runtime
    return sandbox
  }

  private var withoutPrograms: SandboxSetting {
    var setting = setting
    setting.settings.path = "/nowhere"
    return setting
  }
}
