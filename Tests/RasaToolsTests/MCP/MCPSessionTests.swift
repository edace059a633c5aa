import RasaCore
import RasaDocuments
import RasaEngine
import RasaTestKit
import Testing

@testable import RasaTools

/// The session as a value: bytes in, what to do out.
@Suite("MCP sessions") struct MCPSessionTests {
  private func session(_ change: (inout MCPLimits) -> Void = { _ in }) -> MCPSession {
    var limits = MCPLimits()
    change(&limits)
    return MCPSession(name: "box", limits: limits)
  }

  private func line(_ value: Value) -> [UInt8] { value.jsonBytes() + [10] }

  private func result(_ id: Int64, _ text: String = "ok") -> Value {
    ["jsonrpc": "2.0", "id": .int(id), "result": ["text": .string(text)]]
  }

  private func progress(_ id: Int64, _ done: Double) -> Value {
    [
      "jsonrpc": "2.0", "method": "notifications/progress",
      "params": ["progressToken": .int(id), "progress": .double(done), "message": "läuft"],
    ]
  }

  @Test("messages are the same however the stream is cut")
  func splits() {
    var stream =
      line(progress(1, 0.5)) + Array("hello there\r\n\n".utf8) + line(result(1, "grüße 🌍"))
    stream += line(result(2)) + line(["jsonrpc": "2.0", "id": 7, "method": "ping"])
    stream += line(["jsonrpc": "2.0", "method": "notifications/tools/list_changed"])
    func actions(_ pieces: [[UInt8]]) -> [MCPSession.Action] {
      var session = session()
      _ = session.begin("tools/call")
      _ = session.begin("tools/list")
      return pieces.flatMap { session.feed($0) }
    }
    let expected: [MCPSession.Action] = [
      .deliver(.progress(ToolProgress(done: 0.5, message: "läuft")), to: 1),
      .deliver(.replied(.result(["text": "grüße 🌍"])), to: 1),
      .deliver(.replied(.result(["text": "ok"])), to: 2),
      .send(.result(.number(7), .emptyObject)),
      .toolsChanged,
    ]
    #expect(actions([stream]) == expected)
    #expect(actions(stream.map { [$0] }) == expected)
    for cut in stream.indices {
      #expect(actions([Array(stream[..<cut]), Array(stream[cut...])]) == expected)
    }
    var random = SeededNumbers(seed: 14)
    for _ in 0..<200 {
      var rest = stream[...]
      var pieces: [[UInt8]] = []
      while !rest.isEmpty {
        let piece = rest.prefix(Int.random(in: 1...9, using: &random))
        pieces.append(Array(piece))
        rest = rest.dropFirst(piece.count)
      }
      #expect(actions(pieces) == expected)
    }
  }

  @Test("answers to nothing, and second answers, are nobody's")
  func unknownIDs() {
    var session = session()
    let id = session.begin("tools/call")
    #expect(session.feed(line(result(999))).isEmpty)
    #expect(session.feed(line(["jsonrpc": "2.0", "id": "1", "result": [:]])).isEmpty)
    #expect(session.feed(line(result(id))).count == 1)
    #expect(session.feed(line(result(id))).isEmpty)
    #expect(session.isIdle)
  }

  @Test("what is no message is skipped, up to a number of lines, and told")
  func garbage() {
    var session = session { $0.garbageLines = 3 }
    _ = session.begin("tools/call")
    let deep = String(repeating: "[", count: 100_000)
    for text in ["Loading model…", "{\"id\":", deep] {
      #expect(session.feed(Array("\(text)\n".utf8)).isEmpty)
    }
    guard case .end(let failure)? = session.feed([0xFF, 0xFE, 0x7B, 10]).first else {
      Issue.record("it goes on")
      return
    }
    #expect(failure.message.contains("3 lines that are no messages"))
    #expect(failure.details == ["it printed: Loading model…"])
    #expect(session.feed(line(result(1))).isEmpty)
  }

