import RasaCore
import RasaDocuments
import RasaEngine
import RasaHTTPClient
import RasaSystem

/// Follows a run on a server from its events, over as many connections as it takes.
struct RemoteFollowing {
  private static let mostAttempts = 30
  private static let mostEventBytes = 64_000_000

  private let connection: RemoteConnection
  private let observer: Rasa.Observer
  /// The run's ID, once it is known.
  private(set) var run: String?
  private var lastID: String?
  /// The questions so far, by ID, with what their events say.
  private var questions: [String: RasaCore.Value] = [:]
  private var warnings: [String] = []

  init(_ connection: RemoteConnection, _ observer: Rasa.Observer) {
    self.connection = connection
    self.observer = observer
  }

  /// Starts the run and follows it.
  ///
  /// - Returns: the document of its result.
  mutating func start(_ body: RasaCore.Value) async throws -> RasaCore.Value {
    let response = try await connection.open("POST", "/v1/runs", body)
    run = response.headers.first(named: "x-rasa-run")
    guard let result = try await follow(response.body) else { return try await goOn() }
    return Self.isInterrupted(result) ? try await goOn(afterInterruption: true) : result
  }

  private static func isInterrupted(_ result: RasaCore.Value) -> Bool {
    result["status"].string == "interrupted"
  }

  /// Follows the run from where it was, again and again where the connection breaks.
  ///
  /// - Parameter wasInterrupted: Whether the run was stopped. That may be because the server stopped: the next one goes on
  ///   with it. If the run is still stopped then, somebody has stopped the run itself.
  mutating func goOn(
    afterInterruption wasInterrupted: Bool = false
  ) async throws -> RasaCore.Value {
    guard let run else {
      throw Failure(.provider, "the server has not said which run it started")
    }
    var attempt = 0
    var wasInterrupted = wasInterrupted
    while true {
      do {
        let response = try await connection.open(
          "GET", "/v1/runs/\(run)/events",
          headers: lastID.map { [(name: "Last-Event-ID", value: $0)] } ?? [])
        attempt = 0
        if let result = try await follow(response.body) {
          guard Self.isInterrupted(result), !wasInterrupted else { return result }
          wasInterrupted = true
        }
      } catch let failure as Failure where failure.kind == .provider {
        attempt += 1
        guard attempt < Self.mostAttempts else { throw failure }
        if attempt == 1 {
          let text = "the connection to the server broke; the run \(run) goes on there"
          warnings.append(text)
          observer.warn?(text)
        }
        try await TimeSource.system.sleep(.milliseconds(min(2_000, 100 << min(attempt, 5))))
      }
    }
  }

  /// Nil where the events end without a result.
  private mutating func follow(_ body: HTTPBody) async throws -> RasaCore.Value? {
    var waiting: [UInt8] = []
    do {
      while let bytes = try await body.next() {
        waiting += bytes
        // An event counts once it is there whole: then its `id` does, too.
        while let end = waiting.firstRange(ofBytes: [0x0A, 0x0A]) {
          let event = Array(waiting[..<end.lowerBound])
          waiting.removeSubrange(..<end.upperBound)
          if let result = try await take(event) { return result }
        }
        guard waiting.count < Self.mostEventBytes else {
          throw Failure(.run, "an event of the server is longer than \(Self.mostEventBytes) bytes")
        }
      }
    } catch is HTTPError { return nil }
    return nil
  }

  private mutating func take(_ event: [UInt8]) async throws -> RasaCore.Value? {
    var data: ArraySlice<UInt8>?
    var id: String?
    for line in event.split(separator: 0x0A) {
      if line.starts(with: "data: ".utf8) { data = line.dropFirst(6) }
      if line.starts(with: "id: ".utf8) { id = String(decoding: line.dropFirst(4), as: UTF8.self) }
    }
    guard let data else { return nil }
    let line = try JSON.parse(
      data, named: "an event of the server",
      limits: JSONLimits(depth: 128, bytes: Self.mostEventBytes))
    switch line["type"].string {
    case "result": return line
    case "run.started": run = line["run"].string ?? run
    case "human.asked": if let id = line["approval"].string { questions[id] = line }
    case "warning":
      let text = line["message"].string ?? ""
      warnings.append(text)
      observer.warn?(text)
    default: break
    }
    try await observer.observe(Rasa.Observation(remote: line))
    if let id { lastID = id }
    return nil
  }

