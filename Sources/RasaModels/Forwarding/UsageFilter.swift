import RasaCore
import RasaDocuments

/// Takes out of a stream of OpenAI's the event that only says how many tokens it took: the client did not ask for
/// it. Every other byte stays as it is; what has not come to the end of its event waits.
struct UsageFilter: Sendable {
  private var pending: [UInt8] = []
  private static let emptyList = Array("[]".utf8)

  mutating func take(_ chunk: [UInt8]) -> [UInt8] {
    let known = max(0, pending.count - 3)
    pending += chunk
    guard let end = lastEnd(from: known) else { return [] }
    let whole = pending[..<end]
    pending = Array(pending[end...])
    return kept(of: whole)
  }

  /// What is left at the end of the stream.
  mutating func finish() -> [UInt8] {
    defer { pending = [] }
    return kept(of: pending[...])
  }

  /// Behind the last blank line.
  private func lastEnd(from start: Int) -> Int? {
    var index = pending.count - 1
    while index > start {
      if let end = Self.end(at: index, in: pending[...]) { return end }
      index -= 1
    }
    return nil
  }

  /// Behind the byte there, if it ends a blank line.
  private static func end(at index: Int, in bytes: ArraySlice<UInt8>) -> Int? {
    let (lf, cr) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
    func byte(_ distance: Int) -> UInt8? {
      index - distance >= bytes.startIndex ? bytes[index - distance] : nil
    }
    switch bytes[index] {
    case lf: return byte(1) == lf || (byte(1) == cr && byte(2) == lf) ? index + 1 : nil
    case cr: return byte(1) == cr ? index + 1 : nil
    default: return nil
    }
  }

  private func kept(of events: ArraySlice<UInt8>) -> [UInt8] {
    // Nearly no other event has an empty list.
    guard events.firstRange(ofBytes: Self.emptyList) != nil else { return Array(events) }
    var kept: [UInt8] = []
    var start = events.startIndex
    for index in events.indices {
      let end = index == events.endIndex - 1 ? events.endIndex : Self.end(at: index, in: events)
      guard let end, end > start else { continue }
      if !saysOnlyUsage(events[start..<end]) { kept += events[start..<end] }
      start = end
    }
    return kept
  }

  private func saysOnlyUsage(_ event: ArraySlice<UInt8>) -> Bool {
    var data: [UInt8] = []
    for line in event.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
    ) {
      guard line.starts(with: "data:".utf8) else { continue }
      data += line.dropFirst(5)
    }
    guard let document = try? JSON.parse(data) else { return false }
    return document["choices"].array?.isEmpty == true && document["usage"].object != nil
  }
}

extension RandomAccessCollection<UInt8> where Index == Int {
  /// Where these bytes begin first.
  func firstRange(ofBytes part: [UInt8]) -> Range<Int>? {
    guard let first = part.first, part.count <= count else { return nil }
    var index = startIndex
    while let place = self[index...].firstIndex(of: first), place <= endIndex - part.count {
      if self[place..<(place + part.count)].elementsEqual(part) {
        return place..<(place + part.count)
      }
      index = place + 1
    }
    return nil
  }
}
