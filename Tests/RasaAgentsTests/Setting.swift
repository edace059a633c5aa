import Glibc
import RasaAgents
import RasaCore
import RasaPersona
import RasaSystem
import RasaTestKit

/// The folders of a user and of a project, for agents to be discovered in.
struct Setting {
  let scratch: ScratchDirectory
  var places: AgentRoots
  /// Records the ids of agents as they are read.
  let read = Readings()

  final class Readings: Sendable {
    private let ids = Locked<[String]>([])
    func note(_ id: String) { ids.withLock { $0.append(id) } }
    /// The ids since the last call, sorted.
    func take() -> [String] {
      ids.withLock { ids in
        defer { ids = [] }
        return ids.sorted()
      }
    }
  }

  init(shipped: Bool = false) throws {
    scratch = ScratchDirectory()
    places = AgentRoots(
      project: scratch.file("project"), home: scratch.file("home"),
      workspaces: [scratch.file("workspace"), scratch.file("older-workspace")],
      olderHome: scratch.file("older-home"), includesShipped: shipped)
    places.userHome = scratch.file("person")
    places.userTools = [
      ".claude/agents", ".copilot/agents", ".config/opencode/agent", ".config/opencode/agents",
    ].map { scratch.file("person/\($0)") }
    for folder in ["project", "home", "workspace"] {
      try FileSystem.makeFolder(scratch.file(folder))
    }
  }

  /// A discovery whose clock is past every change, unless `fresh`.
  func discovery(fresh: Bool = false, keeping: Bool = true) -> AgentDiscovery {
    var discovery = AgentDiscovery(
      places, indexFolder: keeping ? scratch.file("state") : nil, noteName: "test",
      note: { [read] agent, prompt in
        read.note(agent.id)
        return Array(prompt.utf8.prefix(40))
      })
    if !fresh { discovery.clock = { FileSystem.clock() + 10_000_000_000 } }
    return discovery
  }

  func discover(fresh: Bool = false) -> DiscoveredAgents {
    discovery(fresh: fresh, keeping: false).discover()
  }

  func path(_ name: String) -> String { scratch.file(name) }

  /// A TOML file, and its prompt beside it if given.
  func config(
    _ path: String, id: String, name: String = "An agent", more: String = "",
    prompt: String? = "Do it.", promptPath: String? = nil
  ) throws {
    let named = promptPath ?? "\(id)-prompt.md"
    try scratch.write(
      """
      [agent]
      id = "\(id)"
      name = "\(name)"
      description = "What \(id) is for, said at some length"
      prompt_path = "\(named)"
      \(more)
      """, to: path)
    if let prompt {
      try scratch.write(prompt, to: "\(FileSystem.parent(of: path))/\(named)")
    }
  }

  func markdown(_ path: String, id: String, description: String = "Something", body: String = "Do.")
    throws
  {
    try scratch.write("---\nname: \(id)\ndescription: \(description)\n---\n\(body)\n", to: path)
  }

  func link(_ path: String, to target: String) throws {
    try FileSystem.makeFolder(FileSystem.parent(of: self.path(path)))
    guard unsafe symlink(target, self.path(path)) == 0 else {
      throw Failure(.storage, "cannot link \(path)")
    }
  }

  func remove(_ path: String) throws { try FileSystem.removeFile(self.path(path)) }
}

extension DiscoveredAgents {
  /// The files of the agents by id, relative to the test's folder.
  func files(in setting: Setting) -> [String: String] {
    Dictionary(
      uniqueKeysWithValues: registry.agents.map { agent in
        let path = agent.files.config ?? agent.files.prompt ?? ""
        return (agent.id, String(path.dropFirst(setting.scratch.path.count + 1)))
      })
  }
}
