import RasaCore
import RasaEngine
import RasaMemory
import RasaPersona

/// Sessions, and items as `SQLiteStore` has them. A chain of facts is reckoned anew whenever it changes.
struct MemoryRecollections {
  struct Session {
    var persona: String
    var startedAt: Timestamp
    var usedAt: Timestamp
  }

  /// What only facts have and nobody is shown.
  private struct FactState {
    var chain: ContentDigest
    var learnt: Timestamp
    var replacement: (item: Int64, time: Timestamp)?
  }

  private struct Statement {
    let stored: StoredFact
    var item: Int64
    var trust: MemoryTrust

    var form: ContentDigest { stored.form }
    var fact: NewFact { stored.fact }

    func comes(before other: Statement) -> Bool {
      if stored.begin != other.stored.begin { return stored.begin < other.stored.begin }
      if fact.time != other.fact.time { return fact.time < other.fact.time }
      if form != other.form { return form.lexicographicallyPrecedes(other.form) }
      return fact.run.text.utf8.lexicographicallyPrecedes(other.fact.run.text.utf8)
    }

    func isSame(as other: Statement) -> Bool {
      form == other.form && stored.begin == other.stored.begin && fact.time == other.fact.time
        && fact.run == other.fact.run
    }
  }

  private(set) var sessions: [SessionID: Session] = [:]
  private(set) var items: [Int64: MemoryItem] = [:]
  var vectors = MemoryVectors()
  private var itemsEver: Int64 = 0
  /// The IDs of turns and notes, oldest first.
  private var turns: [SessionID: [Int64]] = [:]
  private var notes: [SessionID: [Int64]] = [:]
  private var facts: [Int64: FactState] = [:]
  /// A fact that holds again, as it was before it was corrected.
  private var restored: MemoryItem?
  /// Spares looking for them.
  private var hasDenials = false
  /// By session, in the order of the turns that they cover.
  private var summaries: [SessionID: [KeptSummary]] = [:]
  /// Runs that have read what is forgotten.
  private var orphans: [Identifier] = []
  private var chains: [ContentDigest: [Statement]] = [:]

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

  private mutating func discardSummaries(of session: SessionID) {
    orphans += summaries.removeValue(forKey: session)?.map(\.run) ?? []
  }

  mutating func takeOrphans() -> [Identifier] {
    defer { orphans = [] }
    return orphans
  }

  // MARK: Turns and notes

  private mutating func insert(_ item: MemoryItem) -> Int64 {
    itemsEver += 1
    items[itemsEver] = item
    items[itemsEver]?.id = itemsEver
    return itemsEver
  }

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

  // MARK: Facts

  mutating func add(_ stored: StoredFact) throws -> FactOutcome {
    let fact = stored.fact
    if fact.scope == .session {
      guard let session = fact.session else { throw Failure.factWithoutSession }
      let id = SessionID(session, of: fact.user)
      if sessions[id] == nil { use(id, persona: fact.persona, at: fact.time) }
    }
    return add(Statement(stored: stored, item: 0, trust: fact.trust), to: stored.chain)
  }

  private mutating func add(_ statement: Statement, to chain: ContentDigest) -> FactOutcome {
    var all = chains[chain, default: []]
    if let known = all.firstIndex(where: { $0.isSame(as: statement) }) {
      all[known].trust = .stronger(all[known].trust, statement.trust)
      write(all, to: chain)
      return .known(id: all[known].item)
    }
    let place = all.firstIndex { statement.comes(before: $0) } ?? all.count
    let ids = Set(all.map(\.item))
    all.insert(statement, at: place)
    write(all, to: chain)
    let written = chains[chain, default: []]
    let id = written[place].item
    if ids.contains(id) { return .known(id: id) }
    var closed: [Int64] = []
    if let denied = statement.stored.denies,
      let last = chains[denied.chain, default: []].last(where: { $0.comes(before: statement) }),
      last.form == denied.form
    {
      closed.append(last.item)
    }
    if place > 0 { closed.append(written[place - 1].item) }
    return .added(id: id, closes: closed)
  }

