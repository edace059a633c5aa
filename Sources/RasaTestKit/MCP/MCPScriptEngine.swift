import RasaCore
import RasaDocuments
import RasaSystem

/// A scripted server as a value: messages in, what to write out. Calls run beside each other.
struct MCPScriptEngine: Sendable {
  enum Output: Sendable {
    case message(Value, isLast: Bool)
    case raw([UInt8])
    case flood(Int, of: [UInt8])
    case standardError(String)
    case exit(Int32)
    case hangUp
    /// Does nothing any more, and does not read either.
    case freeze
    /// Breaks the connection of an answer that may be continued under this ID, after these bytes of an event.
    case breakOff(event: String, half: [UInt8])
    /// For the stream of notices, where there is one.
    case notice(Value)
    case cutNotices
  }

  typealias Outputs = [(channel: Int, output: Output)]

  private struct Run: Sendable {
    var channel: Int
    var id: Value
    var params: Value
    var steps: ArraySlice<Value>
    var due: UInt64
    /// The number of its own request that it waits for.
    var waitsFor: Int64?
    var answers = ValueObject()
    var twice = false
    var otherID = false
    /// Where its stream was broken off.
    var brokenAt: String?
    var isModern = false
  }

  private struct Task: Sendable {
    var run: Run
    var poll: Int64
    var asked: ValueObject = [:]
    var outcome: Value?
  }

  let script: MCPScript
  private var runs: [Run] = []
  private var tasks: [String: Task] = [:]
  private var isLater = false
  private var nextID: Int64 = 1_000
  private var subscriptions: [(channel: Int, id: Value)] = []
  private(set) var isInitialized = false
  private var pages = 0

  init(_ script: MCPScript) {
    self.script = script
    isLater = script.value["later_if"].string.map { FileSystem.kind(of: $0) != nil } ?? false
  }

  /// Whether there is a stream of notices.
  private var hasNotices: Bool { script.value["listen"].bool == true }

  var nextDue: UInt64? {
    (runs + tasks.values.filter { $0.outcome == nil && $0.asked.isEmpty }.map(\.run))
      .filter { $0.waitsFor == nil && $0.brokenAt == nil }.map(\.due).min()
  }

  // MARK: Messages

  mutating func receive(_ message: Value, on channel: Int, now: UInt64) -> Outputs {
    let method = message["method"].string ?? ""
    guard let id = message.object?["id"], !id.isNull else {
      if method == "notifications/cancelled" {
        let cancelled = message["params"]["requestId"]
        runs.removeAll { $0.id == cancelled }
      }
      return []
    }
    if method.isEmpty { return answered(id, message, now) }
    if script.value["dies_in"].string == method { return [(channel, .exit(4))] }
    if script.value["silent_in"].string == method { return [] }
    if script.value["empty_in"].string == method { return reply(id, .emptyObject, channel) }
    let params = message["params"]
    let version = params["_meta"]["io.modelcontextprotocol/protocolVersion"].string
    switch method {
    case "server/discover": return discover(id, version, channel)
    case "initialize": return initialize(id, params, channel)
    case "ping": return reply(id, .emptyObject, channel)
    default: break
    }
    if let version {
      guard script.isModern, script.versions.contains(version) else {
        return unsupported(id, version, channel)
      }
    } else {
      guard script.isLegacy, isInitialized else {
        return problem(id, -32_602, "the connection is not initialized", channel)
      }
    }
    switch method {
    case "tools/list":
      pages += 1
      return list(id, params, channel, isModern: version != nil)
    case "tools/call": return call(id, params, channel, now, isModern: version != nil)
    case "subscriptions/listen":
      subscriptions.append((channel, id))
      return [
        (
          channel,
          .message(
            [
              "jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged",
              "params": [
                "_meta": ["io.modelcontextprotocol/subscriptionId": id],
                "notifications": ["toolsListChanged": true],
              ],
            ], isLast: false)
        )
      ]
    case "tasks/get", "tasks/update", "tasks/cancel":
      return task(method, id, params, channel, now)
    default: return problem(id, -32_601, "no such method: \(method)", channel)
    }
  }

