import RasaCore
import Testing

@testable import RasaTerminal

@Suite("The difference of two texts")
struct LineDifferenceTests {
  @Test(
    "is the fewest lines",
    arguments: [
      ("", "", ["  "]),
      ("a", "a", ["  a"]),
      ("a", "b", ["- a", "+ b"]),
      ("a\nb\nc", "a\nc", ["  a", "- b", "  c"]),
      ("a\nc", "a\nb\nc", ["  a", "+ b", "  c"]),
      ("a\nb\nc\na\nb\nb\na", "c\nb\na\nb\na\nc", nil),
      ("", "a\nb", ["- ", "+ a", "+ b"]),
      ("x\ny\nz", "", ["- x", "- y", "- z", "+ "]),
    ] as [(String, String, [String]?)])
  func shortest(left: String, right: String, expected: [String]?) {
    let difference = LineDifference(from: left, to: right)
    expectRestores(difference, left, right)
    if let expected, left != right { #expect(difference.unified() == expected) }
    #expect(difference.isEmpty == (left == right))
  }

  @Test("gives both texts back, whatever they are", arguments: 0..<200)
  func restores(seed: UInt64) {
    var random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    func next(_ bound: Int) -> Int {
      random ^= random << 13
      random ^= random >> 7
      random ^= random << 17
      return Int(random % UInt64(bound))
    }
    let left = (0..<next(20)).map { _ in "line \(next(4))" }.joined(separator: "\n")
    let right = (0..<next(20)).map { _ in "line \(next(4))" }.joined(separator: "\n")
    expectRestores(LineDifference(from: left, to: right), left, right)
  }

  @Test("leaves out what is the same far from a change")
  func context() {
    let left = (1...20).map(String.init).joined(separator: "\n")
    let right = left.replacing("\n10\n", with: "\nten\n")
    #expect(
      LineDifference(from: left, to: right).unified(context: 1)
        == ["  …", "  9", "- 10", "+ ten", "  11", "  …"])
  }

  @Test("of texts that share nothing is a removal and an addition")
  func strangers() {
    let left = (0..<3_000).map { "a\($0)" }.joined(separator: "\n")
    let right = (0..<3_000).map { "b\($0)" }.joined(separator: "\n")
    let lines = LineDifference(from: left, to: right).lines
    #expect(lines.count == 6_000)
  }

  private func expectRestores(_ difference: LineDifference, _ left: String, _ right: String) {
    var old: [Substring] = []
    var new: [Substring] = []
    for line in difference.lines {
      switch line {
      case .same(let text):
        old.append(text)
        new.append(text)
      case .removed(let text): old.append(text)
      case .added(let text): new.append(text)
      }
    }
    #expect(old.joined(separator: "\n") == left)
    #expect(new.joined(separator: "\n") == right)
  }
}
