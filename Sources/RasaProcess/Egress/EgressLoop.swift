import CSystem
import Glibc
import RasaCore
import RasaSystem
import Synchronization

/// The proxy's thread: one sandbox's connections, watched with `poll`, as they are few.
final class EgressLoop: @unchecked Sendable {
  private let rules: EgressRules
  private let limits: EgressLimits
  private let network: EgressNetwork
  private let wake: Int32
  private let isStopped = Atomic<Bool>(false)
  private let notes = Locked<[String]>([])
  private let resolved = Locked<[Resolution]>([])

  private struct Resolution {
    var number: Int
    var addresses: [IPAddress]
    /// Of the user's own proxy; nil where there is none.
    var proxy: [IPAddress]?
  }

  // Only the thread has these.
  private var way: Int32
  private var listener: Int32 = -1
  private var connections: [EgressConnection] = []
  private var lastNumber = 0
  /// When it accepts connections again, after there was no room for one.
  private var acceptsAgain: UInt64 = 0

  init(
    _ rules: EgressRules, limits: EgressLimits, way: Int32, wake: Int32, _ network: EgressNetwork
  ) {
    self.network = network
    self.rules = rules
    self.limits = limits
    self.way = way
    self.wake = wake
  }

  deinit { close(wake) }

  // MARK: - From anywhere

  func stop() {
    isStopped.store(true, ordering: .sequentiallyConsistent)
    eventfd_write(wake, 1)
  }

  var remarks: [String] { notes.withLock { $0 } }

  private static let mostRemarks = 32

  private func note(_ text: String) {
    notes.withLock { notes in
      if notes.count < Self.mostRemarks, !notes.contains(text) { notes.append(text) }
    }
  }

  // MARK: - The thread

  func run() {
    var buffer = [UInt8](repeating: 0, count: 64 * 1024)
    while !isStopped.load(ordering: .sequentiallyConsistent) {
      let takesMore =
        connections.count < limits.connections && acceptsAgain <= monotonicNanoseconds()
      var polled = [
        pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
        pollfd(fd: way, events: Int16(POLLIN), revents: 0),
        // `poll` ignores a negative descriptor.
        pollfd(fd: takesMore ? listener : -1, events: Int16(POLLIN), revents: 0),
      ]
      for connection in connections {
        for (descriptor, events) in connection.watched {
          polled.append(pollfd(fd: descriptor, events: events, revents: 0))
        }
      }
      let count = unsafe poll(&polled, nfds_t(polled.count), waitingTime())
      if count < 0, errno != EINTR { break }
      if polled[0].revents != 0 { acknowledge() }
      if polled[1].revents != 0 { receiveListener() }
      for (place, connection) in connections.enumerated() {
        connection.step(
          client: polled[3 + 2 * place].revents, upstream: polled[4 + 2 * place].revents, &buffer)
        if let head = connection.takeHead() { begin(connection, head) }
      }
      if polled[2].revents != 0 { acceptConnection() }
      closeOverdue()
      connections.removeAll { connection in
        if connection.isDone { connection.close() }
        return connection.isDone
      }
    }
    for connection in connections { connection.close() }
    connections = []
    for descriptor in [way, listener] where descriptor >= 0 { close(descriptor) }
  }

  private func waitingTime() -> Int32 {
    let now = monotonicNanoseconds()
    let pause = acceptsAgain > now ? acceptsAgain : .max
    let due = min(connections.map(\.deadline).min() ?? .max, pause)
    guard due < .max else { return -1 }
    return due > now ? Int32(clamping: (due - now - 1) / 1_000_000 + 1) : 0
  }

  private func deadline(in seconds: Double) -> UInt64 {
    monotonicNanoseconds() &+ UInt64(seconds * 1_000_000_000)
  }

  private func acknowledge() {
    var count: eventfd_t = 0
    unsafe eventfd_read(wake, &count)
    let answers = resolved.withLock { list in
      defer { list = [] }
      return list
    }
    for answer in answers {
      guard let connection = connections.first(where: { $0.number == answer.number && !$0.isDone })
      else {
        continue
      }
      connect(connection, answer)
    }
  }

  private func receiveListener() {
    let descriptor = rasa_receive_descriptor(way)
    if descriptor < 0, errno == EAGAIN || errno == EINTR { return }
    listener = descriptor
    close(way)
    way = -1
  }