  private func discover(_ id: Value, _ version: String?, _ channel: Int) -> Outputs {
    guard script.isModern else {
      switch script.value["probe"].string {
      case "silent": return []
      case "exit": return [(channel, .exit(1))]
      case "garbage": return [(channel, .raw(Array("what is that?\n".utf8)))]
      case "page": return [(channel, .raw(Array("Bad Request: no session".utf8)))]
      default: return problem(id, -32_602, "the connection is not initialized", channel)
      }
    }
    guard let version, script.versions.contains(version) else {
      return unsupported(id, version ?? "", channel)
    }
    var result: ValueObject = [
      "resultType": "complete", "supportedVersions": .array(script.versions.map { .string($0) }),
      "capabilities": capabilities(isModern: true), "ttlMs": 60_000, "cacheScope": "public",
      "_meta": ["io.modelcontextprotocol/serverInfo": ["name": "scripted", "version": "1"]],
    ]
    if let text = script.value["instructions"].string { result["instructions"] = .string(text) }
    for (key, value) in script.value["extra"].object ?? [:] { result[key] = value }
    return reply(id, .object(result), channel)
  }

  private mutating func initialize(_ id: Value, _ params: Value, _ channel: Int) -> Outputs {
    guard script.isLegacy else {
      return problem(id, -32_601, "speaks \(script.versions.joined(separator: ", "))", channel)
    }
    let asked = params["protocolVersion"].string ?? ""
    let legacy = script.versions.filter { $0 < "2026" || script.value["versions"].array != nil }
    isInitialized = true
    var result: ValueObject = [
      "protocolVersion": .string(legacy.contains(asked) ? asked : legacy.first ?? ""),
      "capabilities": capabilities(isModern: false),
      "serverInfo": ["name": "scripted", "version": "1"],
    ]
    if let text = script.value["instructions"].string { result["instructions"] = .string(text) }
    for (key, value) in script.value["extra"].object ?? [:] { result[key] = value }
    return reply(id, .object(result), channel)
  }

  private func capabilities(isModern: Bool) -> Value {
    var capabilities: ValueObject = [
      "tools": ["listChanged": .bool(script.value["list_changed"].bool ?? true)]
    ]
    if isModern {
      capabilities["extensions"] = ["io.modelcontextprotocol/tasks": .emptyObject]
    }
    return .object(capabilities)
  }

  private func list(_ id: Value, _ params: Value, _ channel: Int, isModern: Bool) -> Outputs {
    let tools = script.tools(later: isLater).map { tool -> Value in
      guard var object = tool.object else { return tool }
      object["steps"] = nil
      return .object(object)
    }
    let size = script.value["page_size"].int.map { Int($0) } ?? tools.count
    let isEndless = script.value["endless_pages"].bool == true
    let start = isEndless ? 0 : params["cursor"].string.flatMap { Int($0) } ?? 0
    guard (0...tools.count).contains(start) else {
      return problem(id, -32_602, "no such page", channel)
    }
    let end = min(start + max(1, size), tools.count)
    var result: ValueObject = ["tools": .array(Array(tools[start..<end]))]
    if end < tools.count {
      result["nextCursor"] = .string("\(end)")
    } else if isEndless {
      result["tools"] = []
      result["nextCursor"] = .string("page-\(pages)")
    } else if script.value["loop_pages"].bool == true {
      result["nextCursor"] = "0"
    }
    if isModern {
      result["resultType"] = "complete"
      result["ttlMs"] = script.value["ttl_ms"].isNull ? 60_000 : script.value["ttl_ms"]
      result["cacheScope"] = "private"
    }
    return reply(id, .object(result), channel)
  }

  private mutating func call(
    _ id: Value, _ params: Value, _ channel: Int, _ now: UInt64, isModern: Bool
  ) -> Outputs {
    let name = params["name"].string ?? ""
    guard let tool = script.tools(later: isLater).first(where: { $0["name"].string == name }) else {
      return problem(id, -32_602, "Unknown tool: \(name)", channel)
    }
    let steps = tool["steps"].array ?? [["echo": true]]
    runs.append(
      Run(
        channel: channel, id: id, params: params, steps: steps[...], due: now,
        isModern: isModern))
    return advance(now)
  }

  // MARK: Steps

