import RasaCore

extension Rasa {
  /// A run in progress: a sequence of what happens in it, and its result.
  ///
  /// ```swift
  /// let run = try await rasa.run(agent: "code-reviewer", input: text)
  /// for try await event in run {
  ///   if case .output(let piece) = event { print(piece, terminator: "") }
  /// }
  /// let result = try await run.result()
  /// ```
  ///
  /// Events wait for their reader, and the run waits for nobody: waiting pieces of text become one, and of
  /// a model's reasoning a quarter of a megabyte is kept. If you only want the result, call `result()`
  /// without making an iterator: events are then dropped. A stream is never cut silently: reading after
  /// events were dropped throws.
  ///
  /// The run is cancelled when its last reference is released, and when the task that reads its events or
  /// waits for its result is cancelled. It is then parked, and `Rasa.resume(_:)` continues it.
  public final class Run: AsyncSequence, Sendable {
    /// What the sequence consists of.
    public typealias Element = Event
    /// What the sequence ends with when the run fails.
    public typealias Failure = RasaError

    /// What `Rasa.run(withID:)` and `rasa runs show` know it by.
    public let id: String
    private let events = EventQueue()
    private let task: Task<RunResult, any Error>

    init(
      id: String,
      work:
        @escaping @Sendable (
          _ emit: @escaping @Sendable (Event) async -> Void,
          _ hasRoom: @escaping @Sendable () -> Bool,
          _ cancel: @escaping @Sendable () -> Void
        ) async throws(RasaError) -> RunResult
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
        return try await work({ await events.send($0) }, { events.hasRoom }, cancel)
      }
      begun.withLock { $0 = task }
      if isCancelled.withLock({ $0 }) { task.cancel() }
    }

    deinit { cancel() }

    /// Stops the run at once. It is parked and can go on; `Rasa.cancel(_:)` ends it for good.
    public func cancel() {
      task.cancel()
      events.open()
    }

    /// Waits for the end of the run and returns its result.
    ///
    /// While the events have a reader, this returns once that reader has reached their end. Without one,
    /// or once the reader has released its iterator, the remaining events are dropped.
    ///
    /// - Throws: Why the run failed or was stopped.
    public func result() async throws(RasaError) -> RunResult {
      events.wantResult()
      return try await outcome()
    }

    fileprivate func outcome() async throws(RasaError) -> RunResult {
      do {
        return try await withTaskCancellationHandler {
          try await task.value
        } onCancel: {
          cancel()
        }
      } catch {
        throw RasaError(error)
      }
    }

    /// Makes the one iterator over the events. Once it has been released, another one may be made,
    /// which continues where the first one stopped.
    public func makeAsyncIterator() -> Iterator {
      Iterator(run: self, reader: EventReader(events))
    }

    /// Reads the events of a run, one after the other.
    public struct Iterator: AsyncIteratorProtocol {
      fileprivate let run: Run
      fileprivate let reader: EventReader

      /// The next event; nil at the end of the run.
      ///
      /// - Throws: Why the run failed; an error of code `usage` when events were dropped before this
      ///   iterator was made, or when another one is reading.
      public mutating func next() async throws(RasaError) -> Event? {
        try await next(isolation: nil)
      }

      /// The same, for a caller that is isolated to an actor.
      public mutating func next(
        isolation actor: isolated (any Actor)?
      ) async throws(RasaError) -> Event? {
        let run = run
        let reader = reader
        let reading = await withTaskCancellationHandler {
          await reader.next()
        } onCancel: {
          run.cancel()
        }
        switch reading {
        case .event(let event): return event
        case .end:
          _ = try await run.outcome()
          return nil
        case .refused(let message):
          throw RasaError(
            .usage, message, suggestion: "make one iterator, before the result is asked for")
        }
      }
    }
  }
}

/// One reader's right to the events, for as long as somebody holds it.
final class EventReader: Sendable {
  private let queue: EventQueue
  private let refusal: String?

  init(_ queue: EventQueue) {
    self.queue = queue
    refusal = queue.beginReading()
  }

  deinit { if refusal == nil { queue.endReading() } }