  private func acceptConnection() {
    let client = accept(listener, nil, nil)
    if client < 0 {
      // The connection stays in the queue, and would wake the thread again at once.
      if [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) { acceptsAgain = deadline(in: 0.1) }
      return
    }
    _ = fcntl(client, F_SETFD, FD_CLOEXEC)
    _ = fcntl(client, F_SETFL, O_NONBLOCK)
    lastNumber += 1
    connections.append(
      EgressConnection(
        number: lastNumber, client: client, deadline: deadline(in: limits.start),
        idle: UInt64(limits.idle * 1_000_000_000)))
  }

  private func closeOverdue() {
    let now = monotonicNanoseconds()
    for connection in connections where connection.deadline <= now { connection.isDone = true }
  }

  // MARK: - One request

  private func begin(
    _ connection: EgressConnection, _ head: Result<RequestHead, RequestHead.Problem>
  ) {
    guard case .success(let head) = head else {
      return connection.answer(
        400,
        "rasa's proxy takes CONNECT, and plain requests with a whole http:// address and an unambiguous length"
      )
    }
    if let refusal = rules.refusal(of: head.host, port: head.port) {
      return refuse(connection, head, refusal)
    }
    connection.head = head
    do throws(Failure) {
      connection.proxy = try network.upstream(head.host, head.port, head.isTunnel).get()
    } catch {
      note("the sandbox could not connect to \(head.host):\(head.port): \(error.message)")
      return connection.answer(502, error.message)
    }
    let (number, host) = (connection.number, head.host)
    let literal = IPAddress(host).map { [$0] }
    guard let proxy = connection.proxy else {
      if let literal {
        return connect(connection, Resolution(number: number, addresses: literal))
      }
      return look { [network] in
        Resolution(number: number, addresses: network.resolve(host))
      }
    }
    let restriction = literal == nil ? network.nameRestriction(host) : nil
    if let refusal = rules.refusal(ofName: host, restriction: restriction, port: head.port) {
      return refuse(connection, head, refusal)
    }
    look { [network] in
      let place = IPAddress(proxy.host).map { [$0] } ?? network.resolve(proxy.host)
      return Resolution(number: number, addresses: literal ?? network.resolve(host), proxy: place)
    }
  }

  /// Resolves names on a thread of its own, as that may take its time.
  private func look(_ body: @escaping @Sendable () -> Resolution) {
    startThread { [self] in
      let resolution = body()
      resolved.withLock { $0.append(resolution) }
      eventfd_write(wake, 1)
    }
  }

  private func refuse(_ connection: EgressConnection, _ head: RequestHead, _ refusal: String) {
    note("the sandbox refused a connection to \(head.host):\(head.port): \(refusal)")
    connection.answer(403, "refused: \(refusal)")
  }

  private func connect(_ connection: EgressConnection, _ resolution: Resolution) {
    guard let head = connection.head else { return }
    let way = connection.proxy.map { ", through \($0.name)" } ?? ""
    // Another proxy may know a name that nobody here does.
    guard !(resolution.proxy ?? resolution.addresses).isEmpty else {
      let problem = "the name \(connection.proxy?.host ?? head.host) cannot be resolved"
      note("the sandbox could not connect to \(head.host):\(head.port)\(way): \(problem)")
      return connection.answer(502, problem)
    }
    var refusal: String?
    var allowed: [IPAddress] = []
    for address in resolution.addresses {
      if let reason = rules.refusal(
        of: address, restriction: network.restriction(address), host: head.host, port: head.port)
      {
        refusal = refusal ?? reason
      } else {
        allowed.append(address)
      }
    }
    // Another proxy chooses among the addresses by itself.
    if let refusal, allowed.isEmpty || resolution.proxy != nil {
      return refuse(connection, head, refusal)
    }
    connection.connect(to: resolution.proxy ?? allowed) { [self] problem in
      note("the sandbox could not connect to \(head.host):\(head.port)\(way)\(problem)")
    }
  }
}

/// A program's connection, and the one to its host.
final class EgressConnection {
  let number: Int
  let client: Int32
  private(set) var upstream: Int32 = -1
  private(set) var deadline: UInt64
  private let idle: UInt64
  var isDone = false
  var head: RequestHead?
  /// The user's own, if the way leads through one.
  var proxy: UpstreamProxy?

