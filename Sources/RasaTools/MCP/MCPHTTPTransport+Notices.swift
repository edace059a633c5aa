import RasaCore
import RasaDocuments
import RasaHTTPClient
import RasaPersona

/// The stream of notices, which is read beside requests and their answers.
extension MCPHTTPTransport {
  /// Hears what a server of the era of `initialize` says outside of answers: that its tools have changed, and what it
  /// asks.
  func listen(_ agreement: MCPAgreement, _ envelope: MCPEnvelope) async {
    guard !agreement.isModern, agreement.version != MCPVersion.withoutStreams,
      envelope.mayAsk || agreement.capabilities["tools"]["listChanged"].bool == true
    else { return }
    state.withLock { state in
      guard !state.isClosed, state.listener == nil else { return }
      state.listener = Task { await self.hear(envelope) }
    }
  }

  /// Until the transport is closed, the server does not offer the stream, or it is of no use.
  private func hear(_ envelope: MCPEnvelope) async {
    var stream = Stream()
    var fruitless = 0
    while fruitless < Self.resumptions, stream.total <= limits.unanswered {
      let before = stream.total
      do {
        let response = try await self.stream(
          after: stream.lastID, envelope, deadline: { self.deadline(limits.start) })
        guard isEventStream(response) else {
          response.body.cancel()
          // One that is busy may have time later; any other offers no such stream.
          guard response.status >= 500 || response.status == 429 else { return }
          throw HTTPError(.other, "HTTP \(response.status)")
        }
        // What was said while nobody listened is only repeated to those who can name the last event.
        if before > 0, stream.lastID.isEmpty { toolsChanged() }
        defer { response.body.cancel() }
        _ = try await read(response.body, into: &stream, deadline: { nil }) { document in
          for message in state.withLock({ $0.session.messages(in: document[...]) }) ?? [] {
            await heard(message, envelope)
          }
          return nil as Bool?
        }
      } catch let error as HTTPError where !error.isLasting && error.code != .cancelled {
        // Another attempt is made.
      } catch {
        return
      }
      fruitless = stream.total == before ? fruitless + 1 : 0
      guard (try? await time.sleep(stream.pause(usual: 1_000, atMost: 30))) != nil else { return }
    }
  }

  private func heard(_ message: JSONRPC.Message, _ envelope: MCPEnvelope) async {
    let actions = state.withLock { $0.session.receive(message, on: .notices) }
    for action in actions {
      switch action {
      case .send(let message):
        let request = MCPRequest(method: "", params: ValueObject(), secondsLeft: { 10 })
        try? await tell(message, request, envelope)
      case .toolsChanged: toolsChanged()
      case .deliver(let event, let id): inbox(of: id, envelope)?.post(.of(event))
      case .end: break
      }
    }
  }

  /// What the stream of notices has for a request is attended to while the request waits for its answer, and ends
  /// with it.
  private func inbox(of id: Int64, _ envelope: MCPEnvelope) -> MCPInbox? {
    state.withLock { state in
      guard let waiting = state.waiting[id] else { return nil }
      if let inbox = waiting.inbox { return inbox }
      let inbox = MCPInbox()
      state.waiting[id]?.inbox = inbox
      state.waiting[id]?.task = Task {
        while case .of(let event)? = try? await inbox.next() {
          switch event {
          case .progress(let progress): try? await waiting.request.progress(progress)
          case .asked(let question, let params):
            try? await self.answer(question, params, waiting.request, envelope)
          case .replied, .failed: break
          }
        }
      }
      return inbox
    }
  }
}
