import RasaAgents
import RasaCore
import RasaPersona
import RasaSystem
import RasaTestKit
import Testing

@Suite("Prompts of agents")
struct PromptTests {
  private func prompt(_ setting: Setting) -> String? {
    setting.discover().registry["one"]?.agent.files.prompt
  }

  @Test("a prompt is looked for beside its TOML file, then in the project and the workspaces")
  func places() throws {
    let setting = try Setting()
    try setting.config(
      "home/agents/core/one.toml", id: "one", prompt: nil, promptPath: "prompts/one.md")
    #expect(prompt(setting) == nil)
    for folder in ["older-workspace", "workspace", "project", "home/agents/core"] {
      let path = try setting.scratch.write("Do.", to: "\(folder)/prompts/one.md")
      #expect(prompt(setting) == path)
    }
  }

  @Test("the mirror is used where the prompt is not there")
  func mirror() throws {
    let setting = try Setting()
    try setting.config(
      "project/agents/one.toml", id: "one", more: "mirror_path = \"copies/one.md\"", prompt: nil,
      promptPath: "prompts/one.md")
    let mirror = try setting.scratch.write("Do.", to: "project/copies/one.md")
    #expect(prompt(setting) == mirror)
    let own = try setting.scratch.write("Do.", to: "project/prompts/one.md")
    #expect(prompt(setting) == own)
  }

  @Test("an agent without its prompt is there, with a warning")
  func missing() throws {
    let setting = try Setting()
    try setting.config("project/agents/one.toml", id: "one", prompt: nil)
    let found = setting.discover()
    #expect(found.registry.ids == ["one"] && found.failures.isEmpty)
    #expect(found.warnings.count == 1)
    #expect(found.warnings.first?.location?.file == setting.path("project/agents/one.toml"))
  }

  @Test(
    "a prompt may be reached by dots within the project, and never outside",
    arguments: [
      ("../../shared/one.md", true), ("./../../shared/../shared/one.md", true),
      ("../../../secret.md", false), ("SCRATCH/secret.md", false),
      ("SCRATCH/project/shared/one.md", true), ("../../../project/shared/one.md", true),
      ("SCRATCH/project/../secret.md", false),
    ])
  func escaping(path: String, isAllowed: Bool) throws {
    let setting = try Setting()
    try setting.scratch.write("Secret.", to: "secret.md")
    try setting.scratch.write("Do.", to: "project/shared/one.md")
    var named = path
    if path.hasPrefix("SCRATCH") { named = setting.scratch.path + path.dropFirst(7) }
    try setting.config(
      "project/agents/core/one.toml", id: "one", prompt: nil, promptPath: named)
    let found = setting.discover()
    #expect((found.registry["one"]?.agent.files.prompt != nil) == isAllowed)
    #expect(found.warnings.contains { $0.message.contains("is outside") } == !isAllowed)
  }

  @Test("inserted files must be beneath the prompt's folder or the project")
  func insertions() throws {
    let setting = try Setting()
    try setting.scratch.write("Secret.", to: "secret.md")
    try setting.scratch.write("of the project", to: "project/rules/shared.md")
    try setting.scratch.write("hidden by the prompt's own", to: "project/own.md")
    try setting.scratch.write("beside", to: "project/agents/core/own.md")
    try setting.scratch.write("of the workspace", to: "workspace/common.md")
    try setting.link("project/agents/core/out.md", to: setting.path("secret.md"))
    try setting.config("project/agents/core/one.toml", id: "one")
    let library = AgentLibrary(setting.discovery())
    let documents = try #require(try library.documents(ofAgent: "one"))
    func insert(_ path: String) throws -> String {
      let document = try library.insert(path, intoPromptOf: documents)
      return String(decoding: document.bytes, as: UTF8.self)
    }
    #expect(try insert("own.md") == "beside")
    #expect(try insert("rules/shared.md") == "of the project")
    #expect(try insert("../../rules/shared.md") == "of the project")
    #expect(try insert("common.md") == "of the workspace")
    for path in ["../../../secret.md", "out.md", setting.path("secret.md"), "none.md", ""] {
      #expect(throws: Failure.self, "\(path)") { try insert(path) }
    }
  }
}
