/// The nearest of many, kept while they are compared: a heap whose root is the farthest that is kept.
package struct NearestVectors: Sendable {
  package struct Neighbour: Sendable, Hashable {
    package var item: Int64
    package var similarity: Float
    package init(item: Int64, similarity: Float) {
      self.item = item
      self.similarity = similarity
    }
  }

  private var heap: [Neighbour] = []
  private let limit: Int

  package init(limit: Int) { self.limit = max(0, limit) }

  package mutating func note(_ item: Int64, _ similarity: Float) {
    let new = Neighbour(item: item, similarity: similarity)
    if heap.count < limit {
      heap.append(new)
      var place = heap.count - 1
      while place > 0 {
        let parent = (place - 1) / 2
        guard Self.isNearer(heap[parent], heap[place]) else { return }
        heap.swapAt(parent, place)
        place = parent
      }
      return
    }
    guard let farthest = heap.first, Self.isNearer(new, farthest) else { return }
    heap[0] = new
    var place = 0
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2] where child < heap.count {
        if Self.isNearer(heap[least], heap[child]) { least = child }
      }
      if least == place { return }
      heap.swapAt(least, place)
      place = least
    }
  }

  /// Nearest first; of two that are as near, the newer one.
  package var sorted: [Neighbour] { heap.sorted(by: Self.isNearer) }

  private static func isNearer(_ one: Neighbour, _ other: Neighbour) -> Bool {
    (one.similarity, one.item) > (other.similarity, other.item)
  }
}