  private enum Phase { case head, waiting, connecting, tunnelling, relaying, answering }
  private var phase = Phase.head
  /// What is on its way to the host, and to the program.
  private var up: [UInt8] = []
  private var down: [UInt8] = []
  /// What asks the user's own proxy for a tunnel, and its answer.
  private var opening: [UInt8] = []
  private var reply: [UInt8] = []
  private var hasClientEnded = false
  private var hasHostEnded = false
  private var isUpShut = false
  private var isDownShut = false
  private var addresses: ArraySlice<IPAddress> = []
  private var complain: (_ problem: String) -> Void = { _ in }

  init(number: Int, client: Int32, deadline: UInt64, idle: UInt64) {
    self.number = number
    self.client = client
    self.deadline = deadline
    self.idle = idle
  }

  func close() {
    Glibc.close(client)
    if upstream >= 0 { Glibc.close(upstream) }
    upstream = -1
  }

  /// The program's side and the host's. One that is waited for in no way is left out, as its end alone would
  /// wake the thread again and again.
  var watched: [(descriptor: Int32, events: Int16)] {
    let (own, other) = (clientEvents, upstreamEvents)
    return [
      (phase == .relaying && own == 0 ? -1 : client, own), (other == 0 ? -1 : upstream, other),
    ]
  }

  private var clientEvents: Int16 {
    var events: Int16 = 0
    switch phase {
    case .head: events = Int16(POLLIN)
    case .waiting, .connecting, .tunnelling: break
    case .relaying:
      if up.isEmpty, !hasClientEnded { events |= Int16(POLLIN) }
      if !down.isEmpty { events |= Int16(POLLOUT) }
    case .answering: events = Int16(POLLOUT)
    }
    return events
  }

  private var upstreamEvents: Int16 {
    switch phase {
    case .head, .waiting, .answering: return 0
    case .connecting: return Int16(POLLOUT)
    case .tunnelling: return Int16(opening.isEmpty ? POLLIN : POLLOUT)
    case .relaying:
      var events: Int16 = 0
      if down.isEmpty, !hasHostEnded { events |= Int16(POLLIN) }
      if !up.isEmpty { events |= Int16(POLLOUT) }
      return events
    }
  }

  func step(client clientReady: Int16, upstream upstreamReady: Int16, _ buffer: inout [UInt8]) {
    let failed = Int16(POLLERR) | Int16(POLLNVAL)
    switch phase {
    case .head:
      guard clientReady != 0 else { return }
      switch receive(client, &buffer, into: &up) {
      case .some(true): break
      default: isDone = true
      }
    case .waiting:
      // A program that has gone needs no answer.
      if clientReady & (failed | Int16(POLLHUP)) != 0 { isDone = true }
    case .connecting:
      if clientReady & (failed | Int16(POLLHUP)) != 0 { isDone = true }
      if upstreamReady != 0 { finishConnecting() }
    case .tunnelling:
      if clientReady & (failed | Int16(POLLHUP)) != 0 { isDone = true }
      if upstreamReady != 0 { askForTunnel(&buffer) }
    case .relaying:
      guard clientReady != 0 || upstreamReady != 0 else { return }
      deadline = monotonicNanoseconds() &+ idle
      if upstreamReady & Int16(POLLIN) != 0 || upstreamReady & Int16(POLLHUP) != 0, down.isEmpty {
        take(receive(upstream, &buffer, into: &down), &hasHostEnded)
      }
      if clientReady & Int16(POLLIN) != 0, up.isEmpty {
        take(receive(client, &buffer, into: &up), &hasClientEnded)
        limitBody()
      }
      if clientReady & failed != 0 || upstreamReady & failed != 0 { isDone = true }
      relay()
    case .answering:
      if !send(&down, to: client) { isDone = true }
      if down.isEmpty { isDone = true }
    }
  }

  private func take(_ result: Bool?, _ hasEnded: inout Bool) {
    switch result {
    case .some(true): break
    case .some(false): hasEnded = true
    case nil: isDone = true
    }
  }

  private func relay() {
    if !send(&up, to: upstream) || !send(&down, to: client) {
      isDone = true
      return
    }
    if hasClientEnded, up.isEmpty, !isUpShut {
      isUpShut = true
      shutdown(upstream, Int32(SHUT_WR))
    }
    if hasHostEnded, down.isEmpty, !isDownShut {
      isDownShut = true
      shutdown(client, Int32(SHUT_WR))
      // What a plain request's host has answered in full is over.
      if head?.isTunnel == false { isDone = true }
    }
    if isUpShut, isDownShut { isDone = true }
  }

