import RasaCore
import RasaEngine
import Testing

/// Between a run and its reader: the run goes on whatever the reader does.
@Suite struct RunBufferTests {
  private let step = Step(frame: "f", visit: 1, operatorName: "o")

  /// A reader that takes nothing until it is let go, and then keeps what it is told.
  private final class Reader: Sendable {
    private struct State {
      var isFree = false
      var waiting: [CheckedContinuation<Void, Never>] = []
      var told: [RunProgress] = []
    }
    private let state = Locked(State())

    func take(_ progress: RunProgress) async {
      await withCheckedContinuation { continuation in
        let isFree = state.withLock { state in
          if !state.isFree { state.waiting.append(continuation) }
          return state.isFree
        }
        if isFree { continuation.resume() }
      }
      state.withLock { $0.told.append(progress) }
    }

    func letGo() {
      let waiting = state.withLock { state in
        state.isFree = true
        defer { state.waiting = [] }
        return state.waiting
      }
      for waiter in waiting { waiter.resume() }
    }

    var told: [RunProgress] { state.withLock { $0.told } }
    var output: String {
      told.reduce(into: "") { if case .output(let text) = $1 { $0 += text } }
    }
  }

  @Test func aReaderThatTakesNothingMissesNothing() async throws {
    let reader = Reader()
    let buffer = RunBuffer({ await reader.take($0) }, takesNow: { _ in false })
    for number in 0..<50_000 {
      try await buffer.emit(.textArrived(step, "\(number) "))
      try await buffer.emit(.output("\(number) "))
    }
    #expect(reader.told.isEmpty)
    reader.letGo()
    try await buffer.finish()
    #expect(reader.output == (0..<50_000).map { "\($0) " }.joined())
    // What waited was not kept one by one.
    #expect(reader.told.count < 100)
  }

  @Test func eventsStayInTheirOrderAroundTexts() async throws {
    let reader = Reader()
    let buffer = RunBuffer({ await reader.take($0) }, takesNow: { _ in false })
    try await buffer.emit(.operatorStarted(step, kind: "llm"))
    for text in ["a", "b"] { try await buffer.emit(.output(text)) }
    try await buffer.emit(.restarted(step, Restart(.brokenStream, "why", keeps: 0)))
    for text in ["c", "d"] { try await buffer.emit(.output(text)) }
    try await buffer.emit(.operatorEnded(step, answers: []))
    reader.letGo()
    try await buffer.finish()
    let words = reader.told.map { progress in
      switch progress {
      case .operatorStarted: "started"
      case .output(let text): text
      case .restarted: "restarted"
      case .operatorEnded: "ended"
      default: "other"
      }
    }
    #expect(words == ["started", "ab", "restarted", "cd", "ended"])
  }

  @Test func thoughtsAreBoundedAndTheirGapIsTold() async throws {
    let reader = Reader()
    let buffer = RunBuffer({ await reader.take($0) }, takesNow: { _ in false })
    let piece = String(repeating: "x", count: 1_000)
    // The first one is with the reader, who takes its time.
    try await buffer.emit(.operatorStarted(step, kind: "llm"))
    for _ in 0..<1_000 { try await buffer.emit(.reasoning(step, piece)) }
    for _ in 0..<1_000 { try await buffer.emit(.textArrived(step, piece)) }
    try await buffer.emit(.output("the answer"))
    reader.letGo()
    try await buffer.finish()
    var thoughts = ""
    var unseen = 0
    for progress in reader.told {
      if case .reasoning(_, let text) = progress { thoughts += text }
      if case .textArrived(_, let text) = progress { unseen += text.utf8.count }
    }
    let kept = thoughts.utf8.count { $0 == UInt8(ascii: "x") }
    #expect(kept <= RunBuffer.mostUnseen && kept > RunBuffer.mostUnseen / 2)
    #expect(thoughts.contains("[\(1_000_000 - kept) bytes are left out here"))
    #expect(unseen <= RunBuffer.mostUnseen)
    #expect(reader.output == "the answer")
  }

  @Test func aReaderThatIsQuickIsToldOnTheSpot() async throws {
    let reader = Reader()
    reader.letGo()
    let buffer = RunBuffer({ await reader.take($0) }, takesNow: { _ in true })
    for number in 1...3 {
      try await buffer.emit(.output("\(number)"))
      #expect(reader.told.count == number)
    }
    try await buffer.finish()
  }

  @Test func aReaderThatHasGoneEndsTheRunAtItsNextEvent() async throws {
    struct Gone: Error {}
    let buffer = RunBuffer({ _ in throw Gone() }, takesNow: { _ in false })
    try? await buffer.emit(.output("a"))
    await buffer.drain()
    await #expect(throws: Gone.self) { try await buffer.emit(.output("b")) }
    await #expect(throws: Gone.self) { try await buffer.finish() }
    let quick = RunBuffer({ _ in throw Gone() }, takesNow: { _ in true })
    await #expect(throws: Gone.self) { try await quick.emit(.output("a")) }
  }
}