  @Test("text that is no UTF-8, and nesting without end, are no messages")
  func hostileJSON() {
    var session = session()
    let id = session.begin("tools/call")
    let head = Array("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":".utf8)
    #expect(session.feed(head + Array("\"".utf8) + [0xC3, 0x28] + Array("\"}\n".utf8)).isEmpty)
    let nested =
      String(repeating: "{\"a\":", count: 5_000) + "1" + String(repeating: "}", count: 5_000)
    #expect(session.feed(head + Array("\(nested)}\n".utf8)).isEmpty)
    #expect(session.feed(line(result(id))).count == 1)
  }

  @Test("a message without end and a flood end the connection")
  func floods() {
    var endless = session { $0.message = 1 << 20 }
    _ = endless.begin("tools/call")
    let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 65_536)
    var ended = 0
    for _ in 0..<40 {
      for case .end(let failure) in endless.feed(piece) {
        ended += 1
        #expect(failure.message.contains("more than 1 MB"))
      }
    }
    #expect(ended == 1)

    var flood = session {
      $0.unanswered = 1 << 20
      $0.garbageLines = .max
    }
    let id = flood.begin("tools/call")
    let talk = line(progress(id, 1))
    var bytes = 0
    while true {
      bytes += talk.count
      let actions = flood.feed(talk)
      if actions.contains(where: { if case .end = $0 { true } else { false } }) { break }
      guard bytes < 4 << 20 else {
        Issue.record("it goes on")
        break
      }
    }
    #expect(bytes > 1 << 20)
  }

  @Test("an answer makes a talkative server a good one again")
  func resets() {
    var session = session { $0.garbageLines = 2 }
    for _ in 0..<5 {
      let id = session.begin("tools/call")
      #expect(session.feed(Array("a\nb\n".utf8)).isEmpty)
      #expect(session.feed(line(result(id))).count == 1)
    }
  }

  @Test(
    "requests of a server are answered or refused",
    arguments: [
      ("ping", "result"), ("sampling/createMessage", "-32601"), ("roots/list", "-32601"),
      ("elicitation/create", "-32601"), ("tools/call", "-32601"),
    ])
  func serverRequests(_ row: (method: String, answer: String)) {
    let request: Value = ["jsonrpc": "2.0", "id": "s1", "method": .string(row.method)]
    var legacy = session()
    _ = legacy.begin("tools/call", mayBeAsked: false)
    let actions = legacy.feed(line(request))
    guard case .send(let message)? = actions.first, actions.count == 1 else {
      Issue.record("\(actions)")
      return
    }
    #expect(message.value["id"] == "s1")
    #expect(message.value.json().contains(row.answer))
    // Servers of the stateless era may not ask, and must not be sent answers.
    var modern = session()
    modern.isModern = true
    #expect(modern.feed(line(request)).isEmpty)
  }

  @Test("a question goes to the oldest call that may be asked, and not without end")
  func questions() {
    var session = session { $0.rounds = 2 }
    _ = session.begin("tools/list")
    let asked = session.begin("tools/call", mayBeAsked: true)
    _ = session.begin("tools/call", mayBeAsked: true)
    let question: Value = [
      "jsonrpc": "2.0", "id": 5, "method": "elicitation/create", "params": ["message": "Who?"],
    ]
    for _ in 0..<2 {
      #expect(
        session.feed(line(question)) == [
          .deliver(.asked(.number(5), ["message": "Who?"]), to: asked)
        ])
    }
    guard case .send(.failure)? = session.feed(line(question)).first else {
      Issue.record("it may ask without end")
      return
    }
  }

  @Test("a batch is the messages in it, and an error without a number is the only one's")
  func batches() {
    var session = session()
    let first = session.begin("tools/call")
    let second = session.begin("tools/call")
    #expect(session.feed(line(.array([result(second), result(first)]))).count == 2)
    let third = session.begin("tools/call")
    let problem: Value = [
      "jsonrpc": "2.0", "id": .null, "error": ["code": -32_700, "message": "no JSON"],
    ]
    #expect(
      session.feed(line(problem)) == [
        .deliver(
          .replied(.problem(JSONRPC.Problem(code: -32_700, message: "no JSON"))), to: third)
      ])
  }

  @Test("a request that was given up is cancelled once, and its answer is nobody's")
  func cancels() {
    var session = session()
    let id = session.begin("tools/call")
    guard case .send(let message)? = session.cancel(id, because: "enough").first else {
      Issue.record("nothing is sent")
      return
    }
    #expect(message.value["method"] == "notifications/cancelled")
    #expect(message.value["params"]["requestId"] == .int(id))
    #expect(session.cancel(id, because: "enough").isEmpty)
    #expect(session.feed(line(result(id))).isEmpty)
  }
}

@Suite("MCP negotiation") struct MCPNegotiationTests {
  typealias Reply = MCPNegotiation.Reply

