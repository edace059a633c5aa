import Glibc
import RasaAgents
import RasaCore
import RasaPersona
import RasaSystem
import RasaTestKit
import Testing

@Suite("Library of agents")
struct LibraryTests {
  private func words(_ documents: AgentDocuments?) -> String? {
    documents?.prompt.map { String(decoding: $0.bytes, as: UTF8.self) }
  }

  @Test("an agent's files are given as they are now")
  func filesNow() throws {
    let setting = try Setting()
    try setting.config("project/agents/core/one.toml", id: "one", prompt: "First.")
    let library = AgentLibrary(setting.discovery())
    #expect(library.agentIDs() == ["one"])
    let documents = try #require(try library.documents(ofAgent: "one"))
    #expect(documents.fileName == "one" && documents.category == "core")
    #expect(documents.origin == setting.path("project/agents"))
    try setting.scratch.write("Second.", to: "project/agents/core/one-prompt.md")
    #expect(words(try library.documents(ofAgent: "one")) == "Second.")
    #expect(try library.documents(ofAgent: "two") == nil)
    try setting.markdown("project/agents/two.md", id: "two", body: "New.")
    #expect(words(try library.documents(ofAgent: "two"))?.hasSuffix("New.\n") == true)
    try setting.remove("project/agents/two.md")
    #expect(try library.documents(ofAgent: "two") == nil)
    try setting.remove("project/agents/core/one.toml")
    try setting.config("home/agents/one.toml", id: "one", prompt: "Moved.")
    #expect(words(try library.documents(ofAgent: "one")) == "Moved.")
  }

  @Test(
    "a prompt that is written again at once is read again, though its size and time are the same")
  func samePromptStamp() throws {
    let setting = try Setting()
    var library = Library(
      personas: [], operators: [], agents: AgentLibrary(setting.discovery(fresh: true)))
    library.prompts = PromptCache { 0 }
    for round in 10..<60 {
      try setting.config("project/agents/one.toml", id: "one", prompt: "Round \(round) {{input}}.")
      let prompt = try library.agentPersona(named: "one")?.operators.first?.prompt
      let text = try #require(prompt).render { _ in .null }
      #expect(text.contains("Round \(round) "), "\(text)")
    }
  }

  @Test(
    "a link that leads out of a project's agents is reported once; in the user's own folder it is followed"
  )
  func links() throws {
    let setting = try Setting()
    try setting.markdown("elsewhere/two.md", id: "two")
    for place in ["project", "home"] {
      try setting.markdown("\(place)/agents/one.md", id: "one")
      for (name, target) in [("all", "/"), ("out", setting.path("elsewhere")), ("in", ".")] {
        #expect(unsafe symlink(target, setting.path("\(place)/agents/\(name)")) == 0)
      }
    }
    var places = setting.places
    places.home = setting.path("nowhere")
    let project = AgentDiscovery(places).discover()
    #expect(project.registry.ids == ["one"])
    #expect(
      project.warnings.map(\.message)
        == ["all", "out"].map { name in
          let folder = setting.path("project/agents")
          return "\(folder)/\(name) is a link that leads out of \(folder), so it is skipped"
        })