  mutating func advance(_ now: UInt64) -> Outputs {
    var outputs: Outputs = []
    var waiting: [Run] = []
    let due = runs
    runs = []
    for var run in due {
      if run.waitsFor == nil, run.brokenAt == nil, run.due <= now {
        guard step(&run, now, &outputs) else { continue }
      }
      waiting.append(run)
    }
    runs += waiting
    for (name, var task) in tasks where task.outcome == nil && task.asked.isEmpty {
      guard task.run.due <= now else { continue }
      var own: Outputs = []
      if !step(task: &task, now, &own) {
        for case (_, .message(let message, _)) in own where message["method"].isNull {
          task.outcome = message
        }
        // One that hangs is never due again.
        if task.outcome == nil { task.run.due = .max }
      }
      outputs += own.filter { if case .message = $0.output { false } else { true } }
      tasks[name] = task
    }
    return outputs
  }

  /// False when the call is over.
  private mutating func step(
    task: inout Task, _ now: UInt64, _ outputs: inout Outputs
  ) -> Bool {
    while let next = task.run.steps.first, let params = next["ask"].object {
      let name = "question-\(task.run.steps.startIndex)"
      if task.run.answers[name] == nil {
        task.asked[name] = ["method": "elicitation/create", "params": .object(params)]
        return true
      }
      task.run.steps.removeFirst()
    }
    return step(&task.run, now, &outputs)
  }

  private mutating func step(_ run: inout Run, _ now: UInt64, _ outputs: inout Outputs) -> Bool {
    while let step = run.steps.first {
      func put(_ output: Output) { outputs.append((run.channel, output)) }
      if let params = step["ask"].object {
        let elsewhere = step["elsewhere"].bool == true
        guard ask(params, elsewhere: elsewhere, &run, &outputs) else { return run.waitsFor != nil }
        run.steps.removeFirst()
        continue
      }
      run.steps.removeFirst()
      if !step["progress"].isNull {
        var params: ValueObject = [
          "progressToken": run.params["_meta"]["progressToken"], "progress": step["progress"],
        ]
        for member in ["total", "message"] where !step[member].isNull {
          params[member] = step[member]
        }
        put(
          .message(
            [
              "jsonrpc": "2.0", "method": "notifications/progress", "params": .object(params),
            ], isLast: false))
      } else if let milliseconds = step["delay_ms"].int {
        run.due = now &+ UInt64(max(0, milliseconds)) * 1_000_000
        if run.due > now { return true }
      } else if let url = step["page"].string {
        if run.answers["visited"] == nil, !visited.contains(url) {
          visited.insert(url)
          put(
            .message(
              failure(
                run.id, -32_042, "visit a page first",
                [
                  "elicitations": [
                    [
                      "mode": "url", "url": .string(url), "message": "Please log in.",
                      "elicitationId": "login",
                    ]
                  ]
                ]), isLast: true))
          return false
        }
      } else if let state = step["state"].string {
        if run.params["requestState"].string != state {
          put(
            .message(
              [
                "jsonrpc": "2.0", "id": run.id,
                "result": ["resultType": "input_required", "requestState": .string(state)],
              ], isLast: true))
          return false
        }
      } else if let poll = step["task"].int {
        let name = "task-\(nextID)"
        nextID += 1
        put(
          .message(
            [
              "jsonrpc": "2.0", "id": run.id,
              "result": .object(shown(name, "working", poll, type: "task")),
            ], isLast: true))
        run.due = now
        tasks[name] = Task(run: run, poll: poll)
        return false
      } else if let path = step["append"].string {
        let line: Value = [
          "tool": run.params["name"], "arguments": run.params["arguments"],
          "key": run.params["_meta"]["dev.rasa/idempotencyKey"],
        ]
        appendLine(line.json(), to: path)
      } else if step["twice"].bool == true {
        run.twice = true
      } else if step["other_id"].bool == true {
        run.otherID = true
      } else if step["change_tools"].bool == true {
        isLater = true
        outputs += toolsChanged(run.channel)
      } else if let text = step["raw"].string {
        put(.raw(Array(text.utf8)))
      } else if let base64 = step["raw_base64"].string {
        put(.raw(Base64.decode(base64) ?? []))
      } else if let text = step["line"].string {
        put(.raw(Array((text + "\n").utf8)))
      } else if let megabytes = step["flood_mb"].int {
        put(.flood(Int(megabytes) << 20, of: flood(step["of"].string ?? "lines", run)))
      } else if let text = step["stderr"].string {
        put(.standardError(text))
      } else if let code = step["exit"].int {
        put(.exit(Int32(clamping: code)))
        return false
      } else if step["hang"].bool == true {
        return false
      } else if step["freeze"].bool == true {
        put(.freeze)
        return false
      } else if step["close"].bool == true {
        put(.hangUp)
        return false
      } else if step["break"].bool == true {
        let event = "event-\(nextID)"
        nextID += 1
        run.brokenAt = event
        let half = step["half"].bool == true ? Array("data: {\"jsonrpc\": \"2.".utf8) : []
        put(.breakOff(event: event, half: half))
        return true
      } else if step["notice"].object != nil {
        put(.notice(step["notice"]))
      } else if step["cut_notices"].bool == true {
        put(.cutNotices)
      } else {
        finish(step, run, &outputs)
        return false
      }
    }
    finish(["echo": true], run, &outputs)
    return false
  }

