import RasaCore
import RasaEngine
import RasaKit
import RasaPersona
import RasaStage
import RasaSystem
import RasaTestKit

extension Row {
  static let tools: [Row] = [.toolCall, .toolsAtOnce, .toolSearch]

  private static func persona(_ tools: String, _ references: String) -> String {
    """
    name: victim
    description: Calls tools for a measurement.
    frames: [{name: session_frame, kind: session}]
    limits: {steps: 1000, seconds: 300}
    \(tools)
    operators:
      - name: respond
        tools: [\(references)]
        tool_limits: {rounds: 1000, calls: 1000, bytes: 10000000}
    """
  }

  /// Microseconds of a run in which a model asks so many times for one tool.
  private static func calls(_ count: Int, on stage: Stage) async throws -> Double {
    let turns = (0..<count).map { number in
      ScriptedModel.Turn.calls([.init("mcp:bench/echo", ["text": .string("hello \(number)")])])
    }
    let start = TimeSource.system.monotonic()
    let outcome = try await stage.play(
      ScriptedModel(turns), ScriptedPerson { _ in nil }, tools: nil, ledger: EffectLedger())
    let taken = Double(TimeSource.system.monotonic() - start) / 1000
    if let failure = outcome.failure { throw failure }
    let results = outcome.journal.split(separator: "\n").count { $0.hasPrefix("tool.result") }
    guard results == count else {
      throw Failure(.run, "\(results) of \(count) calls were made: \(outcome.journal.suffix(2000))")
    }
    return taken
  }

  /// The server answers at once, so that what is measured is rasa: two commits, the wire, and a round of the loop.
  static let toolCall = Row("MCP call over stdio, durable") { bench, row in
    let server = bench.floor("mcp-server")
    let stage = try Stage(
      persona: persona(
        "tools: {bench: {kind: mcp, command: [\(server)], tools: {echo: {side_effects: none}}}}",
        "\"mcp:bench\""),
      isDurable: true)
    func floor() async throws -> Double {
      func median(_ program: String, _ arguments: [String]) async throws -> Double {
        let run = try await ProgramRun.run(bench.floor(program), arguments)
        let times = run.text.split(separator: "\n").compactMap { Double($0) }
        guard times.count == 300 else { throw Failure(.run, "no floor: \(run.errorText)") }
        return times.median / 1000
      }
      return try await median("floor-tool-call", [server, "300"])
        + median("floor-durable", ["commit", stage.home.path, "400", "300"])
    }
    let count = 100
    try await stage.approve(server: "bench")
    let (rasa, bare) = try await bench.paired(
      7,
      {
        let many = try await calls(count + 1, on: stage)
        return (many - (try await calls(1, on: stage))) / Double(count)
      }, { try await floor() })
    await stage.close()
    return RowResult(
      name: row.name, measured: "\(rasa.short) µs", floor: "\(bare.short) µs", ratio: rasa / bare,
      target: "≤ 300 µs beyond it", isMet: rasa - bare <= 300,
      notes: "the floor is the same server spoken to over pipes, and one commit")
  }

  static let toolsAtOnce = Row("20 tool calls of 100 ms in one turn") { bench, row in
    let stage = try Stage(
      persona: persona("tools: {bench: {kind: mcp, command: [\"false\"]}}", "\"mcp:bench\""))
    let description = ToolDescription(
      name: "mcp:bench/wait", text: "Waits.", sideEffects: .none, origin: .server("bench"))
    func run(_ count: Int) async throws -> Double {
      let ledger = EffectLedger()
      let calls = (0..<count).map {
        ScriptedModel.Call("mcp:bench/wait", ["number": .int(Int64($0))])
      }
      let start = TimeSource.system.monotonic()
      let outcome = try await stage.play(
        ScriptedModel(count == 0 ? [] : [.calls(calls)]), ScriptedPerson { _ in nil },
        tools: StageTools([SlowTool(description: description, ledger: ledger)]), ledger: ledger)
      if let failure = outcome.failure { throw failure }
      guard outcome.effects.count == count else {
        throw Failure(.run, "\(outcome.effects.count) of \(count) calls were made")
      }
      return Double(TimeSource.system.monotonic() - start) / 1e6
    }
    let (many, none) = try await bench.paired(9, { try await run(20) }, { try await run(0) })
    await stage.close()
    return RowResult(
      name: row.name, measured: "\(many.short) ms", floor: "100 ms (one of them)",
      ratio: many / 100,
      target: "≤ 130 ms", isMet: many <= 130,
      notes: "the same run without a call takes \(none.short) ms")
  }