  func next() async -> EventQueue.Reading {
    if let refusal { return .refused(refusal) }
    return await queue.next()
  }
}

/// Events between the run that emits them and whoever reads them.
final class EventQueue: Sendable {
  enum Reading: Sendable {
    case event(Rasa.Event)
    case end
    /// Why there is nothing to read although there were events.
    case refused(String)
  }

  private struct State {
    var waiting: [Rasa.Event] = []
    var first = 0
    var senders: [CheckedContinuation<Void, Never>] = []
    var reader: CheckedContinuation<Reading, Never>?
    /// Somebody holds an iterator.
    var isRead = false
    var wantsResult = false
    /// Nobody reads: what is emitted goes nowhere.
    var isOpen = false
    /// The run is being stopped: nothing of it waits for anybody.
    var isCancelled = false
    var isFinished = false
    /// Events were dropped, so a stream that began now would lack its beginning or its middle.
    var isIncomplete = false

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

    /// Lets go of everything, and returns who waited for room.
    mutating func open() -> [CheckedContinuation<Void, Never>] {
      isOpen = true
      if !isRead, first < waiting.count {
        isIncomplete = true
        waiting = []
        first = 0
      }
      defer { senders = [] }
      return senders
    }
  }

  private let state = Locked(State())
  /// So many are emitted ahead of the reader.
  private static let room = 64

  /// Whether the next one needs to wait for nobody.
  var hasRoom: Bool {
    state.withLock { $0.isOpen || $0.waiting.count - $0.first < Self.room - 1 }
  }

  /// Nil when the caller may read; else why not.
  func beginReading() -> String? {
    state.withLock { state in
      if state.isRead { return "the events of this run have a reader already" }
      if state.isIncomplete {
        return "the events of this run were dropped, because its result was asked for first"
      }
      state.isRead = true
      return nil
    }
  }

  func endReading() {
    let senders = state.withLock { state in
      state.isRead = false
      return state.wantsResult ? state.open() : []
    }
    for sender in senders { sender.resume() }
  }

  /// Somebody waits for the run's end: where nobody reads, nothing is to hold it up.
  func wantResult() {
    let senders = state.withLock { state in
      state.wantsResult = true
      return state.isRead ? [] : state.open()
    }
    for sender in senders { sender.resume() }
  }

  /// Returns when there is room for the next one.
  func send(_ event: Rasa.Event) async {
    await withCheckedContinuation { continuation in
      let (reader, isToWait) = state.withLock { state in
        if state.isOpen || state.isCancelled, !state.isRead {
          state.isIncomplete = true
          return (nil as CheckedContinuation<Reading, Never>?, false)
        }
        if let reader = state.reader {
          state.reader = nil
          return (reader, false)
        }
        state.waiting.append(event)
        guard !state.isCancelled, state.waiting.count - state.first >= Self.room else {
          return (nil, false)
        }
        state.senders.append(continuation)
        return (nil, true)
      }
      reader?.resume(returning: .event(event))
      if !isToWait { continuation.resume() }
    }
  }

  /// The next event, or the end.
  func next() async -> Reading {
    await withCheckedContinuation { continuation in
      let (reading, senders) = state.withLock {
        state -> (Reading?, [CheckedContinuation<Void, Never>]) in
        if let event = state.takeFirst() {
          defer { state.senders = [] }
          return (.event(event), state.senders)
        }
        if state.reader != nil {
          return (.refused("two tasks read the events of this run at once"), [])
        }
        if state.isFinished { return (.end, []) }
        state.reader = continuation
        return (nil, [])
      }
      for sender in senders { sender.resume() }
      if let reading { continuation.resume(returning: reading) }
    }
  }

  /// From now on nothing waits: the run is being stopped.
  func open() {
    let senders = state.withLock { state in
      state.isCancelled = true
      defer { state.senders = [] }
      return state.senders
    }
    for sender in senders { sender.resume() }
  }

  func finish() {
    let (reader, senders) = state.withLock { state in
      state.isFinished = true
      defer {
        state.reader = nil
        state.senders = []
      }
      return (state.reader, state.senders)
    }
    reader?.resume(returning: .end)
    for sender in senders { sender.resume() }
  }
}
