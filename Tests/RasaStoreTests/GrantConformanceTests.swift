import RasaCore
import RasaEngine
import RasaPersona
import Testing

@testable import RasaStore

func permission(
  _ run: String, people: Int = 1, onExpiry: ExpiryPolicy = .park, expiresAt: Int64? = nil
) -> Approval {
  var question = Question(
    key: EffectKey(
      frame: "a", visit: 1, operatorName: "one", label: "tool:send.permission.1"),
    title: "May it?", subject: "send", payload: ["tool": "send", "arguments": ["to": "bob"]])
  question.form = .permission
  question.permission = Question.Permission(
    tool: "send", risk: "changes something", because: "a rule", people: people)
  question.permission?.onExpiry = onExpiry
  return Approval(
    run: Identifier(run), question: question, askedAt: Timestamp(milliseconds: 7),
    expiresAt: expiresAt.map(Timestamp.init))
}

private func approves(_ uid: UInt32?, _ name: String) -> HumanAnswer {
  var answer = HumanAnswer(.approve, by: name)
  answer.uid = uid
  return answer
}

@Suite struct `What two people have to approve` {
  @Test(arguments: StoreKind.allCases)
  func `waits for the second one, who is another user`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    store.open(record("r1"), [])
    let asked = permission("r1", people: 2)
    _ = try await store.ask(asked, recording: [])
    guard case .counted(let first) = try await store.answer(asked.id, approves(1000, "ann")) else {
      Issue.record("the first approval was enough")
      return
    }
    #expect(first.standing == .pending && first.votes.map(\.by) == ["ann"])
    #expect(try await store.approval(asked.id)?.votes.map(\.uid) == [1000])
    #expect(try await store.approvals(ApprovalFilter(), limit: 9).first?.votes.count == 1)
    for again in [approves(1000, "ann"), approves(1000, "bob"), approves(nil, "bob")] {
      let failure = await #expect(throws: Failure.self) { try await store.answer(asked.id, again) }
      #expect(failure?.kind == .approval)
    }
    guard case .accepted(let whole) = try await store.answer(asked.id, approves(1001, "bob")) else {
      Issue.record("the second approval was not enough")
      return
    }
    guard case .answered(let answer, _) = whole.standing else { return }
    #expect(answer.by == "ann and bob" && answer.decision == .approve)
    #expect(try await store.ask(asked, recording: []).standing == whole.standing)
  }

  @Test(arguments: StoreKind.allCases)
  func `is refused by one, and cannot be edited`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    store.open(record("r1"), [])
    let asked = permission("r1", people: 2)
    _ = try await store.ask(asked, recording: [])
    _ = try await store.answer(asked.id, approves(1000, "ann"))
    let edit = HumanAnswer(.edit, text: ["tool": "send", "arguments": [:]], by: "bob")
    await #expect(throws: Failure.self) { try await store.answer(asked.id, edit) }
    guard
      case .accepted(let done) = try await store.answer(
        asked.id, HumanAnswer(.reject, text: "no", by: "bob"))
    else {
      Issue.record("not refused")
      return
    }
    guard case .answered(let answer, _) = done.standing else { return }
    #expect(answer.decision == .reject && answer.by == "bob")
  }
}

