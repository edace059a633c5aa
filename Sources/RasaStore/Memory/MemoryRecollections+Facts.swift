import RasaCore
import RasaEngine
import RasaMemory
import RasaPersona

/// A chain of facts is reckoned anew whenever it changes.
extension MemoryRecollections {
  private typealias Statement = MemoryFacts.Statement

  mutating func add(_ stored: StoredFact) throws -> FactOutcome {
    let fact = stored.fact
    if fact.scope == .session {
      guard let session = fact.session else { throw Failure.factWithoutSession }
      let id = SessionID(session, of: fact.user)
      if sessions[id] == nil { use(id, persona: fact.persona, at: fact.time) }
    }
    return add(Statement(stored), to: stored.chain)
  }

  private mutating func add(_ statement: Statement, to chain: ContentDigest) -> FactOutcome {
    if statement.denies != nil { facts.hasDenials = true }
    var all = facts.chains[chain, default: []]
    if let known = all.firstIndex(where: { $0.claim.isSame(as: statement.claim) }) {
      all[known].trust = .stronger(all[known].trust, statement.trust)
      if statement.claim.isPreferred(to: all[known].claim) { all[known].claim = statement.claim }
      let item = all[known].item
      write(all, to: chain)
      return .known(id: item)
    }
    let place = all.firstIndex { statement.claim.comes(before: $0.claim) } ?? all.count
    let known = Set(all.map(\.item))
    all.insert(statement, at: place)
    write(all, to: chain)
    let id = facts.chains[chain, default: []][place].item
    if known.contains(id) { return .known(id: id) }
    // What is over by its own words is not closed by others.
    let closed = items.values.filter { item in
      guard let fact = item.fact, fact.supersededBy == id, let state = facts.states[item.id],
        state.replacement == nil
      else { return false }
      let last = facts.chains[state.chain, default: []].last { $0.item == item.id }
      guard let stated = last?.claim.until, let until = fact.until else { return true }
      return stated > until
    }
    return .added(id: id, closes: closed.map(\.id).sorted(by: >))
  }

  /// Writes a chain, and what it denies or is denied by.
  private mutating func write(_ statements: [Statement], to chain: ContentDigest) {
    var related = facts.related(to: chain)
    facts.chains[chain] = statements.isEmpty ? nil : statements
    related.formUnion(facts.related(to: chain))
    let all = [chain] + related.sorted { $0.lexicographicallyPrecedes($1) }
    for chain in all { assignItems(in: chain) }
    for chain in all { writeDetails(of: chain) }
  }

  private mutating func assignItems(in chain: ContentDigest) {
    var all = facts.chains[chain, default: []]
    let before = Set(all.map(\.item))
    var used: Set<Int64> = []
    let found = FactChain.facts(
      of: all.map(\.claim), limits: facts.limits(of: chain).map(\.limit))
    for fact in found {
      var id = all[fact.claims].map(\.item).first { $0 != 0 } ?? 0
      if id == 0 || used.contains(id) {
        id = makeItem(for: all[fact.claims.lowerBound].fact, like: items[id] ?? facts.restored)
        facts.states[id] = MemoryFacts.State(
          chain: chain, learnt: all[fact.claims.lowerBound].fact.time)
      }
      used.insert(id)
      for place in fact.claims { all[place].item = id }
    }
    for gone in before.subtracting(used) where gone != 0 {
      let old = facts.chains[chain, default: []].firstIndex { $0.item == gone }
      if let heir = old.map({ all[$0].item }) {
        for (id, state) in facts.states where state.replacement?.item == gone {
          facts.states[id]?.replacement?.item = heir
          items[id]?.fact?.supersededBy = heir
        }
      }
      items[gone] = nil
      facts.states[gone] = nil
    }
    facts.chains[chain] = all.isEmpty ? nil : all
  }

  private mutating func makeItem(for fact: NewFact, like model: MemoryItem?) -> Int64 {
    var item = MemoryItem(
      id: 0, kind: .fact, scope: fact.scope, user: fact.user,
      persona: model?.persona ?? fact.persona, session: model?.session ?? fact.session,
      text: model?.text ?? fact.text, run: fact.run, time: fact.time, trust: fact.trust,
      fact: FactDetails(slot: fact.details.slot))
    if let name = fact.session, sessions[SessionID(name, of: fact.user)] == nil {
      item.session = nil
    }
    guard let number = facts.restored?.id, items[number] == nil else { return insert(item) }
    item.id = number
    items[number] = item
    return number
  }