  /// The request's head once it is there, or what is wrong with it.
  func takeHead() -> Result<RequestHead, RequestHead.Problem>? {
    guard phase == .head, !isDone, !up.isEmpty else { return nil }
    do throws(RequestHead.Problem) {
      let head = try RequestHead(up)
      phase = .waiting
      up.removeFirst(head.length)
      return .success(head)
    } catch {
      return error == .incomplete ? nil : .failure(error)
    }
  }

  func answer(_ status: Int, _ text: String) {
    let reason = [400: "Bad Request", 403: "Forbidden", 502: "Bad Gateway"][status] ?? "Error"
    let body = text + "\n"
    down = Array(
      ("HTTP/1.1 \(status) \(reason)\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: \(body.utf8.count)\r\n"
        + "Connection: close\r\n\r\n" + body).utf8)
    up = []
    phase = .answering
  }

  func connect(
    to addresses: [IPAddress], orElse complain: @escaping (_ problem: String) -> Void
  ) {
    self.addresses = addresses[...]
    self.complain = complain
    limitBody()
    guard !isDone else { return }
    if let head, !head.isTunnel { up = head.forwarded(through: proxy) + up }
    tryNext()
  }

  private func tryNext() {
    if upstream >= 0 { Glibc.close(upstream) }
    upstream = -1
    while let address = addresses.popFirst() {
      guard let socket = address.connect(port: proxy?.port ?? head?.port ?? 0) else { continue }
      upstream = socket
      phase = .connecting
      return
    }
    complain("")
    answer(502, "the \(proxy == nil ? "host" : "user's proxy") cannot be connected to")
  }

  private func finishConnecting() {
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe getsockopt(upstream, SOL_SOCKET, SO_ERROR, &code, &size) == 0, code == 0 else {
      return tryNext()
    }
    if let proxy, let head, head.isTunnel {
      opening = head.tunnelRequest(to: proxy)
      phase = .tunnelling
      return
    }
    relayFromNow()
  }

  private func relayFromNow() {
    phase = .relaying
    deadline = monotonicNanoseconds() &+ idle
    if head?.isTunnel == true { down = Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8) }
    down += reply
    reply = []
    relay()
  }

  /// One step of the talk with the user's own proxy about a tunnel.
  private func askForTunnel(_ buffer: inout [UInt8]) {
    if !opening.isEmpty {
      if !send(&opening, to: upstream) { refuseTunnel("it hung up") }
      return
    }
    guard receive(upstream, &buffer, into: &reply) == true, reply.count <= RequestHead.mostBytes
    else { return refuseTunnel("it gave no answer to CONNECT") }
    guard let end = RequestHead.end(of: reply) else { return }
    let words = String(decoding: reply.prefix(64), as: UTF8.self).split(
      whereSeparator: { $0 == " " || $0.isNewline })
    guard words.count > 1, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]),
      (100...599).contains(status)
    else { return refuseTunnel("it does not speak HTTP") }
    guard (200...299).contains(status) else {
      return refuseTunnel(
        status == 407 ? "it refused the password, or asks for one (407)" : "it answered \(status)")
    }
    reply.removeFirst(end)
    relayFromNow()
  }

  private func refuseTunnel(_ problem: String) {
    complain(": \(problem)")
    answer(502, "the user's proxy did not connect: \(problem)")
  }

  /// Leaves out what a program writes behind a plain request.
  private func limitBody() {
    guard head?.isTunnel == false else { return }
    guard let count = head?.body.take(up) else {
      isDone = true
      return
    }
    up.removeLast(up.count - count)
  }

  // MARK: - Bytes

  /// False at the end, nil if the connection is broken.
  private func receive(_ socket: Int32, _ buffer: inout [UInt8], into bytes: inout [UInt8]) -> Bool?
  {
    let count = unsafe recv(socket, &buffer, buffer.count, 0)
    if count > 0 {
      bytes += buffer[..<count]
      return true
    }
    if count == 0 { return false }
    return errno == EAGAIN || errno == EINTR ? true : nil
  }

  /// Sends what can be sent now; false if the connection is broken.
  private func send(_ bytes: inout [UInt8], to socket: Int32) -> Bool {
    guard !bytes.isEmpty else { return true }
    let count = unsafe bytes.withUnsafeBytes {
      unsafe Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
    if count >= 0 {
      bytes.removeFirst(count)
      return true
    }
    return errno == EAGAIN || errno == EINTR
  }
}
