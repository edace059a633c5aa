import CCurl
import CSystem
import Glibc
import RasaCore

/// The one thread that libcurl runs on. Sockets are watched with epoll and handed to libcurl one by
/// one, so a wake-up costs the same whether one stream is open or a thousand.
@safe final class EventLoop {
  private let mailbox: Mailbox
  private let executor: LoopExecutor
  let configuration: HTTPClientConfiguration
  let multi: UnsafeMutableRawPointer
  let poll: Int32
  private var running: [ObjectIdentifier: RunningTransfer] = [:]
  private let arrivals = ArrivedTransfers()
  private var store: CertificateStore?
  /// When libcurl wants to be called without a socket being ready.
  var curlTimer = UInt64.max

  private init?(
    mailbox: Mailbox, executor: LoopExecutor, configuration: HTTPClientConfiguration
  ) {
    guard curl_global_init(Int(CURL_GLOBAL_SSL)) == CURLE_OK, let multi = unsafe curl_multi_init()
    else { return nil }
    self.mailbox = mailbox
    self.executor = executor
    self.configuration = configuration
    unsafe self.multi = multi
    poll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard poll >= 0, register(mailbox.wakeDescriptor, EPOLLIN.rawValue, isNew: true) else {
      return nil
    }
    configureMulti()
  }

  deinit {
    unsafe rasa_curl_multi_set_socket_callback(multi, nil)
    unsafe rasa_curl_multi_set_timer_callback(multi, nil)
    unsafe curl_multi_cleanup(multi)
    close(poll)
  }
}

// MARK: - The thread

extension EventLoop {
  private final class Start {
    let mailbox: Mailbox
    let executor: LoopExecutor
    let configuration: HTTPClientConfiguration
    init(
      _ mailbox: Mailbox, _ executor: LoopExecutor, _ configuration: HTTPClientConfiguration
    ) {
      self.mailbox = mailbox
      self.executor = executor
      self.configuration = configuration
    }
  }

  /// Nil when the system has no thread to give.
  static func startThread(
    mailbox: Mailbox, executor: LoopExecutor, configuration: HTTPClientConfiguration
  ) -> pthread_t? {
    // Signals are for the program's own threads, so this one is born with all of them blocked.
    var all = sigset_t()
    var previous = sigset_t()
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_SETMASK, &all, &previous)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &previous, nil) }

    let start = unsafe Unmanaged.passRetained(Start(mailbox, executor, configuration))
    var thread = pthread_t()
    let result = unsafe pthread_create(
      &thread, nil,
      { context in
        guard let context = unsafe context else { return nil }
        let start = unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
        EventLoop.run(start.mailbox, start.executor, start.configuration)
        return nil
      }, start.toOpaque())
    guard result == 0 else {
      unsafe start.release()
      return nil
    }
    return thread
  }

  private static func run(
    _ mailbox: Mailbox, _ executor: LoopExecutor, _ configuration: HTTPClientConfiguration
  ) {
    var error = HTTPError.loopUnavailable
    if let loop = EventLoop(mailbox: mailbox, executor: executor, configuration: configuration) {
      mailbox.open()
      loop.run()
      error = .shutDown
      for running in loop.running.values { loop.remove(running, .failure(error)) }
    }
    let (transfers, jobs) = mailbox.close()
    for transfer in transfers { transfer.finish(.failure(error)) }
    for job in jobs { LoopExecutor.runElsewhere(job) }
  }

  private func run() {
    let capacity = 64
    let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)
    defer { unsafe events.deallocate() }
    while true {
      let count = unsafe epoll_wait(poll, events, Int32(capacity), waitingTime())
      for index in 0..<max(0, Int(count)) {
        let event = unsafe events[index]
        let descriptor = unsafe event.data.fd
        if descriptor == mailbox.wakeDescriptor {
          mailbox.acknowledge()
        } else {
          act(on: descriptor, curlFlags(unsafe event.events))
        }
      }
      let now = monotonicNanoseconds()
      if curlTimer <= now {
        curlTimer = .max
        act(on: CURL_SOCKET_TIMEOUT, 0)
      }
      if mailbox.deadlineCheck <= now { checkDeadlines(now) }
      guard emptyMailbox() else { return }
    }
  }

  /// Milliseconds until something is due, rounded up so that it is due then.
  private func waitingTime() -> Int32 {
    guard mailbox.isEmpty else { return 0 }
    let due = min(curlTimer, mailbox.deadlineCheck)
    guard due < .max else { return -1 }
    let now = monotonicNanoseconds()
    guard due > now else { return 0 }
    return Int32(clamping: (due - now - 1) / 1_000_000 + 1)
  }

  /// A task that never waits must not keep the sockets waiting.
  private static let roundsBetweenWaits = 16

  /// False when the loop is to end.
  private func emptyMailbox() -> Bool {
    for _ in 0..<Self.roundsBetweenWaits {
      let (commands, jobs, isStopRequested) = mailbox.take()
      for command in commands {
        switch command {
        case .start(let transfer): start(transfer)
        case .unpause(let transfer):
          running[ObjectIdentifier(transfer)]?.unpause()
        case .stop(let transfer):
          guard let stopped = running[ObjectIdentifier(transfer)] else { continue }
          remove(stopped, .failure(.cancelledByCaller))
        }
      }
      if !commands.isEmpty { settle() }
      if isStopRequested {
        for job in jobs { LoopExecutor.runElsewhere(job) }
        return false
      }
      if jobs.isEmpty { break }
      executor.run(jobs)
    }
    return true
  }

  private func checkDeadlines(_ now: UInt64) {
    mailbox.forgetDeadlineCheck()
    var nearest = UInt64.max
    for waiting in running.values {
      let (next, stop) = waiting.transfer.checkDeadline(now: now, headLate: waiting.headLate)
      if stop { remove(waiting, .failure(.bodyLate)) }
      nearest = min(nearest, next ?? .max)
    }
    if nearest < .max { mailbox.watch(nearest) }
  }
}

