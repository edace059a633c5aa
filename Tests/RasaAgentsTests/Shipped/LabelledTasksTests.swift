import RasaAgents
import RasaPersona
import RasaSystem
import RasaTestKit
import Testing

/// The labelled tasks that recommendation is evaluated with are valid.
@Suite struct LabelledTasksTests {
  private struct Task {
    let text: Substring
    let agents: [String]
  }

  private static func tasks(_ name: String) throws -> [Task] {
    let path = Repository.path("Tests/Fixtures/tasks/\(name).tsv")
    let bytes = try #require(try FileSystem.readIfPresent(path, limit: 1_000_000))
    return try String(decoding: bytes, as: UTF8.self).split(separator: "\n")
      .filter { !$0.hasPrefix("#") }
      .map { line in
        let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
        try #require(parts.count == 2, "\(line)")
        return Task(text: parts[0], agents: parts[1].split(separator: ",").map(String.init))
      }
  }

  @Test func everyLabelIsAShippedAgentAndEveryAgentIsAsked() throws {
    let scratch = ScratchDirectory()
    let places = AgentRoots(project: scratch.path, home: scratch.path)
    let ids = Set(AgentDiscovery(places).discover().registry.ids)
    var best: [String: Int] = [:]
    for name in ["development", "held-out", "unseen"] {
      let tasks = try Self.tasks(name)
      #expect(tasks.count >= 120)
      for task in tasks {
        #expect(!task.text.isEmpty && ids.isSuperset(of: task.agents), "\(task.text)")
        #expect(Set(task.agents).count == task.agents.count, "\(task.text)")
        best[try #require(task.agents.first), default: 0] += 1
      }
    }
    for id in ids.sorted() { #expect(best[id, default: 0] >= 4, "\(id) is hardly asked") }
  }

  @Test func noTaskIsInBothSets() throws {
    let development = Set(try Self.tasks("development").map { $0.text.lowercased() })
    let heldOut = try Self.tasks("held-out").map { $0.text.lowercased() }
    #expect(Set(heldOut).count == heldOut.count)
    #expect(development.isDisjoint(with: heldOut))
  }
}
