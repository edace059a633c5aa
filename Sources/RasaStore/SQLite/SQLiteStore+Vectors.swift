package import RasaCore
package import RasaEngine
import RasaMemory
import RasaSQLite

extension SQLiteStore {
  package func itemsWithoutVector(
    by model: String, length: Int?, for viewer: MemoryViewer, limit: Int
  ) async throws -> [MemoryItem] {
    try await read { database in
      try database.items(
        try database.itemsWithoutVector(by: model, length: length, for: viewer, limit: limit))
    }
  }

  package func keepVectors(_ vectors: MadeVectors) async throws {
    let now = time.now()
    try await writer.write { try $0.keepVectors(vectors, at: now) }
  }

  /// The items nearest to the query's vector alone, nearest first.
  package func nearest(to query: MemoryQuery, limit: Int) async throws -> [Int64] {
    try await read { try $0.nearest(to: query, limit: limit).map(\.item) }
  }

  package func vectorLengths(of model: String?) async throws -> [Int] {
    try await read { try $0.vectorLengths(of: model) }
  }

  package func noteVectorLength(_ length: Int, of model: String) async throws {
    let now = time.now()
    try await writer.write { _ = try $0.usedVectorSpace(of: model, length: length, at: now) }
  }

  package func removeUnusedVectors(usedBefore time: Timestamp) async throws -> Bool {
    try await writer.write { try $0.removeUnusedVectors(usedBefore: time) }
  }
}
