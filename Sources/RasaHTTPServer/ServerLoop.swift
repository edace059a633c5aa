import CMicroHTTP
import CSystem
import Glibc
import RasaCore

/// The one thread that libmicrohttpd runs on. Everything about connections happens here, so that suspending and
/// resuming one needs no lock; handlers run elsewhere and answer through the mailbox.
@safe final class ServerLoop {
  private let daemon: OpaquePointer
  private let mailbox: ServerMailbox
  private let handler: HTTPServer.Handler
  private let limits: HTTPServer.Limits
  private let hosts: [String]?
  private let port: UInt16
  /// Watches libmicrohttpd's own epoll, the mailbox, and clients whose connections are suspended: libmicrohttpd does
  /// not notice when one of those goes.
  private let poll: Int32
  private var connections: [ObjectIdentifier: ServerConnection] = [:]
  private var exchanges: [UInt64: Exchange] = [:]
  private var suspended: [Int32: Exchange] = [:]
  private var lastExchange: UInt64 = 0
  /// When some connection may have waited too long.
  private var nextCheck = UInt64.max
  private var isDraining = false

  private init?(_ start: Start) {
    mailbox = start.mailbox
    handler = start.handler
    limits = start.configuration.limits
    hosts = start.configuration.acceptedHosts
    port = start.port
    poll = epoll_create1(Int32(EPOLL_CLOEXEC))
    // It lives as long as the daemon: `run` stops that before it returns.
    let context = unsafe Unmanaged.passUnretained(start.box).toOpaque()
    guard
      let daemon = unsafe rasa_mhd_start(
        start.listener, UInt32(limits.connections), UInt32(limits.connectionsPerAddress),
        limits.head, start.configuration.tls?.certificate, start.configuration.tls?.key,
        { context, connection, _, method, version, bytes, count, exchange in
          guard let connection = unsafe connection, let exchange = unsafe exchange?.pointee else {
            return rasa_mhd_no()
          }
          return unsafe loop(context)?.handle(
            Unmanaged<Exchange>.fromOpaque(exchange).takeUnretainedValue(), connection, method,
            version, bytes,
            count) ?? rasa_mhd_no()
        },
        { context, target, connection in
          guard let connection = unsafe connection else { return nil }
          return unsafe loop(context)?.begin(target, connection)
        },
        { context, _, exchange, _ in
          guard let place = unsafe exchange, let exchange = unsafe place.pointee else { return }
          unsafe place.pointee = nil
          unsafe loop(context)?.complete(
            Unmanaged<Exchange>.fromOpaque(exchange).takeRetainedValue())
        },
        { context, connection, place, event in
          guard let connection = unsafe connection, let place = unsafe place else { return }
          unsafe loop(context)?.change(connection, place, isNew: rasa_mhd_has_started(event) == 1)
        }, context)
    else {
      CSystem.close(poll)
      return nil
    }
    unsafe self.daemon = daemon
    watch(mailbox.wakeDescriptor, EPOLLIN.rawValue)
    watch(unsafe rasa_mhd_epoll(daemon), EPOLLIN.rawValue)
  }

  deinit { CSystem.close(poll) }
}

/// What libmicrohttpd's callbacks are called with.
private final class LoopBox {
  unowned(unsafe) var loop: ServerLoop?
}

/// There before the daemon runs for the first time, and until it has stopped.
private func loop(_ context: UnsafeMutableRawPointer?) -> ServerLoop? {
  guard let context = unsafe context else { return nil }
  return unsafe Unmanaged<LoopBox>.fromOpaque(context).takeUnretainedValue().loop
}

// MARK: - The thread

extension ServerLoop {
  private final class Start {
    let listener: Int32
    let port: UInt16
    let configuration: HTTPServer.Configuration
    let mailbox: ServerMailbox
    let handler: HTTPServer.Handler
    let box = LoopBox()

