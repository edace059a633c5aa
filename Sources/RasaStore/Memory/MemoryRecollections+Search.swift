import RasaCore
import RasaEngine
import RasaMemory
import RasaPersona

extension MemoryRecollections {
  func newest(_ filter: MemoryFilter, now: Timestamp) -> [MemoryItem] {
    items.values.filter { filter.takes($0, of: runs(of: $0), now: now) }.sorted { $0.id > $1.id }
  }

  private func runs(of item: MemoryItem) -> Set<Identifier> {
    item.kind == .fact ? facts.runs(of: item.id) : [item.run]
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
      items[id].flatMap { query.sees($0, now: now) ? $0 : nil }
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
