import RasaCore
import RasaDocuments
import RasaEngine
import RasaHTTPClient
import RasaLearning

extension Rasa {
  /// Something about a persona or agent that became worse, by more than chance explains.
  public struct Alert: Sendable, Hashable, Codable {
    /// `score`, `success`, `cost`, `time`; of a node `node_time`, `node_failures`; `model` where another model took over.
    public var kind: String
    /// The persona or agent.
    public var agent: String
    /// The node, or the model that took over; empty for anything else.
    public var subject: String
    /// What it was before: dollars, seconds, or a share from 0 to 1.
    public var before: Double
    /// What it is now.
    public var after: Double
    /// How many runs, or uses of the node, tell what it was.
    public var runsBefore: Int
    /// How many tell what it is now.
    public var runsAfter: Int
    /// How likely such a difference would be if nothing had changed.
    public var p: Double
  }

  /// What became worse: the last days against the four times as many before them, and the latest model of each persona or
  /// agent against the one before. Of many alerts one in twenty is false on average.
  ///
  /// - Parameter days: How many days are the last ones.
  public func alerts(days: Int = 7) async throws(RasaError) -> [Alert] {
    let today = try await today().day
    return try await redacted {
      let days = min(max(days, 1), 1_000)
      let (first, last) = (today.advanced(byDays: 1 - days), today.advanced(byDays: -days))
      let begin = today.advanced(byDays: 1 - 5 * days)
      func sums(_ from: LocalDay, _ to: LocalDay?) async throws -> [String: PerformanceSums] {
        let rows = try await store.performance(PerformanceQuery(from: from, to: to, by: [.agent]))
        return Dictionary(rows.map { ($0.keys[0], $0.sums) }) { first, _ in first }
      }
      let (before, after) = (try await sums(begin, last), try await sums(first, nil))
      var changes: [PerformanceChange] = []
      for (agent, now) in after.sorted(by: { $0.key < $1.key }) {
        guard let old = before[agent] else { continue }
        changes.append(PerformanceChange(agent: agent, .agent(before: old, after: now)))
      }
      struct Place: Hashable {
        var agent: String
        var node: NodeKey
      }
      let oldNodes = Dictionary(
        try await store.nodes(of: nil, from: begin, to: last).map {
          (Place(agent: $0.agent, node: $0.node), $0.sums)
        }
      ) { first, _ in first }
      for row in try await store.nodes(of: nil, from: first, to: nil) {
        guard let old = oldNodes[Place(agent: row.agent, node: row.node)] else { continue }
        changes.append(
          PerformanceChange(agent: row.agent, .node(row.node, before: old, after: row.sums)))
      }
      let models = try await store.performance(PerformanceQuery(by: [.agent, .model]))
      for (agent, rows) in Dictionary(grouping: models, by: { $0.keys[0] }) {
        let used = rows.filter { !$0.keys[1].isEmpty }.sorted { $0.firstAt < $1.firstAt }
        guard used.count > 1, let new = used.last, case let old = used[used.count - 2],
          // Both are used side by side.
          old.lastAt <= new.firstAt || old.lastAt < new.lastAt
        else { continue }
        changes.append(
          PerformanceChange(
            agent: agent, .model(new.keys[1], before: old.sums, after: new.sums)))
      }
      return RasaLearning.alerts(changes).map { Alert($0) }
    }
  }

  /// Sends alerts as a JSON document to an address.
  ///
  /// - Throws: A `RasaError` of code `provider` when nobody answers there, or with anything but success, and of code
  ///   `usage` when the address is none: without TLS only this machine is spoken to.
  public func send(_ alerts: JSON, to address: String) async throws(RasaError) {
    try await redacted {
      let time = composition.time
      let request = HTTPRequest(
        url: address, headers: [(name: "Content-Type", value: "application/json")],
        body: alerts.value.jsonBytes(), allowsPlainHTTP: Self.isLoopback(address),
        headerDeadline: time.monotonic() &+ 10_000_000_000, connectTimeout: .seconds(10))
      let response: HTTPResponse
      do {
        response = try await services.client.send(request)
      } catch let error as HTTPError {
        throw Failure(
          error.code == .invalidURL || error.code == .refusedScheme ? .usage : .provider,
          "the webhook could not be reached: \(error.message)",
          suggestion: "check the address; what it was to be told is printed all the same")
      }
      response.body.cancel()
      guard (200..<300).contains(response.status) else {
        throw Failure(
          .provider, "the webhook answered with \(response.status)",
          suggestion: "check the address, and what it takes")
      }
    }
  }
}

extension Rasa {
  /// What is said about runs goes over a network only encrypted.
  private static func isLoopback(_ address: String) -> Bool {
    ["http://localhost", "http://127.0.0.1", "http://[::1]"].contains { host in
      guard address.hasPrefix(host) else { return false }
      let rest = address.dropFirst(host.count)
      return rest.isEmpty || rest.hasPrefix("/") || rest.hasPrefix(":")
    }
  }
}

extension Rasa.Alert {
  init(_ alert: PerformanceAlert) {
    kind = alert.kind.rawValue
    agent = alert.agent
    subject = alert.subject
    before = alert.before
    after = alert.after
    runsBefore = alert.runsBefore
    runsAfter = alert.runsAfter
    p = alert.p
  }
}