    init(
      _ listener: Int32, _ port: UInt16, _ configuration: HTTPServer.Configuration,
      _ mailbox: ServerMailbox, _ handler: @escaping HTTPServer.Handler
    ) {
      self.listener = listener
      self.port = port
      self.configuration = configuration
      self.mailbox = mailbox
      self.handler = handler
    }
  }

  /// False when the system has no thread to give.
  static func startThread(
    listener: Int32, port: UInt16, configuration: HTTPServer.Configuration, mailbox: ServerMailbox,
    handler: @escaping HTTPServer.Handler
  ) -> Bool {
    // Signals are for the program's own threads, so this one is born with all of them blocked.
    var all = sigset_t()
    var previous = sigset_t()
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_SETMASK, &all, &previous)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &previous, nil) }

    let start = unsafe Unmanaged.passRetained(
      Start(listener, port, configuration, mailbox, handler))
    var thread = pthread_t()
    let result = unsafe pthread_create(
      &thread, nil,
      { context in
        guard let context = unsafe context else { return nil }
        let start = unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
        if let loop = ServerLoop(start) {
          unsafe start.box.loop = loop
          loop.run()
        } else {
          Glibc.close(start.listener)
        }
        start.mailbox.end()
        return nil
      }, start.toOpaque())
    guard result == 0 else {
      unsafe start.release()
      return false
    }
    pthread_detach(thread)
    return true
  }

  private func run() {
    let capacity = 64
    let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)
    defer { unsafe events.deallocate() }
    var stopTime: UInt64?
    while true {
      let count = unsafe epoll_wait(poll, events, Int32(capacity), waitingTime(stopTime))
      for index in 0..<max(0, Int(count)) {
        let descriptor = unsafe events[index].data.fd
        if descriptor == mailbox.wakeDescriptor {
          mailbox.acknowledge()
        } else if let exchange = suspended[descriptor] {
          leave(exchange)
        }
      }
      let (commands, wanted) = mailbox.take()
      for command in commands { obey(command) }
      unsafe rasa_mhd_run(daemon)
      let now = monotonicNanoseconds()
      if nextCheck <= now { checkDeadlines(now) }
      guard let wanted else { continue }
      stopTime = wanted
      if !isDraining { drain() }
      if exchanges.isEmpty || wanted <= now { break }
    }
    for exchange in exchanges.values { leave(exchange) }
    unsafe rasa_mhd_run(daemon)
    unsafe rasa_mhd_stop(daemon)
  }

  /// Milliseconds until something is due, rounded up so that it is due then.
  private func waitingTime(_ stopTime: UInt64?) -> Int32 {
    let own = unsafe rasa_mhd_timeout(daemon)
    let due = min(nextCheck, stopTime ?? .max)
    guard due < .max else { return Int32(clamping: own) }
    let now = monotonicNanoseconds()
    let left = due <= now ? 0 : Int64(clamping: (due - now - 1) / 1_000_000 + 1)
    return Int32(clamping: own < 0 ? left : min(own, left))
  }

  private func drain() {
    isDraining = true
    let listener = unsafe rasa_mhd_quiesce(daemon)
    if listener >= 0 { Glibc.close(listener) }
  }

  private func obey(_ command: ServerMailbox.Command) {
    switch command {
    case .respond(let number, let response, let stream):
      guard let exchange = exchanges[number], exchange.response == nil else {
        stream?.abandon()
        return
      }
      exchange.response = response
      exchange.stream = stream
      resume(exchange)
    case .wake(let number): exchanges[number].map(resume)
    }
  }

  private func watch(_ descriptor: Int32, _ events: UInt32) {
    var event = unsafe epoll_event()
    unsafe event.events = events
    unsafe event.data.fd = descriptor
    unsafe epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event)
  }
}

// MARK: - Waiting for a handler

