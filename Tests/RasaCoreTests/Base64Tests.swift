import Testing

@testable import RasaCore

@Suite struct Base64Tests {
  @Test(
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
      ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"), ("\u{FB}\u{3FF}>", "w7vPvz4="),
    ])
  func encodesAsTheStandardSays(_ row: (plain: String, text: String)) {
    #expect(Base64.encode(Array(row.plain.utf8)) == row.text)
    #expect(Base64.decode(row.text) == Array(row.plain.utf8))
    #expect(Base64.length(of: row.plain.utf8.count) == row.text.utf8.count)
  }

  @Test(arguments: [
    "Z", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zm 9", "Zm9v\n", "Zm9-", "=Zm9",
  ])
  func decodesNothingThatWouldBeEncodedOtherwise(_ text: String) {
    #expect(Base64.decode(text) == nil)
  }

  @Test func comesBackFromEveryLength() {
    for length in 0..<300 {
      let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ length) }
      #expect(Base64.decode(Base64.encode(bytes)) == bytes)
    }
  }
}
