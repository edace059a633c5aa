import RasaCore
import RasaDocuments
import RasaHTTPServer
import RasaKit
import RasaSystem

/// What answers behind a door: a persona, an agent or a model.
struct AnswerSource: Sendable {
  /// What becomes known while an answer is made.
  enum Part: Sendable {
    /// The model that answers, as clients see it.
    case model(String)
    case event(AnswerEvent)
  }

  /// Of the answer, without the prefix of a protocol.
  var id: String
  /// The model until it is known better.
  var model: String
  /// Of every response, also of one that fails.
  var headers: [(name: String, value: String)] = []
  var answer:
    @Sendable (_ emit: @escaping @Sendable (Part) async throws -> Void) async throws -> AnswerEnd
}

/// A client's protocol: how it asks, is answered, and is told of problems.
struct Door: Sendable {
  let errors: ErrorForm
  /// Where a provider that speaks the same is asked; nil where nothing is passed on.
  var passing: (dialect: String, path: String)?
  let read: @Sendable (Call, Value) throws(ServerProblem) -> DoorRequest
  let writer: @Sendable (DoorRequest) -> any AnswerWriter

  /// Bodies carry whole conversations, with files.
  static let limits = JSONLimits(depth: 64, bytes: 64_000_000)

  static func document(of call: Call) throws(ServerProblem) -> Value {
    do throws(Failure) {
      return try JSON.parse(call.request.body, named: "the body", limits: limits)
    } catch {
      throw .invalid(error.message, suggestion: "send a JSON document in UTF-8")
    }
  }

  func answer(_ call: Call) async throws -> ServerResponse {
    let document = try Self.document(of: call)
    let name = try Member(document)["model"].name()
    if let forwarded = try await ModelBackend.forward(call, self, model: name, document) {
      return forwarded
    }
    let request = try read(call, document)
    let source = try await Backends.source(call, request)
    return try await answer(call, request, source)
  }

  func answer(
    _ call: Call, _ request: DoorRequest, _ source: AnswerSource
  ) async throws -> ServerResponse {
    var source = source
    if !request.ignored.isEmpty {
      source.headers.append(
        (name: "X-Rasa-Ignored", value: request.ignored.joined(separator: ", ")))
    }
    let writer = writer(request)
    let head = AnswerHead(id: source.id, model: source.model, time: TimeSource.system.now())
    guard request.isStreamed else { return try await whole(head, writer, source) }
    let (made, errors) = (source, errors)
    let heartbeat = call.context.settings.heartbeat
    return try await AnswerTask { pipe in
      await Self.stream(head, writer, made, errors, heartbeat, into: pipe)
    }.response(errors)
  }

  /// The answer as one document, or an error.
  private func whole(
    _ head: AnswerHead, _ writer: any AnswerWriter, _ source: AnswerSource
  ) async throws -> ServerResponse {
    let collected = Locked((head: head, answer: WholeAnswer()))
    do {
      let end = try await source.answer { part in
        collected.withLock { collected in
          switch part {
          case .model(let model): collected.head.model = model
          case .event(let event): collected.answer.take(event)
          }
        }
      }
      var (head, answer) = collected.withLock { $0 }
      answer.end = end
      if let model = end.model { head.model = model }
      var response = ServerResponse.json(writer.document(head, answer))
      response.headers += source.headers
      return response
    } catch {
      var response = ServerResponse.refusal(ServerProblem(error), errors)
      response.headers += source.headers
      return response
    }
  }

  /// The answer as it comes. A failure before anything was sent is a plain error.
  private static func stream(
    _ head: AnswerHead, _ writer: any AnswerWriter, _ source: AnswerSource, _ errors: ErrorForm,
    _ heartbeat: Duration, into pipe: AnswerPipe
  ) async {
    let type = Swift.type(of: writer).contentType
    let sender = Locked((writer: writer, head: head, hasBegun: false))
    /// Sends in one step, so that a sign of life comes before an event or after it. Begins the response, if it has not.
    @Sendable func send(_ write: (inout any AnswerWriter) -> String) throws {
      try sender.withLock { sender in
        var text = ""
        if !sender.hasBegun {
          sender.hasBegun = true
          pipe.begin(
            .head(
              status: 200,
              headers: [("Content-Type", type), ("Cache-Control", "no-cache")] + source.headers))
          text = sender.writer.begin(sender.head)
        }
        try pipe.push(Array((text + write(&sender.writer)).utf8))
      }
    }
    await pipe.beating(
      every: heartbeat, { try send { $0.heartbeat() } },
      while: {
        do {
          let end = try await source.answer { part in
            switch part {
            case .model(let model): sender.withLock { $0.head.model = model }
            case .event(let event):
              try send { $0.write(event) }
              try await pipe.room()
            }
          }
          try send { $0.end(end) }
        } catch {
          let problem = ServerProblem(error)
          guard sender.withLock({ $0.hasBegun }) else { return pipe.begin(.failure(problem)) }
          try? send { $0.fail(problem) }
        }
      })
  }
}

extension ServerResponse {
  /// A problem behind a door. Official clients ask again by themselves where a status lets them hope: here each time would
  /// be a run or a call of its own, so only what says when to come back is asked again.
  static func refusal(_ problem: ServerProblem, _ form: ErrorForm) -> ServerResponse {
    var problem = problem
    // What no provider can be told is the request's fault, and not the settings'.
    if problem.reason == "unfit" { problem.status = 400 }
    var response = ServerResponse.problem(problem, form)
    if problem.retryAfter == nil {
      response.headers.append((name: "x-should-retry", value: "false"))
    }
    return response
  }
}

extension AnswerPipe {
  /// Sends a sign of life whenever nothing came for that long, until the work is done.
  func beating(
    every interval: Duration, _ beat: @escaping @Sendable () throws -> Void,
    while work: @escaping @Sendable () async -> Void
  ) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        while (try? await TimeSource.system.sleep(interval)) != nil {
          if self.isIdle() { try? beat() }
        }
      }
      await work()
      group.cancelAll()
    }
  }
}
