import RasaCore
import Testing

@testable import RasaSystem

@Suite("Regular expressions") struct RegularExpressionTests {
  @Test(
    "fit parts of a text, line by line",
    arguments: [
      ("^b", "a\nb", true), ("^b$", "ab", false), ("a.c", "a\nc", false), ("(x|y)+z", "xyz", true),
      ("a{2,3}", "baab", true), ("b", "a\0b", true), ("ä", "Käthe", true),
    ])
  func fits(pattern: String, text: String, isFound: Bool) throws {
    #expect(try RegularExpression(pattern).matches(text) == isFound)
  }

  @Test(
    "that are none, or would take all memory, are refused",
    arguments: ["(", "a{2", "[", "((a{1,255}){1,255}){1,255}", "a{999999999999999999999}"])
  func refused(pattern: String) {
    #expect(throws: Failure.self) { try RegularExpression(pattern) }
  }
}
