import Glibc
import RasaCore
import RasaTestKit
import Testing

/// A project with a link in it, at each place that a file is read from.
private struct Planted: Sendable, CustomTestStringConvertible {
  var name: String
  /// What is written to the project besides the link.
  var files: [String: String] = [:]
  var link: String
  /// Nil is a file outside of the project that has a secret in it.
  var target: String?
  /// Whether the link is to the folder that the file is in.
  var isFolder = false
  var command: [String]
  /// What the message names.
  var place: String
  /// The others leave the file out, say so, and go on.
  var exitCode: Int32 = 3

  var testDescription: String { name }

  static let persona = "name: planted\ndescription: d\nframes: [session_frame]\n"
  static let ask = ["run", "-p", "planted", "-i", "hello", "--model", "mock"]
  static let asking =
    "name: asking\nkind: llm\nframe: session_frame\nreads: [input]\nwrites: {x: any}\n"
  static let agent = "---\nname: planted\ndescription: Reads what it must not.\n---\nAnswer.\n"

  static func agentTOML(_ key: String, _ path: String) -> String {
    "[agent]\nid = \"planted\"\nname = \"Planted\"\ndescription = \"d\"\n\(key) = \"\(path)\"\n"
  }

  static let all: [Planted] = [
    Planted(name: "a persona", link: "personas/planted.yaml", command: ask, place: "planted.yaml"),
    Planted(
      name: "the folder of personas", link: "personas", isFolder: true, command: ask,
      place: "personas"),
    Planted(
      name: "a persona's own prompt",
      files: [
        "personas/planted.yaml": persona
          + "operators:\n  - {name: own, kind: llm, frame: session_frame, reads: [input], writes: {x: any}, prompt_path: p.md}\n"
      ], link: "personas/p.md", command: ask, place: "p.md"),
    Planted(
      name: "a persona that is named by its path",
      files: [
        "planted.yaml": persona
          + "operators:\n  - {name: own, kind: llm, frame: session_frame, reads: [input], writes: {x: any}, prompt_path: deep/p.md}\n"
      ], link: "deep", isFolder: true,
      command: ["run", "-p", "./planted.yaml", "-i", "hello", "--model", "mock"],
      place: "deep/p.md"),
    Planted(
      name: "an operator",
      files: ["personas/planted.yaml": persona + "operators: [asking]\n"],
      link: "operators/asking.yaml", command: ask, place: "asking.yaml"),
    Planted(
      name: "an operator's prompt",
      files: [
        "personas/planted.yaml": persona + "operators: [asking]\n",
        "operators/asking.yaml": asking + "prompt_path: p.md\n",
      ], link: "operators/p.md", command: ask, place: "p.md"),
    Planted(
      name: "an operator's prompt that is the environment",
      files: [
        "personas/planted.yaml": persona + "operators: [asking]\n",
        "operators/asking.yaml": asking + "prompt_path: p.md\n",
      ], link: "operators/p.md", target: "/proc/self/environ", command: ask, place: "p.md"),
    Planted(
      name: "the folder of an operator's prompt",
      files: [
        "personas/planted.yaml": persona + "operators: [asking]\n",
        "operators/asking.yaml": asking + "prompt_path: prompts/p.md\n",
      ], link: "operators/prompts", isFolder: true, command: ask, place: "prompts/p.md"),
    Planted(
      name: "an absolute path",
      files: [
        "personas/planted.yaml": persona + "operators: [asking]\n",
        "operators/asking.yaml": asking + "prompt_path: /proc/self/environ\n",
      ], link: "unused", command: ask, place: "prompt_path"),
    Planted(
      name: "a path that climbs",
      files: [
        "personas/planted.yaml": persona + "operators: [asking]\n",
        "operators/asking.yaml": asking + "prompt_path: ../../outside/secret\n",
      ], link: "unused", command: ask, place: "prompt_path"),
    Planted(
      name: "an agent in Markdown", link: "agents/planted.md", command: ["agents", "validate"],
      place: "agents/planted.md", exitCode: 0),
    Planted(
      name: "an agent in TOML", link: "agents/planted.toml", command: ["agents", "validate"],
      place: "agents/planted.toml", exitCode: 0),
    Planted(
      name: "the folder of agents", link: "agents", isFolder: true, command: ["agents", "list"],
      place: "agents", exitCode: 0),
    Planted(
      name: "a folder of agents that is all of the disk", link: "agents/root", target: "/",
      command: ["agents", "list"], place: "agents/root", exitCode: 0),
    Planted(
      name: "a project's extension", link: ".rasa/extensions/other", isFolder: true,
      command: ["agents", "list"], place: ".rasa/extensions/other", exitCode: 0),
    Planted(
      name: "an agent's prompt", files: ["agents/planted.toml": agentTOML("prompt_path", "p.md")],
      link: "agents/p.md",
      command: ["run", "--agent", "planted", "-i", "hello", "--model", "mock"],
      place: "agents/p.md"),
    Planted(
      name: "an agent's prompt that is the environment",
      files: ["agents/planted.toml": agentTOML("prompt_path", "p.md")],
      link: "agents/p.md", target: "/proc/self/environ",
      command: ["run", "--agent", "planted", "-i", "hello", "--model", "mock"],
      place: "agents/p.md"),
    Planted(
      name: "an agent's mirror", files: ["agents/planted.toml": agentTOML("mirror_path", "p.md")],
      link: "agents/p.md",
      command: ["run", "--agent", "planted", "-i", "hello", "--model", "mock"],
      place: "agents/p.md"),
    Planted(
      name: "the folder of an agent's prompt",
      files: ["agents/planted.toml": agentTOML("prompt_path", "deep/p.md")],
      link: "agents/deep", isFolder: true,
      command: ["run", "--agent", "planted", "-i", "hello", "--model", "mock"],
      place: "agents/deep"),
    Planted(
      name: "a file that an agent's prompt inserts",
      files: ["agents/planted.md": agent + "{{file:p.md}}\n"], link: "agents/p.md",
      command: ["run", "--agent", "planted", "-i", "hello", "--model", "mock"], place: "p.md"),
    Planted(
      name: "a project's configuration", link: ".rasa/config.yaml",
      command: ["run", "-p", "dev", "-i", "hello", "--model", "mock"], place: "config.yaml"),
    Planted(
      name: "the folder of a project's configuration", link: ".rasa", isFolder: true,
      command: ["run", "-p", "dev", "-i", "hello", "--model", "mock"], place: "config.yaml"),
    Planted(
      name: "a recording", link: "tests/a.json", command: ["test", "tests"], place: "a.json"),
    Planted(
      name: "a folder of recordings", link: "tests/deep", isFolder: true,
      command: ["test", "tests"], place: "deep"),
    Planted(
      name: "a budget file", link: "books/a.json",
      command: ["agents", "budget", "--import", "books"], place: "a.json"),
  ]
}

