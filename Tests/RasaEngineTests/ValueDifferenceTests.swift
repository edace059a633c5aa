import RasaCore
import Testing

@testable import RasaEngine

@Suite("The difference of two values")
struct ValueDifferenceTests {
  @Test(
    "names every place",
    arguments: [
      (["a": 1], ["a": 1], []),
      (["a": 1], ["a": 2], ["a"]),
      (["a": 1], ["b": 1], ["a", "b"]),
      (["a": ["b": [1, 2]]], ["a": ["b": [1, 3, 4]]], ["a.b.1", "a.b.2"]),
      ("x", ["a": 1], [""]),
      (1, 1.5, [""]),
    ] as [(Value, Value, [String])])
  func places(left: Value, right: Value, expected: [String]) {
    #expect(ValueDifference.between(left, right).map(\.path) == expected)
  }
}
