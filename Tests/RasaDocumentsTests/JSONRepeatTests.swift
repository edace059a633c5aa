import RasaCore
import RasaDocuments
import Testing

@Suite("JSON: the same document with other values in it")
struct JSONRepeatTests {
  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  private func learned() throws -> JSONRepeat {
    let document = bytes(
      #"{"a":1,"at":"x","delta":{"content":"first"},"n": [{"count":7}],"b":null}"#)
    return try #require(
      JSONRepeat(
        document, 0..<document.count, key: "content", value: "first", numbers: ["other", "count"],
        varying: ["at"]))
  }

  @Test(
    "gives the text of a document that is the same around it",
    arguments: [
      ("second", "second"), ("", ""), ("Grüße \u{1F600}", "Grüße \u{1F600}"),
      (" {}[],:", " {}[],:"), (#"a \" quote\n"#, "a \" quote\n"), (#"\u00e4\ud83d\ude00"#, "ä😀"),
    ])
  func same(_ inside: String, _ expected: String) throws {
    let document = bytes(
      #"xx{"a":1,"at":"t\"12","delta":{"content":""# + inside
        + #""},"n": [{"count":1234}],"b":null}yy"#)
    var numbers: [Int64] = [-1, -1]
    let range = 2..<(document.count - 2)
    #expect(try learned().string(in: document, range, numbers: &numbers) == expected)
    #expect(numbers == [-1, 1234])
  }

  @Test(
    "leaves everything else to the reader",
    arguments: [
      #"{"a":2,"at":"x","delta":{"content":"x"},"n": [{"count":7}],"b":null}"#,
      #"{"a":1,"at":"x","delta":{"content":"x"},"n": [{"count":7}],"b":true}"#,
      #"{"a":1,"at":"x","delta":{"content":"x"},"n": [{"count":7.5}],"b":null}"#,
      #"{"a":1,"at":"x","delta":{"content":"x"},"n": [{"count":-7}],"b":null}"#,
      #"{"a":1,"at":"x","delta":{"content":"x"},"n": [{"count":07}],"b":null}"#,
      #"{"a":1,"at":"x","delta":{"content":"x"},"n": [{"count":1234567890123456789}],"b":null}"#,
      #"{"a":1,"at":"x","delta":{"content":"\q"},"n": [{"count":7}],"b":null}"#,
      #"{"a":1,"at":"x","delta":{"content":"x","content":"y"},"n": [{"count":7}],"b":null}"#,
      #"{"a":1,"at":"x","delta":{"content":null},"n": [{"count":7}],"b":null}"#,
      #"{"a":1,"at":"x","delta":{"content":"x"#, #"{"a":1,"at":"x","delta":{"content":"x\"#,
      #"{"a":1,"at":"x"#, "{}", "",
    ])
  func other(_ text: String) throws {
    let document = bytes(text)
    var numbers: [Int64] = [0, 0]
    #expect(try learned().string(in: document, 0..<document.count, numbers: &numbers) == nil)
  }

  @Test(
    "learns nothing where the place is not certain",
    arguments: [
      (#"{"content":"x","more":{"content":"x"}}"#, "x"), (#"{"content":"x"}"#, "y"),
      (#"{"other":"x"}"#, "x"), (#"{"content":7}"#, "7"), (#"{"content":"x"#, "x"), ("", ""),
    ])
  func uncertain(_ text: String, _ value: String) {
    let document = bytes(text)
    #expect(JSONRepeat(document, 0..<document.count, key: "content", value: value) == nil)
  }

  @Test("a text that looks like a member is none")
  func lookalike() throws {
    let document = bytes(#"{"content": "a","note":"\"content\":\"b\""}"#)
    let learned = try #require(
      JSONRepeat(document, 0..<document.count, key: "content", value: "a"))
    var numbers: [Int64] = []
    #expect(learned.string(in: document, 0..<document.count, numbers: &numbers) == "a")
  }

  @Test("bytes that are no UTF-8 are left to the reader, which refuses them")
  func invalid() throws {
    let document =
      bytes(#"{"a":1,"at":"x","delta":{"content":""#) + [0xFF, 0xFE]
      + bytes(#""},"n": [{"count":7}],"b":null}"#)
    var numbers: [Int64] = []
    #expect(try learned().string(in: document, 0..<document.count, numbers: &numbers) == nil)
  }
}
