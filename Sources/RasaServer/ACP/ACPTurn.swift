import RasaCore
import RasaKit

/// What an editor is told of a run.
final class ACPTurn: Sendable {
  private struct Entry {
    var frame: String
    var name: String
    var content: String
    var status = "pending"
  }

  let session: String
  private let connection: PeerConnection
  private let state = Locked<(run: String, plan: [Entry])>(("", []))

  init(session: String, _ connection: PeerConnection) {
    self.session = session
    self.connection = connection
  }

  var run: String {
    get { state.withLock { $0.run } }
    set { state.withLock { $0.run = newValue } }
  }

  /// A message of rasa's own, apart from the answer.
  func say(_ text: String, as part: String = "message") async {
    await connection.update(
      session, "agent_message_chunk",
      ["messageId": .string("\(run).\(part)"), "content": .text("\n\n\(text)")])
  }

  func take(_ observation: Rasa.Observation) async {
    guard let event = observation.event else { return }
    switch event {
    case .output(let text):
      await connection.update(
        session, "agent_message_chunk", ["messageId": .string(run), "content": .text(text)])
    case .reasoning(_, let text):
      await connection.update(session, "agent_thought_chunk", ["content": .text(text)])
    case .stepStarted(let step): await mark(step, "in_progress")
    case .stepFinished(let step, _): await mark(step, "completed")
    case .tool(_, let activity): await tell(activity)
    default: break
    }
  }

  private func tell(_ activity: Rasa.ToolActivity) async {
    // Keys of uses are those of their run, and a session has several runs.
    let call: Value = .string("\(run) \(activity.id)")
    switch activity.phase {
    case .started(let arguments):
      await connection.update(
        session, "tool_call",
        [
          "toolCallId": call, "title": .string(activity.tool), "kind": "other",
          "status": "in_progress", "rawInput": arguments.value,
        ])
    case .progressed(_, _, let message) where !message.isEmpty:
      await connection.update(
        session, "tool_call_update",
        [
          "toolCallId": call,
          "content": [["type": "content", "content": .text(message)]],
        ])
    case .ended(let isError):
      await connection.update(
        session, "tool_call_update",
        ["toolCallId": call, "status": isError ? "failed" : "completed"])
    default: break
    }
  }

  // MARK: The plan

  /// The operators of a persona, in the order of its frames; one alone is no plan.
  func plan(_ persona: Value) async {
    var entries: [Entry] = []
    for frame in persona["frames"].array ?? [] {
      for node in frame["operators"].array ?? [] {
        let name = node["name"].string ?? ""
        entries.append(
          Entry(
            frame: frame["name"].string ?? "", name: name,
            content: node["description"].string.map { "\(name): \($0)" } ?? name))
      }
    }
    guard entries.count > 1 else { return }
    state.withLock { [entries] in $0.plan = entries }
    await show(entries)
  }

  private func mark(_ step: Rasa.Step, _ status: String) async {
    let changed = state.withLock { state -> [Entry]? in
      guard
        let index = state.plan.firstIndex(where: { $0.frame == step.frame && $0.name == step.name }
        ),
        state.plan[index].status != status
      else { return nil }
      state.plan[index].status = status
      return state.plan
    }
    if let changed { await show(changed) }
  }

  private func show(_ entries: [Entry]) async {
    await connection.update(
      session, "plan",
      [
        "entries": .array(
          entries.map {
            ["content": .string($0.content), "priority": "medium", "status": .string($0.status)]
          })
      ])
  }
}
