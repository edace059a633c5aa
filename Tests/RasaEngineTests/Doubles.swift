import RasaCore
import RasaPersona

@testable import RasaEngine

/// Opens once; whoever waits before is let through then.
actor Latch {
  private var isOpen = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  func open() {
    isOpen = true
    for continuation in waiting { continuation.resume() }
    waiting.removeAll()
  }

  func wait() async {
    if isOpen { return }
    await withCheckedContinuation { waiting.append($0) }
  }
}

/// A gate that answers from a script and keeps what it was asked.
final class FakeGate: ModelGate {
  typealias Script =
    @Sendable (
      ModelRequest, CallContext, @Sendable (ModelEvent) async throws -> Void
    ) async throws -> String

  private let script: Script
  private let asked = Locked<[(ModelRequest, CallContext)]>([])

  init(_ script: @escaping Script) { self.script = script }

  var requests: [ModelRequest] { asked.withLock { $0.map(\.0) } }
  var keys: [String] { asked.withLock { $0.map(\.1.key.description) } }

  func answer(
    _ request: ModelRequest, for context: CallContext,
    onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws -> ModelAnswer {
    asked.withLock { $0.append((request, context)) }
    try await onEvent(.started(provider: "fake", model: "fake-1"))
    let text = try await script(request, context, onEvent)
    return ModelAnswer(
      text: text, provider: "fake", model: "fake-1", usage: Usage(input: 10, output: 5),
      cost: Money(picoDollars: 1_000_000))
  }

  func estimate(_ request: ModelRequest, for context: CallContext) async throws -> CallEstimate {
    CallEstimate(
      provider: "fake", model: "fake-1", inputTokens: 1, outputTokens: 1, cost: .zero,
      isPriceKnown: true)
  }

  /// Streams a text word by word.
  static func stream(
    _ text: String, _ onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws -> String {
    for (index, word) in text.split(separator: " ").enumerated() {
      try await onEvent(.text(index == 0 ? String(word) : " \(word)"))
    }
    return text
  }
}

/// Journal and memory in arrays, in the order of the calls.
final class FakeStore: Journal, MemoryStore {
  struct Contents {
    var entries: [JournalEntry] = []
    var status: RunRecord.Status = .running
    var turns: [SessionTurn] = []
    var notes: [WorkingNote] = []
    var facts: [MemoryFact] = []
  }
  private let contents = Locked(Contents())

  var kinds: [String] { contents.withLock { $0.entries.map(\.kind) } }
  var snapshot: Contents { contents.withLock { $0 } }

  func open(_ run: RunRecord, _ entries: [JournalEntry]) { record(entries) }
  func record(_ entries: [JournalEntry]) { contents.withLock { $0.entries += entries } }
  func append(_ entries: [JournalEntry]) async throws { record(entries) }
  func close(
    _ run: Identifier, status: RunRecord.Status, turn: SessionTurn?, notes: [WorkingNote],
    _ entries: [JournalEntry]
  ) async throws {
    contents.withLock { contents in
      contents.status = status
      contents.entries += entries
      if let turn { contents.turns.append(turn) }
      contents.notes += notes
    }
  }
  func entries(of run: Identifier) async throws -> [JournalEntry] { snapshot.entries }
  func turns(of session: String, limit: Int) async throws -> [SessionTurn] { snapshot.turns }
  func notes(of session: String, limit: Int) async throws -> [WorkingNote] { snapshot.notes }
  func recall(
    persona: String, user: String, query: String, limit: Int
  ) async throws -> [MemoryFact] { snapshot.facts }
  func remember(_ facts: [MemoryFact]) async throws { contents.withLock { $0.facts += facts } }
}

struct FakePeople: People {
  var answer: @Sendable (Question) async throws -> HumanAnswer = { _ in
    throw Failure(.approval, "nobody is here")
  }
  func decide(_ question: Question) async throws -> HumanAnswer { try await answer(question) }
}

extension TimeSource {
  /// Stands still; sleeping lasts until the task is cancelled.
  static func still() -> TimeSource {
    TimeSource(
      now: { Timestamp(milliseconds: 1_700_000_000_000) },
      localDay: { _ in LocalDay(year: 2023, month: 11, day: 14) }, monotonic: { 0 },
      sleep: { _ in
        let latch = Latch()
        try await withTaskCancellationHandler {
          await latch.wait()
          try Task.checkCancellation()
        } onCancel: {
          Task { await latch.open() }
        }
      })
  }
}

/// What the user saw, and everything else that was shown.
final class Screen: Sendable {
  private let seen = Locked<(output: [String], restarts: Int, events: [String])>(([], 0, []))

  var pieces: [String] { seen.withLock { $0.output } }
  var output: String { pieces.joined() }
  var restarts: Int { seen.withLock { $0.restarts } }
  var events: [String] { seen.withLock { $0.events } }

  func show(_ progress: RunProgress) {
    seen.withLock { seen in
      switch progress {
      case .output(let text): seen.output.append(text)
      case .restarted(_, _, let wasShown): if wasShown { seen.restarts += 1 }
      case .event(let event): seen.events.append(event.kind)
      default: break
      }
    }
  }
}
