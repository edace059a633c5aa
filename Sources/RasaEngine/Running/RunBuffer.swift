import RasaCore

/// A buffer between a run and its reader, so that a reader that is slow, stopped or gone never holds
/// up a call that is paid for.
///
/// A reader that can take an event at once gets it at once. Otherwise the event waits here, and the reader
/// catches up in the order in which things happened. What waits is bounded: pieces of one text become
/// one, and are no longer than the answers, which the run holds anyway; there are no more other events than
/// steps. Of the model's reasoning a quarter of a megabyte is kept; what exceeds it is left
/// out, and a note says so. Of text that no reader sees only the length matters, so no more than that
/// is kept.
package final class RunBuffer: Sendable {
  /// The most bytes of reasoning, and of unseen text, that wait.
  package static let mostUnseen = 262_144
  /// A text is handed on in pieces of about this size.
  fileprivate static let mostInOnePiece = 65_536

  fileprivate enum Slot: Hashable {
    case output, text(Step), reasoning(Step)
  }

  fileprivate struct State {
    var waiting: [RunProgress] = []
    /// Where the next one to be read stands.
    var first = 0
    /// Where a piece of text is to be added to, as long as nothing else has happened since.
    var slots: [Slot: Int] = [:]
    var unseen = 0
    var leftOut: [Step: Int] = [:]
    /// An event is being delivered to the reader.
    var isDelivering = false
    /// Why the reader no longer takes anything.
    var failure: (any Error)?
    var idle: [CheckedContinuation<Void, Never>] = []
  }

  private let observer: RunObserver
  private let takesNow: @Sendable (RunProgress) -> Bool
  private let state = Locked(State())

  /// - Parameter takesNow: whether the observer would return without waiting for anybody.
  package init(
    _ observer: @escaping RunObserver, takesNow: @escaping @Sendable (RunProgress) -> Bool
  ) {
    self.observer = observer
    self.takesNow = takesNow
  }

  /// Returns at once. Throws what the reader threw before, which ends the run.
  package func emit(_ progress: RunProgress) async throws {
    enum Action { case none, deliver, catchUp }
    let takesNow = takesNow
    let action = try state.withLock { state throws -> Action in
      if let failure = state.failure { throw failure }
      if !state.isDelivering, takesNow(progress) {
        state.isDelivering = true
        return .deliver
      }
      state.add(progress)
      defer { state.isDelivering = true }
      return state.isDelivering ? .none : .catchUp
    }
    switch action {
    case .none: return
    case .catchUp: Task { await catchUp() }
    case .deliver:
      do { try await observer(progress) } catch {
        fail(error)
        throw error
      }
      let (isMore, idle) = state.withLock { state in
        state.waiting.isEmpty ? (false, state.rest()) : (true, [])
      }
      for waiter in idle { waiter.resume() }
      if isMore { Task { await catchUp() } }
    }
  }

  /// Returns when the reader has everything, or no longer takes anything: before a person is asked, who
  /// should have read what the question is about.
  package func drain() async {
    await withCheckedContinuation { continuation in
      let isIdle = state.withLock { state in
        if state.isDelivering { state.idle.append(continuation) }
        return !state.isDelivering
      }
      if isIdle { continuation.resume() }
    }
  }

  /// The run is over and written down. Returns when the reader has everything.
  package func finish() async throws {
    await drain()
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }

  private func catchUp() async {
    while true {
      let (next, idle) = state.withLock { state in
        let next = state.take()
        return (next, next == nil ? state.rest() : [])
      }
      for waiter in idle { waiter.resume() }
      guard let next else { return }
      do { try await observer(next) } catch { return fail(error) }
    }
  }

  private func fail(_ error: any Error) {
    let idle = state.withLock { state in
      state.failure = state.failure ?? error
      state.forget()
      return state.rest()
    }
    for waiter in idle { waiter.resume() }
  }
}

extension RunBuffer.State {
  /// Whom to tell that nothing is being delivered.
  fileprivate mutating func rest() -> [CheckedContinuation<Void, Never>] {
    isDelivering = false
    defer { idle = [] }
    return idle
  }

  fileprivate mutating func forget() {
    waiting = []
    first = 0
    slots = [:]
    unseen = 0
    leftOut = [:]
  }

  fileprivate mutating func take() -> RunProgress? {
    guard first < waiting.count else {
      forget()
      return nil
    }
    var next = RunProgress.output("")
    swap(&next, &waiting[first])
    for (slot, place) in slots where place == first { slots[slot] = nil }
    first += 1
    switch next {
    case .textArrived(_, let text): unseen -= text.utf8.count
    case .reasoning(let step, let text):
      unseen -= text.utf8.count
      if let count = leftOut.removeValue(forKey: step) {
        next = .reasoning(
          step,
          "\(text)\n[\(count) bytes are left out here: they came faster than they were read]\n")
      }
    default: break
    }
    if first > 1_024, first * 2 > waiting.count {
      waiting.removeFirst(first)
      slots = slots.mapValues { $0 - first }
      first = 0
    }
    return next
  }

  fileprivate mutating func add(_ progress: RunProgress) {
    switch progress {
    case .output(let text):
      add(text, to: .output) { .output($0) }
    case .textArrived(let step, let text):
      guard unseen + text.utf8.count <= RunBuffer.mostUnseen else { return }
      unseen += text.utf8.count
      add(text, to: .text(step)) { .textArrived(step, $0) }
    case .reasoning(let step, let text):
      guard unseen + text.utf8.count <= RunBuffer.mostUnseen else {
        if leftOut[step] == nil { add("", to: .reasoning(step)) { .reasoning(step, $0) } }
        leftOut[step, default: 0] += text.utf8.count
        return
      }
      unseen += text.utf8.count
      add(text, to: .reasoning(step)) { .reasoning(step, $0) }
    default:
      // What comes after it stays after it.
      slots = [:]
      waiting.append(progress)
    }
  }

  private mutating func add(
    _ text: String, to slot: RunBuffer.Slot, _ made: (String) -> RunProgress
  ) {
    guard let place = slots[slot] else {
      slots[slot] = waiting.count
      waiting.append(made(text))
      return
    }
    // Taken out first, so that it grows in its place.
    var whole = waiting[place].text
    waiting[place] = .output("")
    whole += text
    if whole.utf8.count >= RunBuffer.mostInOnePiece { slots[slot] = nil }
    waiting[place] = made(whole)
  }
}

extension RunProgress {
  fileprivate var text: String {
    switch self {
    case .output(let text), .textArrived(_, let text), .reasoning(_, let text): text
    default: ""
    }
  }
}

/// Asks people when they have what the run has shown so far.
struct DrainingApprovalHandler: ApprovalHandler {
  let approvalHandler: any ApprovalHandler
  let buffer: RunBuffer

  func decide(_ question: Question) async throws -> HumanAnswer? {
    await buffer.drain()
    return try await approvalHandler.decide(question)
  }
}