  private var visited: Set<String> = []

  private func finish(_ step: Value, _ run: Run, _ outputs: inout Outputs) {
    let id = run.otherID ? .string("nobody's") : run.id
    var message: Value
    if let problem = step["error"].object {
      message = ["jsonrpc": "2.0", "id": id, "error": .object(problem)]
    } else {
      var result: ValueObject
      if let given = step["result"].object {
        result = given
      } else if let text = step["text"].string {
        result = ["content": [["type": "text", "text": .string(text)]]]
      } else if step["sum"].bool == true {
        let arguments = run.params["arguments"]
        let sum = Value.int((arguments["a"].int ?? 0) &+ (arguments["b"].int ?? 0))
        result = [
          "content": [["type": "text", "text": .string(sum.json())]],
          "structuredContent": ["sum": sum],
        ]
      } else if step["answers"].bool == true {
        result = [
          "content": [["type": "text", "text": .string(Value.object(run.answers).json())]]
        ]
      } else {
        result = [
          "content": [["type": "text", "text": .string(run.params["arguments"].json())]]
        ]
      }
      if run.isModern, result["resultType"] == nil { result["resultType"] = "complete" }
      message = ["jsonrpc": "2.0", "id": id, "result": .object(result)]
    }
    outputs.append((run.channel, .message(message, isLast: !run.twice)))
    if run.twice { outputs.append((run.channel, .message(message, isLast: true))) }
  }

  // MARK: Questions

  /// True if the answer is there.
  private mutating func ask(
    _ params: ValueObject, elsewhere: Bool, _ run: inout Run, _ outputs: inout Outputs
  ) -> Bool {
    let name = "question-\(run.steps.startIndex)"
    if run.answers[name] != nil { return true }
    if run.isModern {
      let response = run.params["inputResponses"][name]
      if !response.isNull {
        run.answers[name] = response
        return true
      }
      outputs.append(
        (
          run.channel,
          .message(
            [
              "jsonrpc": "2.0", "id": run.id,
              "result": [
                "resultType": "input_required", "requestState": "opaque",
                "inputRequests": .object([
                  name: ["method": "elicitation/create", "params": .object(params)]
                ]),
              ],
            ], isLast: true)
        ))
      return false
    }
    let id = nextID
    nextID += 1
    run.waitsFor = id
    let question: Value = [
      "jsonrpc": "2.0", "id": .int(id), "method": "elicitation/create", "params": .object(params),
    ]
    outputs.append((run.channel, elsewhere ? .notice(question) : .message(question, isLast: false)))
    return false
  }

  /// A response of the client to a request of the server.
  private mutating func answered(_ id: Value, _ message: Value, _ now: UInt64) -> Outputs {
    guard let index = runs.firstIndex(where: { $0.waitsFor == id.int && id.int != nil }) else {
      return []
    }
    let name = "question-\(runs[index].steps.startIndex)"
    runs[index].answers[name] =
      message["result"].isNull ? message["error"] : message["result"]
    runs[index].waitsFor = nil
    runs[index].due = now
    return advance(now)
  }

  // MARK: Tasks

  private func shown(
    _ name: String, _ status: String, _ poll: Int64, type: String
  ) -> ValueObject {
    [
      "resultType": .string(type), "taskId": .string(name), "status": .string(status),
      "createdAt": "2026-11-01T00:00:00Z", "lastUpdatedAt": "2026-11-01T00:00:00Z",
      "ttlMs": .null, "pollIntervalMs": .int(poll),
    ]
  }