@Suite("A link that a project plants")
struct PlantedLinkTests {
  private static let secret = "sk-planted-0123456789abcdef"

  @Test(
    "is not followed out of its folder, and nothing of its target is shown",
    arguments: Planted.all)
  private func planted(_ planted: Planted) async throws {
    var rasa = try RasaProgram()
    rasa.environment["OPENAI_API_KEY"] = Self.secret
    // Whatever is looked for there is there, and says what it should not.
    let text = "\(Self.secret): [\n"
    for name in [
      "secret", "planted.yaml", "p.md", "config.yaml", "a.json", "agents/p.md", "agents/planted.md",
    ] {
      try rasa.home.write(text, to: "outside/\(name)")
    }
    try rasa.home.write("", to: "project/.keep")
    for (path, text) in planted.files { try rasa.home.write(text, to: "project/\(path)") }
    let target = planted.target ?? rasa.home.file(planted.isFolder ? "outside" : "outside/secret")
    let link = rasa.home.file("project/\(planted.link)")
    try rasa.home.write("", to: "project/\(planted.link).made")
    #expect(unsafe symlink(target, link) == 0)

    let run = try await ProgramRun.run(
      RasaProgram.binary, planted.command, environment: rasa.environment,
      folder: rasa.home.file("project"))
    #expect(run.exitCode == planted.exitCode, "\(run.text)\n\(run.errorText)")
    let told = run.text + run.errorText
    #expect(told.contains(planted.place), "\(told)")
    #expect(!told.contains("sk-planted"), "\(told)")
    #expect(told.contains(planted.link == "unused" ? "leads out" : "lead"), "\(told)")
  }

