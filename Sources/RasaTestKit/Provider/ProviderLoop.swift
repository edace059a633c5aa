import CSystem
import Glibc
import RasaCore

/// The provider's thread: every connection, one epoll, one queue of timers.
final class ProviderLoop {
  final class Start {
    let listener: Int32
    let shared: ProviderShared
    init(listener: Int32, shared: ProviderShared) {
      self.listener = listener
      self.shared = shared
    }
  }

  private let listener: Int32
  private let shared: ProviderShared
  private let poll = epoll_create1(Int32(EPOLL_CLOEXEC))
  private var connections: [Int32: Connection] = [:]
  private var accepted = 0
  private var timers = TimerQueue()
  /// Complete answers, by `Idempotency-Key`, if the script asks for that.
  private var answered: [String: (body: [UInt8], script: Script)] = [:]

  private init(_ start: Start) {
    listener = start.listener
    shared = start.shared
  }

  deinit {
    for connection in connections.values { connection.close() }
    close(listener)
    close(poll)
    shared.invoice.close()
  }

  static func startThread(_ start: Start) -> pthread_t? {
    let context = unsafe Unmanaged.passRetained(start)
    var thread = pthread_t()
    let result = unsafe pthread_create(
      &thread, nil,
      { context in
        guard let context = unsafe context else { return nil }
        ProviderLoop(unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue()).run()
        return nil
      }, context.toOpaque())
    guard result == 0 else {
      unsafe context.release()
      return nil
    }
    return thread
  }
}

// MARK: - Events

extension ProviderLoop {
  private func run() {
    let capacity = 256
    let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
    defer {
      unsafe events.deallocate()
      unsafe buffer.deallocate()
    }
    watch(listener, EPOLLIN.rawValue, isNew: true)
    watch(shared.wakeDescriptor, EPOLLIN.rawValue, isNew: true)
    while true {
      let count = unsafe epoll_wait(poll, events, Int32(capacity), waitingTime())
      let continues = shared.invoice.duringPass {
        for index in 0..<max(0, Int(count)) {
          let descriptor = unsafe events[index].data.fd
          let flags = unsafe events[index].events
          guard unsafe handle(descriptor, flags, buffer) else { return false }
        }
        handleTimers()
        return true
      }
      guard continues else { return }
    }
  }

  /// False if the loop is to end.
  private func handle(
    _ descriptor: Int32, _ flags: UInt32, _ buffer: UnsafeMutableRawBufferPointer
  ) -> Bool {
    if descriptor == listener {
      accept()
    } else if descriptor == shared.wakeDescriptor {
      return shared.readWakeUp()
    } else if let connection = connections[descriptor] {
      if flags & ~EPOLLOUT.rawValue != 0 { unsafe receive(connection, into: buffer) }
      if flags & EPOLLOUT.rawValue != 0, connections[descriptor] === connection {
        pump(connection)
      }
    }
    return true
  }

  private func handleTimers() {
    let now = monotonicNanoseconds()
    while let due = timers.removeDue(now) {
      guard let connection = connections[due.connection], connection.serial == due.serial else {
        continue
      }
      pump(connection)
    }
    if shared.invoice.nextDeadline <= now { shared.invoice.settle(now: now) }
  }

  /// Whole milliseconds, rounded up: streams due within the same one share a wake-up.
  private func waitingTime() -> Int32 {
    let due = min(timers.nearest, shared.invoice.nextDeadline)
    guard due < .max else { return -1 }
    let now = monotonicNanoseconds()
    return due <= now ? 0 : Int32(clamping: (due - now - 1) / 1_000_000 + 1)
  }

  private func watch(_ descriptor: Int32, _ events: UInt32, isNew: Bool) {
    var event = unsafe epoll_event()
    unsafe event.events = events
    unsafe event.data.fd = descriptor
    unsafe epoll_ctl(poll, isNew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event)
  }

  private func accept() {
    while true {
      let descriptor = CSystem.accept(listener, nil, nil)
      guard descriptor >= 0 else { return }
      _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      var yes: Int32 = 1
      unsafe setsockopt(
        descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
      connections[descriptor] = Connection(descriptor: descriptor, serial: accepted)
      accepted += 1
      shared.invoice.update { $0.connections += 1 }
      watch(descriptor, EPOLLIN.rawValue | EPOLLRDHUP.rawValue, isNew: true)
    }
  }

  private func drop(_ connection: Connection, reset: Bool = false) {
    connections[connection.descriptor] = nil
    connection.close(reset: reset)
  }
}

// MARK: - Requests

extension ProviderLoop {
  private func receive(_ connection: Connection, into buffer: UnsafeMutableRawBufferPointer) {
    guard unsafe connection.receive(into: buffer) else {
      if connection.playback != nil {
        shared.invoice.update(request: connection.requestIndex) {
          if $0.outcome == .answering { $0.outcome = .peerGone(at: monotonicNanoseconds()) }
        }
      }
      return drop(connection)
    }
    if connection.playback == nil { takeRequest(connection) }
  }