  /// Writes a chain, and what it denies or is denied by.
  private mutating func write(_ statements: [Statement], to chain: ContentDigest) {
    let before = chains[chain, default: []]
    var touched = Set((before + statements).compactMap { $0.stored.denies?.chain })
    hasDenials = hasDenials || !touched.isEmpty
    group(statements, of: chain)
    if !hasDenials { return }
    for (other, statements) in chains
    where statements.contains(where: { $0.stored.denies?.chain == chain }) { touched.insert(other) }
    for other in touched.subtracting([chain]) { group(chains[other, default: []], of: other) }
  }

  /// Statements that deny that one, in order.
  private func denials(of statement: Statement, in chain: ContentDigest) -> [Statement] {
    if !hasDenials { return [] }
    let denied = DeniedFact(chain: chain, form: statement.form)
    return chains.filter { !replacedChains.contains($0.key) }.values.joined()
      .filter { $0.stored.denies == denied }.sorted { $0.comes(before: $1) }
  }

  private var replacedChains: Set<ContentDigest> {
    Set(facts.compactMap { $0.value.replacement == nil ? nil : $0.value.chain })
  }

  /// Those of one form that follow each other, and that nothing between them denies, are one fact.
  private mutating func group(_ statements: [Statement], of chain: ContentDigest) {
    chains[chain] = statements.isEmpty ? nil : statements
    let isReplaced = replacedChains.contains(chain)
    var all = statements
    var groups: [Range<Int>] = []
    for place in all.indices {
      if let last = groups.last, all[last.lowerBound].form == all[place].form,
        isReplaced
          || !denials(of: all[place], in: chain).contains(where: {
            all[place - 1].comes(before: $0) && $0.comes(before: all[place])
          })
      {
        groups[groups.count - 1] = last.lowerBound..<(place + 1)
      } else {
        groups.append(place..<(place + 1))
      }
    }
    let before = Set(all.map(\.item))
    var used: Set<Int64> = []
    for group in groups {
      var id = all[group].map(\.item).first { $0 != 0 } ?? 0
      if id == 0 || used.contains(id) {
        let fact = all[group.lowerBound].fact
        let model = items[id] ?? restored
        var item = MemoryItem(
          id: 0, kind: .fact, scope: fact.scope, user: fact.user,
          persona: model?.persona ?? fact.persona, session: model?.session ?? fact.session,
          text: model?.text ?? fact.text, run: fact.run, time: fact.time, trust: fact.trust,
          fact: FactDetails(slot: fact.details.slot))
        if let name = fact.session, sessions[SessionID(name, of: fact.user)] == nil {
          item.session = nil
        }
        if let number = restored?.id, items[number] == nil {
          id = number
          item.id = number
          items[number] = item
        } else {
          id = insert(item)
        }
        facts[id] = FactState(chain: chain, learnt: fact.time)
      }
      used.insert(id)
      for place in group { all[place].item = id }
    }
    for gone in before.subtracting(used) where gone != 0 {
      let heir = statements.firstIndex { $0.item == gone }.map { all[$0].item }
      for (id, state) in facts where state.replacement?.item == gone {
        guard let heir else { continue }
        facts[id]?.replacement?.item = heir
        items[id]?.fact?.supersededBy = heir
      }
      items[gone] = nil
      facts[gone] = nil
    }
    chains[chain] = all.isEmpty ? nil : all
    for (number, group) in groups.enumerated() {
      let last = all[group.upperBound - 1]
      var next: [Statement] = number + 1 < groups.count ? [all[groups[number + 1].lowerBound]] : []
      if !isReplaced {
        next += denials(of: last, in: chain).filter { last.comes(before: $0) }.prefix(1)
        if let denied = last.stored.denies {
          next += chains[denied.chain, default: []].filter {
            $0.form == denied.form && last.comes(before: $0)
          }.prefix(1)
        }
      }
      summarise(all[group], next: next.min { $0.comes(before: $1) })
    }
  }

