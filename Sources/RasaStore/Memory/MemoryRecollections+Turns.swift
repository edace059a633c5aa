import RasaCore
import RasaEngine
import RasaMemory
import RasaPersona

/// Turns and notes.
extension MemoryRecollections {
  mutating func keep(
    _ turn: SessionTurn, persona: String, scope: MemoryScope, trust: MemoryTrust = .model
  ) {
    use(turn.session, persona: persona, at: turn.time)
    let known = turns[turn.session, default: []].filter { items[$0]?.run == turn.run }
    for (speaker, text, trust) in [
      (turn.session.user, turn.input, MemoryTrust.person), (persona, turn.output, trust),
    ] {
      if let old = known.first(where: { (items[$0]?.trust == .person) == (trust == .person) }) {
        items[old]?.text = text
        items[old]?.time = turn.time
        continue
      }
      let item = MemoryItem(
        id: 0, kind: .turn, scope: scope, user: turn.session.user, persona: persona,
        session: turn.session.name, speaker: speaker, text: text, run: turn.run, time: turn.time,
        trust: trust)
      turns[turn.session, default: []].append(insert(item))
    }
  }

  func newestTurns(of session: SessionID, limit: Int, bytes: Int) -> Conversation {
    var found: [SessionTurn] = []
    let all = turns[session, default: []]
    var (left, rest) = (bytes, all.count)
    var open: MemoryItem?
    for (place, id) in all.enumerated().reversed() {
      guard found.count < limit, left > 0 else { break }
      guard let item = items[id] else { continue }
      guard let other = open, other.run == item.run else {
        open = item
        continue
      }
      open = nil
      left -= item.text.utf8.count + other.text.utf8.count
      rest = place
      let (input, output) =
        item.trust == .person ? (item.text, other.text) : (other.text, item.text)
      found.append(
        SessionTurn(session: session, run: item.run, time: item.time, input: input, output: output))
    }
    return Conversation(turns: found.reversed(), earlier: rest / 2)
  }

  mutating func keep(
    _ note: WorkingNote, persona: String, scope: MemoryScope, trust: MemoryTrust = .model,
    now: Timestamp
  ) {
    if sessions[note.session] == nil { use(note.session, persona: persona, at: now) }
    let item = MemoryItem(
      id: 0, kind: .note, scope: scope, user: note.session.user, persona: persona,
      session: note.session.name, text: note.text, run: note.run, time: note.time, trust: trust)
    notes[note.session, default: []].append(insert(item))
    let oldest = MemoryBounds.oldestNote(at: now)
    let all = notes[note.session, default: []]
    let extra = all.count - MemoryBounds.notesPerSession
    let old = all.enumerated().filter { place, id in
      place < extra || (items[id]?.time ?? now) < oldest
    }
    _ = forget(old.map(\.element))
  }

  func notes(of session: SessionID) -> [MemoryItem] {
    notes[session, default: []].compactMap { items[$0] }
  }

  /// False where it is known already.
  mutating func add(_ imported: ImportedItem) throws -> Bool {
    var item = imported.item
    if let fact = imported.fact {
      guard case .added = try add(fact) else { return false }
      return true
    }
    guard let name = item.session else { throw Failure.itemWithoutSession(item) }
    let session = SessionID(name, of: item.user)
    use(session, persona: item.persona, at: item.time)
    let others = (item.kind == .turn ? turns : notes)[session, default: []].compactMap { items[$0] }
    let isKnown = others.contains { other in
      guard other.run == item.run else { return false }
      return item.kind == .turn
        ? (other.trust == .person) == (item.trust == .person) : other.text == item.text
    }
    if isKnown { return false }
    if let newest = others.last, newest.time > item.time { throw Failure.isOlder(than: session) }
    item.speaker = item.kind == .turn ? item.speaker ?? item.persona : nil
    let id = insert(item)
    if item.kind == .turn {
      turns[session, default: []].append(id)
    } else {
      notes[session, default: []].append(id)
    }
    return true
  }
}