extension ServerLoop {
  /// Only to be called inside libmicrohttpd's callbacks.
  private func suspend(_ exchange: Exchange) {
    guard !exchange.isSuspended, let connection = unsafe exchange.connection else { return }
    exchange.isSuspended = true
    unsafe rasa_mhd_suspend(connection)
    let socket = unsafe rasa_mhd_socket(connection)
    suspended[socket] = exchange
    watch(socket, EPOLLRDHUP.rawValue)
  }

  private func resume(_ exchange: Exchange) {
    guard exchange.isSuspended, let connection = unsafe exchange.connection else { return }
    exchange.isSuspended = false
    let socket = unsafe rasa_mhd_socket(connection)
    suspended[socket] = nil
    epoll_ctl(poll, EPOLL_CTL_DEL, socket, nil)
    unsafe rasa_mhd_resume(connection)
  }

  /// The client has gone, or the server stops: nobody waits for the answer.
  private func leave(_ exchange: Exchange) {
    exchange.isAbandoned = true
    exchange.task?.cancel()
    exchange.stream?.abandon()
    resume(exchange)
  }
}

// MARK: - libmicrohttpd's callbacks

extension ServerLoop {
  fileprivate func change(
    _ handle: OpaquePointer, _ place: UnsafeMutablePointer<UnsafeMutableRawPointer?>, isNew: Bool
  ) {
    if isNew {
      let connection = ServerConnection(socket: unsafe rasa_mhd_socket(handle))
      connections[ObjectIdentifier(connection)] = connection
      unsafe place.pointee = Unmanaged.passUnretained(connection).toOpaque()
      set(connection, limits.headTime)
    } else if let context = unsafe place.pointee {
      let connection = unsafe Unmanaged<ServerConnection>.fromOpaque(context).takeUnretainedValue()
      unsafe place.pointee = nil
      connections[ObjectIdentifier(connection)] = nil
    }
  }

  /// The first line of a request has been read.
  fileprivate func begin(
    _ target: UnsafePointer<CChar>?, _ handle: OpaquePointer
  ) -> UnsafeMutableRawPointer? {
    lastExchange += 1
    let exchange = Exchange(lastExchange)
    unsafe exchange.connection = handle
    exchange.target = unsafe target.map { unsafe String(cString: $0) } ?? ""
    if let context = unsafe rasa_mhd_socket_context(handle) {
      exchange.peer = unsafe Unmanaged<ServerConnection>.fromOpaque(context).takeUnretainedValue()
      set(exchange.peer, limits.headTime)
    }
    exchanges[exchange.number] = exchange
    return unsafe Unmanaged.passRetained(exchange).toOpaque()
  }

  fileprivate func handle(
    _ exchange: Exchange, _ handle: OpaquePointer, _ method: UnsafePointer<CChar>?,
    _ version: UnsafePointer<CChar>?, _ bytes: UnsafePointer<CChar>?,
    _ count: UnsafeMutablePointer<Int>?
  ) -> MHD_Result {
    guard !exchange.isAbandoned, let count = unsafe count else { return rasa_mhd_no() }
    switch exchange.phase {
    case .head: return unsafe takeHead(exchange, handle, method, version)
    case .body:
      if unsafe count.pointee > 0 {
        let isTaken = unsafe takeBody(
          exchange, UnsafeRawBufferPointer(start: bytes, count: count.pointee))
        unsafe count.pointee = 0
        return isTaken ? rasa_mhd_yes() : rasa_mhd_no()
      }
      if exchange.isTooLarge {
        return refuse(
          exchange, RequestHead.Refusal(413, "the body is larger than \(limits.body) bytes"))
      }
      start(exchange)
      return rasa_mhd_yes()
    case .handling:
      guard let response = exchange.response else {
        suspend(exchange)
        return rasa_mhd_yes()
      }
      return queue(response, exchange)
    case .responding: return rasa_mhd_yes()
    }
  }

