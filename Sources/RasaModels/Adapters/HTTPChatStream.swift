import RasaCore
import RasaHTTPClient

/// An answer while it arrives over HTTP.
struct HTTPChatStream: ChatStream {
  let body: HTTPBody
  var decoder: any ChatDecoder
  let address: String
  /// What was asked, without what may be secret in it.
  var asked = ""
  var status = 200
  /// Servers repeat what they were sent.
  var key: Secret? = nil
  /// What the provider calls the request.
  let requestID: String?

  var progress: ChatProgress {
    get { decoder.progress }
    _modify { yield &decoder.progress }
  }

  mutating func advance(deadline: UInt64) async throws -> Bool {
    do {
      guard let chunk = try await body.next(deadline: deadline) else {
        decoder.finish()
        finishProblem()
        return false
      }
      decoder.feed(chunk)
      finishProblem()
      return true
    } catch let error as HTTPError {
      throw try ProviderProblem(error, at: address, isInStream: true)
    }
  }

  /// What is missing after a finish reason (an end mark, half a line) is no problem of the answer.
  mutating func conclude() {
    decoder.finish()
    decoder.progress.problem = nil
  }

  private mutating func finishProblem() {
    guard var problem = decoder.progress.problem else { return }
    if let key { problem.message = key.redacting(problem.message) }
    problem.note(status: status, from: asked)
    problem.note(requestID: requestID)
    decoder.progress.problem = problem
  }

  mutating func drain(deadline: UInt64) async {
    for _ in 0..<8 {
      guard (try? await body.next(deadline: deadline)) != nil else { return }
    }
    body.cancel()
  }

  func cancel() { body.cancel() }
}

/// The request was held back at the last moment: whether the run is still this process's has to be
/// shown first.
struct NotSent: Error {}

extension ProviderProblem {
  /// What went wrong below HTTP. Throws what is no provider's fault: a cancelled task, an address
  /// that cannot be asked.
  init(_ error: HTTPError, at address: String, isInStream: Bool = false) throws {
    switch error.code {
    case .cancelled: throw CancellationError()
    case .withheld: throw NotSent()
    case .invalidURL, .refusedScheme, .refusedAddress, .redirect:
      throw Failure(
        .configuration, "\(address) cannot be asked: \(error.message)",
        suggestion: "correct the provider's address")
    case .certificateStore, .proxySetting:
      throw Failure(.configuration, error.message, suggestion: error.suggestion ?? "")
    case .timeout: self.init(.timeout, "nothing arrived for too long")
    case .connect: self.init(.connection, "no connection to \(address): \(error.message)")
    case .resolve: self.init(.unresolved, "no connection to \(address): \(error.message)")
    case .tls: self.init(.tls, "no connection to \(address): \(error.message)")
    case .certificate: self.init(.certificate, "no connection to \(address): \(error.message)")
    case .proxy: self.init(.proxy, "no connection to \(address): \(error.message)")
    case .aborted, .protocolViolation, .tooLarge, .other:
      self.init(
        isInStream ? .brokenStream : .connection,
        isInStream
          ? "the stream broke: \(error.message)"
          : "the connection to \(address) broke: \(error.message)")
    }
    isLasting = error.isLasting
    isWait = error.isWait
    suggestion = error.suggestion
  }
}
