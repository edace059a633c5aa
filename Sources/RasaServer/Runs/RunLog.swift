import RasaCore

/// What happens in a run, for any number of readers at their own pace: nobody waits for a reader, and one that comes back
/// goes on where it was.
///
/// A place in it is named by how many lines of the journal a reader has, how many bytes of the output, and a check of
/// these bytes. Nothing of that depends on the process: a log that another one makes from the run's journal has the same
/// places. Where the output has become another one since, a reader is told how much of it still counts.
final class RunLog: Sendable {
  enum Entry: Sendable {
    /// A line of the journal.
    case line([UInt8])
    /// Something that is told once, to those who are there.
    case passing([UInt8])
    /// Output up to here.
    case text(end: Int)
    /// Only so much of the output still counts.
    case restart(keeps: Int, [UInt8])
    /// The end: what the run came to.
    case result([UInt8])
  }

  struct State {
    var entries: [Entry] = []
    var output: [UInt8] = []
    /// The bytes of what is told once.
    var passing = 0
    var isEnded = false
    var waiters: [CheckedContinuation<Void, Never>] = []
    var readers = 0

    mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
      defer { waiters = [] }
      return waiters
    }
  }

  private static let mostPassing = 4_000_000
  private let state = Locked(State())

  /// - Parameter lines: what the journal has told before.
  init(lines: [[UInt8]] = []) {
    state.withLock { $0.entries = lines.map { .line($0) } }
  }

  // MARK: The run

  func add(line: Value) {
    let json = line.jsonBytes(.compact)
    change { $0.entries.append(.line(json)) }
  }

  func add(passing: Value) {
    let json = passing.jsonBytes(.compact)
    change { state in
      state.passing += json.count
      if state.passing > Self.mostPassing {
        // Whoever was there has read them, or was too slow for what is told once.
        for index in state.entries.indices {
          if case .passing = state.entries[index] { state.entries[index] = .passing([]) }
        }
        state.passing = json.count
      }
      state.entries.append(.passing(json))
    }
  }

  func add(output text: String) {
    change { state in
      state.output += text.utf8
      if case .text = state.entries.last {
        state.entries[state.entries.count - 1] = .text(end: state.output.count)
      } else {
        state.entries.append(.text(end: state.output.count))
      }
    }
  }

  func restart(keeps: Int, _ document: Value) {
    change { state in
      let keeps = min(max(keeps, 0), state.output.count)
      state.output.removeLast(state.output.count - keeps)
      for index in state.entries.indices {
        if case .text(let end) = state.entries[index], end > keeps {
          state.entries[index] = .text(end: keeps)
        }
      }
      state.entries.append(.restart(keeps: keeps, document.jsonBytes(.compact)))
    }
  }

  func end(_ result: Value) {
    change { state in
      state.entries.append(.result(result.jsonBytes(.compact)))
      state.isEnded = true
    }
  }

  private func change(_ change: (inout State) -> Void) {
    let waiters = state.withLock { state in
      change(&state)
      return state.takeWaiters()
    }
    for waiter in waiters { waiter.resume() }
  }

  // MARK: Readers

  /// Counts a reader in.
  func join() { state.withLock { $0.readers += 1 } }

  /// - Returns: how many readers are left.
  func leave() -> Int {
    state.withLock { state in
      state.readers -= 1
      return state.readers
    }
  }

  var isEnded: Bool { state.withLock { $0.isEnded } }

  /// What a reader is to be sent next; empty where nothing has happened since.
  func read(_ reader: inout RunReader) -> [RunReader.Message] {
    state.withLock { state in reader.read(state) }
  }

  /// Returns once something has happened that the reader has not seen, or the task is cancelled.
  func wait(_ reader: RunReader) async {
    let isOver = Locked(false)
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isToWait = state.withLock { state in
          guard !reader.hasMore(state), !isOver.withLock({ $0 }) else { return false }
          state.waiters.append(continuation)
          return true
        }
        if !isToWait { continuation.resume() }
      }
    } onCancel: {
      isOver.withLock { $0 = true }
      wakeAll()
    }
  }

  /// Wakes readers that wait, so that they write to their clients.
  func beat() { wakeAll() }

  private func wakeAll() {
    let waiters = state.withLock { $0.takeWaiters() }
    for waiter in waiters { waiter.resume() }
  }
}

/// The place of a reader: as `LINES.BYTES.CHECK` it is the `id` of an event.
struct RunPlace: Sendable, Hashable, CustomStringConvertible {
  var lines = 0
  var bytes = 0
  var check = RunPlace.noBytes

  static let start = RunPlace()
  private static let noBytes: UInt64 = 0xcbf2_9ce4_8422_2325

  var description: String { "\(lines).\(bytes).\(String(check, radix: 16))" }

  init() {}

