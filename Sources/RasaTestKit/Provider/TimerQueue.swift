/// The times at which connections need attention, earliest first: a binary heap.
struct TimerQueue {
  private var heap: [(time: UInt64, connection: Int32, serial: Int)] = []

  var nearest: UInt64 { heap.first?.time ?? .max }

  mutating func add(_ time: UInt64, connection: Int32, serial: Int) {
    heap.append((time, connection, serial))
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].time < heap[parent].time else { break }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  mutating func removeDue(_ now: UInt64) -> (connection: Int32, serial: Int)? {
    guard let first = heap.first, first.time <= now else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      siftDown()
    }
    return (first.connection, first.serial)
  }

  private mutating func siftDown() {
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && heap[child].time < heap[least].time {
        least = child
      }
      guard least != parent else { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
