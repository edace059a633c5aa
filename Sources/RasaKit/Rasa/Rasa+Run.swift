import RasaCore

extension Rasa {
  /// A run under way: a sequence of what happens in it, and its result.
  ///
  /// Events wait for whoever reads them, and the run waits for nobody: pieces of text that wait become
  /// one, and of a model's thoughts a quarter of a megabyte waits. The run is cancelled when nobody holds it any more, and when the task is cancelled that
  /// reads its events or waits for its result; it is then parked, and `rasa resume` goes on with it.
  public final class Run: AsyncSequence, Sendable {
    public typealias Element = Event

    /// What `rasa runs show` knows it by.
    public let id: String
    private let events = EventQueue()
    private let task: Task<RunResult, any Error>

    init(
      id: String,
      work:
        @escaping @Sendable (
          _ tell: @escaping @Sendable (Event) async -> Void,
          _ hasRoom: @escaping @Sendable () -> Bool,
          _ cancel: @escaping @Sendable () -> Void
        ) async throws -> RunResult
    ) {
      self.id = id
      let events = events
      let begun = Locked<Task<RunResult, any Error>?>(nil)
      let isCancelled = Locked(false)
      let cancel: @Sendable () -> Void = {
        isCancelled.withLock { $0 = true }
        begun.withLock { $0 }?.cancel()
        events.open()
      }
      task = Task {
        defer { events.finish() }
        do {
          return try await work({ await events.send($0) }, { events.hasRoom }, cancel)
        } catch {
          throw error.told
        }
      }
      begun.withLock { $0 = task }
      if isCancelled.withLock({ $0 }) { task.cancel() }
    }

    deinit { cancel() }

    public func cancel() {
      task.cancel()
      events.open()
    }

    /// What came of it, once it has come to its end. Events that nobody has read are let go.
    public func result() async throws -> RunResult {
      events.open()
      return try await withTaskCancellationHandler {
        try await task.value
      } onCancel: {
        cancel()
      }
    }

    public func makeAsyncIterator() -> Iterator { Iterator(run: self) }

    /// Ends with the run; throws when the run fails.
    public struct Iterator: AsyncIteratorProtocol {
      fileprivate let run: Run

      public mutating func next() async throws -> Event? {
        let run = run
        let event = await withTaskCancellationHandler {
          await run.events.next()
        } onCancel: {
          run.cancel()
        }
        if let event { return event }
        _ = try await run.task.value
        return nil
      }
    }
  }
}

/// Events between the run that tells them and whoever reads them.
final class EventQueue: Sendable {
  private struct State {
    var waiting: [Rasa.Event] = []
    var first = 0
    var senders: [CheckedContinuation<Void, Never>] = []
    var reader: CheckedContinuation<Rasa.Event?, Never>?
    /// Nobody reads any more: what is told goes nowhere.
    var isOpen = false
    var isFinished = false

    mutating func takeFirst() -> Rasa.Event? {
      guard first < waiting.count else { return nil }
      defer {
        first += 1
        if first == waiting.count {
          waiting.removeAll(keepingCapacity: true)
          first = 0
        }
      }
      return waiting[first]
    }
  }

  private let state = Locked(State())
  /// So many are told ahead of the reader.
  private static let room = 64

  /// Whether the next one needs to wait for nobody.
  var hasRoom: Bool {
    state.withLock { $0.isOpen || $0.waiting.count - $0.first < Self.room - 1 }
  }

  /// Returns when there is room for the next one.
  func send(_ event: Rasa.Event) async {
    await withCheckedContinuation { continuation in
      let (reader, isToWait) = state.withLock { state in
        if state.isOpen { return (nil as CheckedContinuation<Rasa.Event?, Never>?, false) }
        if let reader = state.reader {
          state.reader = nil
          return (reader, false)
        }
        state.waiting.append(event)
        guard state.waiting.count - state.first >= Self.room else { return (nil, false) }
        state.senders.append(continuation)
        return (nil, true)
      }
      reader?.resume(returning: event)
      if !isToWait { continuation.resume() }
    }
  }

  /// The next event; nil at the end. One reader at a time.
  func next() async -> Rasa.Event? {
    await withCheckedContinuation { continuation in
      let (event, isEnd, senders) = state.withLock { state in
        if let event = state.takeFirst() {
          defer { state.senders = [] }
          return (Optional(event), false, state.senders)
        }
        if state.isFinished || state.reader != nil { return (nil, true, []) }
        state.reader = continuation
        return (nil, false, [])
      }
      for sender in senders { sender.resume() }
      if event != nil || isEnd { continuation.resume(returning: event) }
    }
  }

  /// From now on everything is let go.
  func open() {
    let senders = state.withLock { state in
      state.isOpen = true
      defer { state.senders = [] }
      return state.senders
    }
    for sender in senders { sender.resume() }
  }

  func finish() {
    let (reader, senders) = state.withLock { state in
      state.isFinished = true
      state.isOpen = true
      defer {
        state.reader = nil
        state.senders = []
      }
      return (state.reader, state.senders)
    }
    reader?.resume(returning: nil)
    for sender in senders { sender.resume() }
  }
}