    places = setting.places
    places.project = setting.path("nowhere")
    let home = AgentDiscovery(places).discover()
    #expect(home.registry.ids == ["one", "two"])
    let folder = setting.path("home/agents")
    #expect(
      home.warnings.map(\.message)
        == ["\(folder)/all is a link to a folder that contains \(folder), so it is skipped"])
  }

  @Test("a broken file that would take precedence keeps the shadowed agent from running")
  func brokenHides() throws {
    let setting = try Setting()
    try setting.markdown("home/agents/one.md", id: "one")
    try setting.scratch.write("[agent\n", to: "project/agents/one.toml")
    let library = AgentLibrary(setting.discovery())
    #expect(library.found.registry["one"] != nil)
    #expect { try library.documents(ofAgent: "one") } throws: {
      ($0 as? Failure)?.location?.file == setting.path("project/agents/one.toml")
    }
    try setting.config("project/agents/one.toml", id: "one")
    #expect(try library.documents(ofAgent: "one")?.config != nil)
    // A broken file of lower precedence hides nothing.
    try setting.scratch.write("[agent\n", to: "home/agents/one.toml")
    library.refresh()
    #expect(try library.documents(ofAgent: "one")?.config != nil)
  }

  @Test("shipped agents have their files")
  func shipped() throws {
    let library = AgentLibrary(
      AgentDiscovery(AgentRoots(project: "/nowhere", home: "/nowhere")))
    for id in library.agentIDs() {
      let documents = try #require(try library.documents(ofAgent: id))
      #expect(AgentLoader.load(documents).definition?.agent.id == id)
      #expect(documents.prompt != nil && documents.origin == "shipped")
    }
  }

  @Test("many ask at once while others look again")
  func concurrent() async throws {
    let setting = try Setting()
    try MadeUpAgents(count: 40).write(to: setting.path("project/agents"))
    let library = AgentLibrary(setting.discovery())
    let counts = await withTaskGroup(of: Set<Int>.self) { group in
      for reader in 0..<6 {
        group.addTask {
          Set(
            (0..<20).map { _ in
              reader < 2 ? library.refresh().registry.count : library.found.registry.count
            })
        }
      }
      return await group.reduce(into: Set<Int>()) { $0.formUnion($1) }
    }
    #expect(counts == [40])
  }
}

@Suite("Watch of agents")
struct WatchTests {
  @Test("added, changed and removed agents are reported, also in folders that appear later")
  func changes() async throws {
    let setting = try Setting()
    try setting.config("project/agents/core/one.toml", id: "one")
    let library = AgentLibrary(setting.discovery(fresh: true))
    let watch = try AgentWatch(library, settling: .milliseconds(10))
    #expect(watch.found.registry.ids == ["one"] && watch.warnings.isEmpty)

    try setting.markdown("project/agents/new/deep/two.md", id: "two")
    var change = try #require(await watch.next())
    #expect(change.added == ["two"] && change.changed.isEmpty && change.removed.isEmpty)
    #expect(library.found.registry.ids == ["one", "two"])

    try setting.markdown("project/agents/new/deep/two.md", id: "two", description: "Changed")
    change = try #require(await watch.next())
    #expect(
      change.changed == ["two"] && change.found.registry["two"]?.agent.description == "Changed")

    try setting.scratch.write("Do it differently.", to: "project/agents/core/one-prompt.md")
    change = try #require(await watch.next())
    #expect(change.changed == ["one"])

    try setting.remove("project/agents/new/deep/two.md")
    change = try #require(await watch.next())
    #expect(change.removed == ["two"])

    // A root that did not exist before.
    try setting.markdown("project/.rasa/extensions/more/agents/three.md", id: "three")
    change = try #require(await watch.next())
    #expect(change.added == ["three"])

    try setting.scratch.write("[agent\n", to: "project/agents/broken.toml")
    change = try #require(await watch.next())
    #expect(change.added.isEmpty && change.found.failures.count == 1)

    watch.stop()
    #expect(await watch.next() == nil)
  }

  @Test("a prompt outside the agents' folders is watched too")
  func promptElsewhere() async throws {
    let setting = try Setting()
    try setting.config(
      "home/agents/one.toml", id: "one", prompt: nil, promptPath: "prompts/one.md")
    let watch = try AgentWatch(
      AgentLibrary(setting.discovery(fresh: true)), settling: .milliseconds(10))
    try setting.scratch.write("Do.", to: "workspace/prompts/one.md")
    #expect(await watch.next()?.changed == ["one"])
    #expect(
      watch.found.registry["one"]?.agent.files.prompt == setting.path("workspace/prompts/one.md"))
  }
}
