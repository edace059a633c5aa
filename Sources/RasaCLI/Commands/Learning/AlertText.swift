import RasaCore
import RasaKit

extension Rasa.Alert {
  /// `analyst: the score fell from 0.81 to 0.62 (40 runs before, 25 now, p = 0.003)`.
  var line: String {
    let change =
      switch kind {
      case "score": "the score fell from \(figure(before)) to \(figure(after))"
      case "success": "successes fell from \(share(before)) to \(share(after))"
      case "cost": "a run costs \(dollars(after)), \(dollars(before)) before"
      case "time": "a run takes \(after.fixed(1)) s, \(before.fixed(1)) s before"
      case "node_time": "\(subject) takes \(after.fixed(1)) s, \(before.fixed(1)) s before"
      case "node_failures": "\(subject) fails in \(share(after)), \(share(before)) before"
      default:
        "\(subject) does worse than the model before it: \(figure(after)), \(figure(before)) before"
      }
    return
      "\(agent): \(change) (\(runsBefore) before, \(runsAfter) now, p \(p < 0.001 ? "< 0.001" : "= " + p.fixed(3)))"
  }
}