  @Test("that the user names is followed, and nothing of another folder is shown")
  func named() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write("password: [hunter-of-words\n", to: "outside/secret")
    try rasa.home.write(
      Planted.persona + "operators: []\n", to: "outside/planted.yaml")
    for (name, target) in [("bad.yaml", "secret"), ("good.yaml", "planted.yaml")] {
      try rasa.home.write("", to: "project/.keep")
      #expect(
        unsafe symlink("../outside/\(target)", rasa.home.file("project/\(name)")) == 0)
    }
    func run(_ name: String) async throws -> ProgramRun {
      try await ProgramRun.run(
        RasaProgram.binary, ["run", "-p", "./\(name)", "-i", "hello", "--model", "mock"],
        environment: rasa.environment, folder: rasa.home.file("project"))
    }
    let bad = try await run("bad.yaml")
    #expect(bad.exitCode == 3 && bad.errorText.contains("bad.yaml:"), "\(bad.errorText)")
    #expect(!bad.errorText.contains("hunter"), "\(bad.errorText)")
    #expect(try await run("good.yaml").exitCode == 0)
  }

  @Test("of the user's own is followed, to files that name their prompts beside them")
  func own() async throws {
    let rasa = try RasaProgram()
    for (path, text) in [
      "personas/linked.yaml": Planted.persona.replacing("planted", with: "linked")
        + "operators: [asking]\n",
      "operators/asking.yaml": Planted.asking + "prompt_path: prompts/p.md\n",
      "operators/prompts/p.md": "Answer: {{input}}\n",
      "agents/planted.toml": Planted.agentTOML("prompt_path", "planted.md"),
      "agents/planted.md": "Answer.\n",
    ] {
      try rasa.home.write(text, to: "dotfiles/\(path)")
    }
    // As `stow` would have it: one folder as a whole, the others file by file.
    for folder in ["personas", "operators", "agents"] {
      try rasa.home.write("", to: "home/\(folder)/.keep")
    }
    for (link, target) in [
      ("home/personas/linked.yaml", "../../dotfiles/personas/linked.yaml"),
      ("home/operators/asking.yaml", "../../dotfiles/operators/asking.yaml"),
      ("home/operators/prompts", "../../dotfiles/operators/prompts"),
      ("home/agents/planted.toml", "../../dotfiles/agents/planted.toml"),
      ("home/agents/planted.md", "../../dotfiles/agents/planted.md"),
      ("linked-home", "home"),
    ] {
      #expect(unsafe symlink(target, rasa.home.file(link)) == 0)
    }
    try rasa.home.write("", to: "project/.keep")
    var environment = rasa.environment
    environment["RASA_HOME"] = rasa.home.file("linked-home")
    for command in [
      ["run", "-p", "linked", "-i", "hello", "--model", "mock"],
      ["run", "--agent", "planted", "-i", "hello", "--model", "mock"],
    ] {
      let run = try await ProgramRun.run(
        RasaProgram.binary, command, environment: environment, folder: rasa.home.file("project"))
      #expect(run.exitCode == 0, "\(run.errorText)")
    }
  }

  @Test("of the user is not followed to files that the kernel makes up")
  func environment() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write("", to: "home/agents/.keep")
    try rasa.home.write("", to: "home/personas/.keep")
    #expect(
      unsafe symlink("/proc/self/environ", rasa.home.file("home/personas/dev.yaml")) == 0)
    var environment = rasa.environment
    environment["RASA_HOME"] = rasa.home.file("home")
    environment["OPENAI_API_KEY"] = Self.secret
    try rasa.home.write("", to: "project/.keep")
    let run = try await ProgramRun.run(
      RasaProgram.binary, ["run", "-p", "dev", "-i", "hello", "--model", "mock"],
      environment: environment, folder: rasa.home.file("project"))
    #expect(run.exitCode == 3)
    #expect(run.errorText.contains("dev.yaml: it leads to a file that the kernel makes up"))
    #expect(!run.errorText.contains("sk-planted"))
  }
}