  fileprivate func complete(_ exchange: Exchange) {
    if exchange.isSuspended {
      // It is not, where libmicrohttpd says that it is over; the table must not keep it all the same.
      suspended = suspended.filter { $0.value !== exchange }
    }
    unsafe exchange.connection = nil
    exchanges[exchange.number] = nil
    exchange.stream?.abandon()
    exchange.task?.cancel()
    set(exchange.peer, limits.idleTime)
  }
}

// MARK: - A request

extension ServerLoop {
  private func takeHead(
    _ exchange: Exchange, _ handle: OpaquePointer, _ method: UnsafePointer<CChar>?,
    _ version: UnsafePointer<CChar>?
  ) -> MHD_Result {
    func text(_ pointer: UnsafePointer<CChar>?) -> String {
      unsafe pointer.map { unsafe String(cString: $0) } ?? ""
    }
    var head = RequestHead(
      method: unsafe text(method), target: exchange.target, version: unsafe text(version))
    unsafe withUnsafeMutablePointer(to: &head) { place in
      unsafe rasa_mhd_headers(
        handle,
        { context, _, name, nameLength, value, valueLength in
          guard let place = unsafe context?.assumingMemoryBound(to: RequestHead.self) else {
            return rasa_mhd_no()
          }
          let name = unsafe UnsafeRawBufferPointer(start: name, count: nameLength)
          let value = unsafe UnsafeRawBufferPointer(
            start: value, count: value == nil ? 0 : valueLength)
          if unsafe name.contains(0) || value.contains(0) { unsafe place.pointee.isCut = true }
          unsafe place.pointee.headers.append(
            (String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
          return rasa_mhd_yes()
        }, place)
    }
    exchange.isHead = head.method == "HEAD"
    do throws(RequestHead.Refusal) {
      exchange.request = try head.check(hosts: hosts, port: port, limits: limits)
    } catch {
      return refuse(exchange, error)
    }
    exchange.phase = .body
    set(exchange.peer, limits.bodyTime)
    return rasa_mhd_yes()
  }

  /// False where the connection has to end at once.
  private func takeBody(_ exchange: Exchange, _ bytes: UnsafeRawBufferPointer) -> Bool {
    exchange.received += bytes.count
    guard exchange.received > limits.body else {
      unsafe exchange.request?.body.append(contentsOf: bytes)
      return true
    }
    // A client hears that its body is too large if it ends soon.
    exchange.isTooLarge = true
    exchange.request?.body = []
    return exchange.received <= limits.body * 2
  }

  private func start(_ exchange: Exchange) {
    guard let request = exchange.request else { return }
    exchange.phase = .handling
    exchange.request = nil
    exchange.peer?.deadline = .max
    suspend(exchange)
    let (handler, mailbox, number) = (handler, mailbox, exchange.number)
    exchange.task = Task {
      let response = await handler(request)
      guard case .stream(let write) = response.body else {
        return mailbox.post(.respond(exchange: number, response, nil))
      }
      let stream = ResponseStream { mailbox.post(.wake(exchange: number)) }
      mailbox.post(.respond(exchange: number, response, stream))
      do {
        try await write(ResponseWriter(stream: stream))
        stream.end(isComplete: true)
      } catch {
        stream.end(isComplete: false)
      }
    }
  }
}

// MARK: - A response

extension ServerLoop {
  private func refuse(_ exchange: Exchange, _ refusal: RequestHead.Refusal) -> MHD_Result {
    queue(
      ServerResponse(
        status: refusal.status, refusal.text + "\n", headers: [("Connection", "close")]), exchange)
  }

  private func queue(_ response: ServerResponse, _ exchange: Exchange) -> MHD_Result {
    guard let connection = unsafe exchange.connection else { return rasa_mhd_no() }
    exchange.phase = .responding
    let handle: OpaquePointer?
    switch response.body {
    case .bytes(let bytes) where bytes.count <= ResponseStream.limit:
      unsafe handle = bytes.withUnsafeBytes {
        unsafe rasa_mhd_bytes_response($0.baseAddress, $0.count)
      }
    case .bytes(let bytes):
      // In pieces, so that it shows whether the client takes them.
      exchange.whole = bytes
      unsafe handle = stream(exchange, size: UInt64(bytes.count))
    case .stream: unsafe handle = stream(exchange, size: rasa_mhd_unknown_size())
    }
    guard let handle = unsafe handle else { return rasa_mhd_no() }
    defer { unsafe rasa_mhd_destroy(handle) }
    var headers = response.headers
    if isDraining { headers.append(("Connection", "close")) }
    for (name, value) in headers {
      // One that the library does not take would be missing unnoticed.
      guard unsafe rasa_mhd_add_header(handle, name, value) == 1 else { return rasa_mhd_no() }
    }
    set(exchange.peer, limits.sendTime)
    return unsafe rasa_mhd_queue(connection, UInt32(clamping: response.status), handle) == 1
      ? rasa_mhd_yes() : rasa_mhd_no()
  }

  private func stream(_ exchange: Exchange, size: UInt64) -> OpaquePointer? {
    let source = ResponseSource(exchange, self)
    return unsafe rasa_mhd_stream_response(
      size,
      { context, position, buffer, count in
        guard let context = unsafe context, let buffer = unsafe buffer else {
          return rasa_mhd_end_with_error()
        }
        let source = unsafe Unmanaged<ResponseSource>.fromOpaque(context).takeUnretainedValue()
        return unsafe source.loop.send(
          source.exchange, from: position,
          UnsafeMutableRawBufferPointer(start: buffer, count: count))
      }, Unmanaged.passRetained(source).toOpaque(),
      { context in
        guard let context = unsafe context else { return }
        unsafe Unmanaged<ResponseSource>.fromOpaque(context).release()
      })
  }

  private final class ResponseSource {
    let exchange: Exchange
    let loop: ServerLoop
    init(_ exchange: Exchange, _ loop: ServerLoop) {
      self.exchange = exchange
      self.loop = loop
    }
  }

  /// Called when the connection can take more.
  private func send(
    _ exchange: Exchange, from position: UInt64, _ buffer: UnsafeMutableRawBufferPointer
  ) -> Int {
    guard !exchange.isAbandoned else { return rasa_mhd_end_with_error() }
    set(exchange.peer, limits.sendTime)
    if let whole = exchange.whole {
      guard position < UInt64(whole.count) else { return rasa_mhd_end_of_stream() }
      let piece = whole[Int(position)...].prefix(buffer.count)
      unsafe buffer.copyBytes(from: piece)
      return piece.count
    }
    switch unsafe exchange.stream?.read(into: buffer) ?? .brokenEnd {
    case .bytes(let count): return count
    case .end: return rasa_mhd_end_of_stream()
    case .brokenEnd: return rasa_mhd_end_with_error()
    case .nothing:
      exchange.peer?.deadline = .max
      suspend(exchange)
      return 0
    }
  }
}

// MARK: - Time

extension ServerLoop {
  private func set(_ connection: ServerConnection?, _ time: Duration) {
    guard let connection else { return }
    connection.deadline = monotonicNanoseconds() &+ time.inNanoseconds
    nextCheck = min(nextCheck, connection.deadline)
  }

  private func checkDeadlines(_ now: UInt64) {
    var nearest = UInt64.max
    for connection in connections.values {
      if connection.deadline <= now {
        connection.deadline = .max
        // libmicrohttpd finds it ended, and closes it. It is open until this loop has been told otherwise.
        shutdown(connection.socket, Int32(SHUT_RDWR))
      }
      nearest = min(nearest, connection.deadline)
    }
    // Thousands of connections are not looked through for each of them.
    nextCheck = nearest == .max ? .max : max(nearest, now &+ 100_000_000)
  }
}
