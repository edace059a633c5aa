import RasaCore

/// The journal of a run that nobody needs afterwards: a replay, or a look ahead.
final class DiscardingJournal: Journal {
  struct Contents {
    var entries: [JournalEntry] = []
    var approvals: [String: Approval] = [:]
  }
  private let shared = Locked(Contents())

  var contents: Contents { shared.withLock { $0 } }

  func open(_ run: RunRecord, _ entries: [JournalEntry]) { record(entries) }
  func record(_ entries: [JournalEntry]) { shared.withLock { $0.entries += entries } }
  func append(_ entries: [JournalEntry]) async throws { record(entries) }

  func ask(_ approval: Approval, recording entries: [JournalEntry]) async throws -> Approval {
    shared.withLock { contents in
      if let known = contents.approvals[approval.id] { return known }
      contents.approvals[approval.id] = approval
      contents.entries += entries
      return approval
    }
  }

  func answer(_ id: String, _ answer: HumanAnswer) async throws -> AnswerReceipt {
    shared.withLock { contents in
      guard var approval = contents.approvals[id] else { return .unknown }
      approval.standing = .answered(answer, at: approval.askedAt)
      contents.approvals[id] = approval
      return .accepted(approval)
    }
  }

  func close(_ run: Identifier, _ ending: RunEnding, _ entries: [JournalEntry]) async throws {
    record(entries)
  }

  func claim(_ run: Identifier) async throws -> RunHistory {
    throw Failure(.storage, "\(run) was kept nowhere and cannot go on")
  }
  func entries(of run: Identifier) async throws -> [JournalEntry] { contents.entries }
}
