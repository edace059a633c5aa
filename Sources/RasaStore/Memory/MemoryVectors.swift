package import RasaCore
package import RasaEngine
import RasaMemory
import RasaPersona

/// The vectors of a store without a file. Each has the text that it was made of: an item that has another one by now,
/// or is gone, has no vector.
struct MemoryVectors {
  struct Space {
    var length: Int
    var usedAt: Timestamp
    /// The vector is nil where none can be made.
    var vectors: [Int64: (text: String, vector: QuantisedVector?)] = [:]
  }
  /// By model, those of the newest length last.
  var spaces: [String: [Space]] = [:]
}

extension MemoryRecollections {
  mutating func keepVectors(_ made: MadeVectors, at now: Timestamp) {
    let length = made.vectors.lazy.map(\.numbers.count).first { $0 > 0 }
    var spaces = vectors.spaces[made.model] ?? []
    var place =
      length.map { length in spaces.firstIndex { $0.length == length } } ?? spaces.indices.last
    if place == nil, let length {
      spaces.append(MemoryVectors.Space(length: length, usedAt: now))
      place = spaces.count - 1
    }
    guard let place else { return }
    spaces[place].usedAt = max(spaces[place].usedAt, now)
    for one in made.vectors where one.numbers.isEmpty || one.numbers.count == length {
      guard let item = items[one.item] else { continue }
      spaces[place].vectors[one.item] = (item.text, QuantisedVector(one.numbers))
    }
    vectors.spaces[made.model] = spaces
  }

  func itemsWithoutVector(
    by model: String, length: Int?, for viewer: MemoryViewer, limit: Int
  ) -> [MemoryItem] {
    let space = vectors.spaces[model]?.last { length == nil || $0.length == length }
    return items.values.filter { item in
      item.user == viewer.user && (item.scope == .user || item.persona == viewer.persona)
        && space?.vectors[item.id]?.text != item.text
    }.sorted { $0.id > $1.id }.prefix(max(0, limit)).map { $0 }
  }

  mutating func removeUnusedVectors(usedBefore time: Timestamp) {
    for (model, spaces) in vectors.spaces {
      vectors.spaces[model] = spaces.suffix(1).filter { $0.usedAt >= time }
    }
  }

  /// The items that the query may see whose vectors are nearest to its own, nearest first.
  func nearest(
    to query: MemoryQuery, limit: Int, now: Timestamp
  ) -> [NearestVectors.Neighbour] {
    guard let wanted = query.vector, let vector = QuantisedVector(wanted.numbers),
      let space = vectors.spaces[wanted.model]?.last(where: {
        $0.length == vector.numbers.count
      })
    else { return [] }
    var nearest = NearestVectors(limit: limit)
    for (id, kept) in space.vectors {
      guard let item = items[id], item.text == kept.text, let other = kept.vector,
        query.mayFind(item)
      else { continue }
      nearest.note(id, vector.similarity(to: other))
    }
    return nearest.sorted
  }

  /// How many of these items have a vector, by model.
  func vectorCounts(of found: [MemoryItem]) -> [String: Int] {
    var counts: [String: Int] = [:]
    for (model, spaces) in vectors.spaces {
      let count = spaces.reduce(0) { sum, space in
        sum
          + found.count { item in
            space.vectors[item.id].map { $0.text == item.text && $0.vector != nil } ?? false
          }
      }
      if count > 0 { counts[model] = count }
    }
    return counts
  }
}

extension MemoryQuery {
  /// `sees` but for times and runs.
  fileprivate func mayFind(_ item: MemoryItem) -> Bool {
    guard kinds.contains(item.kind), scopes.contains(item.scope) else { return false }
    if let user, item.user != user { return false }
    if item.scope == .persona, let persona, item.persona != persona { return false }
    return item.scope != .session || persona == nil && session == nil || item.session == session
  }
}

extension MemoryRunStore {
  package func itemsWithoutVector(
    by model: String, length: Int?, for viewer: MemoryViewer, limit: Int
  ) async throws -> [MemoryItem] {
    state.withLock {
      $0.memories.itemsWithoutVector(by: model, length: length, for: viewer, limit: limit)
    }
  }

  package func keepVectors(_ vectors: MadeVectors) async throws {
    let now = time.now()
    state.withLock { $0.memories.keepVectors(vectors, at: now) }
  }

  package func vectorLengths(of model: String?) async throws -> [Int] {
    state.withLock { state in
      let spaces = state.memories.vectors.spaces
      let wanted = model.map { spaces[$0] ?? [] } ?? spaces.values.flatMap(\.self)
      return wanted.reversed().filter { space in
        space.vectors.values.contains { $0.vector != nil }
      }.map(\.length)
    }
  }

  package func noteVectorLength(_ length: Int, of model: String) async throws {
    let now = time.now()
    state.withLock { state in
      if state.memories.vectors.spaces[model, default: []].contains(where: { $0.length == length })
      {
        return
      }
      state.memories.vectors.spaces[model, default: []].append(
        MemoryVectors.Space(length: length, usedAt: now))
    }
  }

  package func removeUnusedVectors(usedBefore time: Timestamp) async throws -> Bool {
    state.withLock { $0.memories.removeUnusedVectors(usedBefore: time) }
    return true
  }
}