// MARK: - Transfers

extension EventLoop {
  private func start(_ transfer: Transfer) {
    let store: CertificateStore?
    do {
      store = try certificates(for: transfer)
    } catch {
      return transfer.finish(.failure(error))
    }
    guard
      let transferring = RunningTransfer(
        transfer, configuration: configuration, store: store, arrivals: arrivals)
    else {
      return transfer.finish(.failure(HTTPError(.other, "libcurl has no memory for a request")))
    }
    running[ObjectIdentifier(transfer)] = transferring
    let result = unsafe curl_multi_add_handle(multi, transferring.easy)
    if result != CURLM_OK {
      remove(transferring, .failure(HTTPError(.other, "libcurl does not accept the request")))
    }
  }

  /// The trusted CAs, loaded before the first connection that needs them.
  private func certificates(for transfer: Transfer) throws(HTTPError) -> CertificateStore? {
    guard transfer.needsCertificates else { return nil }
    // A file that cannot be used is read again, so that a mended one works without a restart.
    if store == nil { store = try CertificateStore(configuration.network) }
    return store
  }

  /// Takes an unfinished transfer out, which closes its connection.
  private func remove(_ transferring: RunningTransfer, _ result: Result<Void, HTTPError>) {
    running[ObjectIdentifier(transferring.transfer)] = nil
    unsafe curl_multi_remove_handle(multi, transferring.easy)
    transferring.transfer.finish(result)
  }

  private func act(on socket: Int32, _ flags: Int32) {
    var stillRunning: Int32 = 0
    unsafe curl_multi_socket_action(multi, socket, flags, &stillRunning)
    settle()
  }

  /// Ends what has ended, so that the last bytes and the end are one hand-over, and hands over what else
  /// came in.
  private func settle() {
    defer { while let arrived = arrivals.transfers.popLast() { arrived.handOver() } }
    var remaining: Int32 = 0
    while let message = unsafe curl_multi_info_read(multi, &remaining) {
      let code = unsafe rasa_curl_message_result(message)
      guard unsafe message.pointee.msg == CURLMSG_DONE,
        let easy = unsafe message.pointee.easy_handle
      else { continue }
      var context: UnsafeMutableRawPointer?
      unsafe rasa_curl_get_pointer(easy, CURLINFO_PRIVATE, &context)
      unsafe curl_multi_remove_handle(multi, easy)
      guard let context = unsafe context else { continue }
      let finished = unsafe Unmanaged<RunningTransfer>.fromOpaque(context).takeUnretainedValue()
      finished.finish(code)
      running[ObjectIdentifier(finished.transfer)] = nil
    }
  }
}