  /// A thousand tools as servers describe them: twenty servers with fifty each.
  private static let thousand: [ToolDescription] = {
    let things = [
      "invoice", "customer", "meeting", "file", "commit", "ticket", "message", "parcel", "price",
      "route",
      "recording", "picture", "contract", "backup", "certificate", "account", "sensor", "report",
      "table", "alert",
    ]
    let verbs = [
      "list", "find", "read", "create", "update", "delete", "export", "import", "share", "archive",
    ]
    let ways = ["by name", "since a date", "for a team", "in one folder", "with its history"]
    var tools: [ToolDescription] = []
    for (server, thing) in things.enumerated() {
      for verb in verbs {
        for (number, way) in ways.enumerated() {
          let properties: ValueObject = [
            "\(thing)_id": ["type": "string", "description": .string("The \(thing) to \(verb)")],
            "limit": ["type": "integer", "description": "How many results to return at most"],
            "format": ["type": "string", "enum": ["text", "json", "markdown"]],
          ]
          tools.append(
            ToolDescription(
              name: "mcp:server-\(server)/\(verb)_\(thing)_\(number)",
              text:
                "\(verb.capitalizedWord) a \(thing) \(way). Returns one entry for each \(thing) with its owner, "
                + "state and the time of its last change; an unknown \(thing) is an error that names similar ones.",
              parameters: ["type": "object", "properties": .object(properties)],
              origin: .server("server-\(server)")))
        }
      }
    }
    return tools
  }()

  static let toolSearch = Row("tool search among 1,000 tools") { bench, row in
    let tools = Self.thousand
    let search = ToolSearch()
    let wishes = [
      "export the invoices of last month", "which commits changed this file", "archive_ticket_3",
      "find the customer that this parcel goes to and tell them when it will arrive",
      "certificates that expire soon",
    ]
    let time = TimeSource.system
    var first = 0.0
    var times: [Double] = []
    var found = 0
    for round in 0..<41 {
      for wish in wishes {
        // As a run asks: the same tools, in an array of its own.
        let own = Array(tools.lazy.map { $0 })
        let start = time.monotonic()
        found += search.search(wish, among: own, limit: 10).count
        let taken = Double(time.monotonic() - start) / 1e6
        if round > 0 { times.append(taken) } else { first = max(first, taken) }
      }
    }
    guard tools.count == 1000, found >= 41 * 5 * 5 else {
      throw Failure(.run, "the searches found \(found) tools")
    }
    return RowResult(
      name: row.name, measured: "\(times.median.short) ms", floor: "–", ratio: 0,
      target: "≤ 2 ms", isMet: times.median <= 2,
      notes:
        "longest \((times.max() ?? 0).short) ms; the first search, which builds the index, \(first.short) ms"
    )
  }
}

private struct SlowTool: Tool {
  let description: ToolDescription
  let ledger: EffectLedger

  func perform(_ use: ToolUse, _ context: ToolContext) async throws -> ToolOutcome {
    try await TimeSource.system.sleep(.milliseconds(100))
    ledger.note(use.name, use.arguments)
    return .result(ToolResult([.text("waited")]))
  }
}

extension String {
  fileprivate var capitalizedWord: String { prefix(1).uppercased() + dropFirst() }
}
