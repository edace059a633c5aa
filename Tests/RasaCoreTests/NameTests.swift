import RasaCore
import Testing

@Suite("Identifiers")
struct IdentifierTests {
  private func made(_ milliseconds: Int64, _ random: UInt64) -> String {
    Identifier.make(
      prefix: "r", at: Timestamp(milliseconds: milliseconds), random: random
    ).text
  }

  @Test func sortByTheTimeTheyWereMade() {
    let moments: [Int64] = [0, 1, 31, 32, 1_000, 1_700_000_000_000, 1_700_000_000_001, 1 << 47]
    let texts = moments.map { made($0, .max - UInt64($0)) }
    #expect(texts == texts.sorted())
    #expect(Set(texts.map(\.count)) == [24])
  }

  @Test func differInEveryBitOfChance() {
    let numbers = (0..<64).map { UInt64(1) << UInt64($0) } + [0]
    #expect(Set(numbers.map { made(5, $0) }).count == 65)
  }

  @Test func areSafeInAFileNameWhateverTheClockSays() {
    let alphabet = Set("0123456789abcdefghjkmnpqrstvwxyz")
    for moment in [Int64.min, -1, 0, .max] {
      #expect(made(moment, .max).allSatisfy { alphabet.contains($0) })
    }
  }
}

@Suite("The nearest name")
struct NearestNameTests {
  private static let names = ["stateless_frame", "session_frame", "short_term_frame", "run", "ls"]

  @Test(
    "is found for a mistyped one",
    arguments: [
      ("sesion_frame", "session_frame"), ("SESSION_FRAME", "session_frame"),
      ("session-frame", "session_frame"), ("sessoin_frame", "session_frame"),
      ("shortterm_frame", "short_term_frame"), ("rnu", "run"), ("rn", "run"), ("runn", "run"),
      ("sl", "ls"),
      ("memory_frames", nil), ("frame", nil), ("xyz", nil), ("x", nil), ("", nil),
    ] as [(String, String?)])
  func isFound(name: String, nearest: String?) {
    #expect(nearestName(to: name, among: Self.names) == nearest)
  }

  @Test func isTheFirstOfEquallyNear() {
    #expect(nearestName(to: "bat", among: ["cat", "hat", "bats"]) == "cat")
  }

  @Test(
    "by the number of changes",
    arguments: [
      ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("abc", "acb", 1),
      ("kitten", "sitting", 3), ("ab", "ba", 1), ("abcd", "badc", 2), ("é", "e", 1),
    ])
  func countsChanges(left: String, right: String, count: Int) {
    #expect(editDistance(Array(left.unicodeScalars), Array(right.unicodeScalars)) == count)
  }
}
