import CSystem
import Glibc
package import RasaCore

/// A model provider on a real loopback socket that follows a script and keeps an invoice. It speaks
/// OpenAI chat completions and Anthropic messages below `/v1`, Gemini below `/v1beta` and Ollama
/// below `/api`; embeddings in those that have them.
package final class ScriptedProvider: Sendable {
  package let port: UInt16
  package let invoice: Invoice
  private let shared: ProviderShared
  private let thread: Locked<pthread_t?>

  /// Each request is served by the first script that matches and has not reached its limit. Without
  /// scripts, requests get a default answer: see `Script.init(modelName:)` and
  /// `Script.Answer.echo`.
  package static func start(
    _ scripts: [Script] = [], models: [String] = ["scripted"], port: UInt16 = 0
  ) throws(Failure) -> ScriptedProvider {
    let (listener, port) = try listenOnLoopback(port)
    let shared = ProviderShared(scripts: scripts, models: models)
    let start = ProviderLoop.Start(listener: listener, shared: shared)
    guard let thread = ProviderLoop.startThread(start) else {
      throw Failure(.run, "the provider could not start its thread")
    }
    return ScriptedProvider(port: port, shared: shared, thread: thread)
  }

  private init(port: UInt16, shared: ProviderShared, thread: pthread_t) {
    self.port = port
    self.shared = shared
    invoice = shared.invoice
    self.thread = Locked(thread)
  }

  deinit { stop() }

  /// The base URL of Anthropic, Gemini and Ollama; their versions are below it.
  package var baseURL: String { "http://127.0.0.1:\(port)" }
  /// The base URL of the OpenAI-compatible server.
  package var openAIBaseURL: String { baseURL + "/v1" }
  package var requests: [ReceivedRequest] { invoice.requests }
  package var connections: Int { invoice.contents.connections }

  /// Appends scripts to the existing ones.
  package func add(_ scripts: Script...) { shared.scripts.withLock { $0 += scripts } }

  /// Closes every connection and the port; returns when that is done.
  package func stop() {
    let running = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    guard let running else { return }
    shared.requestStop()
    pthread_join(running, nil)
  }
}

// MARK: - Waiting

extension ScriptedProvider {
  /// Returns when that many requests have arrived.
  @discardableResult
  package func waitForRequests(_ count: Int) async throws -> [ReceivedRequest] {
    try await invoice.wait(for: "\(count) requests") { $0.requests.count >= count }.requests
  }

  /// Returns when the answer to that request is over, in whatever way.
  @discardableResult
  package func waitForEnd(ofRequest index: Int) async throws -> ReceivedRequest {
    try await wait(for: "the end of request \(index)", request: index) { $0.outcome != .answering }
  }

  /// Returns when the peer has hung up during the answer to that request.
  @discardableResult
  package func waitForDisconnect(ofRequest index: Int) async throws -> ReceivedRequest {
    try await wait(for: "the peer to leave request \(index)", request: index) {
      if case .peerGone = $0.outcome { true } else { false }
    }
  }

  /// Returns when a condition is true for that request.
  @discardableResult
  package func wait(
    for description: String, request index: Int,
    until condition: @escaping @Sendable (ReceivedRequest) -> Bool
  ) async throws -> ReceivedRequest {
    let contents = try await invoice.wait(for: description) {
      $0.requests.count > index && condition($0.requests[index])
    }
    return contents.requests[index]
  }
}

/// State shared by the provider's owner and its loop.
final class ProviderShared: Sendable {
  let scripts: Locked<[Script]>
  let models: [String]
  let invoice: Invoice
  let wakeDescriptor: Int32
  private let isStopRequested = Locked(false)

  init(scripts: [Script], models: [String]) {
    self.scripts = Locked(scripts)
    self.models = models
    let descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    wakeDescriptor = descriptor
    invoice = Invoice { eventfd_write(descriptor, 1) }
  }

  deinit { close(wakeDescriptor) }

  func requestStop() {
    isStopRequested.withLock { $0 = true }
    eventfd_write(wakeDescriptor, 1)
  }

  /// Called after a wake-up; false if the loop is to end.
  func readWakeUp() -> Bool {
    var count: eventfd_t = 0
    unsafe eventfd_read(wakeDescriptor, &count)
    return !isStopRequested.withLock { $0 }
  }

  /// The script that serves a request, counted against its limit.
  func script(for request: ReceivedRequest) -> Script {
    let candidates = scripts.withLock { $0 }
    // Conditions are the test's own code, so they run outside the lock.
    let index = candidates.firstIndex { script in
      (script.limit ?? 1) > 0
        && (script.model == nil || script.model == request.model)
        && (script.matches?(request) ?? true)
    }
    guard let index else {
      return request.model.flatMap(Script.init(modelName:)) ?? Script()
    }
    return scripts.withLock { scripts in
      if let limit = scripts[index].limit { scripts[index].limit = limit - 1 }
      return scripts[index]
    }
  }
}