  /// Nil for what is no place.
  init?(_ text: String) {
    let parts = text.split(atByte: ".")
    guard parts.count == 3, let lines = Int(parts[0]), let bytes = Int(parts[1]), lines >= 0,
      bytes >= 0, let check = UInt64(parts[2], radix: 16)
    else { return nil }
    self.lines = lines
    self.bytes = bytes
    self.check = check
  }

  /// FNV-1a: not against forgers, whose own stream it would be.
  mutating func take(_ new: some Sequence<UInt8>) {
    for byte in new {
      check = (check ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
      bytes += 1
    }
  }

  init(after output: some Sequence<UInt8>, lines: Int) {
    self.lines = lines
    take(output)
  }
}

/// One reader of a run's log.
struct RunReader: Sendable {
  enum Message: Sendable, Hashable {
    case event(json: [UInt8], place: RunPlace)
    /// Told once, and not again to a reader that comes back.
    case passing(json: [UInt8])
    case text([UInt8], place: RunPlace)
    case restart(json: [UInt8], place: RunPlace)
    case result([UInt8])
  }

  /// A reader gets about so many bytes at once, so that a slow one has no more of them waiting.
  private static let mostAtOnce = 65_536

  private(set) var place: RunPlace
  /// The entry that is read next.
  private(set) var next = 0
  /// It has come back, and the output may not have come as far as it was yet.
  private var isUnproven: Bool
  /// It has come back, and what it reads it may have read before.
  private var isCatchingUp: Bool
  /// The lines that it has passed, from the beginning of the log.
  private var passed = 0

  /// - Parameter place: where it was before; nil for one that is new.
  init(after place: RunPlace?) {
    self.place = place ?? .start
    isUnproven = (place?.bytes ?? 0) > 0
    isCatchingUp = place != nil
  }

  func hasMore(_ state: RunLog.State) -> Bool {
    next < state.entries.count || (!isUnproven && state.output.count > place.bytes)
  }

  mutating func read(_ state: RunLog.State) -> [Message] {
    var messages: [Message] = []
    var size = 0
    prove(state, &messages)
    while next < state.entries.count, size < Self.mostAtOnce {
      switch state.entries[next] {
      case .line(let json):
        passed += 1
        if passed > place.lines {
          isCatchingUp = false
          place.lines = passed
          size += json.count
          messages.append(.event(json: json, place: place))
        }
      case .passing(let json):
        guard !isCatchingUp, !json.isEmpty else { break }
        size += json.count
        messages.append(.passing(json: json))
      case .text(let end):
        // Until it is proven that it has the beginning, it gets no more.
        if !isUnproven {
          if end > place.bytes { isCatchingUp = false }
          size += take(to: end, state, &messages)
          if place.bytes < min(end, state.output.count) { return messages }
        }
      case .restart(let keeps, let json):
        if !isUnproven, place.bytes > keeps {
          place = RunPlace(after: state.output.prefix(keeps), lines: place.lines)
          messages.append(.restart(json: json, place: place))
        }
      case .result(let json):
        prove(state, &messages, isEnd: true)
        // A part at a time here, too: the end comes after all of the text.
        _ = isUnproven ? 0 : take(to: state.output.count, state, &messages)
        guard isUnproven || place.bytes >= state.output.count else { return messages }
        messages.append(.result(json))
      }
      next += 1
    }
    if next == state.entries.count {
      isCatchingUp = false
      // The last text may have grown since it was passed.
      if !isUnproven { _ = take(to: state.output.count, state, &messages) }
    }
    return messages
  }

  /// - Returns: the bytes that were taken.
  private mutating func take(
    to end: Int, _ state: RunLog.State, _ messages: inout [Message]
  ) -> Int {
    let all = min(end, state.output.count)
    guard all > place.bytes else { return 0 }
    var end = min(all, place.bytes + Self.mostAtOnce)
    // Not within a character.
    while end < all, end > place.bytes + 1, state.output[end] & 0xC0 == 0x80 { end -= 1 }
    let new = Array(state.output[place.bytes..<end])
    place.take(new)
    messages.append(.text(new, place: place))
    return new.count
  }

  /// Sees whether the output begins with what the reader has, once there is that much of it.
  private mutating func prove(
    _ state: RunLog.State, _ messages: inout [Message], isEnd: Bool = false
  ) {
    guard isUnproven, state.output.count >= place.bytes || isEnd else { return }
    isUnproven = false
    let known = RunPlace(after: state.output.prefix(place.bytes), lines: place.lines)
    guard known != place else { return }
    place = RunPlace(after: [], lines: place.lines)
    let document: Value = [
      "type": "restart", "reason": "the output is another one than before", "was_shown": true,
      "keeps_bytes": 0,
    ]
    messages.append(.restart(json: document.jsonBytes(.compact), place: place))
  }
}