  private mutating func summarise(_ statements: ArraySlice<Statement>, next: Statement?) {
    guard let first = statements.first, let last = statements.last else { return }
    let id = first.item
    let latest = statements.max {
      ($0.fact.time, $0.fact.run.text) < ($1.fact.time, $1.fact.run.text)
    }
    items[id]?.trust = statements.map(\.trust).reduce(.model) { .stronger($0, $1) }
    items[id]?.time = latest?.fact.time ?? first.fact.time
    items[id]?.run = latest?.fact.run ?? first.fact.run
    facts[id]?.learnt = statements.map(\.fact.time).min() ?? first.fact.time
    let links = [last, next].compactMap(\.self).map { statement in
      FactChain.Link(
        id: statement.item, text: statement.form.hexadecimal,
        time: statement.fact.time, validFrom: statement.stored.begin,
        statedUntil: statement.fact.details.until)
    }
    let ending = FactChain.endings(of: links).first { $0.id == id }
    let replacement = facts[id]?.replacement
    items[id]?.fact?.kind = last.fact.details.kind
    items[id]?.fact?.expires = last.fact.details.expires
    items[id]?.fact?.validFrom = first.fact.details.validFrom
    items[id]?.fact?.until = [ending?.until, replacement?.time].compactMap(\.self).min()
    items[id]?.fact?.supersededBy = replacement?.item ?? ending?.supersededBy
  }

  /// Nil where there is no such fact.
  mutating func edit(_ fact: Int64, to text: String, at time: Timestamp) throws -> FactOutcome? {
    guard let old = items[fact], let details = old.fact, let state = facts[fact] else { return nil }
    let stored = StoredFact(
      .correction(of: old, details, learnt: state.learnt, to: text, at: time))
    let statements = chains[state.chain, default: []]
    if statements.first(where: { $0.item == fact })?.form == stored.form {
      var all = statements
      for place in all.indices where all[place].item == fact { all[place].trust = .person }
      items[fact]?.text = text
      write(all, to: state.chain)
      return .known(id: fact)
    }
    let chain = ContentDigest.chain(ofReplaced: fact)
    if state.chain != chain {
      move(statements.filter { $0.item == fact }, from: state.chain, to: chain)
      facts[fact]?.chain = chain
    }
    let outcome = try add(stored)
    let id: Int64
    switch outcome {
    case .added(let added, _): id = added
    case .known(let known): id = known
    }
    facts[fact]?.replacement = (id, time)
    write(chains[chain, default: []], to: chain)
    guard case .added(_, let closes) = outcome else { return outcome }
    return .added(id: id, closes: [fact] + closes)
  }

  private mutating func move(
    _ statements: [Statement], from one: ContentDigest, to other: ContentDigest
  ) {
    chains[other] = statements
    guard let id = statements.first?.item else { return }
    let (item, state) = (items[id], facts[id])
    write(chains[one, default: []].filter { $0.item != id }, to: one)
    items[id] = item
    facts[id] = state
  }

