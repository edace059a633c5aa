import Glibc
import RasaAgents
import RasaCore
import RasaPersona
import RasaSystem
import RasaTestKit
import Testing

@Suite("Discovery of other tools' files")
struct OtherToolsDiscoveryTests {
  /// A good file of each kind, and a broken one; `#` is replaced by a number.
  private struct Kind {
    var kind: AgentKind
    var path: String
    var good: String
    var broken: String
    /// The fields of the good file that rasa does not use.
    var unused: [String] = []
  }

  private static let kinds = [
    Kind(
      kind: .claude, path: "project/.claude/agents/set/claude-#.md",
      good:
        "---\nname: claude-#\ndescription: Does #: and more\npermissionMode: plan\n---\nYou do #.\n",
      broken: "---\nname: claude-#\n---\n\n", unused: ["permissionMode"]),
    Kind(
      kind: .claudeCommand, path: "project/agents/commands/command-#.md",
      good:
        "---\ndescription: Does #\nallowed-tools: Bash\nargument-hint: x\n---\nDo # with $ARGUMENTS\n",
      broken: "---\ndescription: Does #\nallowed-tools: Bash\n---\n", unused: ["argument-hint"]),
    Kind(
      kind: .copilot, path: "project/.github/agents/copilot-#.agent.md",
      good: "---\nname: Copilot #\ndescription: Does #\ntarget: vscode\n---\nYou do #.\n",
      broken: "---\ndescription: x\n---\n   \n", unused: ["target"]),
    Kind(
      kind: .copilotChatMode, path: "project/.github/chatmodes/mode-#.chatmode.md",
      good: "---\ndescription: Does #\n---\nYou do #.\n", broken: "---\ndescription: x\n---\n"),
    Kind(
      kind: .copilotPrompt, path: "project/agents/asks/ask-#.prompt.md",
      good: "---\nmode: agent\ndescription: Does #\n---\nDo ${input:x}.\n",
      broken: "---\nmode: agent\n---\n", unused: ["mode"]),
    Kind(
      kind: .opencode, path: "person/.config/opencode/agent/open-#.md",
      good: "---\ndescription: Does #\nmode: subagent\n---\nYou do #.\n",
      broken: "---\ndescription: x\n---\n", unused: ["mode"]),
    Kind(
      kind: .gemini, path: "project/agents/gem/gemini-#.toml",
      good: "description = \"Does #\"\nprompt = \"Do {{args}} with #.\"\n",
      broken: "description = \"Does #\"\nprompt = \"Do\n"),
    Kind(
      kind: .fabric, path: "project/agents/patterns/fabric_#/system.md",
      good: "# PURPOSE\n\nYou do # for people.\n\n# INPUT\n\nINPUT:\n", broken: "\n"),
    Kind(
      kind: .goose, path: "project/agents/goose/goose-#.yaml",
      good:
        "title: Goose #\ndescription: Does #\nprompt: Do #.\nextensions: [{type: builtin, name: x}]\n",
      broken: "title: Goose #\ndescription: Does #\nprompt: [\n", unused: ["extensions"]),
    Kind(
      kind: .docker, path: "project/agents/docker/docker-#.yml",
      good:
        "agents:\n  root: {model: openai/gpt-4o, description: Does #, instruction: You do #., toolsets: [{type: think}]}\n",
      broken: "agents:\n  root: {model: openai/gpt-4o}\n", unused: ["toolsets"]),
  ]

  private func write(_ setting: Setting, each count: Int) throws -> (good: Int, broken: Set<String>)
  {
    var good = 0
    var broken: Set<String> = []
    for kind in Self.kinds {
      for number in 0..<count {
        func filled(_ text: String) -> String {
          text.split(separator: "#", omittingEmptySubsequences: false).joined(
            separator: "\(number)")
        }
        let path = filled(kind.path)
        let isBroken = number % 20 == 7
        let place = setting.path(path)
        try FileSystem.makeFolder(FileSystem.parent(of: place))
        try FileSystem.write(
          Array(filled(isBroken ? kind.broken : kind.good).utf8), to: place, lasting: false)
        if isBroken { broken.insert(place) } else { good += 1 }
      }
    }
    return (good, broken)
  }