@Suite struct `A question that expires` {
  @Test(arguments: StoreKind.allCases, ExpiryPolicy.allCases)
  func `does what its rule says, whoever looks first`(
    kind: StoreKind, policy: ExpiryPolicy
  ) async throws {
    let fixture = Fixture(kind)
    let store = fixture.store
    store.open(record("r1"), [])
    let asked = permission(
      "r1", onExpiry: policy, expiresAt: fixture.time.now.milliseconds + 1000)
    _ = try await store.ask(asked, recording: [])
    fixture.time.pass(seconds: 2)
    let listed = try await store.approvals(ApprovalFilter(), limit: 9)
    let found = try #require(try await store.approval(asked.id))
    // A run whose question counts as refused waits for nobody: it can go on.
    let run = try #require(try await store.runs(RunFilter(limit: 9)).first)
    #expect(run.waiting == (policy == .deny ? 0 : 1))
    let receipt = try await store.answer(asked.id, HumanAnswer(.approve, by: "ann"))
    let now = try await store.ask(asked, recording: [entry("r1", "no")])
    switch policy {
    case .park:
      #expect(listed.isEmpty && found.standing == .expired && now.standing == .expired)
      guard case .late = receipt else {
        Issue.record("accepted")
        return
      }
    case .deny:
      guard case .answered(let answer, _) = found.standing, case .late = receipt else {
        Issue.record("\(found.standing)")
        return
      }
      #expect(listed.isEmpty && answer.decision == .reject && now.standing == found.standing)
      #expect(answer.text == "nobody answered in time")
    case .escalate:
      #expect(listed.map(\.isEscalated) == [true] && found.standing == .pending)
      guard case .accepted = receipt, case .answered(let answer, _) = now.standing else {
        Issue.record("\(now.standing)")
        return
      }
      #expect(answer.by == "ann")
    }
  }
}

@Suite struct `A grant` {
  private static let pattern: Value = ["allow": "send", "arguments": ["to": "bob"]]

  private func grant(_ store: any RunStore, _ run: String) async throws -> Approval {
    let asked = permission(run)
    _ = try await store.ask(asked, recording: [])
    var answer = approves(1000, "ann")
    answer.grant = Self.pattern
    guard case .accepted = try await store.answer(asked.id, answer) else {
      throw Failure(.run, "not accepted")
    }
    return asked
  }

  @Test(arguments: StoreKind.allCases)
  func `is stored with the answer, and holds in its session alone`(kind: StoreKind) async throws {
    let fixture = Fixture(kind)
    let store = fixture.store
    store.open(record("r1", session: "s"), [])
    let asked = try await grant(store, "r1")
    let session = try #require(try await store.sessions(limit: 9).first?.id)
    let found = try await store.grants(of: "r2", session: session)
    #expect(found.map(\.pattern) == [Self.pattern] && found.first?.session == session)
    #expect(found.first?.id == ToolGrant.identity(approval: asked.id))
    #expect(found.first?.covers(tool: "send", ["to": "bob"]) == true)
    #expect(try await store.grants(of: "r2", session: nil).isEmpty)
    #expect(
      try await store.grants(of: "r2", session: SessionID("s", of: "somebody else")).isEmpty)
    guard case .answered(let answer, _) = try await store.approval(asked.id)?.standing else {
      Issue.record("not answered")
      return
    }
    #expect(answer.grant == Self.pattern && answer.uid == 1000)
  }

  @Test(arguments: StoreKind.allCases)
  func `holds for its run where there is no session`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    store.open(record("r1"), [])
    _ = try await grant(store, "r1")
    #expect(try await store.grants(of: "r1", session: nil).count == 1)
    #expect(try await store.grants(of: "r2", session: nil).isEmpty)
  }

  @Test(arguments: StoreKind.allCases)
  func `is listed and taken back, and goes with its run`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    store.open(record("r1"), [])
    _ = try await grant(store, "r1")
    let listed = try await store.grants(includingRevoked: false, limit: 9)
    let id = try #require(listed.first?.id)
    let revoked = try await store.revokeGrant(String(id.prefix(6)), by: "bob")
    #expect(revoked?.revokedBy == "bob" && revoked?.revokedAt != nil)
    #expect(try await store.revokeGrant(id, by: "eve")?.revokedBy == "bob")
    #expect(try await store.revokeGrant("g0", by: "bob") == nil)
    #expect(try await store.grants(of: "r1", session: nil).isEmpty)
    #expect(try await store.grants(includingRevoked: false, limit: 9).isEmpty)
    #expect(try await store.grants(includingRevoked: true, limit: 9).count == 1)
    #expect(try await store.audits(limit: 1).map(\.kind) == ["grant_revoked"])
    try await store.close("r1", RunEnding(.done), [])
    #expect(try await store.deleteRun("r1"))
    #expect(try await store.grants(includingRevoked: true, limit: 9).isEmpty)
  }
}
