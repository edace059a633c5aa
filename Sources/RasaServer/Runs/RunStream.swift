import RasaCore
import RasaHTTPServer
import RasaKit

/// A run as server-sent events. Each that a reader can go on after has an `id`; the last is of type `result`.
struct RunStream: Sendable {
  let log: RunLog
  var after: RunPlace?
  /// Called when the reader has gone, with how many are left.
  var onLeave: @Sendable (_ left: Int) -> Void = { _ in }

  var response: ServerResponse {
    var headers = Self.headers
    headers.append((name: "X-Accel-Buffering", value: "no"))
    return ServerResponse(
      headers: headers,
      body: .stream { writer in
        log.join()
        defer { onLeave(log.leave()) }
        var reader = RunReader(after: after)
        var isEnded = false
        while !isEnded {
          let messages = log.read(&reader)
          var bytes: [UInt8] = []
          for message in messages {
            Self.write(message, to: &bytes)
            if case .result = message { isEnded = true }
          }
          // Woken for nothing else, it is a sign of life: a client that has gone is noticed when it is written to.
          try await writer.write(messages.isEmpty ? Self.beat : bytes)
          if !isEnded { await log.wait(reader) }
          try Task.checkCancellation()
        }
      })
  }

  static let headers = [
    (name: "Content-Type", value: "text/event-stream; charset=utf-8"),
    (name: "Cache-Control", value: "no-store"),
  ]
  private static let beat = Array(": still there\n\n".utf8)

  private static func write(_ message: RunReader.Message, to bytes: inout [UInt8]) {
    switch message {
    case .event(let json, let place), .restart(let json, let place):
      write(json, place, to: &bytes)
    case .passing(let json): write(json, nil, to: &bytes)
    case .text(let text, let place):
      let document: Value = [
        "type": "text", "text": .string(String(decoding: text, as: UTF8.self)),
      ]
      write(document.jsonBytes(.compact), place, to: &bytes)
    case .result(let json): write(json, nil, to: &bytes)
    }
  }

  /// JSON has no line breaks outside of its texts, and in them as `\n`: an event is one line of data.
  private static func write(_ json: [UInt8], _ place: RunPlace?, to bytes: inout [UInt8]) {
    if let place { bytes += "id: \(place)\n".utf8 }
    bytes += "data: ".utf8
    bytes += json
    bytes += "\n\n".utf8
  }
}

// MARK: A run that is not carried out here

extension RunLog {
  /// What the journal of a run tells, with its result where it has ended.
  static func recorded(_ run: Rasa.RunSummary, _ rasa: Rasa) async throws(RasaError) -> RunLog {
    let log = RunLog(lines: try await lines(ofRun: run.id, rasa))
    let (result, status, error) = try await rasa.result(ofRun: run.id)
    log.end(with: result, status, error, run)
    return log
  }

  /// Follows the journal of a run that another process carries out. Of its output there is nothing before its end.
  ///
  /// - Returns: its log, and what to call when nobody reads it any more.
  static func followed(
    _ run: Rasa.RunSummary, _ rasa: Rasa
  ) async throws(RasaError) -> (RunLog, stop: @Sendable () -> Void) {
    let (lines, _) = try await rasa.journal(ofRun: run.id)
    let log = RunLog(lines: lines.compactMap { $0.event?.jsonBytes(.compact) })
    let task = Task {
      var known = lines.count
      while !Task.isCancelled {
        try? await Task.sleep(for: .milliseconds(500))
        do {
          let now = try await rasa.run(withID: run.id)
          let (more, _) = try await rasa.journal(ofRun: run.id, after: known)
          known += more.count
          for line in more { if let event = line.event { log.add(line: event) } }
          if now.isAlive { continue }
          let (result, status, error) = try await rasa.result(ofRun: run.id)
          return log.end(with: result, status, error, now)
        } catch {
          let problem = error as? RasaError ?? RasaError(.run, "\(error)")
          return log.end([
            "type": "result", "run": .string(run.id), "status": .string(run.status.description),
            "error": problem.json.value,
          ])
        }
      }
    }
    return (log, { task.cancel() })
  }

  static func lines(ofRun id: String, _ rasa: Rasa) async throws(RasaError) -> [[UInt8]] {
    try await rasa.events(ofRun: id).compactMap { $0.event?.jsonBytes(.compact) }
  }

  private func end(
    with result: Rasa.RunResult, _ status: Rasa.RunStatus, _ error: RasaError?,
    _ run: Rasa.RunSummary
  ) {
    if !result.output.isNull { add(output: result.text) }
    end(.object(result.document(status, error, run)))
  }
}

extension Rasa.RunResult {
  /// The document of a run that others have carried out.
  func document(
    _ status: Rasa.RunStatus, _ error: RasaError?, _ run: Rasa.RunSummary
  ) -> ValueObject {
    var document = document(nil)
    document["type"] = "result"
    document["status"] = .string(status.description)
    if status != .done { document["finish"] = .null }
    // The books know what attempts in doubt cost.
    document["cost_usd"] = .string(run.cost.decimalText)
    if let error { document["error"] = error.json.value }
    return document
  }
}