  static func problem(_ code: Int64, _ supported: [Value] = []) -> Reply {
    .problem(
      JSONRPC.Problem(
        code: code, message: "no",
        data: supported.isEmpty ? .null : ["supported": .array(supported)]))
  }
  static func discovered(_ versions: [Value]) -> Reply {
    .result(["supportedVersions": .array(versions), "capabilities": [:]])
  }
  static func initialized(_ version: Value) -> Reply {
    .result(["protocolVersion": version, "capabilities": [:], "serverInfo": [:]])
  }
  static let ended = Reply.ended(Failure(.run, "it ended"))

  /// What a server answers to `server/discover` and to `initialize`, in order; what comes of it.
  static let servers: [(name: String, replies: [Reply], outcome: String)] = [
    ("stateless", [discovered(["2026-07-28"])], "2026-07-28"),
    ("both eras", [discovered(["2026-07-28", "2025-11-25"])], "2026-07-28"),
    (
      "a newer one that knows an older one too",
      [
        discovered(["2027-01-01", "2025-06-18"]), initialized("2025-06-18"),
      ], "2025-06-18"
    ),
    ("only a newer one", [discovered(["2027-01-01"])], "configuration"),
    (
      "rejects the version, and names another",
      [
        problem(-32_022, ["2025-11-25"]), initialized("2025-11-25"),
      ], "2025-11-25"
    ),
    ("rejects the version, and names none", [problem(-32_022)], "configuration"),
    ("rejects the headers", [problem(-32_020)], "run"),
    ("method not found", [problem(-32_601), initialized("2025-11-25")], "2025-11-25"),
    ("invalid params", [problem(-32_602), initialized("2024-11-05")], "2024-11-05"),
    ("an error of its own", [problem(-32_000), initialized("2025-03-26")], "2025-03-26"),
    ("answers anything", [.result([:]), initialized("2025-11-25")], "2025-11-25"),
    ("answers nothing", [.silence, initialized("2025-11-25")], "2025-11-25"),
    (
      "stateless, but slow",
      [
        .silence, problem(-32_601), discovered(["2026-07-28"]),
      ], "2026-07-28"
    ),
    ("a page", [.foreign("HTTP 400"), initialized("2025-06-18")], "2025-06-18"),
    ("nothing but pages", [.foreign("HTTP 404"), .foreign("HTTP 404")], "configuration"),
    ("ends when it is probed", [ended, initialized("2025-06-18")], "2025-06-18"),
    ("ends always", [ended, ended], "run"),
    ("silent always", [.silence, .silence], "timeout"),
    ("an unknown version", [problem(-32_601), initialized("2023-01-01")], "configuration"),
    ("no version", [problem(-32_601), .result([:])], "configuration"),
    (
      "wants an older version",
      [
        problem(-32_601), problem(-32_602, ["2024-11-05"]), initialized("2024-11-05"),
      ], "2024-11-05"
    ),
    (
      "wants the same version again and again",
      [
        problem(-32_601), problem(-32_602, ["2025-11-25"]), problem(-32_602, ["2025-11-25"]),
      ], "configuration"
    ),
  ]

  @Test("agrees, or says why not", arguments: servers)
  func agrees(_ row: (name: String, replies: [Reply], outcome: String)) {
    var negotiation = MCPNegotiation(name: "box", limits: MCPLimits())
    var step = negotiation.begin()
    var replies = row.replies[...]
    while true {
      switch step {
      case .ask(let question, _), .restart(let question, _):
        guard let reply = replies.popFirst() else {
          Issue.record("\(row.name): asks \(question) as well")
          return
        }
        step = negotiation.take(reply, to: question)
      case .agreed(let agreement):
        #expect(agreement.version == row.outcome, "\(row.name)")
        #expect(agreement.isModern == (row.outcome == "2026-07-28"), "\(row.name)")
        return
      case .failed(let failure):
        #expect(failure.kind.rawValue == row.outcome, "\(row.name): \(failure)")
        #expect(failure.message.contains("`box`") || failure.message == "it ended")
        return
      }
    }
  }

  @Test("what is known is not asked for again")
  func remembers() {
    let agreement = MCPAgreement(
      version: "2026-07-28", isModern: true, capabilities: [:], server: .null)
    var negotiation = MCPNegotiation(name: "box", limits: MCPLimits())
    #expect(negotiation.begin(known: agreement) == .agreed(agreement))
    var old = agreement
    old.isModern = false
    old.version = "2025-06-18"
    #expect(
      negotiation.begin(known: old)
        == .ask(.initialize(version: "2025-06-18"), seconds: MCPLimits().start))
  }
}