  @Test(
    "of 5,000 files of ten kinds every good one is an agent, and every broken one is named once")
  func collection() throws {
    let setting = try Setting()
    let (good, broken) = try write(setting, each: 500)
    #expect(good == 4_750 && broken.count == 250)
    let found = setting.discovery().discover()
    #expect(found.registry.count == good)
    for kind in Self.kinds {
      #expect(found.registry.agents.count { $0.files.kind == kind.kind } == 475, "\(kind.kind)")
    }
    let reported =
      found.failures.compactMap { $0.location?.file }
      + found.warnings.compactMap { $0.location?.file }
    #expect(reported.count == broken.count && Set(reported) == broken)
    #expect(Set(found.broken.map(\.file)) == broken)
    // One note for each kind that has unused fields.
    let more = Self.kinds.filter { !$0.unused.isEmpty }
    #expect(found.notes.count == more.count, "\(found.notes)")
    for kind in more {
      #expect(
        found.notes.contains {
          $0.message.contains(kind.kind.counted(475))
            && $0.message.contains("`\(kind.unused[0])` (475)")
        }, "\(kind.kind): \(found.notes)")
    }
    _ = setting.read.take()
    // The index gives the same, and nothing is read again.
    let again = setting.discovery().discover()
    #expect(again.registry.agents == found.registry.agents && again.notes == found.notes)
    #expect(again.failures.map(\.message) == found.failures.map(\.message))
    #expect(setting.read.take().isEmpty)
  }

  @Test("files that are not agents are reported once per kind and folder")
  func others() throws {
    let setting = try Setting()
    for number in 0..<76 {
      try setting.scratch.write("on: push\njobs: {}\n", to: "project/agents/w\(number).yml")
    }
    for number in 0..<3 {
      try setting.scratch.write(
        "---\nname: s\ndescription: x\n---\nDo.\n", to: "home/agents/skill-\(number)/SKILL.md")
      try setting.scratch.write("More.\n", to: "home/agents/skill-\(number)/references/more.md")
    }
    try setting.scratch.write("name: p\nframes: [x]\n", to: "home/agents/p.yaml")
    try setting.scratch.write("a: {{ b }}\n", to: "home/agents/chart.yaml")
    try setting.scratch.write("# Changes\n", to: "home/agents/CHANGELOG.md")
    try setting.scratch.write("x", to: "home/agents/node_modules/x/index.md")
    let found = setting.discover()
    #expect(found.registry.count == 0 && found.failures.isEmpty && found.warnings.isEmpty)
    let (project, home) = (setting.path("project/agents"), setting.path("home/agents"))
    #expect(
      found.notes.map(\.message) == [
        "1 Markdown file in \(home) is documentation, judging by the name, not an agent",
        "1 YAML file in \(home) is a persona's; personas belong in ./personas",
        "3 skills in \(home) (SKILL.md and the files beside it) come with tools and are not agents",
        "1 YAML file in \(home) is in no format that rasa reads as an agent",
        "76 YAML files in \(project) are GitHub workflows, not agents",
      ])
  }

  @Test("inserted files and mirrors of prompts are not agents")
  func parts() throws {
    let setting = try Setting()
    try setting.markdown(
      "project/agents/writer.md", id: "writer",
      body:
        "Write by {{file:parts/style.md}} and {{ not a file }} and {{file:agents/rules.md:markdown}}."
    )
    try setting.scratch.write("Short sentences.\n", to: "project/agents/parts/style.md")
    try setting.scratch.write("No lies.\n", to: "project/agents/rules.md")
    try setting.config(
      "project/agents/two.toml", id: "two", more: "mirror_path = \"backup/two.md\"")
    try setting.scratch.write("Do it.\n", to: "project/agents/backup/two.md")
    try setting.scratch.write("You answer.\n", to: "project/agents/alone.md")
    for _ in 0..<2 {
      let found = setting.discovery().discover()
      #expect(found.registry.ids == ["alone", "two", "writer"])
    }
  }

  @Test("a project's folder of another tool reads nothing from elsewhere")
  func links() throws {
    let setting = try Setting()
    try setting.markdown("elsewhere/secret.md", id: "secret")
    try setting.link("project/.claude/agents/secret.md", to: setting.path("elsewhere/secret.md"))
    try setting.link("project/.github", to: setting.path("elsewhere"))
    try setting.markdown("elsewhere/agents/out.md", id: "out")
    try setting.link("person/.claude/agents/mine.md", to: setting.path("elsewhere/secret.md"))
    let found = setting.discover()
    #expect(found.registry.ids == ["secret"])
    #expect(
      found.registry["secret"]?.agent.files.prompt == setting.path("person/.claude/agents/mine.md"))
    // One for the file, two for folders of the linked one.
    #expect(found.warnings.count == 3, "\(found.warnings)")
  }

  @Test("folders with old names are read, and reported once each with a suggestion")
  func olderPlaces() throws {
    var setting = try Setting()
    setting.places.olderWorkspaces = [setting.path("older-workspace")]
    for place in [
      "older-home/agents", "older-workspace/agents", "project/.radium/extensions/x/agents",
      "older-home/extensions/y/agents", "home/agents", "workspace/agents",
    ] {
      let name = place.split(separator: "/").joined(separator: "-").filter { $0 != "." }
      try setting.markdown("\(place)/one-\(name).md", id: "one-\(name)")
      try setting.markdown("\(place)/two-\(name).md", id: "two-\(name)")
    }
    let found = setting.discover()
    #expect(found.registry.count == 12)
    #expect(
      Set(found.notes.map(\.message)) == [
        "2 agents in \(setting.path("older-home/agents")), which rasa reads until 2.0: move them to "
          + setting.path("home/agents"),
        "2 agents in \(setting.path("older-workspace/agents")), which rasa reads until 2.0: set "
          + "RASA_WORKSPACE instead of RADIUM_WORKSPACE",
        "2 agents in \(setting.path("project/.radium/extensions/x/agents")), which rasa reads until "
          + "2.0: move the extension to \(setting.path("project/.rasa/extensions"))",
        "2 agents in \(setting.path("older-home/extensions/y/agents")), which rasa reads until 2.0: "
          + "move the extension to \(setting.path("home/extensions"))",
      ])
  }

  @Test("in a user's home the tools' folders belong to the user, not to a project")
  func atHome() throws {
    var setting = try Setting()
    try setting.markdown("person/.claude/agents/mine.md", id: "mine")
    setting.places.project = setting.path("person")
    let found = setting.discover()
    #expect(found.registry.ids == ["mine"] && found.agentsOfProject.isEmpty)
  }

  @Test("a file of another kind under the same name is read again")
  func changed() throws {
    let setting = try Setting()
    try setting.scratch.write("You answer.\n", to: "project/agents/x.md")
    #expect(setting.discovery().discover().registry["x"]?.agent.files.kind == .prompt)
    try setting.scratch.write(
      "---\ndescription: Answers\nmode: subagent\n---\nYou answer.\n", to: "project/agents/x.md")
    let found = setting.discovery().discover()
    #expect(found.registry["x"]?.agent.files.kind == .opencode)
    #expect(found.registry["x"]?.agent.unused == ["mode"])
  }

  @Test("an import converts everything in a project, each ID once, and its files can be read")
  func importing() throws {
    let setting = try Setting()
    let (good, broken) = try write(setting, each: 21)
    try setting.scratch.write(
      "---\ndescription: y\n---\nYou do.\n", to: "project/.github/chatmodes/claude-1.chatmode.md")
    try setting.scratch.write(
      "prompt = \"Do {{args}}\"\n", to: "project/.gemini/commands/claude-1.toml")
    let project = try AgentImport(from: setting.path("project"), engines: ["openai"])
    // In a project only folders that belong to a tool are read: three of the ten kinds.
    #expect(project.items.count == 3 * 20 + 2 && project.failures.count == 3)
    let again = project.items.filter { $0.wanted == "claude-1" }.map(\.id)
    #expect(again == ["claude-1-copilot-chatmode", "claude-1-gemini"])
    #expect(Set(project.items.map(\.id)).count == project.items.count)
    let folder = try AgentImport(from: setting.path("project/agents"), engines: ["openai"])
    #expect(folder.items.count == 6 * 20 && folder.failures.count == 6)
    #expect(good == 200 && broken.count == 10)
    let clean = try Setting()
    for item in project.items + folder.items {
      try clean.scratch.write(
        String(decoding: item.bytes, as: UTF8.self), to: "home/agents/\(item.name)")
    }
    let found = clean.discover()
    #expect(found.registry.count == project.items.count + folder.items.count)
    #expect(found.registry.agents.allSatisfy { $0.files.kind == .rasa })
    #expect(
      found.failures.isEmpty && found.warnings.isEmpty && found.notes.isEmpty, "\(found.warnings)")
  }

  @Test("of a file with several agents all are imported, or none")
  func importingTeams() throws {
    let setting = try Setting()
    let good = "agents: {root: {instruction: Lead.}, helper: {instruction: Help.}}\n"
    let bad = "agents: {root: {instruction: Lead.}, helper: {instruction: ' '}}\n"
    try setting.scratch.write(good, to: "set/good.yaml")
    try setting.scratch.write(bad, to: "set/bad.yaml")
    let found = try AgentImport(from: setting.path("set"), engines: [])
    #expect(found.items.map(\.id) == ["good", "good-helper"] && found.failures.count == 1)
  }

  @Test("an import follows no link out, and can be limited to one kind")
  func importingOneKind() throws {
    let setting = try Setting()
    try setting.markdown("elsewhere/secret.md", id: "secret")
    try setting.link("set/out.md", to: setting.path("elsewhere/secret.md"))
    try setting.scratch.write("You answer.\n", to: "set/a/answer.md")
    try setting.scratch.write("prompt = \"Do {{args}}\"\n", to: "set/do.toml")
    let all = try AgentImport(from: setting.path("set"), engines: [])
    #expect(all.items.map(\.name) == ["a/answer.md", "do.md"])
    #expect(all.warnings.count == 1)
    let one = try AgentImport(from: setting.path("set"), as: .gemini, engines: [])
    #expect(one.items.map(\.name) == ["do.md"])
    let claude = try AgentImport(from: setting.path("set"), as: .claudeCommand, engines: [])
    #expect(claude.items.map(\.kind) == [.claudeCommand])
    #expect(throws: Failure.self) {
      try AgentImport(from: setting.path("nowhere"), engines: [])
    }
    // Not every text in a repository is a prompt.
    try setting.scratch.write("x", to: "set/.git/HEAD")
    #expect(throws: Failure.self) { try AgentImport(from: setting.path("set"), engines: []) }
    #expect(try AgentImport(from: setting.path("set"), as: .gemini, engines: []).items.count == 1)
  }
}
