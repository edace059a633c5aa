import Glibc
import RasaCore

package struct HTTPClientConfiguration: Sendable {
  package var connectTimeout: Duration
  /// Proxies and CAs. The environment itself is never read.
  package var network: NetworkSettings
  /// How many connections may be open at once, idle ones included; further requests wait.
  package var maxConnections: Int
  package var userAgent: String
  /// Offers HTTP/2 over TLS. One connection then carries many streams.
  package var http2: Bool
  /// The addresses of a host instead of those that the system's resolver finds; nil for the system's.
  package typealias Resolver = @Sendable (_ host: String) -> [String]?
  package var resolver: Resolver?

  package init(
    connectTimeout: Duration = .seconds(10), network: NetworkSettings = NetworkSettings(),
    maxConnections: Int = 1_000,
    userAgent: String = "rasa", http2: Bool = false, resolver: Resolver? = nil
  ) {
    self.resolver = resolver
    self.connectTimeout = connectTimeout
    self.network = network
    self.maxConnections = maxConnections
    self.userAgent = userAgent
    self.http2 = http2
  }
}

/// HTTP requests whose answers stream, over libcurl on one thread of its own.
///
/// Redirects are not followed by libcurl, which would resend key headers to another host, but by
/// `send(_:following:)`, where that is wanted. There is
/// no time limit on a whole answer: connecting has one, and each wait for the headers or the next
/// chunk has a deadline of its own.
package final class HTTPClient: Sendable {
  private enum Thread {
    case none
    case running(pthread_t)
    case ended
  }

  private let configuration: HTTPClientConfiguration
  private let mailbox: Mailbox
  private let thread = Locked(Thread.none)
  private let loopExecutor: LoopExecutor

  package init(configuration: HTTPClientConfiguration = HTTPClientConfiguration()) {
    self.configuration = configuration
    mailbox = Mailbox()
    loopExecutor = LoopExecutor(mailbox)
  }

  /// Starts the loop's thread, which initialises libcurl, so that both overlap with whatever the
  /// program does before its first request. Called by `send` when it was not called before.
  package func prepare() {
    thread.withLock { thread in
      guard case .none = thread else { return }
      guard
        let started = EventLoop.startThread(
          mailbox: mailbox, executor: loopExecutor, configuration: configuration)
      else {
        thread = .ended
        let (transfers, jobs) = mailbox.close()
        for transfer in transfers { transfer.finish(.failure(.loopUnavailable)) }
        for job in jobs { LoopExecutor.runElsewhere(job) }
        return
      }
      thread = .running(started)
    }
  }

  /// Runs tasks where their responses arrive: see `LoopExecutor`.
  package var executor: any TaskExecutor {
    prepare()
    return loopExecutor
  }

  /// Returns when the status and all headers of the final response are in; the body streams.
  package func send(_ request: HTTPRequest) async throws -> HTTPResponse {
    try request.check()
    prepare()
    let route = try configuration.network.route(to: request.url)
    var check = AddressCheck.none
    if let policy = request.addressPolicy {
      check = try await policy.check(
        request.url, through: route.proxy, resolver: configuration.resolver)
    }
    let transfer = Transfer(
      request: request, route: route, addressCheck: check, mailbox: mailbox)
    let head = try await transfer.start()
    return HTTPResponse(
      status: head.status, headers: head.headers, body: HTTPBody(transfer: transfer, client: self),
      route: route, url: request.url)
  }

  /// Aborts what is running and returns when the loop's thread has ended and every connection is
  /// closed; called from that thread, by a task that runs on it, it returns before that. Requests made
  /// afterwards fail.
  package func shutdown() {
    let isLoopThread = mailbox.isLoopThread
    guard let running = end() else { return }
    if isLoopThread { pthread_detach(running) } else { pthread_join(running, nil) }
  }

  /// Tells the loop to end; the caller joins or detaches its thread.
  private func end() -> pthread_t? {
    let running: pthread_t? = thread.withLock { thread in
      defer { thread = .ended }
      if case .running(let id) = thread { return id }
      return nil
    }
    mailbox.requestStop()
    return running
  }

  deinit {
    if let running = end() { pthread_detach(running) }
  }
}
