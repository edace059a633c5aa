import RasaCore
import RasaKit

/// Tells a client what the run of its request does, if it wants to know.
final class MCPProgress: Sendable {
  private let token: Value
  private let outlet: MCPOutlet
  private let state = Locked<(count: Int64, isOver: Bool)>((0, false))

  /// - Parameter meta: the `_meta` of the request.
  init(_ meta: Value, _ outlet: MCPOutlet) {
    let token = meta["progressToken"]
    self.token = token.string != nil || token.int != nil ? token : .null
    self.outlet = outlet
  }

  /// The request is answered: nothing is told of it any more.
  func end() { state.withLock { $0.isOver = true } }

  func tell(_ message: String) async {
    guard !token.isNull else { return }
    let count = state.withLock { state -> Int64? in
      guard !state.isOver else { return nil }
      state.count += 1
      return state.count
    }
    guard let count else { return }
    await outlet.notify(
      "notifications/progress",
      ["progressToken": token, "progress": .int(count), "message": .string(message)])
  }

  /// What an event is to somebody who waits; nil for what says nothing to them.
  static func message(_ event: Rasa.Event) -> String? {
    switch event {
    case .started(let run): "run \(run) has begun"
    case .stepStarted(let step): step.title
    case .modelChosen(let step, let provider, let model): "\(step.title) asks \(provider):\(model)"
    case .restarted(let step, let restart): "\(step.title) writes again: \(restart.reason)"
    case .asked(let approval): "waits for a person: \(approval.title)"
    case .tool(let step, let activity):
      if case .started = activity.phase { "\(step.title) uses \(activity.tool)" } else { nil }
    default: nil
    }
  }
}