  // MARK: Forgetting

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
        forgetFact(id)
      }
    }
    return forgotten
  }

  private mutating func forgetFact(_ id: Int64) {
    guard let chain = facts[id]?.chain else { return }
    items[id] = nil
    facts[id] = nil
    write(chains[chain, default: []].filter { $0.item != id }, to: chain)
    let replaced = facts.filter { $0.value.replacement?.item == id }.keys.sorted()
    for one in replaced { restore(one) }
  }

  private mutating func restore(_ id: Int64) {
    guard let old = facts[id]?.chain, let statements = chains[old], let first = statements.first,
      let item = items[id]
    else { return }
    chains[old] = nil
    items[id] = nil
    facts[id] = nil
    restored = item
    for var statement in statements {
      statement.item = 0
      _ = add(statement, to: first.stored.chain)
    }
    restored = nil
  }

  mutating func forget(user: String) -> ForgottenItems {
    let forgotten = forget(items.values.filter { $0.user == user }.map(\.id).sorted())
    for session in sessions.keys where session.user == user { delete(session) }
    return forgotten
  }

  /// Takes back what a run has stated; returns how many facts nobody else has stated, which are deleted.
  mutating func retractStatements(of run: Identifier, among ids: Set<Int64>) -> Int {
    var gone = 0
    for (chain, statements) in chains {
      for statement in statements where statement.fact.run == run && ids.contains(statement.item) {
        var all = chains[chain, default: []]
        guard let place = all.firstIndex(where: { $0.isSame(as: statement) }) else { continue }
        let item = all[place].item
        if all.count(where: { $0.item == item }) == 1 {
          forgetFact(item)
          gone += 1
        } else {
          all.remove(at: place)
          write(all, to: chain)
        }
      }
    }
    return gone
  }

  // MARK: Finding

  func newest(_ filter: MemoryFilter, now: Timestamp) -> [MemoryItem] {
    items.values.filter { filter.takes($0, of: runs(of: $0), now: now) }.sorted { $0.id > $1.id }
  }

  private func runs(of item: MemoryItem) -> Set<Identifier> {
    guard let chain = facts[item.id]?.chain else { return [item.run] }
    return Set(chains[chain, default: []].filter { $0.item == item.id }.map(\.fact.run))
  }

  func search(_ query: MemoryQuery, now: Timestamp) throws -> [RecalledItem] {
    var keys: [ShelfKey] = []
    var shelves: [TransientShelf] = []
    var places: [Int64: (shelf: Int, place: Int32)] = [:]
    for item in items.values.sorted(by: { $0.id < $1.id }) {
      let key = ShelfKey(item)
      guard query.sees(key) else { continue }
      let number = keys.firstIndex(of: key) ?? keys.count
      if number == keys.count {
        keys.append(key)
        shelves.append(TransientShelf(isConversation: item.kind == .turn))
      }
      places[item.id] = (number, shelves[number].end)
      shelves[number].add(
        ShelfItem(
          place: 0, item: item.id,
          conversation: item.kind == .turn ? ShelfItem.conversation(item.session ?? "") : 0,
          length: 0, isQuestion: false, time: item.time, speaker: 0),
        MemoryBounds.indexed(item.text), speaker: item.speaker)
    }
    let nearest = nearest(to: query, limit: Ranking.nearestWanted, now: now)
    var near: [[Int32]] = shelves.map { _ in [] }
    for neighbour in nearest {
      if let place = places[neighbour.item] { near[place.shelf].append(place.place) }
    }
    return try MemorySearch(query: query, now: now).results(
      on: shelves, languages: TextLanguages.union(shelves.map(\.languages)),
      similarities: (
        Dictionary(nearest.map { ($0.item, Double($0.similarity)) }) { first, _ in first }, near
      )
    ) { id in
      items[id].flatMap { query.sees($0, learnt: facts[id]?.learnt, now: now) ? $0 : nil }
    }
  }
}

/// Which items are ranked together: those of one kind that the same people see.
private struct ShelfKey: Hashable {
  var user: String
  var scope: MemoryScope
  var kind: MemoryItem.Kind
  /// Nil where every persona of the user sees it.
  var persona: String?
  /// Nil where it is seen outside of its conversation.
  var session: String?

  init(_ item: MemoryItem) {
    user = item.user
    scope = item.scope
    kind = item.kind
    persona = item.scope == .persona ? item.persona : nil
    session = item.scope == .session ? item.session ?? "" : nil
  }
}

extension MemoryQuery {
  fileprivate func sees(_ shelf: ShelfKey) -> Bool {
    guard kinds.contains(shelf.kind), scopes.contains(shelf.scope) else { return false }
    if let user, user != shelf.user { return false }
    switch shelf.scope {
    case .user: return true
    case .persona: return persona == nil || persona == shelf.persona
    case .session: return persona == nil && session == nil || session == shelf.session
    }
  }
}
