import RasaCore
import RasaPersona
import Testing

@Suite struct PromptCacheTests {
  private final class Reader: Sendable {
    let reads = Locked(0)
    let time = Locked<UInt64>(0)

    func read(_ text: String = "text") throws(Failure) -> Template {
      reads.withLock { $0 += 1 }
      return try Template.compile(text, by: .agent)
    }
  }

  private let reader = Reader()
  private let stamp = PromptCache.Stamp(size: 4, modified: 1)

  private func cache(limit: Int = 1 << 20, lifetime: Duration? = nil) -> PromptCache {
    PromptCache(limit: limit, lifetime: lifetime) { [reader] in reader.time.withLock { $0 } }
  }

  private func ask(
    _ cache: PromptCache, _ stamp: PromptCache.Stamp, _ text: String = "text",
    at path: String = "a.md"
  ) throws -> Int {
    let template = try cache.template(of: path, stamp) { () throws(Failure) in
      try reader.read(text)
    }
    #expect(template.source == text)
    return reader.reads.withLock { $0 }
  }

  @Test func readsAFileAgainOnlyWhenItHasChanged() throws {
    let cache = cache()
    #expect(try ask(cache, stamp) == 1)
    #expect(try ask(cache, stamp) == 1)
    #expect(try ask(cache, .init(size: 5, modified: 1), "longer") == 2)
    #expect(try ask(cache, .init(size: 5, modified: 2), "newer") == 3)
    #expect(try ask(cache, stamp, at: "b.md") == 4)
    #expect(cache.count == 2)
    cache.clear()
    #expect(cache.count == 0)
    #expect(try ask(cache, stamp) == 5)
  }

  @Test func readsAFileAgainWhenItsTimeIsOver() throws {
    let cache = cache(lifetime: .milliseconds(5))
    _ = try ask(cache, stamp)
    reader.time.withLock { $0 = 4_999_999 }
    #expect(try ask(cache, stamp) == 1)
    reader.time.withLock { $0 = 5_000_000 }
    #expect(try ask(cache, stamp) == 2)
    reader.time.withLock { $0 = 9_999_999 }
    #expect(try ask(cache, stamp) == 2)
  }

  @Test func keepsNothingOfAFileThatCannotBeRead() throws {
    let cache = cache()
    #expect(throws: Failure.self) {
      try cache.template(of: "a.md", stamp) { () throws(Failure) in
        throw Failure(.configuration, "gone")
      }
    }
    #expect(try ask(cache, stamp) == 1)
  }

  @Test func evictsTheLeastRecentlyUsed() throws {
    let cache = cache(limit: 40_000)
    let text = String(repeating: "x", count: 4_000)
    for number in 0..<8 { _ = try ask(cache, stamp, text, at: "\(number)") }
    #expect(try ask(cache, stamp, text, at: "0") == 8)
    for number in 8..<12 { _ = try ask(cache, stamp, text, at: "\(number)") }
    #expect(cache.count < 9)
    #expect(try ask(cache, stamp, text, at: "0") == 12)
    #expect(try ask(cache, stamp, text, at: "1") == 13)
    let huge = String(repeating: "x", count: 50_000)
    _ = try ask(cache, stamp, huge, at: "huge")
    #expect(try ask(cache, stamp, huge, at: "huge") == 15)
  }

  @Test func isUsedByManyAtOnce() async throws {
    let cache = cache(limit: 100_000)
    let stamp = stamp
    await withTaskGroup(of: Bool.self) { group in
      for task in 0..<8 {
        group.addTask {
          (0..<500).allSatisfy { number in
            let path = "\((number &* 7 &+ task) % 60)"
            let template = try? cache.template(of: path, stamp) { () throws(Failure) in
              try Template.compile(path + String(repeating: "x", count: 3_000), by: .agent)
            }
            return template?.source.hasPrefix(path) == true
          }
        }
      }
      for await isRight in group { #expect(isRight) }
    }
  }
}
