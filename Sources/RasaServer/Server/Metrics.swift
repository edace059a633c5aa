import RasaCore

/// Counts for `/metrics`.
final class Metrics: Sendable {
  struct Key: Hashable, Comparable {
    var method: String
    var path: String
    var status: Int
    static func < (left: Key, right: Key) -> Bool {
      (left.path, left.method, left.status) < (right.path, right.method, right.status)
    }
  }

  private let counts = Locked<[Key: Int]>([:])

  func count(_ route: Route?, status: Int) {
    let key = Key(method: route?.method ?? "", path: route?.path ?? "", status: status)
    counts.withLock { $0[key, default: 0] += 1 }
  }

  /// In the text format of Prometheus.
  func text(_ context: ServerContext) -> String {
    var text = """
      # HELP rasa_requests_total Requests that were answered.
      # TYPE rasa_requests_total counter

      """
    for (key, count) in counts.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
      text +=
        "rasa_requests_total{method=\"\(key.method)\",route=\"\(key.path)\",status=\"\(key.status)\"} \(count)\n"
    }
    let (inside, waiting) = context.admission.standing
    func gauge(_ name: String, _ help: String, _ value: Int) {
      text += "# HELP \(name) \(help)\n# TYPE \(name) gauge\n\(name) \(value)\n"
    }
    gauge("rasa_runs_live", "Runs that this server carries out.", context.hub.count)
    gauge("rasa_admitted", "Runs and calls that were let in and have not ended.", inside)
    gauge("rasa_waiting", "Requests that wait to be let in.", waiting)
    return text
  }
}