  /// Has the questions of a parked run answered.
  ///
  /// - Returns: whether one of them was, so that the run goes on.
  func answer(
    _ result: RasaCore.Value, _ approve: Rasa.ApprovalHandler
  ) async throws -> Bool {
    var isAnswered = false
    for entry in result["waits_for"].array ?? [] {
      guard let id = entry["approval"].string else { continue }
      let shown = try await connection.ask("GET", "/v1/approvals/\(id)")
      guard let approval = approval(id, shown) else { continue }
      guard let body = Self.body(of: try await approve(approval), shown) else { continue }
      try await connection.ask("POST", "/v1/approvals/\(id)", body)
      isAnswered = true
    }
    return isAnswered
  }

  private func approval(_ id: String, _ shown: RasaCore.Value) -> Rasa.Approval? {
    let key = EffectKey(
      frame: shown["frame"].string ?? "", visit: Int(clamping: shown["visit"].int ?? 1),
      operatorName: shown["operator"].string ?? "", label: "question", occurrence: 1)
    guard let asked = questions[id] else { return nil }
    return Rasa.Approval(Question(key: key, asked), id: id, run: run ?? "")
  }

  /// Nil for a decision that comes later.
  private static func body(of decision: Rasa.Decision, _ shown: RasaCore.Value) -> RasaCore.Value? {
    var body: ValueObject = ["payload_digest": shown["payload_digest"]]
    switch decision {
    case .approve: body["decision"] = "approve"
    case .edit(let text): (body["decision"], body["text"]) = ("edit", .string(text))
    case .grant(let rule):
      body["decision"] = "grant"
      if let rule { body["text"] = .string(rule) }
    case .reject(let reason): (body["decision"], body["text"]) = ("reject", .string(reason))
    case .feedback(let text): (body["decision"], body["text"]) = ("feedback", .string(text))
    case .answer(let text): (body["decision"], body["text"]) = ("answer", .string(text))
    case .members(let members):
      body["decision"] = "answer"
      body["values"] = .object(ValueObject(members.names.map { ($0, .string(members[$0] ?? "")) }))
    case .standard: body["decision"] = "default"
    // The server knows by its token who decides.
    case .by(_, let decision): return Self.body(of: decision, shown)
    case .later: return nil
    }
    return .object(body)
  }

  /// The result of the document at the end, or the error in it.
  func end(_ result: RasaCore.Value) throws -> Rasa.RunResult {
    guard result["status"].string == "done" || result["status"].string == "parked" else {
      let error = result["error"]
      var failure = Failure(
        error["kind"].string.flatMap { Failure.Kind(rawValue: $0) } ?? .run,
        error["message"].string ?? "the run ended as \(result["status"].string ?? "unknown")",
        suggestion: error["suggestion"].string ?? "")
      failure.reason = error["reason"].string
      throw failure
    }
    var pending: [Rasa.Approval] = []
    for entry in result["waits_for"].array ?? [] {
      guard let id = entry["approval"].string else { continue }
      if let approval = approval(id, ["operator": entry["operator"]]) { pending.append(approval) }
    }
    return Rasa.RunResult(remote: result, pending: pending, warnings: warnings)
  }
}

extension Array where Element == UInt8 {
  fileprivate func firstRange(ofBytes pair: [UInt8]) -> Range<Int>? {
    var index = startIndex
    while let found = self[index...].firstIndex(of: pair[0]) {
      if found + 1 < endIndex, self[found + 1] == pair[1] { return found..<found + 2 }
      index = found + 1
    }
    return nil
  }
}
