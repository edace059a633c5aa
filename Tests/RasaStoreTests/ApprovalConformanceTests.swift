import RasaCore
import RasaEngine
import Testing

@testable import RasaStore

func approval(
  _ run: String, _ title: String, payload: Value = "the draft", at time: Int64 = 7,
  expiresAt: Int64? = nil
) -> Approval {
  Approval(
    run: Identifier(run),
    question: Question(
      key: EffectKey(frame: "session", visit: 1, operatorName: "hitl", label: title),
      title: title, subject: "draft", payload: payload, schema: ["type": "string"],
      context: [.init(name: "critique", text: "fine")], spent: Money(picoDollars: 12)),
    askedAt: Timestamp(milliseconds: time),
    expiresAt: expiresAt.map(Timestamp.init))
}

@Suite struct `Every approval` {
  @Test(arguments: StoreKind.allCases)
  func `is asked once and answered once`(kind: StoreKind) async throws {
    let fixture = Fixture(kind)
    let store = fixture.store
    store.open(record("r1"), [])
    let asked = approval(
      "r1", "May it?", payload: ["long": .string(String(repeating: "x", count: 5000))])
    #expect(try await store.ask(asked, recording: [entry("r1", "asked")]) == asked)
    #expect(try await store.ask(asked, recording: [entry("r1", "asked again")]) == asked)
    #expect(try await store.approvals(ApprovalFilter(), limit: 9) == [asked])
    #expect(try await store.entries(of: "r1").map(\.kind) == ["asked"])

    try await store.close("r1", RunEnding(.parked), [])
    #expect(try await store.approvals(ApprovalFilter(), limit: 9) == [asked])
    let answer = HumanAnswer(.edit, text: .string(String(repeating: "y", count: 5000)), by: "ann")
    var answered = asked
    answered.standing = .answered(answer, at: fixture.time.now)
    #expect(try await store.answer(asked.id, answer) == .accepted(answered))
    let second = HumanAnswer(.approve, by: "bob")
    #expect(try await store.answer(asked.id, second) == .late(answered))
    #expect(try await store.answer("a0", second) == .unknown)
    #expect(try await store.approvals(ApprovalFilter(), limit: 9) == [])
    #expect(try await store.approvals(ApprovalFilter(onlyPending: false), limit: 9) == [answered])

    _ = try await store.claim("r1")
    #expect(try await store.ask(asked, recording: [entry("r1", "asked again")]) == answered)
    #expect(try await store.entries(of: "r1").map(\.kind) == ["asked"])
    let audits = try await store.audits(limit: 9)
    #expect(
      audits.map(\.kind) == ["approval_refused", "approval_answered", "approval_asked"])
    #expect(
      audits.map(\.detail) == [
        "approve by bob: ann was first", "edit by ann", "session:1/hitl/May it?#1 of r1",
      ])
    #expect(audits.allSatisfy { $0.subject == asked.id })
  }

  @Test(arguments: StoreKind.allCases)
  func `is another one when the payload is another`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    store.open(record("r1"), [])
    let first = approval("r1", "May it?", payload: "one", at: 1)
    let second = approval("r1", "May it?", payload: "two", at: 2)
    _ = try await store.ask(first, recording: [entry("r1", "asked")])
    _ = try await store.ask(second, recording: [entry("r1", "asked")])
    #expect(try await store.approvals(ApprovalFilter(run: "r1"), limit: 9) == [second, first])
    #expect(try await store.approvals(ApprovalFilter(run: "r2"), limit: 9) == [])
    #expect(try await store.approvals(ApprovalFilter(), limit: 1) == [second])
    #expect(try await store.entries(of: "r1").count == 2)
  }

  @Test(arguments: StoreKind.allCases)
  func `takes no answer that was given to something else`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    store.open(record("r1"), [])
    let asked = approval("r1", "May it?", payload: "what is asked about")
    _ = try await store.ask(asked, recording: [entry("r1", "asked")])
    let other = approval("r1", "May it?", payload: "what was shown").payloadDigest
    for wrong in [
      HumanAnswer(.approve, by: "ann", shown: other), HumanAnswer(.answer, text: "5", by: "ann"),
    ] {
      await #expect(throws: Failure.self) { try await store.answer(asked.id, wrong) }
      #expect(try await store.approvals(ApprovalFilter(), limit: 9) == [asked])
    }
    let right = HumanAnswer(.approve, by: "ann", shown: asked.payloadDigest)
    guard case .accepted = try await store.answer(asked.id, right) else {
      Issue.record("not accepted")
      return
    }
  }

  @Test(arguments: StoreKind.allCases)
  func `expires`(kind: StoreKind) async throws {
    let fixture = Fixture(kind)
    let store = fixture.store
    store.open(record("r1"), [])
    let now = fixture.time.now.milliseconds
    let asked = ["one", "two"].map { approval("r1", $0, expiresAt: now + 5000) }
    for approval in asked { _ = try await store.ask(approval, recording: []) }
    fixture.time.pass(seconds: 5)
    #expect(try await store.approvals(ApprovalFilter(), limit: 9).count == 2)
    fixture.time.pass(seconds: 1)
    #expect(try await store.approvals(ApprovalFilter(), limit: 9) == [])
    let all = try await store.approvals(ApprovalFilter(onlyPending: false), limit: 9)
    #expect(all.map(\.standing) == [.expired, .expired])
    // Nobody has to look for it to be so.
    var expired = asked[0]
    expired.standing = .expired
    let answer = HumanAnswer(.approve, by: "ann")
    #expect(try await store.answer(asked[0].id, answer) == .late(expired))
    #expect(try await store.answer(asked[0].id, answer) == .late(expired))
    #expect(try await store.ask(asked[1], recording: [entry("r1", "no")]).standing == .expired)
    #expect(try await store.entries(of: "r1") == [])
    #expect(
      try await store.audits(limit: 5).map(\.kind) == [
        "approval_expired", "approval_refused", "approval_refused", "approval_expired",
        "approval_asked",
      ])
  }

  @Test(arguments: StoreKind.allCases, [RunRecord.Status.done, .failed, .cancelled])
  func `is withdrawn when the run ends, and put again when it goes on`(
    kind: StoreKind, status: RunRecord.Status
  ) async throws {
    let store = Fixture(kind).store
    store.open(record("r1"), [])
    let asked = approval("r1", "May it?")
    _ = try await store.ask(asked, recording: [entry("r1", "asked")])
    try await store.close("r1", RunEnding(status), [])
    var withdrawn = asked
    withdrawn.standing = .withdrawn
    let answer = HumanAnswer(.approve, by: "ann")
    #expect(try await store.answer(asked.id, answer) == .late(withdrawn))
    #expect(
      try await store.audits(limit: 2).map(\.kind) == ["approval_refused", "approval_withdrawn"])
    if status == .done { return }
    _ = try await store.claim("r1")
    #expect(try await store.ask(asked, recording: [entry("r1", "asked")]) == asked)
    #expect(try await store.entries(of: "r1").count == 2)
    guard case .accepted = try await store.answer(asked.id, answer) else {
      Issue.record("the answer was refused")
      return
    }
  }

  @Test(arguments: StoreKind.allCases)
  func `has one winner among many who answer at once`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    store.open(record("r1"), [])
    let asked = approval("r1", "May it?")
    _ = try await store.ask(asked, recording: [])
    let receipts = try await withThrowingTaskGroup(of: AnswerReceipt.self) { group in
      for number in 0..<20 {
        group.addTask { try await store.answer(asked.id, HumanAnswer(.approve, by: "p\(number)")) }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    let winners = receipts.compactMap {
      if case .accepted(let approval) = $0 { approval } else { nil }
    }
    #expect(winners.count == 1)
    for receipt in receipts {
      if case .late(let approval) = receipt { #expect(approval == winners[0]) }
    }
  }
}
