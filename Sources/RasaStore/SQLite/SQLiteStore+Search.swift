import RasaCore
package import RasaEngine
import RasaSQLite

extension SQLiteStore {
  package func search(_ query: MemoryQuery) async throws -> [RecalledItem] {
    if query.limit <= 0 { return [] }
    let now = time.now()
    let found = try await read { try $0.isIndexed() ? $0.search(query, at: now) : nil }
    if let found { return found }
    try await finishIndexing()
    return try await read { try $0.search(query, at: now) }
  }

  /// Indexes what is not in the index of words yet, some at a time so that other writers can work in between: after a
  /// migration, and when the rules of the terms have changed.
  func finishIndexing() async throws {
    if try await read({ try $0.isIndexed() }) { return }
    while try await writer.write({ try $0.indexNext(atMost: 200) }) {
      try Task.checkCancellation()
    }
  }
}
