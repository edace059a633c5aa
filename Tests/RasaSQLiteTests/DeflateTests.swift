import Testing

@testable import RasaSQLite

@Suite struct `A compressed text` {
  @Test(arguments: [1, 100, 511, 512, 513, 4096, 5000, 40_000, 1_000_000])
  func `comes back as it was`(length: Int) throws {
    let bytes = (0..<length).map { UInt8(truncatingIfNeeded: 97 + $0 * $0 % 11) }
    let short = try #require(Deflate().compress(bytes, limit: length + 64))
    #expect(Deflate.expand(short, count: length) == bytes)
    #expect(Deflate.expand(short, count: length + 1) == nil)
    #expect(length == 1 || Deflate.expand(short, count: length - 1) == nil)
    #expect(Deflate.expand(short + [0], count: length) == nil)
  }

  @Test func `is not made where it would not be shorter`() {
    #expect(Deflate().compress(Array("abc".utf8), limit: 3) == nil)
    #expect(Deflate().compress([], limit: 10) == nil)
    #expect(Deflate().compress(Array("abc".utf8), limit: -1) == nil)
  }

  @Test func `is not believed to be longer than it can be`() {
    #expect(Deflate.expand([3, 0], count: Int.max) == nil)
    #expect(Deflate.expand([3, 0], count: 0) == nil)
    #expect(Deflate.expand([], count: 1) == nil)
    for first in 0...255 { _ = Deflate.expand([UInt8(first), 0xFF, 7, 1], count: 100) }
  }
}
