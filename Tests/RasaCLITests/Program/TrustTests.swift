import Glibc
import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

/// A home and a project beside it.
private struct Project {
  var rasa: RasaProgram
  var home: ScratchDirectory { rasa.home }

  init(_ files: [String: String] = [:], own: [String: String] = [:]) throws {
    rasa = try RasaProgram()
    rasa.environment["RASA_HOME"] = rasa.home.file("home")
    try rasa.home.write("", to: "project/.keep")
    try rasa.home.write("", to: "home/.keep")
    for (path, text) in files { try rasa.home.write(text, to: "project/\(path)") }
    for (path, text) in own { try rasa.home.write(text, to: "home/\(path)") }
  }

  func run(_ arguments: [String], folder: String = "project") async throws -> ProgramRun {
    try await ProgramRun.run(
      RasaProgram.binary, arguments, environment: rasa.environment,
      folder: rasa.home.file(folder))
  }

  func run(_ arguments: String...) async throws -> ProgramRun { try await run(arguments) }

  static func persona(_ name: String, _ more: String = "") -> String {
    "name: \(name)\ndescription: d\nframes: [session_frame]\noperators: []\n\(more)"
  }

  static let respond =
    "name: respond\nkind: llm\nframe: session_frame\nreads: [input]\nwrites: {draft: text}\nprompt: \"Say {{input}}\"\n"
  static let ask = ["run", "-p", "single", "-i", "hello", "--model", "mock"]
}

/// What a project may have in it, and what of it is asked about.
private struct Asked: Sendable, CustomTestStringConvertible {
  var name: String
  var files: [String: String]
  var own: [String: String] = ["personas/single.yaml": Project.persona("single")]
  var command = Project.ask
  /// What the message says; nil when nothing is asked.
  var line: String?

  var testDescription: String { name }

  static let agent = "---\nname: own-agent\ndescription: Does a thing.\n---\nAnswer.\n"

  static let all: [Asked] = [
    Asked(name: "nothing", files: [:]),
    Asked(
      name: "personas, operators and agents of other names",
      files: [
        "personas/new.yaml": Project.persona("new"),
        "operators/other.yaml":
          "name: other\nkind: llm\nframe: session_frame\nreads: [input]\nwrites: {x: any}\nprompt: hi\n",
        "agents/new-agent.md": "---\nname: new-agent\ndescription: Does a thing.\n---\nAnswer.\n",
      ]),
    Asked(name: "limits", files: [".rasa/config.yaml": "budget: {max_daily: 1}\n"]),
    Asked(
      name: "the same file as the user has",
      files: ["personas/single.yaml": Project.persona("single")]),
    Asked(
      name: "a persona of the user's",
      files: ["personas/single.yaml": Project.persona("single", "prompt_style: x\n")],
      line: "personas/single.yaml takes the place of your own persona `single`"),
    Asked(
      name: "a shipped operator", files: ["operators/respond.yaml": Project.respond],
      line: "operators/respond.yaml takes the place of the shipped operator `respond`"),
    Asked(
      name: "a model", files: [".rasa/config.yaml": "model: mock\n"],
      line: ".rasa/config.yaml has mock asked where a persona recommends no model"),
    Asked(
      name: "a profile", files: [".rasa/config.yaml": "profile: expert\n"],
      line: ".rasa/config.yaml sets the profile to expert"),
    Asked(
      name: "a provider",
      files: [".rasa/config.yaml": "providers: {p2: {base_url: \"http://127.0.0.1:9/v1\"}}\n"],
      line: ".rasa/config.yaml adds the provider `p2` at http://127.0.0.1:9/v1"),
    Asked(
      name: "an agent of the user's",
      files: ["agents/own-agent.md": agent + "Otherwise.\n"], own: ["agents/own-agent.md": agent],
      command: ["run", "--agent", "own-agent", "-i", "hello", "--model", "mock"],
      line: "agents/own-agent.md takes the place of your own agent `own-agent`"),
    Asked(
      name: "an agent of the user's, in an extension",
      files: [".rasa/extensions/x/agents/own-agent.md": agent + "Otherwise.\n"],
      own: ["agents/own-agent.md": agent],
      command: ["run", "--agent", "own-agent", "-i", "hello", "--model", "mock"]),
    Asked(
      name: "a shipped agent, in another tool's folder",
      files: [".claude/agents/code-reviewer.md": "---\nname: code-reviewer\n---\nAnswer.\n"],
      own: [:],
      command: ["run", "--agent", "code-reviewer", "-i", "hello", "--model", "mock"],
      line: ".claude/agents/code-reviewer.md takes the place of the shipped agent `code-reviewer`"),
    Asked(
      name: "an agent of the user's, in another tool's folder",
      files: [".github/agents/own-agent.agent.md": agent + "Otherwise.\n"],
      own: ["agents/own-agent.md": agent],
      command: ["run", "--agent", "own-agent", "-i", "hello", "--model", "mock"]),
    Asked(
      name: "a name that a persona of the user's has beside its own",
      files: ["personas/short.yaml": Project.persona("short")],
      own: [
        "personas/single.yaml": Project.persona("single", "alias: short\n")
      ], line: "personas/short.yaml takes the name `short` from the persona `single`"),
  ]
}

