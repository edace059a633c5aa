import RasaCore
import RasaSystem
import Testing

@Suite("Work on all processors")
struct WorkersTests {
  @Test("results come in the order of the parts", arguments: [-1, 0, 1, 2, 7, 500])
  func order(parts: Int) {
    #expect(Workers.map(parts) { $0 * $0 } == (0..<max(0, parts)).map { $0 * $0 })
  }

  @Test("parts may have parts")
  func nested() {
    let sums = Workers.map(8) { outer in Workers.map(8) { outer * $0 }.reduce(0, +) }
    #expect(sums == (0..<8).map { $0 * 28 })
  }

  @Test("each part is done once")
  func once() {
    let done = Locked<[Int]>([])
    _ = Workers.map(200) { part in done.withLock { $0.append(part) } }
    #expect(done.withLock { $0.sorted() } == Array(0..<200))
  }
}

@Suite("Checksums")
struct ChecksumTests {
  @Test(
    "any bit that is another is seen, and any byte that is missing", arguments: [1, 31, 32, 33, 70])
  func damage(count: Int) {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    let whole = Checksum.of(bytes)
    #expect(Checksum.of(bytes) == whole)
    for place in bytes.indices {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[place] ^= UInt8(1 << bit)
        #expect(Checksum.of(damaged) != whole)
      }
      var shorter = bytes
      shorter.remove(at: place)
      #expect(Checksum.of(shorter) != whole)
    }
    #expect(Checksum.of([9, 9] + bytes, from: 2) == whole)
    #expect(Checksum.of(bytes, from: count + 5) == Checksum.of([]))
  }
}