  private mutating func writeDetails(of chain: ContentDigest) {
    let all = facts.chains[chain, default: []]
    let limits = facts.limits(of: chain)
    let found = FactChain.facts(of: all.map(\.claim), limits: limits.map(\.limit))
    for fact in found {
      let statements = all[fact.claims]
      guard let first = statements.first, let last = statements.last else { continue }
      let id = first.item
      let latest = statements.max {
        ($0.fact.time, $0.fact.run.text) < ($1.fact.time, $1.fact.run.text)
      }
      items[id]?.trust = statements.map(\.trust).reduce(.model) { .stronger($0, $1) }
      items[id]?.time = latest?.fact.time ?? first.fact.time
      items[id]?.run = latest?.fact.run ?? first.fact.run
      facts.states[id]?.learnt = statements.map(\.fact.time).min() ?? first.fact.time
      var (begin, until) = (fact.begin, fact.until)
      let replacement = facts.states[id]?.replacement
      if let replacement {
        // What a person has corrected never held.
        let end = min(until ?? replacement.time, replacement.time)
        (begin, until) = (end, end)
      }
      let ender: Int64? =
        switch fact.endedBy {
        case nil: nil
        case .fact(let number): all[found[number].claims.lowerBound].item
        case .limit(let number): limits[number].item
        }
      let slot = items[id]?.fact?.slot
      items[id]?.fact = FactDetails(
        kind: last.fact.details.kind, slot: slot, validFrom: fact.validFrom,
        until: until, expires: last.fact.details.expires,
        supersededBy: replacement?.item ?? ender, begin: begin)
    }
  }

  // MARK: Correcting

  /// Nil where there is no such fact.
  mutating func edit(_ fact: Int64, to text: String, at time: Timestamp) throws -> FactOutcome? {
    guard let old = items[fact], let details = old.fact, let state = facts.states[fact] else {
      return nil
    }
    var stored = StoredFact(
      .correction(of: old, details, learnt: state.learnt, to: text, at: time))
    let statements = facts.chains[state.chain, default: []]
    if let last = statements.last(where: { $0.item == fact }) {
      if last.claim.form == stored.form {
        var all = statements
        for place in all.indices where all[place].item == fact { all[place].trust = .person }
        items[fact]?.text = text
        write(all, to: state.chain)
        return .known(id: fact)
      }
      stored.takePlace(of: last.claim)
    }
    takeOut(fact, of: state.chain)
    let outcome = try add(stored)
    let id: Int64
    switch outcome {
    case .added(let added, _): id = added
    case .known(let known): id = known
    }
    let chain = ContentDigest.chain(ofReplaced: fact)
    facts.states[fact]?.replacement = (id, time)
    write(facts.chains[chain, default: []], to: chain)
    guard case .added(_, let closes) = outcome else { return outcome }
    return .added(id: id, closes: [fact] + closes)
  }

  /// Into a chain of its own, in which it denies nothing.
  private mutating func takeOut(_ id: Int64, of chain: ContentDigest) {
    let own = ContentDigest.chain(ofReplaced: id)
    if chain == own { return }
    var statements = facts.chains[chain, default: []].filter { $0.item == id }
    for place in statements.indices {
      statements[place].denies = nil
      statements[place].claim.isDenial = false
    }
    let (item, state) = (items[id], facts.states[id])
    write(facts.chains[chain, default: []].filter { $0.item != id }, to: chain)
    facts.chains[own] = statements
    items[id] = item
    facts.states[id] = state
    facts.states[id]?.chain = own
  }

  private mutating func restore(_ id: Int64) {
    guard let old = facts.states[id]?.chain, let statements = facts.chains[old],
      let first = statements.first, let item = items[id]
    else { return }
    facts.chains[old] = nil
    items[id] = nil
    facts.states[id] = nil
    facts.restored = item
    for var statement in statements {
      statement.item = 0
      statement.denies = statement.stored.denies
      statement.claim.isDenial = statement.denies != nil
      _ = add(statement, to: first.stored.chain)
    }
    facts.restored = nil
  }

  // MARK: Forgetting

  mutating func deleteFact(_ id: Int64) {
    guard let chain = facts.states[id]?.chain else { return }
    items[id] = nil
    facts.states[id] = nil
    write(facts.chains[chain, default: []].filter { $0.item != id }, to: chain)
    let replaced = facts.states.filter { $0.value.replacement?.item == id }.keys.sorted()
    for one in replaced { restore(one) }
  }

  /// Takes back what a run has stated; returns how many facts nobody else has stated, which are deleted.
  mutating func retractStatements(of run: Identifier, among ids: Set<Int64>) -> Int {
    var gone = 0
    let chains = facts.chains.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    for (chain, statements) in chains {
      for statement in statements where statement.fact.run == run && ids.contains(statement.item) {
        var all = facts.chains[chain, default: []]
        guard let place = all.firstIndex(where: { $0.claim.isSame(as: statement.claim) }) else {
          continue
        }
        let item = all[place].item
        if all.count(where: { $0.item == item }) == 1 {
          deleteFact(item)
          gone += 1
        } else {
          all.remove(at: place)
          write(all, to: chain)
        }
      }
    }
    return gone
  }
}
