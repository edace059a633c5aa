import RasaCore
import RasaMemory
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
