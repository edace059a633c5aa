import CSystem
import Glibc
package import RasaCore
import RasaDocuments
import RasaSystem

/// A scripted MCP server over HTTP, on a real loopback socket. It checks what its era demands of clients, and keeps what
/// it received.
package final class ScriptedMCPServer: Sendable {
  /// A request as it came.
  package struct Received: Sendable {
    package var method: String
    package var headers: [(name: String, value: String)]
    package var message: Value

    package func header(_ name: String) -> String? {
      headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
  }

  package let port: UInt16
  private let received: Locked<[Received]>
  private let hangUps: Locked<Int>
  private let wake: Int32
  private let thread: Locked<pthread_t?>

  package var url: String { "http://127.0.0.1:\(port)/mcp" }
  package var requests: [Received] { received.withLock { $0 } }
  /// How many peers hung up while an answer was under way.
  package var interruptions: Int { hangUps.withLock { $0 } }

  package static func start(
    _ script: MCPScript = MCPScript(), port: UInt16 = 0
  ) throws(Failure) -> ScriptedMCPServer {
    let (listener, port) = try listenOnLoopback(port)
    return try ScriptedMCPServer(script, listener: listener, port: port)
  }

  private init(_ script: MCPScript, listener: Int32, port: UInt16) throws(Failure) {
    self.port = port
    received = Locked([])
    hangUps = Locked(0)
    let wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    self.wake = wake
    thread = Locked(nil)
    let loop = MCPHTTPLoop(script, listener: listener, wake: wake, received, hangUps)
    let context = unsafe Unmanaged.passRetained(loop)
    var started = pthread_t()
    let status = unsafe pthread_create(
      &started, nil,
      { context in
        guard let context = unsafe context else { return nil }
        unsafe Unmanaged<MCPHTTPLoop>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context.toOpaque())
    guard status == 0 else {
      unsafe context.release()
      throw Failure(.run, "the server could not start its thread")
    }
    thread.withLock { $0 = started }
  }

  deinit {
    stop()
    close(wake)
  }

  /// Closes every connection and the port; returns when that is done.
  package func stop() {
    let running = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    guard let running else { return }
    var one: UInt64 = 1
    _ = unsafe write(wake, &one, 8)
    pthread_join(running, nil)
  }

  /// Returns when the condition holds; polls, as nothing else is to be waited for.
  package func wait(
    for what: String, until condition: @Sendable (ScriptedMCPServer) -> Bool
  ) async throws {
    let deadline = monotonicNanoseconds() &+ 20_000_000_000
    while !condition(self) {
      guard monotonicNanoseconds() < deadline else {
        throw Failure(.timeout, "waited too long for \(what)")
      }
      try await Task.sleep(for: .milliseconds(2))
    }
  }
}

/// The thread of such a server.
private final class MCPHTTPLoop {
  private final class Peer {
    let descriptor: Int32
    var reader = RequestReader()
    var output: [UInt8] = []
    /// An answer under way: whether its head has been sent, as a stream of events.
    var isAnswering = false
    var isStream = false
    var closes = false
    init(_ descriptor: Int32) { self.descriptor = descriptor }
  }

  private let script: MCPScript
  private var engine: MCPScriptEngine
  private let listener: Int32
  private let wake: Int32
  private let received: Locked<[ScriptedMCPServer.Received]>
  private let hangUps: Locked<Int>
  private var peers: [Int: Peer] = [:]
  private var accepted = 0
  private var sessions: [String: Int] = [:]
  private var sessionCount = 0
  /// Who listens to the notices, and all of them, by which the stream can be continued.
  private var listening: Int?
  private var notices: [Value] = []

  init(
    _ script: MCPScript, listener: Int32, wake: Int32,
    _ received: Locked<[ScriptedMCPServer.Received]>, _ hangUps: Locked<Int>
  ) {
    self.script = script
    engine = MCPScriptEngine(script)
    self.listener = listener
    self.wake = wake
    self.received = received
    self.hangUps = hangUps
  }

  func run() {
    blockSignalsOfThisThread()
    defer {
      for peer in peers.values { close(peer.descriptor) }
      close(listener)
    }
    while true {
      perform(engine.advance(monotonicNanoseconds()))
      let channels = peers.keys.sorted()
      var list = [
        pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
        pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
      ]
      list += channels.map { channel in
        let isWriting = peers[channel]?.output.isEmpty == false
        return pollfd(
          fd: peers[channel]?.descriptor ?? -1,
          events: Int16(POLLIN) | (isWriting ? Int16(POLLOUT) : 0), revents: 0)
      }
      let now = monotonicNanoseconds()
      let wait = engine.nextDue.map { due in
        due <= now ? 0 : Int32(clamping: (due - now - 1) / 1_000_000 + 1)
      }
      guard unsafe poll(&list, nfds_t(list.count), wait ?? -1) > 0 else { continue }
      if list[1].revents != 0 { return }
      for (index, channel) in channels.enumerated() where list[index + 2].revents != 0 {
        guard let peer = peers[channel] else { continue }
        if list[index + 2].revents & Int16(POLLOUT) != 0 { flush(channel, peer) }
        if list[index + 2].revents & ~Int16(POLLOUT) != 0 { read(channel, peer) }
      }
      if list[0].revents != 0 { accept() }
    }
  }

  private func accept() {
    let descriptor = CSystem.accept(listener, nil, nil)
    guard descriptor >= 0 else { return }
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    peers[accepted] = Peer(descriptor)
    accepted += 1
  }

  private func drop(_ channel: Int) {
    guard let peer = peers.removeValue(forKey: channel) else { return }
    if listening == channel { listening = nil }
    close(peer.descriptor)
    engine.hungUp(channel)
  }

  private func read(_ channel: Int, _ peer: Peer) {
    var bytes: [UInt8] = []
    switch readSome(from: peer.descriptor, into: &bytes) {
    case .nothingYet: return
    case .end:
      if peer.isAnswering { hangUps.withLock { $0 += 1 } }
      return drop(channel)
    case .some: break
    }
    peer.reader.append(bytes)
    do {
      while let (head, body) = try peer.reader.next() { take(head, body, channel, peer) }
    } catch {
      drop(channel)
    }
  }

  private func flush(_ channel: Int, _ peer: Peer) {
    guard let count = writeSome(peer.output[...], to: peer.descriptor) else { return drop(channel) }
    peer.output.removeFirst(count)
    if peer.output.isEmpty, peer.closes { drop(channel) }
  }

  // MARK: Requests

  private func take(_ head: RequestHead, _ body: [UInt8], _ channel: Int, _ peer: Peer) {
    let message = (try? JSON.parse(body)) ?? .null
    let request = ScriptedMCPServer.Received(
      method: head.method, headers: head.headers, message: message)
    received.withLock { $0.append(request) }
    if let log = script.value["log"].string { appendLine(message.json(), to: log) }
    if let path = script.value["moved_to"].string, head.path != path {
      return answer(peer, 307, nil, [], [("Location", path)])
    }
    if let status = script.value["status"].int {
      let location = script.value["location"].string.map { [("Location", $0)] } ?? []
      return answer(peer, Int(status), "text/plain", Array("no\n".utf8), location)
    }
    if let token = script.value["token"].string,
      request.header("authorization") != "Bearer \(token)"
    {
      return answer(
        peer, 401, "text/plain", [],
        [("WWW-Authenticate", "Bearer resource_metadata=\"/.well-known/oauth-protected-resource\"")]
      )
    }
    switch head.method {
    case "POST": post(request, channel, peer)
    case "GET": get(request, channel, peer)
    case "DELETE":
      sessions[request.header("mcp-session-id") ?? ""] = nil
      answer(peer, 204, nil, [])
    default: answer(peer, 405, nil, [])
    }
  }

  private func post(_ request: ScriptedMCPServer.Received, _ channel: Int, _ peer: Peer) {
    let message = request.message
    let method = message["method"].string ?? ""
    let id = message.object?["id"] ?? .null
    let version = message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"].string
    if method.isEmpty || id.isNull {
      perform(engine.receive(message, on: channel, now: monotonicNanoseconds()))
      return answer(peer, 202, nil, [])
    }
    if let version, script.isModern {
      if let wrong = mismatch(request, version) {
        let outputs = engine.problem(id, -32_020, "Header mismatch: \(wrong)", channel)
        return answer(peer, 400, "application/json", json(outputs))
      }
    } else if method == "server/discover" || (version != nil && !script.isModern) {
      switch script.value["probe"].string {
      case "silent":
        peer.isAnswering = true
        return
      case "exit": return drop(channel)
      case "page": return answer(peer, 400, "text/plain", Array("Bad Request: no session".utf8))
      case "not_found": return answer(peer, 404, "text/html", Array("<h1>Not Found</h1>".utf8))
      default:
        return answer(
          peer, 400, "application/json",
          json(engine.problem(id, -32_600, "Bad Request: Server not initialized", channel)))
      }
    }
    var headers: [(String, String)] = []
    if version == nil, script.value["session"].bool == true {
      if method == "initialize" {
        sessionCount += 1
        sessions["session-\(sessionCount)"] = 0
        headers.append(("Mcp-Session-Id", "session-\(sessionCount)"))
      } else {
        let session = request.header("mcp-session-id") ?? ""
        guard let count = sessions[session] else { return answer(peer, 404, nil, []) }
        sessions[session] = count + 1
        if method == "tools/call", let limit = script.value["forget_after"].int, count >= limit {
          sessions[session] = nil
        }
      }
    }
    peer.isAnswering = true
    peer.isStream = false
    let outputs = engine.receive(message, on: channel, now: monotonicNanoseconds())
    // One answer that is there at once is JSON; everything else is a stream.
    if case .message(let only, true)? = outputs.first?.output, outputs.count == 1,
      outputs.first?.channel == channel
    {
      let status = status(of: only)
      peer.isAnswering = false
      return answer(
        peer, status, "application/json", only.jsonBytes(escaping: .onlyNeeded), headers)
    }
    beginStream(peer, headers)
    perform(outputs)
  }

  private func status(of message: Value) -> Int {
    switch message["error"]["code"].int {
    case nil: 200
    case -32_601: 404
    case -32_020, -32_021, -32_022: 400
    default: 200
    }
  }

  private func get(_ request: ScriptedMCPServer.Received, _ channel: Int, _ peer: Peer) {
    let event = request.header("last-event-id")
    if let event,
      let outputs = engine.resume(after: event, on: channel, now: monotonicNanoseconds())
    {
      peer.isAnswering = true
      beginStream(peer, [])
      return perform(outputs)
    }
    let heard = event.map { $0.hasPrefix("notice-") ? Int($0.dropFirst(7)) ?? 0 : -1 } ?? 0
    guard script.value["listen"].bool == true, heard >= 0 else { return answer(peer, 405, nil, []) }
    listening = channel
    beginStream(peer, [])
    for number in notices.indices where number >= heard { send(notice: number, to: peer) }
  }

  private func send(notice number: Int, to peer: Peer) {
    peer.output += Array("id: notice-\(number + 1)\nretry: 5\ndata: ".utf8)
    peer.output += notices[number].jsonBytes(escaping: .onlyNeeded) + [10, 10]
  }

  /// What does not fit the message, of the headers that the stateless era demands.
  private func mismatch(_ request: ScriptedMCPServer.Received, _ version: String) -> String? {
    let message = request.message
    guard request.header("mcp-protocol-version") == version else { return "MCP-Protocol-Version" }
    guard request.header("mcp-method") == message["method"].string else { return "Mcp-Method" }
    let params = message["params"]
    let name = params["name"].string ?? params["taskId"].string
    if let name, decoded(request.header("mcp-name")) != name { return "Mcp-Name" }
    guard message["method"] == "tools/call",
      let tool = script.tools(later: false).first(where: { $0["name"] == params["name"] })
    else { return nil }
    for (argument, schema) in tool["inputSchema"]["properties"].object ?? [:] {
      guard let header = schema["x-mcp-header"].string else { continue }
      let value = params["arguments"][argument]
      let expected: String? = value.isNull ? nil : value.string ?? value.json()
      if decoded(request.header("mcp-param-\(header)")) != expected { return "Mcp-Param-\(header)" }
    }
    return nil
  }

  private func decoded(_ value: String?) -> String? {
    guard let value, value.hasPrefix("=?base64?"), value.hasSuffix("?=") else { return value }
    return Base64.decode(String(value.dropFirst(9).dropLast(2)))
      .map { String(decoding: $0, as: UTF8.self) }
  }

  // MARK: Answers

  private func json(_ outputs: MCPScriptEngine.Outputs) -> [UInt8] {
    for case (_, .message(let message, _)) in outputs { return message.jsonBytes() }
    return []
  }

  private func answer(
    _ peer: Peer, _ status: Int, _ type: String?, _ body: [UInt8],
    _ headers: [(String, String)] = []
  ) {
    peer.isAnswering = false
    var head = "HTTP/1.1 \(status) X\r\nContent-Length: \(body.count)\r\n"
    if let type { head += "Content-Type: \(type)\r\n" }
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    peer.output += Array((head + "\r\n").utf8) + body
  }

  private func beginStream(_ peer: Peer, _ headers: [(String, String)]) {
    peer.isStream = true
    var head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    peer.output += Array((head + "\r\n: hello\n\n").utf8)
  }

  private func perform(_ outputs: MCPScriptEngine.Outputs) {
    for (channel, output) in outputs {
      switch output {
      case .notice(let message):
        notices.append(message)
        if let peer = listening.flatMap({ peers[$0] }) { send(notice: notices.count - 1, to: peer) }
      case .cutNotices:
        if let peer = listening.flatMap({ peers[$0] }) { peer.closes = true }
        if let listening, peers[listening]?.output.isEmpty == true { drop(listening) }
        listening = nil
      default: break
      }
      guard let peer = peers[channel] else { continue }
      switch output {
      case .notice, .cutNotices: continue
      case .message(let message, let isLast):
        peer.output += Array("event: message\ndata: ".utf8)
        peer.output += message.jsonBytes(escaping: .onlyNeeded) + [10, 10]
        if isLast {
          peer.isAnswering = false
          peer.closes = true
        }
      case .raw(let bytes): peer.output += bytes
      case .flood(let total, let piece):
        // As much as a test needs; the peer gives up long before.
        var left = min(total, 256 << 20)
        while left > 0 {
          peer.output += Array("data: ".utf8) + piece + [10, 10]
          left -= piece.count
        }
      case .standardError, .exit, .hangUp, .freeze: peer.closes = true
      case .breakOff(let event, let half):
        peer.output += Array("id: \(event)\nretry: 5\ndata:\n\n".utf8) + half
        peer.isAnswering = false
        peer.closes = true
      }
      if peer.output.isEmpty, peer.closes { drop(channel) }
    }
  }
}