  private func takeRequest(_ connection: Connection) {
    let next: (head: RequestHead, body: [UInt8])?
    do { next = try connection.reader.next() } catch { return drop(connection) }
    guard let (head, body) = next else { return }
    let index = shared.invoice.current.requests.count
    let request = ReceivedRequest(
      index: index, connection: connection.serial, time: monotonicNanoseconds(), head: head,
      body: body)
    shared.invoice.update { $0.requests.append(request) }
    connection.requestIndex = index
    let playback = playback(for: request)
    shared.invoice.update(request: index) {
      $0.status = playback.script.status
      $0.inputRead =
        playback.script.window == nil ? request.promptWords : request.promptTokens
      $0.cachedRead = Int(request.cachedTokens(playback.script))
      $0.cacheWritten = Int(request.cacheWrites(playback.script))
    }
    connection.playback = playback
    connection.progress = .more
    pump(connection)
  }

  private func playback(for request: ReceivedRequest) -> Playback {
    switch (request.method, request.format) {
    case ("POST", let format?) where request.attachmentProblem != nil:
      let script = Script.error(400, request.attachmentProblem ?? "", code: "invalid_image")
      return Playback(script, request: request, format)
    case ("POST", let format?): return Playback(script(for: request), request: request, format)
    case ("GET", let format?): return Playback(format.models(shared.models), request: request)
    default:
      return Playback(
        ["error": ["message": "no such path", "code": "not_found"]], status: 404, request: request)
    }
  }
}

// MARK: - Keys

extension ProviderLoop {
  /// The script of the answer that this key got before, or the next one.
  private func script(for request: ReceivedRequest) -> Script {
    guard let key = request.idempotencyKey, let known = answered[key] else {
      return shared.script(for: request)
    }
    guard known.body == request.body else {
      return .error(400, "this key was used for another request", code: "idempotency_key_in_use")
    }
    shared.invoice.update(request: request.index) { $0.isRepeat = true }
    return known.script
  }

  /// Called when a complete answer has been sent.
  private func remember(_ script: Script, of index: Int) {
    guard script.remembersKeys, script.status == 200 else { return }
    let request = shared.invoice.current.requests[index]
    guard let key = request.idempotencyKey else { return }
    answered[key] = (request.body, script)
  }
}

// MARK: - Answers

extension ProviderLoop {
  /// Sends what is due until the socket is full, a delay is due, or the answer is over.
  private func pump(_ connection: Connection) {
    while true {
      let (sending, bytes) = connection.send()
      if bytes > 0, let playback = connection.playback {
        let (tokens, output) = (playback.tokensMade, playback.outputMade)
        shared.invoice.update(request: connection.requestIndex) {
          $0.bytesSent += bytes
          $0.tokensSent = tokens
          $0.outputSent = output
        }
      }
      watchOutput(connection, sending == .blocked)
      switch sending {
      case .blocked: return
      // The reading side will report that the peer is gone.
      case .failed: return
      case .all: break
      }
      switch connection.progress {
      case .more:
        guard connection.playback != nil else { return }
        let now = monotonicNanoseconds()
        connection.progress = connection.playback?.fill(&connection.output, now: now) ?? .more
      case .wait(let time):
        connection.progress = .more
        timers.add(time, connection: connection.descriptor, serial: connection.serial)
        return
      case .silence: return
      case .broken(let reset):
        end(connection, .broken)
        return drop(connection, reset: reset)
      case .complete:
        if let script = connection.playback?.script {
          remember(script, of: connection.requestIndex)
        }
        return next(connection, .completed)
      case .completeButBroken: return next(connection, .broken)
      }
    }
  }

  private func next(_ connection: Connection, _ outcome: ReceivedRequest.Outcome) {
    end(connection, outcome)
    connection.progress = .more
    takeRequest(connection)
  }

  private func end(_ connection: Connection, _ outcome: ReceivedRequest.Outcome) {
    connection.playback = nil
    shared.invoice.update(request: connection.requestIndex) { $0.outcome = outcome }
  }

  private func watchOutput(_ connection: Connection, _ isWanted: Bool) {
    guard connection.isWatchingOutput != isWanted else { return }
    connection.isWatchingOutput = isWanted
    let events = EPOLLIN.rawValue | EPOLLRDHUP.rawValue | (isWanted ? EPOLLOUT.rawValue : 0)
    watch(connection.descriptor, events, isNew: false)
  }
}