  private mutating func task(
    _ method: String, _ id: Value, _ params: Value, _ channel: Int, _ now: UInt64
  ) -> Outputs {
    let name = params["taskId"].string ?? ""
    guard var task = tasks[name] else {
      return problem(id, -32_602, "Failed to retrieve task: Task not found", channel)
    }
    switch method {
    case "tasks/cancel":
      tasks[name] = nil
      return reply(id, ["resultType": "complete"], channel)
    case "tasks/update":
      for (key, response) in params["inputResponses"].object ?? [:]
      where task.asked[key] != nil {
        task.run.answers[key] = response
        task.asked[key] = nil
      }
      task.run.due = now
      tasks[name] = task
      return reply(id, ["resultType": "complete"], channel) + advance(now)
    default:
      var outputs: Outputs = []
      if task.outcome == nil { outputs = advance(now) }
      task = tasks[name] ?? task
      var result = shown(name, "working", task.poll, type: "complete")
      if let outcome = task.outcome {
        let isFailed = !outcome["error"].isNull
        result["status"] = isFailed ? "failed" : "completed"
        result[isFailed ? "error" : "result"] = isFailed ? outcome["error"] : outcome["result"]
      } else if !task.asked.isEmpty {
        result["status"] = "input_required"
        result["inputRequests"] = .object(task.asked)
      }
      return outputs + reply(id, .object(result), channel)
    }
  }

  // MARK: Over HTTP

  /// Goes on with a call whose stream was broken off.
  mutating func resume(after event: String, on channel: Int, now: UInt64) -> Outputs? {
    guard let index = runs.firstIndex(where: { $0.brokenAt == event }) else { return nil }
    runs[index].brokenAt = nil
    runs[index].channel = channel
    runs[index].due = now
    return advance(now)
  }

  /// The peer of that channel has hung up, which cancels what it waits for.
  mutating func hungUp(_ channel: Int) {
    runs.removeAll { $0.channel == channel && $0.brokenAt == nil }
    subscriptions.removeAll { $0.channel == channel }
  }

  // MARK: Parts

  private func toolsChanged(_ channel: Int) -> Outputs {
    guard script.value["list_changed"].bool ?? true else { return [] }
    if subscriptions.isEmpty {
      let notice: Value = ["jsonrpc": "2.0", "method": "notifications/tools/list_changed"]
      return [(channel, hasNotices ? .notice(notice) : .message(notice, isLast: false))]
    }
    return subscriptions.map { subscription in
      (
        subscription.channel,
        .message(
          [
            "jsonrpc": "2.0", "method": "notifications/tools/list_changed",
            "params": ["_meta": ["io.modelcontextprotocol/subscriptionId": subscription.id]],
          ], isLast: false)
      )
    }
  }

  private func flood(_ kind: String, _ run: Run) -> [UInt8] {
    switch kind {
    case "line": return [UInt8](repeating: UInt8(ascii: "x"), count: 65_536)
    case "progress":
      let message: Value = [
        "jsonrpc": "2.0", "method": "notifications/progress",
        "params": [
          "progressToken": run.params["_meta"]["progressToken"], "progress": 1,
          "message": .string(String(repeating: "y", count: 2_000)),
        ],
      ]
      return message.jsonBytes() + [10]
    case "answers":
      let message: Value = [
        "jsonrpc": "2.0", "id": 999_999,
        "result": [
          "content": [["type": "text", "text": .string(String(repeating: "z", count: 2_000))]]
        ],
      ]
      return message.jsonBytes() + [10]
    default: return Array((String(repeating: "x", count: 4_000) + "\n").utf8)
    }
  }

  private func reply(_ id: Value, _ result: Value, _ channel: Int) -> Outputs {
    [(channel, .message(["jsonrpc": "2.0", "id": id, "result": result], isLast: true))]
  }

  private func failure(
    _ id: Value, _ code: Int64, _ message: String, _ data: Value = .null
  ) -> Value {
    var error: ValueObject = ["code": .int(code), "message": .string(message)]
    if !data.isNull { error["data"] = data }
    return ["jsonrpc": "2.0", "id": id, "error": .object(error)]
  }

  func problem(
    _ id: Value, _ code: Int64, _ message: String, _ channel: Int, _ data: Value = .null
  ) -> Outputs {
    [(channel, .message(failure(id, code, message, data), isLast: true))]
  }

  private func unsupported(_ id: Value, _ version: String, _ channel: Int) -> Outputs {
    problem(
      id, -32_022, "Unsupported protocol version", channel,
      ["supported": .array(script.versions.map { .string($0) }), "requested": .string(version)])
  }
}
