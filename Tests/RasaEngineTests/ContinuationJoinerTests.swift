import RasaCore
import RasaTestKit
import Testing

@testable import RasaEngine

@Suite("Joining an answer and its continuation")
struct JointTests {
  @Test(
    "what the continuation repeats of the end is left out, and nothing else",
    arguments: [
      // It goes on exactly.
      ("one two thr", "ee four", "one two three four"), ("one two", " three", "one two three"),
      ("hel", "lo", "hello"), ("line\n", "\n## Next", "line\n\n## Next"), ("", "all", "all"),
      ("some", "", "some"),
      // It takes up the last words.
      ("one two thr", "two three four", "one two three four"),
      ("one two three", "three four", "one two three four"),
      ("one, two", ", two, three", "one, two, three"),
      ("the w", "world", "the world"),
      ("one two thr", "\n\ntwo three", "one two three"),
      ("Grüße an Jör", "an Jörg", "Grüße an Jörg"), ("今天 天气", "天气 很好", "今天 天气 很好"),
      ("a list:\n- one\n- two", "- two\n- three", "a list:\n- one\n- two\n- three"),
      // The longest match counts.
      ("go on and go on", "go on and go on again", "go on and go on again"),
      // What only looks like a repetition.
      ("costs 1", "150 dollars", "costs 1150 dollars"), ("}\n}\n", "}\n", "}\n}\n}\n"),
      ("今天天", "天气", "今天天天气"), ("aaa", "aab", "aaaaab"), ("| a |", "|---|", "| a ||---|"),
      // A long one is one wherever it begins.
      ("xabcdefghijklmnopq", "abcdefghijklmnopqrs", "xabcdefghijklmnopqrs"),
    ])
  func joins(text: String, continuation: String, whole: String) {
    #expect(ContinuationJoiner.join(text, continuation) == whole)
  }

  @Test("however the continuation is split, the same comes of it, and every byte is there")
  func splits() {
    for seed in UInt64(1)...400 {
      var chance = SeededNumbers(seed: seed)
      func words(_ count: Int) -> String {
        (0..<count).map { _ in
          ["a", "to", "née", "天", " ", "\n", "12", "👩‍👩‍👧", "- ", "end."][chance.upTo(9)]
        }.joined(separator: chance.happens(oneIn: 2) ? " " : "")
      }
      let text = words(1 + chance.upTo(40))
      let repeated = String(decoding: text.utf8.suffix(chance.upTo(text.utf8.count)), as: UTF8.self)
      let continuation = (chance.happens(oneIn: 3) ? "" : repeated) + words(chance.upTo(20))
      let whole = ContinuationJoiner.join(text, continuation)
      var joint = ContinuationJoiner(after: text)
      var pieced = text
      for character in continuation { pieced += joint.take(String(character)) }
      pieced += joint.finish()
      #expect(pieced == whole, "seed \(seed)")
      #expect(whole.utf8.starts(with: text.utf8), "seed \(seed)")
      let added = Array(whole.utf8.dropFirst(text.utf8.count))
      #expect(Array(continuation.utf8).suffix(added.count).elementsEqual(added), "seed \(seed)")
    }
  }

  @Test("what cannot be a repetition is shown as it comes")
  func showsEarly() {
    var joint = ContinuationJoiner(after: "The end is near")
    #expect(joint.take("n") == "")
    #expect(joint.take("ear") == "")
    #expect(joint.take(", and") == ", and")
    #expect(joint.take(" near") == " near")
    #expect(joint.finish() == "")
    var other = ContinuationJoiner(after: "The end is near")
    #expect(other.take("Xylophones") == "Xylophones")
  }
}
