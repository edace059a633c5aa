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
  private let window: Int64?
  /// What else there is to say about an answer: how it ended, what its cap was.
  private let shape: @Sendable (inout ModelAnswer, ModelRequest, CallContext) -> Void
  /// Where the lines about calls go, as the real gate writes them.
  private let journal: FakeStore?
  private let asked = Locked<[(ModelRequest, CallContext)]>([])
  private let given = Locked<[(UncertainCall, UncertainPolicy)]>([])

  init(
    journal: FakeStore? = nil, window: Int64? = nil,
    shape: @escaping @Sendable (inout ModelAnswer, ModelRequest, CallContext) -> Void = {
      _, _, _ in
    },
    _ script: @escaping Script
  ) {
    self.shape = shape
    self.window = window
    self.journal = journal
    self.script = script
  }

  var requests: [ModelRequest] { asked.withLock { $0.map(\.0) } }
  var contexts: [CallContext] { asked.withLock { $0.map(\.1) } }
  var keys: [String] { asked.withLock { $0.map(\.1.key.description) } }

  func answer(
    _ request: ModelRequest, for context: CallContext,
    onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws -> ModelAnswer {
    let reservation = asked.withLock { asked in
      asked.append((request, context))
      return "h\(context.key)-\(asked.count)"
    }
    note("call.intent", context, ["reservation": .string(reservation)]) {
      $0["request"] = .string(digest(of: request, for: context))
      $0["estimate"] = ["cost": "0.000002"]
    }
    do {
      try await onEvent(.started(provider: "fake", model: "fake-1"))
      let text = try await script(request, context, onEvent)
      var answer = ModelAnswer(
        text: text, provider: "fake", model: "fake-1", usage: Usage(input: 10, output: 5),
        cost: Money(picoDollars: 1_000_000))
      if text.hasSuffix(Self.cutMark) {
        answer.text.removeLast(Self.cutMark.count)
        (answer.finish, answer.cap, answer.ceiling) = (.length, 5, 1_000)
      }
      shape(&answer, request, context)
      note("call.result", context, answer.value) { $0["reservation"] = .string(reservation) }
      return answer
    } catch {
      note("call.failed", context, ["reservation": .string(reservation)]) {
        $0["cost"] = "0"
        $0["reason"] = error is CancellationError ? "cancelled" : "server"
      }
      throw error
    }
  }

  private func note(
    _ kind: String, _ context: CallContext, _ body: ValueObject, _ more: (inout ValueObject) -> Void
  ) {
    var body = body
    more(&body)
    journal?.record([
      JournalEntry(
        run: context.run, time: Timestamp(milliseconds: 0), kind: kind,
        key: context.key.description, body: .object(body))
    ])
  }

  func digest(of request: ModelRequest, for context: CallContext) -> String {
    request.messages.map(\.text).joined(separator: "\n")
  }

  func giveUp(
    _ call: UncertainCall, of run: Identifier, decision: UncertainPolicy
  ) async throws { given.withLock { $0.append((call, decision)) } }

  /// The attempts in doubt that were given up, and what was decided.
  var givenUp: [(UncertainCall, UncertainPolicy)] { given.withLock { $0 } }

  func estimate(_ request: ModelRequest, for context: CallContext) async throws -> CallEstimate {
    var estimate = CallEstimate(
      provider: "fake", model: "fake-1", inputTokens: 1, outputTokens: 1, cost: .zero,
      isPriceKnown: true)
    estimate.window = window
    return estimate
  }

  /// At the end of what a script returns: the answer was cut, and more room can be had.
  static let cutMark = "⋯"

  /// Streams a text that is cut, letter by letter.
  static func streamCut(
    _ text: String, _ onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws -> String {
    for letter in text { try await onEvent(.text(String(letter))) }
    return text + cutMark
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
    var record: RunRecord?
    var entries: [JournalEntry] = []
    var approvals: [String: Approval] = [:]
    var status: RunRecord.Status = .running
    var turns: [SessionTurn] = []
    var notes: [WorkingNote] = []
    /// What the run kept.
    var facts: [NewFact] = []
    var ending: RunEnding?
    /// What recall finds, best first.
    var items: [MemoryItem] = []
    var queries: [MemoryQuery] = []
  }
  private let contents: Locked<Contents>

  init() { contents = Locked(Contents()) }

  /// Another store's run as it stood after so many lines, as a crash leaves it.
  init(copying store: FakeStore, lines: Int) {
    var copy = Contents()
    copy.record = store.snapshot.record
    copy.approvals = store.snapshot.approvals
    copy.entries = Array(store.snapshot.entries.prefix(lines))
    // A question that was not written down was not put either.
    let asked = copy.entries.compactMap { $0.body["approval"].string }
    let answered = copy.entries.filter { $0.kind == "human.answered" }
      .compactMap { $0.body["approval"].string }
    copy.approvals = copy.approvals.filter { asked.contains($0.key) }
    for id in asked where !answered.contains(id) { copy.approvals[id]?.standing = .pending }
    contents = Locked(copy)
  }

  var kinds: [String] { contents.withLock { $0.entries.map(\.kind) } }
  var snapshot: Contents { contents.withLock { $0 } }

  func open(_ run: RunRecord, _ entries: [JournalEntry]) {
    contents.withLock { $0.record = run }
    record(entries)
  }
  func claim(_ run: Identifier) async throws -> RunHistory {
    let contents = snapshot
    guard let record = contents.record else { throw Failure(.usage, "there is no run \(run)") }
    return RunHistory(record: record, entries: contents.entries)
  }
  func record(_ entries: [JournalEntry]) { contents.withLock { $0.entries += entries } }
  func append(_ entries: [JournalEntry]) async throws { record(entries) }
  func ask(_ approval: Approval, recording entries: [JournalEntry]) async throws -> Approval {
    contents.withLock { contents in
      if let known = contents.approvals[approval.id] { return known }
      contents.approvals[approval.id] = approval
      contents.entries += entries
      return approval
    }
  }
  func answer(_ approval: String, _ answer: HumanAnswer) async throws -> AnswerReceipt {
    contents.withLock { contents in
      guard var known = contents.approvals[approval] else { return .unknown }
      guard known.standing == .pending else { return .late(known) }
      known.standing = .answered(answer, at: Timestamp(milliseconds: 0))
      contents.approvals[approval] = known
      return .accepted(known)
    }
  }
  /// Nobody has answered in time.
  func expire(_ approval: String) {
    contents.withLock { $0.approvals[approval]?.standing = .expired }
  }
  func close(_ run: Identifier, _ ending: RunEnding, _ entries: [JournalEntry]) async throws {
    contents.withLock { contents in
      contents.status = ending.status
      contents.entries += entries
      if let turn = ending.turn { contents.turns.append(turn) }
      contents.notes += ending.notes
      contents.facts += ending.facts
      contents.ending = ending
    }
  }
  func entries(of run: Identifier) async throws -> [JournalEntry] { snapshot.entries }
  func turns(of session: SessionID, limit: Int) async throws -> [SessionTurn] { snapshot.turns }
  func notes(of session: SessionID, limit: Int) async throws -> [WorkingNote] { snapshot.notes }
  /// For recall to find.
  func keep(_ items: [MemoryItem]) { contents.withLock { $0.items += items } }
  /// All that there is, with scores that fall.
  func search(_ query: MemoryQuery) async throws -> [RecalledItem] {
    contents.withLock { contents in
      contents.queries.append(query)
      return contents.items.filter { !query.exceptRuns.contains($0.run) }.prefix(query.limit)
        .enumerated().map { place, item in
          RecalledItem(
            item: item, score: 1 / Double(place + 1),
            shares: [.init(.words, 1 / Double(place + 1), words: ["word"])])
        }
    }
  }
  func items(_ filter: MemoryFilter, before: Int64?, limit: Int) async throws -> [MemoryItem] {
    Array(
      snapshot.items.filter { item in
        filter.kinds.contains(item.kind) && (filter.trust == nil || filter.trust == item.trust)
          && (filter.user == nil || filter.user == item.user)
      }.sorted { $0.id > $1.id }.prefix(limit))
  }
}

struct FakePeople: ApprovalHandler {
  var answer: @Sendable (Question) async throws -> HumanAnswer? = { _ in
    throw Failure(.approval, "nobody is here")
  }
  func decide(_ question: Question) async throws -> HumanAnswer? { try await answer(question) }
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
  private let seen = Locked<
    (output: [String], restarts: Int, events: [String], notices: [RunNotice])
  >(([], 0, [], []))

  var pieces: [String] { seen.withLock { $0.output } }
  var output: String { pieces.joined() }
  var restarts: Int { seen.withLock { $0.restarts } }
  var events: [String] { seen.withLock { $0.events } }
  var notices: [RunNotice] { seen.withLock { $0.notices } }

  func show(_ progress: RunProgress) {
    seen.withLock { seen in
      switch progress {
      case .output(let text): seen.output.append(text)
      case .restarted(_, let restart): if restart.wasShown { seen.restarts += 1 }
      case .event(let event): seen.events.append(event.kind)
      case .notice(let notice): seen.notices.append(notice)
      default: break
      }
    }
  }
}