@Suite("The files of a project")
struct TrustTests {
  @Test("cause a question if they change what rasa does, and only then", arguments: Asked.all)
  private func asked(_ asked: Asked) async throws {
    let project = try Project(asked.files, own: asked.own)
    let run = try await project.run(asked.command)
    guard let line = asked.line else {
      #expect(run.exitCode == 0, "\(run.errorText)")
      return
    }
    #expect(run.exitCode == 3, "\(run.text)\(run.errorText)")
    #expect(run.errorText.contains(line), "\(run.errorText)")
    #expect(run.errorText.contains("`rasa trust add \(project.home.file("project"))`"))

    #expect(try await project.run(asked.command + ["--trust"]).exitCode == 0)
    // That was for once.
    #expect(try await project.run(asked.command).exitCode == 3)

    let added = try await project.run("trust", "add")
    #expect(added.exitCode == 0 && added.text.contains(line), "\(added.text)\(added.errorText)")
    #expect(try await project.run(asked.command).exitCode == 0)
    #expect(try await project.run("trust", "list").text.contains(project.home.file("project")))
    #expect(try await project.run("trust", "remove").exitCode == 0)
    #expect(try await project.run(asked.command).exitCode == 3)
  }

  @Test("are asked about again when they have changed, by name")
  func changed() async throws {
    let project = try Project(["operators/respond.yaml": Project.respond + "prompt_path: p.md\n"])
    try project.home.write(
      Project.respond.replacing("prompt: \"Say {{input}}\"", with: "prompt_path: p.md"),
      to: "project/operators/respond.yaml")
    try project.home.write("Say {{input}}\n", to: "project/operators/p.md")
    try project.home.write(Project.persona("single"), to: "home/personas/single.yaml")
    #expect(try await project.run("trust", "add").exitCode == 0)
    #expect(try await project.run(Project.ask).exitCode == 0)
    try project.home.write("Say something else to {{input}}\n", to: "project/operators/p.md")
    let run = try await project.run(Project.ask)
    #expect(run.exitCode == 3)
    #expect(
      run.errorText.contains("changed since you trusted it: operators/p.md"), "\(run.errorText)")
  }

  @Test("are trusted in a file that only the user can read, by a path without links")
  func file() async throws {
    let project = try Project(["operators/respond.yaml": Project.respond])
    #expect(unsafe symlink("project", project.home.file("linked")) == 0)
    let added = try await project.run(["trust", "add", "linked"], folder: ".")
    #expect(added.exitCode == 0, "\(added.errorText)")
    var status = stat()
    #expect(unsafe stat(project.home.file("home/trust.json"), &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
    let kept = try JSON.parse(try #require(try project.home.read("home/trust.json")))
    #expect(
      kept["projects"][project.home.file("project")]["files"]["operators/respond.yaml"].string?
        .count == 64)
  }

  @Test("can be inspected, with the question that they would cause, without being trusted")
  func looking() async throws {
    let project = try Project([
      "operators/respond.yaml": Project.respond, "personas/new.yaml": Project.persona("new"),
    ])
    for command in [
      ["personas", "list"], ["personas", "validate"], ["operators", "show", "respond"],
      ["run", "-p", "new", "-i", "hello", "--dry-run", "--model", "mock"],
    ] {
      let run = try await project.run(command)
      #expect(run.exitCode == 0, "\(command) \(run.errorText)")
    }
  }

  @Test(
    "are asked about on a terminal, with a card",
    arguments: [("y", 0), ("a", 0), ("", 3), ("n", 3)])
  func terminal(answer: String, exitCode: Int32) async throws {
    let project = try Project(
      ["operators/respond.yaml": Project.respond],
      own: ["personas/single.yaml": Project.persona("single")])
    let session = try TerminalSession(
      RasaProgram.binary, Project.ask, environment: project.rasa.environment,
      folder: project.home.file("project"))
    let card = try await session.expect("[N]o")
    #expect(card.contains("operators/respond.yaml takes the place of the shipped operator"))
    session.send(answer + "\r")
    #expect(try await session.waitForExit() == exitCode)
    let again = try await project.run(Project.ask)
    #expect(again.exitCode == (answer == "a" ? 0 : 3))
  }

  @Test(
    "lift no limit of the user's own file of that name",
    arguments: [
      ["run", "-p", "single"], ["run", "-p", "./named.yaml"], ["run", "--agent", "some-agent"],
    ])
  func limits(command: [String]) async throws {
    let provider = try ScriptedProvider.start([.text("hi")], models: ["gpt-4o-mini"])
    func budget(_ limit: String) -> String {
      "cost_budget: {max_per_execution: \(limit), policy: warn}\n"
    }
    func agent(_ budget: String) -> String {
      "---\nname: some-agent\ndescription: d\n\(budget)---\nAnswer.\n"
    }
    let strict = "cost_budget: {max_per_execution: 0.00000001}\n"
    var project = try Project(
      [
        "personas/single.yaml": Project.persona("single", budget("5")),
        "named.yaml": Project.persona("single", budget("5")),
        "agents/some-agent.md": agent(budget("5")),
      ],
      own: [
        "personas/single.yaml": Project.persona("single", strict),
        "agents/some-agent.md": agent(strict),
      ])
    project.rasa.environment["LLM_PROVIDER"] = nil
    project.rasa.environment["OPENAI_BASE_URL"] = provider.openAIBaseURL
    project.rasa.environment["OPENAI_API_KEY"] = "sk-made-up"
    let run = try await project.run(
      command + ["-i", "hello", "--model", "gpt-4o-mini", "--trust"])
    #expect(run.exitCode == 6, "\(run.text)\(run.errorText)")
    #expect(provider.requests.isEmpty)
  }

  @Test("lift no limit of the user when a run that started with them is resumed")
  func limitsOfResumed() async throws {
    let provider = try ScriptedProvider.start([.text("hi")], models: ["gpt-4o-mini"])
    let gate = "name: gate\ndescription: d\nframes: [session_frame]\noperators: [hitl]\n"
    var project = try Project(["personas/gate.yaml": gate])
    project.rasa.environment["LLM_PROVIDER"] = nil
    project.rasa.environment["OPENAI_BASE_URL"] = provider.openAIBaseURL
    project.rasa.environment["OPENAI_API_KEY"] = "sk-made-up"
    let parked = try await project.run(
      "run", "-p", "gate", "-i", "hello", "--model", "gpt-4o-mini", "--trust")
    #expect(parked.exitCode == 7, "\(parked.errorText)")
    let questions = try JSON.parse(try await project.run("approvals", "list", "--json").output)
    let question = try #require(questions.array?.first?["approval"].string)
    try project.home.write(
      gate + "cost_budget: {max_daily: 0.00000001}\n", to: "home/personas/gate.yaml")
    let again = try await project.run("approvals", "feedback", question, "Shorter.", "--trust")
    #expect(again.exitCode == 6, "\(again.text)\(again.errorText)")
    #expect(provider.requests.count == 1)
  }

  @Test("cause another question when a file inserted by a prompt has changed")
  func inserted() async throws {
    let agent = Asked.agent + "{{file:rules.md}}\n"
    let project = try Project(
      ["agents/own-agent.md": agent, "agents/rules.md": "One.\n"],
      own: ["agents/own-agent.md": agent, "agents/rules.md": "One.\n"])
    let ask = ["run", "--agent", "own-agent", "-i", "hello", "--model", "mock"]
    #expect(try await project.run(ask).exitCode == 0)
    try project.home.write("Two.\n", to: "project/agents/rules.md")
    #expect(try await project.run(ask).exitCode == 3)
    #expect(try await project.run("trust", "add").exitCode == 0)
    #expect(try await project.run(ask).exitCode == 0)
    try project.home.write("Three.\n", to: "project/agents/rules.md")
    let run = try await project.run(ask)
    #expect(run.exitCode == 3 && run.errorText.contains("agents/rules.md"), "\(run.errorText)")
  }

  @Test("with invalid names are ignored, and reported")
  func names() async throws {
    let project = try Project(["personas/Analyst.yaml": Project.persona("analyst")])
    let list = try await project.run("personas", "list")
    #expect(!list.text.contains("Analyst"))
    #expect(list.errorText.contains("personas/Analyst.yaml is ignored"))
    let run = try await project.run("run", "-p", "Analyst", "-i", "hello", "--model", "mock")
    #expect(run.exitCode == 3)
    #expect(run.errorText.contains("personas/Analyst.yaml is not a valid persona file"))
    #expect(run.errorText.contains("rename it to `analyst.yaml`"))
  }

  @Test("that are links are not written through")
  func writing() async throws {
    let project = try Project()
    let agent = "---\nname: some-agent\ndescription: Does a thing.\n---\nAnswer.\n"
    try project.home.write(agent, to: "outside/some-agent.md")
    try project.home.write("", to: "outside/agents/.keep")
    try project.home.write("", to: "outside/personas/.keep")
    func link(_ target: String, _ name: String) {
      #expect(unsafe symlink(target, project.home.file("project/\(name)")) == 0)
    }
    link("../outside/some-agent.md", "some-agent.md")
    let enhanced = try await project.run("agents", "enhance", "./some-agent.md", "--write")
    #expect(enhanced.exitCode != 0, "\(enhanced.text)")
    #expect(try project.home.read("outside/some-agent.md") == agent)

    link("../outside/agents", "agents")
    let created = try await project.run("agents", "create", "new-one", "--description", "d")
    #expect(created.exitCode != 0, "\(created.text)")
    #expect(created.errorText.contains("leads out of the folder"), "\(created.errorText)")
    #expect(try project.home.read("outside/agents/new-one.md") == nil)

    link("../outside/personas", "personas")
    let begun = try await project.run("init", "--name", "new-one")
    #expect(begun.exitCode != 0 && begun.errorText.contains("leads out"), "\(begun.errorText)")
    #expect(try project.home.read("outside/personas/new-one.yaml") == nil)
  }

  @Test(
    "name no second door to a provider of the user's",
    arguments: [
      "http://127.0.0.1:PORT/v1", "http://localhost:PORT/other", "http://[::1]:PORT",
      "http://127.0.0.2:PORT/v1",
    ])
  func secondName(address: String) async throws {
    let provider = try ScriptedProvider.start([.text("hi")], models: ["own-model"])
    var project = try Project(own: ["personas/single.yaml": Project.persona("single")])
    project.rasa.environment["LLM_PROVIDER"] = nil
    project.rasa.environment["OPENAI_BASE_URL"] = provider.openAIBaseURL
    project.rasa.environment["OPENAI_API_KEY"] = "sk-made-up"
    let port = try #require(
      provider.openAIBaseURL.split(separator: ":").last?.split(separator: "/").first)
    try project.home.write(
      "providers: {p2: {base_url: \"\(address.replacing("PORT", with: port))\"}}\n",
      to: "project/.rasa/config.yaml")
    let run = try await project.run(
      "run", "-p", "single", "-i", "hello", "--trust", "--model", "p2:unheard-of", "--max-cost",
      "0.01")
    #expect(run.exitCode == 6, "\(run.text)\(run.errorText)")
    #expect(run.errorText.contains("it is at the address of your own `openai`"), "\(run.errorText)")
    #expect(provider.requests.isEmpty)
  }

  @Test("add no provider that is free under a limit")
  func free() async throws {
    let provider = try ScriptedProvider.start([.text("hi")], models: ["unheard-of"])
    let project = try Project(own: ["personas/single.yaml": Project.persona("single")])
    try project.home.write(
      "providers: {p2: {base_url: \"\(provider.openAIBaseURL)\", local: true}}\n",
      to: "project/.rasa/config.yaml")
    let run = try await project.run(
      "run", "-p", "single", "-i", "hello", "--trust", "--model", "p2:unheard-of", "--max-cost",
      "0.01")
    #expect(run.exitCode == 6, "\(run.text)\(run.errorText)")
    #expect(provider.requests.isEmpty)
  }

  @Test(
    "a setting that is no number is refused", arguments: ["abc", "-1", "0", "nan", "1e9", "30s"])
  func lease(text: String) async throws {
    var project = try Project()
    project.rasa.environment["RASA_LEASE"] = text
    let run = try await project.run("version")
    #expect(run.exitCode == 3, "\(run.text)")
    #expect(run.errorText.contains("RASA_LEASE is not a number of seconds from 0.1 to 86400"))
  }

  @Test("a key that a file repeats is not shown")
  func keys() async throws {
    var project = try Project([
      "personas/single.yaml": "name: single\ndescription: [tkn-0123456789abcdef\n"
    ])
    project.rasa.environment["MY_SERVICE_TOKEN"] = "tkn-0123456789abcdef"
    let run = try await project.run(Project.ask)
    #expect(run.exitCode == 3)
    #expect(!run.errorText.contains("0123456789abcdef"), "\(run.errorText)")
  }
}
