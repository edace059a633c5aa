import RasaStage
import RasaCore
import RasaDocuments
import RasaEngine
import RasaPersona
import RasaSystem
import RasaTestKit

/// The AgentDojo suites, as `Tests/Attacks/agentdojo_export.py` writes them.
struct AgentDojo: Sendable {
  struct Call: Sendable, Hashable {
    var tool: String
    var arguments: Value
    var result: String
  }
  struct Task: Sendable {
    var id: String
    var text: String
    var calls: [Call]
  }
  struct Suite: Sendable {
    var name: String
    var tools: [ToolDescription]
    var userTasks: [Task]
    var injections: [Task]
    var secrets: [String]
  }

  var suites: [Suite]
  var marker: String

  /// The tests share one export: it takes Python some seconds of a processor to load the suites.
  private static let export = _Concurrency.Task { try await exportNow() }

  /// Fails where the packages of the set-up are missing.
  static func exported() async throws -> AgentDojo { try await export.value }

  private static func exportNow() async throws -> AgentDojo {
    let run = try await ProgramRun.run(
      Repository.path(".build/agentdojo/bin/python"),
      [Repository.path("Tests/Attacks/agentdojo_export.py")],
      environment: Environment.ofProcess().variables, folder: Repository.path(""),
      limit: .seconds(300))
    guard run.exitCode == 0 else {
      throw Failure(
        .run, "the suites cannot be exported: \(run.errorText)",
        suggestion: "`sh Scripts/setup.sh external` installs them")
    }
    return try AgentDojo(JSON.parse(run.output))
  }

  init(_ document: Value) throws {
    marker = document["marker"].string ?? ""
    suites = (document["suites"].array ?? []).map { suite in
      let name = suite["name"].promptText
      func tasks(_ key: String, _ text: String) -> [Task] {
        (suite[key].array ?? []).map { task in
          Task(
            id: task["id"].promptText, text: task[text].promptText,
            calls: (task["calls"].array ?? []).map {
              Call(
                tool: "mcp:\(name)/\($0["function"].promptText)", arguments: $0["args"],
                result: $0["result"].promptText)
            })
        }
      }
      return Suite(
        name: name,
        tools: (suite["tools"].array ?? []).map { Self.description($0, of: name) },
        userTasks: tasks("user_tasks", "prompt"), injections: tasks("injection_tasks", "goal"),
        secrets: (suite["secrets"].array ?? []).compactMap(\.string))
    }
  }

  // MARK: What a careful user would declare about these tools

  /// Everything else changes something.
  private static let reads = ["get_", "search_", "list_", "read_", "check_"]
  /// To fetch any page is to send its address there.
  private static let fetching = "get_webpage"
  private static let untrusted = [
    "email", "file", "calendar", "webpage", "channel_messages", "inbox", "reviews", "transactions",
    "contact",
  ]
  private static let personal = [
    "email", "file", "calendar", "channel_messages", "inbox", "transactions", "user_info", "iban",
    "balance", "user_information", "contact",
  ]
  private static let ways = [
    "send_", "post_", "share_", "invite_", "schedule_transaction", "update_scheduled",
    "participants",
    "create_calendar_event", fetching,
  ]

  private static func description(_ tool: Value, of suite: String) -> ToolDescription {
    let name = tool["name"].promptText
    let onlyReads = reads.contains(where: name.hasPrefix)
    var flow: DataFlow = []
    if onlyReads, untrusted.contains(where: name.contains) { flow.insert(.untrustedContent) }
    if onlyReads, personal.contains(where: name.contains) { flow.insert(.privateData) }
    if ways.contains(where: name.contains) { flow.insert(.wayOut) }
    return ToolDescription(
      name: "mcp:\(suite)/\(name)", text: tool["description"].promptText,
      parameters: tool["parameters"],
      sideEffects: onlyReads && name != fetching ? .none : .yes, dataFlow: flow,
      origin: .server(suite))
  }
}
