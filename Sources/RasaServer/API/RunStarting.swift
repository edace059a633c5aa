import RasaCore
import RasaHTTPServer
import RasaKit

/// `POST /v1/runs`.
enum RunStarting {
  /// How it is answered where the body does not say.
  enum Form { case asked, stream, wait }

  static func start(_ call: Call, as form: Form = .asked) async throws -> ServerResponse {
    var asked = try RunRequest(try call.body(), call.client)
    if form != .asked { (asked.streams, asked.waits) = (form == .stream, form == .wait) }
    for name in [asked.persona, asked.agent, asked.options.model].compactMap({ $0 })
    where !call.client.mayAsk(name) {
      throw ServerProblem(
        403, "model", "the token \(quoted(call.client.name)) may not ask \(quoted(name))")
    }
    var options = asked.options
    options.isServed = asked.whenLeft == .continue
    let runnable = try await runnable(asked, options, call)
    if asked.isDryRun {
      return .json(try await runnable.forecast(asked.input, options: options).document)
    }
    let place = try await call.context.admission.enter(call.client)
    let user = call.rasa.user(options.user)
    let turn = try await call.context.turns.take(options.session, of: user, asked.whenBusy)
    do {
      let ready = try runnable.ready(asked.input, options: options)
      let live = try call.context.hub.start(
        ready, user: user, session: options.session, parksAlone: asked.whenLeft == .park,
        atEnd: { _ in
          turn.leave()
          place.leave()
        })
      call.context.audit.note(call, "run.start", live.id)
      return try await answer(live, asked, call, waited: place.waited)
    } catch {
      turn.leave()
      place.leave()
      throw error
    }
  }

  private static func runnable(
    _ asked: RunRequest, _ options: Rasa.RunOptions, _ call: Call
  ) async throws -> Rasa.Runnable {
    if let persona = asked.persona { return try await call.rasa.persona(named: persona) }
    if let agent = asked.agent { return try await call.rasa.agent(withID: agent) }
    return try await call.rasa.prepare(bestFor: asked.input, options: options).runnable
  }

  static func answer(
    _ live: RunHub.Live, _ asked: RunRequest, _ call: Call, waited: Duration
  ) async throws -> ServerResponse {
    let wantsStream = asked.streams || call.wantsEvents
    var response: ServerResponse
    if wantsStream {
      response =
        RunStream(
          log: live.log, after: nil,
          onLeave: { left in if left == 0, live.parksAlone { live.stop() } }
        ).response
    } else if asked.waits {
      response = .json(.object(try await live.log.result()))
    } else {
      // Told once it is on the disk, so that whoever knows its ID finds it.
      try await live.log.begun()
      response = .json(
        [
          "run": .string(live.id), "status": "running",
          "events": .string("/v1/runs/\(live.id)/events"),
        ],
        status: 202, headers: [("Location", "/v1/runs/\(live.id)")])
    }
    response.headers.append((name: "X-Rasa-Run", value: live.id))
    let milliseconds =
      waited.components.seconds * 1000 + waited.components.attoseconds / 1_000_000_000_000_000
    if milliseconds > 0 {
      response.headers.append((name: "X-Rasa-Queued-Ms", value: "\(milliseconds)"))
    }
    return response
  }
}

extension Call {
  var wantsEvents: Bool {
    request.header("accept")?.lowercased().hasBytes("text/event-stream") == true
  }
}

extension Rasa {
  /// A persona that has a name: paths are for who sits at the machine.
  func persona(named name: String) async throws -> Runnable {
    guard Self.isName(name),
      try await personas().contains(where: { $0.name == name || $0.alias == name })
    else {
      throw ServerProblem.notFound(
        "there is no persona \(quoted(name))", suggestion: "`GET /v1/personas` lists them")
    }
    return try await prepare(persona: name)
  }

  func agent(withID id: String) async throws -> Runnable {
    guard Self.isName(id), await agent(id) != nil else {
      throw ServerProblem.notFound(
        "there is no agent \(quoted(id))", suggestion: "`GET /v1/agents` lists them")
    }
    return try await prepare(agent: id)
  }

  private static func isName(_ text: String) -> Bool {
    !text.isEmpty && !text.hasByte("/") && !text.hasByte("\0")
  }
}

extension Rasa.Forecast {
  var document: Value {
    [
      "most_cost_usd": .string(mostCost.decimalText), "knows_prices": .bool(knowsPrices),
      "is_bounded": .bool(isBounded),
      "calls": .array(
        calls.map { call in
          [
            "frame": .string(call.frame), "operator": .string(call.name),
            "provider": .string(call.provider), "model": .string(call.model),
            "input_tokens": .int(Int64(call.inputTokens)),
            "output_tokens": .int(Int64(call.outputTokens)),
            "cost_usd": call.cost.map { .string($0.decimalText) } ?? .null,
            "most_runs": .int(Int64(call.most)), "is_bounded": .bool(call.isBounded),
          ]
        }),
    ]
  }
}
