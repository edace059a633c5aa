import RasaDocuments
import Testing

@Suite("JSON: the same document with another string in it")
struct JSONRepeatTests {
  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  private func learned() throws -> JSONRepeat {
    let document = bytes(#"{"a":1,"delta":{"content":"first"},"b":null}"#)
    return try #require(
      JSONRepeat(document, 0..<document.count, key: "content", value: "first"))
  }

  @Test(
    "gives the string of a document that is the same around it",
    arguments: [
      ("second", "second"), ("", ""), ("Grüße \u{1F600}", "Grüße \u{1F600}"),
      (" {}[],:", " {}[],:"),
    ])
  func same(_ inside: String, _ expected: String) throws {
    let document = bytes(#"xx{"a":1,"delta":{"content":""# + inside + #""},"b":null}yy"#)
    #expect(try learned().string(in: document, 2..<(document.count - 2)) == expected)
  }

  @Test(
    "leaves everything else to the reader",
    arguments: [
      #"{"a":2,"delta":{"content":"x"},"b":null}"#,
      #"{"a":1,"delta":{"content":"x"},"b":true}"#,
      #"{"a":1,"delta":{"content":"a \" quote"},"b":null}"#,
      #"{"a":1,"delta":{"content":"a \n break"},"b":null}"#,
      #"{"a":1,"delta":{"content":"x","content":"y"},"b":null}"#,
      #"{"a":1,"delta":{"content":null},"b":null}"#, "{}", "",
    ])
  func other(_ text: String) throws {
    let document = bytes(text)
    #expect(try learned().string(in: document, 0..<document.count) == nil)
  }

  @Test(
    "learns nothing where the place is not certain",
    arguments: [
      (#"{"content":"x","more":{"content":"x"}}"#, "x"), (#"{"content": "x"}"#, "x"),
      (#"{"content":"a\tb"}"#, "a\tb"), (#"{"content":"x"}"#, "y"),
    ])
  func uncertain(_ text: String, _ value: String) {
    let document = bytes(text)
    #expect(JSONRepeat(document, 0..<document.count, key: "content", value: value) == nil)
  }

  @Test("bytes that are no UTF-8 are left to the reader, which refuses them")
  func invalid() throws {
    let document =
      bytes(#"{"a":1,"delta":{"content":""#) + [0xFF, 0xFE] + bytes(#""},"b":null}"#)
    #expect(try learned().string(in: document, 0..<document.count) == nil)
  }
}
