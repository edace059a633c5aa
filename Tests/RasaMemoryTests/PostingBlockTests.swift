import RasaCore
import RasaMemory
import RasaTestKit
import Testing

@Suite struct PostingBlockTests {
  @Test func postingsAreReadAsTheyWereWritten() {
    let postings = Postings(
      places: [0, 1, 2, 200, 20_000, 2_000_000, .max - 1], counts: [1, 2, 255, 1, 3, 1, 9])
    var read = Postings()
    PostingBlock.read(PostingBlock.bytes(of: postings), into: &read)
    #expect(read == postings)
  }

  @Test func damagedBytesAreLeftOut() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      let bytes = (0..<20).map { _ in UInt8.random(in: 0...255, using: &random) }
      var read = Postings()
      PostingBlock.read(bytes, into: &read)
      #expect(read.places.count == read.counts.count)
      #expect(read.places == read.places.sorted())
    }
  }
}

@Suite struct ShelfRowTests {
  /// An item of a conversation or of none, with numbers of every size.
  private func item(_ place: Int32, _ numbers: inout SeededNumbers) -> ShelfItem {
    func number(_ bits: Int64, _ numbers: inout SeededNumbers) -> Int64 {
      let size = Int64.random(in: 0...bits, using: &numbers)
      return Int64.random(in: 0...(1 << size) - 1, using: &numbers)
    }
    return ShelfItem(
      place: place, item: number(48, &numbers) + 1,
      conversation: Bool.random(using: &numbers) ? 0 : number(4, &numbers) + 1,
      length: Int(number(23, &numbers)), isQuestion: .random(using: &numbers),
      time: Timestamp(milliseconds: number(48, &numbers)), speaker: Int(number(8, &numbers)))
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func aRowHasWhatWasWrittenLastAtEachPlace(_ seed: UInt64) {
    var numbers = SeededNumbers(seed: seed)
    let row = Int32.random(in: 0...1_000, using: &numbers)
    var expected: [Int32: ShelfItem] = [:]
    var bytes: [UInt8] = []
    for _ in 0..<200 {
      let place = row * ShelfRow.places + .random(in: 0..<ShelfRow.places, using: &numbers)
      expected[place] = Int.random(in: 0..<3, using: &numbers) == 0 ? nil : item(place, &numbers)
      bytes = ShelfRow.bytes(of: bytes, setting: expected[place], at: place)
      #expect(ShelfRow.item(bytes, at: place) == expected[place])
    }
    var found: [ShelfItem] = []
    ShelfRow.forEach(bytes, row) { found.append($0) }
    #expect(found == expected.sorted { $0.key < $1.key }.map(\.value))
  }

  @Test func aConversationTakesFewBytes() {
    var bytes: [UInt8] = []
    for place in 0..<ShelfRow.places {
      let item = ShelfItem(
        place: place, item: 90_000 + Int64(place), conversation: 77, length: 20,
        isQuestion: place % 2 == 0,
        time: Timestamp(milliseconds: 1_700_000_000_000 + Int64(place) * 60_000),
        speaker: Int(place % 2) + 1)
      bytes = ShelfRow.bytes(of: bytes, setting: item, at: place)
    }
    #expect(bytes.count <= 7 * Int(ShelfRow.places))
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func damagedBytesAreLeftOut(_ seed: UInt64) {
    var numbers = SeededNumbers(seed: seed)
    for _ in 0..<500 {
      let bytes = (0..<Int.random(in: 0...60, using: &numbers)).map { _ in
        UInt8.random(in: 0...255, using: &numbers)
      }
      for row in [0, 7, Int32.max / ShelfRow.places, .max] as [Int32] {
        ShelfRow.forEach(bytes, row) { #expect($0.place / ShelfRow.places == row) }
      }
    }
  }
}

@Suite struct AskedPeriodTests {
  @Test func aQuestionNamesATime() {
    let now = Timestamp(milliseconds: 1_700_000_000_000)
    let day: Int64 = 86_400_000
    let may3 = Timestamp(milliseconds: 1_683_072_000_000)
    for text in [
      "What did Ann eat on May 3, 2023?", "on 3 May 2023", "2023-05-03: what was it?",
      "am 3. Mai 2023",
    ] {
      let period = AskedPeriod(text, at: now)
      #expect(period?.start == may3, "\(text)")
      #expect(period?.end == Timestamp(milliseconds: may3.milliseconds + day), "\(text)")
    }
    #expect(
      AskedPeriod("what happened in May?", at: now)?.end.milliseconds == may3.milliseconds + 29
        * day)
    for text in [
      "May I go?", "march on", "What was it?", "", String(repeating: "in May ", count: 1000),
    ] {
      #expect(AskedPeriod(text, at: now) == nil, "\(text.prefix(20))")
    }
  }
}
