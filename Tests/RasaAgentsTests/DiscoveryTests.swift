import Glibc
import RasaAgents
import RasaCore
import RasaPersona
import RasaSystem
import RasaTestKit
import Testing

@Suite("Discovery of agents")
struct DiscoveryTests {
  /// The folders in order of precedence.
  private static let roots = [
    "project/agents", "home/agents", "older-home/agents", "workspace/agents",
    "older-workspace/agents", "project/.rasa/extensions/a/agents",
    "project/.rasa/extensions/b/agents", "project/.radium/extensions/z/agents",
    "home/extensions/one/agents", "older-home/extensions/two/agents",
    "project/.claude/agents", "project/.github/agents", "project/.github/chatmodes",
    "project/.opencode/agent", "project/.opencode/agents", "person/.claude/agents",
    "person/.copilot/agents", "person/.config/opencode/agent", "person/.config/opencode/agents",
  ]

  @Test("of an agent in several places the first one is used, and the others are reported")
  func precedence() throws {
    for first in Self.roots.indices {
      let setting = try Setting()
      for root in Self.roots[first...].reversed() {
        // For some tools the file's name is the agent's.
        try setting.markdown("\(root)/everywhere.md", id: "everywhere", description: root)
      }
      let found = setting.discover()
      #expect(found.registry["everywhere"]?.agent.description == Self.roots[first])
      #expect(found.registry["everywhere"]?.agent.files.origin == setting.path(Self.roots[first]))
      #expect(
        found.shadowed.map(\.file)
          == Self.roots[(first + 1)...].map { setting.path("\($0)/everywhere.md") })
      #expect(
        found.shadowed.allSatisfy {
          $0.id == "everywhere" && $0.by == setting.path("\(Self.roots[first])/everywhere.md")
        })
      #expect(found.warnings.isEmpty && found.failures.isEmpty)
    }
  }

  @Test("agents of all places are found together; shipped ones come last")
  func allPlaces() throws {
    let setting = try Setting(shipped: true)
    for (index, root) in Self.roots.enumerated() {
      try setting.markdown("\(root)/agent-\(index).md", id: "agent-\(index)")
    }
    let alone = AgentDiscovery(AgentRoots(project: "/nowhere", home: "/nowhere")).discover()
    #expect(alone.failures.isEmpty && alone.registry.count > 0)
    #expect(alone.registry.agents.allSatisfy { $0.files.origin == "shipped" })
    let found = setting.discover()
    #expect(found.registry.count == Self.roots.count + alone.registry.count)
    let shipped = try #require(alone.registry.entries.first?.agent.id)
    try setting.markdown("older-home/extensions/two/agents/mine.md", id: shipped)
    let own = setting.discover()
    #expect(own.registry[shipped]?.agent.files.origin != "shipped")
    #expect(own.shadowed.map(\.id) == [shipped])
  }

  @Test("nothing is found where nothing is")
  func nowhere() throws {
    let setting = try Setting()
    let found = setting.discover()
    #expect(found.registry.count == 0 && found.warnings.isEmpty && found.failures.isEmpty)
    try setting.scratch.write("", to: "workspace/agents")
    #expect(
      setting.discover().warnings.map(\.message) == [
        "\(setting.path("workspace/agents")) is not a folder, so it is not searched for agents"
      ])
  }

  @Test("the three forms are found, and Markdown without front matter as prompts; the rest is none")
  func forms() throws {
    let setting = try Setting()
    try setting.config("project/agents/core/one.toml", id: "one")
    try setting.config(
      "project/agents/core/deep/two.toml", id: "two",
      prompt: "---\nname: two\ncapabilities: [reading]\n---\nDo it.")
    try setting.markdown("project/agents/three.md", id: "three")
    try setting.markdown("project/agents/README.md", id: "not-an-agent")
    try setting.markdown("project/agents/deeper/ReadMe.MD", id: "nor-this")
    try setting.scratch.write("# Only text\n", to: "project/agents/notes.md")
    try setting.scratch.write("---\n\nA text under a rule.\n", to: "project/agents/ruled.md")
    try setting.scratch.write("", to: "project/agents/empty.md")
    try setting.scratch.write("x", to: "project/agents/picture.png")
    try setting.markdown("project/agents/.hidden/four.md", id: "four")
    try setting.markdown("project/agents/.five.md", id: "five")
    let found = setting.discover()
    #expect(found.registry.ids == ["notes", "one", "ruled", "three", "two"])
    #expect(
      found.notes.map(\.message) == [
        "2 Markdown files without front matter in \(setting.path("project/agents")) are read as "
          + "prompts, called as their files are; `rasa import` gives them a front matter"
      ])
    #expect(found.failures.isEmpty && found.warnings.isEmpty, "\(found.warnings)")
    #expect(found.registry["one"]?.agent.category == "core")
    #expect(found.registry["two"]?.agent.category == "core/deep")
    #expect(found.registry["three"]?.agent.category == nil)
    #expect(found.registry["two"]?.agent.capabilities == ["reading"])
    #expect(
      found.registry["two"]?.agent.files.prompt
        == setting.path("project/agents/core/deep/two-prompt.md"))
  }

  @Test("every broken file is reported with its location, and the rest is available")
  func broken() throws {
    let setting = try Setting()
    try setting.markdown("project/agents/good.md", id: "good")
    try setting.scratch.write("[agent\nid = 1", to: "project/agents/a.toml")
    try setting.scratch.write("[agent]\nname = \"No id\"", to: "project/agents/b.toml")
    try setting.scratch.write("---\nname: [\n---\nDo.", to: "project/agents/c.md")
    try setting.scratch.write("---\nname: x\nDo.", to: "project/agents/d.md")
    let large = String(repeating: "x", count: 1_000_001)
    try setting.scratch.write(large, to: "project/agents/e.toml")
    guard unsafe mkfifo(setting.path("project/agents/f.toml"), 0o600) == 0 else {
      throw Failure(.storage, "cannot make a pipe")
    }
    let found = setting.discover()
    #expect(found.registry["good"] != nil)
    let reported = found.failures.map(\.description) + found.warnings.map(\.description)
    for name in ["a.toml:1:", "b.toml:1:", "c.md:", "d.md:", "e.toml", "f.toml"] {
      #expect(reported.contains { $0.contains("project/agents/\(name)") }, "\(name) in \(reported)")
    }
    #expect(found.broken.map(\.stem).prefix(2) == ["a", "b"])
  }

  @Test("the prompt of a broken TOML file does not become an agent without its configuration")
  func brokenConfigKeepsItsPrompt() throws {
    let setting = try Setting()
    try setting.scratch.write("[agent\n", to: "project/agents/careful.toml")
    try setting.markdown("project/agents/prompts/careful.md", id: "careful")
    let found = setting.discover()
    #expect(found.registry["careful"] == nil && found.failures.count == 1)
  }

  @Test("two files of one id in one place: the first in sorted order is used, with a warning")
  func sameIDInOneRoot() throws {
    let setting = try Setting()
    for name in ["b", "c", "a/z"] {
      try setting.markdown("project/agents/\(name).md", id: "same", description: name)
    }
    let found = setting.discover()
    #expect(found.registry["same"]?.agent.description == "a/z")
    #expect(
      found.warnings.map { $0.location?.file }
        == ["b", "c"].map {
          setting.path("project/agents/\($0).md")
        })
    #expect(found.shadowed.count == 2)
  }

  @Test("links are followed, cycles and diamonds end, and broken links are reported")
  func links() throws {
    let setting = try Setting()
    try setting.markdown("elsewhere/linked/one.md", id: "one")
    try setting.markdown("mine/agents/here/two.md", id: "two")
    try setting.link("mine/agents/away", to: setting.path("elsewhere/linked"))
    try setting.link("mine/agents/away-again", to: setting.path("elsewhere/linked"))
    try setting.link("mine/agents/here/up", to: "..")
    try setting.link("mine/agents/here/self.md", to: "self.md")
    try setting.link("mine/agents/also-two.md", to: "here/two.md")
    // The user's own folder may be a symbolic link to somewhere else.
    try setting.link("home/agents", to: setting.path("mine/agents"))
    let found = setting.discover()
    #expect(found.registry.ids == ["one", "two"])
    #expect(found.registry["one"]?.agent.category == "away")
    #expect(found.shadowed.isEmpty && found.failures.isEmpty)
    #expect(
      found.warnings.map(\.message) == [
        "\(setting.path("home/agents/here/self.md")) is a broken link"
      ])
  }

  @Test("names that are not UTF-8 are reported and skipped")
  func names() throws {
    let setting = try Setting()
    try setting.markdown("project/agents/ok.md", id: "ok")
    for name in ["bad\u{1}", "folder\u{1}/"] {
      let path = setting.path("project/agents/\(name)").utf8.map {
        CChar(bitPattern: $0 == 1 ? 0xFF : $0)
      }
      if name.hasSuffix("/") {
        #expect(unsafe mkdir(path.dropLast() + [0], 0o700) == 0)
      } else {
        let number = unsafe open(
          path + ".md".utf8.map { CChar($0) } + [0], O_CREAT | O_WRONLY, 0o600)
        #expect(number >= 0)
        close(number)
      }
    }
    let found = setting.discover()
    #expect(found.registry.ids == ["ok"])
    #expect(found.warnings.count == 2)
    #expect(found.warnings.allSatisfy { $0.message.contains("is not UTF-8") })
  }

  @Test("files that are too deep or too many are reported and skipped")
  func limits() throws {
    let setting = try Setting()
    try setting.markdown("project/agents/1/2/3/deep.md", id: "deep")
    for index in 0..<5 { try setting.markdown("project/agents/\(index).md", id: "a-\(index)") }
    var discovery = setting.discovery(keeping: false)
    discovery.limits = ScanLimits(depth: 2)
    #expect(discovery.discover().registry.count == 5)
    #expect(discovery.discover().warnings.first?.message.contains("2 folders deep") == true)
    discovery.limits = ScanLimits(files: 3)
    #expect(discovery.discover().registry.count == 3)
    #expect(discovery.discover().warnings.count == 1)
    discovery.limits = ScanLimits(entries: 4)
    #expect(discovery.discover().registry.count == 0)
    #expect(discovery.discover().warnings.first?.message.contains("more than 4 entries") == true)
  }

  @Test(
    "an unreadable folder is reported, and the rest is available", .disabled(if: geteuid() == 0))
  func unreadable() throws {
    let setting = try Setting()
    try setting.markdown("project/agents/closed/one.md", id: "one")
    try setting.markdown("project/agents/open.md", id: "open")
    try setting.markdown("project/agents/shut.md", id: "shut")
    _ = unsafe chmod(setting.path("project/agents/closed"), 0)
    _ = unsafe chmod(setting.path("project/agents/shut.md"), 0)
    let found = setting.discover()
    _ = unsafe chmod(setting.path("project/agents/closed"), 0o700)
    #expect(found.registry.ids == ["open"])
    #expect(found.warnings.count == 1 && found.failures.count == 1)
  }

  @Test("only the requested agents")
  func scope() throws {
    let setting = try Setting()
    for name in ["core/a", "core/deep/b", "corex/c", "d"] {
      try setting.markdown("project/agents/\(name).md", id: String(name.suffix(1)))
    }
    try setting.markdown("home/agents/a.md", id: "a")
    let found = setting.discover()
    #expect(found.only(category: "core").registry.ids == ["a", "b"])
    #expect(found.only(ids: ["a", "d", "z"]).registry.ids == ["a", "d"])
    #expect(found.only(ids: ["a", "d"], category: "core").registry.ids == ["a"])
    #expect(found.only(ids: ["d"]).shadowed.isEmpty && found.only(ids: ["a"]).shadowed.count == 1)
    #expect(found.only().registry.count == 4)
  }

  @Test("many agents are the same whatever order they are read in")
  func many() throws {
    let setting = try Setting()
    let agents = MadeUpAgents(count: 300, seed: 7)
    try agents.write(to: setting.path("project/agents"))
    let found = setting.discover()
    #expect(found.failures.isEmpty, "\(found.failures.prefix(3))")
    #expect(found.warnings.isEmpty, "\(found.warnings.prefix(3))")
    #expect(found.registry.ids == (0..<300).map(agents.id).sorted())
    let again = setting.discover()
    #expect(again.registry.agents == found.registry.agents)
    #expect(again.registry.entries.map(\.relevance) == found.registry.entries.map(\.relevance))
  }
}
