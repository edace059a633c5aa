import RasaCore
import RasaEngine
import RasaMemory
import RasaPersona

/// Sessions, and items as `SQLiteStore` has them.
struct MemoryRecollections {
  struct Session {
    var persona: String
    var startedAt: Timestamp
    var usedAt: Timestamp
  }

  var sessions: [SessionID: Session] = [:]
  var items: [Int64: MemoryItem] = [:]
  var vectors = MemoryVectors()
  private var itemsEver: Int64 = 0
  /// The IDs of turns and notes, oldest first.
  var turns: [SessionID: [Int64]] = [:]
  var notes: [SessionID: [Int64]] = [:]
  var facts = MemoryFacts()
  /// By session, in the order of the turns that they cover.
  private var summaries: [SessionID: [KeptSummary]] = [:]
  /// Runs that have read what is forgotten.
  private var orphans: [Identifier] = []

  // MARK: Sessions

  /// Creates the session if necessary, and updates the time of its last use.
  mutating func use(_ session: SessionID, persona: String, at time: Timestamp) {
    if let known = sessions[session] {
      sessions[session]?.usedAt = max(known.usedAt, time)
    } else {
      sessions[session] = Session(persona: persona, startedAt: time, usedAt: time)
    }
  }

  func summary(of id: SessionID) -> SessionSummary? {
    sessions[id].map { session in
      SessionSummary(
        id: id, persona: session.persona, startedAt: session.startedAt, usedAt: session.usedAt,
        turns: (turns[id, default: []].count + 1) / 2)
    }
  }

  /// What is kept for one conversation goes with it, and all of its turns and notes; its other facts stay.
  mutating func delete(_ session: SessionID) {
    sessions[session] = nil
    for item in items.values.sorted(by: { $0.id < $1.id })
    where item.user == session.user && item.session == session.name {
      if item.kind != .fact || item.scope == .session {
        _ = forget([item.id])
      } else {
        items[item.id]?.session = nil
      }
    }
    turns[session] = nil
    notes[session] = nil
  }

  // MARK: Summaries

  struct KeptSummary {
    var summary: ConversationSummary
    var run: Identifier
  }

  func conversationSummary(of session: SessionID) -> ConversationSummary? {
    summaries[session]?.map(\.summary).filter { !$0.text.isEmpty }.max { $0.turns < $1.turns }
  }

  mutating func beginSummary(
    of session: SessionID, turns: Int, upTo: Identifier, by run: Identifier
  ) -> Identifier? {
    guard self.turns[session, default: []].contains(where: { items[$0]?.run == upTo }) else {
      return nil
    }
    if let known = summaries[session]?.first(where: { $0.summary.upTo == upTo.text }) {
      return known.run
    }
    summaries[session, default: []].append(
      KeptSummary(
        summary: ConversationSummary(text: "", turns: turns, upTo: upTo.text), run: run))
    return run
  }

  func pendingSummary(of session: SessionID, beyond turns: Int) -> Identifier? {
    summaries[session]?.filter { $0.summary.text.isEmpty && $0.summary.turns > turns }
      .min { $0.summary.turns < $1.summary.turns }?.run
  }

  mutating func keepSummary(_ text: String, of session: SessionID, by run: Identifier) -> Bool {
    guard var kept = summaries[session], let place = kept.firstIndex(where: { $0.run == run })
    else { return false }
    kept[place].summary.text = text
    for index in kept.indices where kept[index].summary.turns < kept[place].summary.turns {
      kept[index].summary.text = ""
    }
    summaries[session] = kept
    return true
  }

  mutating func dropSummary(of session: SessionID, by run: Identifier) {
    summaries[session]?.removeAll { $0.run == run }
  }

  mutating func discardSummaries(of session: SessionID) {
    orphans += summaries.removeValue(forKey: session)?.map(\.run) ?? []
  }

  mutating func takeOrphans() -> [Identifier] {
    defer { orphans = [] }
    return orphans
  }

  // MARK: Items

  mutating func insert(_ item: MemoryItem) -> Int64 {
    itemsEver += 1
    items[itemsEver] = item
    items[itemsEver]?.id = itemsEver
    return itemsEver
  }

  mutating func forget(_ ids: [Int64]) -> ForgottenItems {
    var forgotten = ForgottenItems()
    for id in ids {
      guard let item = items[id] else { continue }
      switch item.kind {
      case .turn:
        forgotten.turns += 1
        items[id] = nil
        let session = SessionID(item.session ?? "", of: item.user)
        turns[session]?.removeAll { $0 == id }
        discardSummaries(of: session)
      case .note:
        forgotten.notes += 1
        items[id] = nil
        notes[SessionID(item.session ?? "", of: item.user)]?.removeAll { $0 == id }
      case .fact:
        forgotten.facts += 1
        deleteFact(id)
      }
    }
    return forgotten
  }

  mutating func forget(user: String) -> ForgottenItems {
    let forgotten = forget(items.values.filter { $0.user == user }.map(\.id).sorted())
    for session in sessions.keys where session.user == user { delete(session) }
    return forgotten
  }
}
