import RasaCore
import RasaEngine
import RasaMemory
import RasaPersona

extension MemoryTrust {
  /// The word that counts more comes first. That of a tool stays a tool's when a model repeats it, as the model may
  /// have it from there.
  static func stronger(_ one: MemoryTrust, _ other: MemoryTrust) -> MemoryTrust {
    one.column <= other.column ? one : other
  }

  /// Its number in the file.
  var column: Int64 {
    switch self {
    case .person: 0
    case .tool: 1
    case .model: 2
    }
  }

  init(column: Int64) { self = column == 0 ? .person : column == 1 ? .tool : .model }
}

extension MemoryScope {
  /// Its number in the file.
  var column: Int64 {
    switch self {
    case .user: 0
    case .persona: 1
    case .session: 2
    }
  }

  init(column: Int64) { self = column == 0 ? .user : column == 1 ? .persona : .session }
}

extension MemoryItem.Kind {
  /// Its number in the file.
  var column: Int64 {
    switch self {
    case .turn: 0
    case .note: 1
    case .fact: 2
    }
  }

  init(column: Int64) { self = column == 0 ? .turn : column == 1 ? .note : .fact }
}

extension FactDetails {
  /// Whether it holds no more, or never did.
  func isPast(at now: Timestamp) -> Bool {
    if let until, until <= max(now, begin ?? now) { return true }
    if let expires, expires <= now { return true }
    return false
  }
}

extension MemoryQuery {
  /// Whether the query may see an item at all, whatever it says.
  func sees(_ item: MemoryItem, now: Timestamp) -> Bool {
    guard kinds.contains(item.kind), scopes.contains(item.scope), !exceptRuns.contains(item.run)
    else { return false }
    if let user, item.user != user { return false }
    if item.scope == .persona, let persona, item.persona != persona { return false }
    if item.scope == .session, persona != nil || session != nil, item.session != session {
      return false
    }
    return item.holds(asOf: asOf, now: now)
  }
}

extension MemoryFilter {
  /// - Parameter runs: those that have stated it.
  func takes(_ item: MemoryItem, of runs: Set<Identifier>, now: Timestamp) -> Bool {
    if let user, item.user != user { return false }
    if let persona, item.persona != persona { return false }
    if let session, item.session != session { return false }
    if let run, !runs.contains(run) { return false }
    guard kinds.contains(item.kind), trust == nil || trust == item.trust else { return false }
    return includesPast || item.holds(asOf: asOf, now: now)
  }
}

extension MemoryItem {
  /// What was said by then, and what held then, whenever it was learnt. For now also what will hold later.
  fileprivate func holds(asOf: Timestamp?, now: Timestamp) -> Bool {
    if let asOf, fact?.begin ?? time > asOf { return false }
    return fact?.isPast(at: asOf ?? now) != true
  }
}
