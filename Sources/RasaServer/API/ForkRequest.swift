import RasaCore
import RasaHTTPServer
import RasaKit

/// `POST /v1/runs/{id}/fork`: priced first, and started under a price that somebody has agreed to.
enum ForkRequest {
  static let schema: Value = [
    "type": "object",
    "properties": [
      "at": ["type": "integer", "description": "The last line of the journal that is taken over."],
      "set": ["type": "object", "description": "Values by key, such as `critique.verdict`."],
      "persona": ["type": "string"], "input": ["type": "string"],
      "accept_usd": [
        "type": "string", "description": "What the rest may cost at most; starts the fork.",
      ],
    ],
  ]

  static func fork(_ call: Call) async throws -> ServerResponse {
    let origin = try await call.run()
    let reader = MemberReader(try call.body())
    var options = Rasa.ForkOptions()
    options.sequence = try reader.number("at").map { Int(clamping: $0) }
    for (key, value) in try reader.object("set") ?? ValueObject() {
      options.changes[key] = try Rasa.JSON(parsing: value.json(.compact))
    }
    if let persona = try reader.text("persona") {
      options.persona = try await call.rasa.persona(named: persona).name
    }
    options.input = try reader.text("input")
    options.run.user = call.client.user
    options.run.maxCost = call.client.maxCost
    options.run.isServed = true
    let accepted = try reader.text("accept_usd").map { text throws(ServerProblem) in
      guard let amount = Rasa.Dollars(text) else {
        throw .invalid(
          "`accept_usd` is \(quoted(text))", suggestion: "give dollars such as \"0.05\"")
      }
      return amount
    }
    let fork = try await call.rasa.ready(forkOf: origin.id, options)
    let forecast = try await fork.forecast()
    let price: ValueObject = [
      "fork_of": .string(origin.id), "reused_calls": .int(Int64(forecast.reusedCalls)),
      "saved_usd": .string(forecast.saved.decimalText),
      "most_calls": .int(Int64(forecast.mostCalls)),
      "most_cost_usd": .string(forecast.mostCost.decimalText),
      "knows_prices": .bool(forecast.knowsPrices), "is_complete": .bool(forecast.isComplete),
      "asks": .array(forecast.asks.map { .string($0) }),
    ]
    guard let accepted else { return .json(.object(price)) }
    guard forecast.mostCost <= accepted, forecast.knowsPrices || forecast.mostCalls == 0 else {
      var problem = ServerProblem(
        409, "price",
        forecast.knowsPrices
          ? "the rest costs up to $\(forecast.mostCost.decimalText), and \(accepted.decimalText) was accepted"
          : "not all prices of the rest are known",
        suggestion: "send `accept_usd` with what it may cost")
      problem.more = price
      throw problem
    }
    let place = try await call.context.admission.enter(call.client)
    do {
      let live = try call.context.hub.start(
        fork.run, user: call.rasa.user(call.client.user), session: origin.session,
        atEnd: { _ in place.leave() })
      call.context.audit.note(call, "run.fork", live.id)
      try await live.log.begun()
      var document = price
      document["run"] = .string(live.id)
      document["status"] = "running"
      document["events"] = .string("/v1/runs/\(live.id)/events")
      return .json(.object(document), status: 202, headers: [("Location", "/v1/runs/\(live.id)")])
    } catch {
      place.leave()
      throw error
    }
  }
}
