import RasaCore
import RasaDocuments
import Testing

@Suite("JSON is read strictly")
struct JSONTests {
  @Test(
    "and becomes the value it says",
    arguments: [
      (#"null"#, Value.null),
      (#" true "#, true),
      (#"false"#, false),
      (#"0"#, 0),
      (#"-0"#, 0),
      (#"-12"#, -12),
      (#"9223372036854775807"#, .int(.max)),
      (#"-9223372036854775808"#, .int(.min)),
      (#"9223372036854775808"#, .double(9_223_372_036_854_775_808)),
      (#"1.0"#, 1.0),
      (#"-0.5e-3"#, -0.0005),
      (#"1E2"#, 100.0),
      (#""""#, ""),
      (#""a\"\\\/\b\f\n\r\tz""#, "a\"\\/\u{8}\u{C}\n\r\tz"),
      (#""\u00e9\u4E2D\uD83D\ude00""#, "é中😀"),
      (#""\ud83d""#, "\u{FFFD}"),
      (#""\ud83dx""#, "\u{FFFD}x"),
      (#""\ud83d\u0041""#, "\u{FFFD}A"),
      (#""\ude00\ud83d\ud83d\ude00""#, "\u{FFFD}\u{FFFD}😀"),
      (#""\u0000""#, "\u{0}"),
      (#"[]"#, []),
      (#"[ 1 , [ ] , {} ]"#, [1, [], [:]]),
      (#"{"a":1,"b":{"c":[null]}}"#, ["a": 1, "b": ["c": [.null]]]),
      (#"{"a":1,"a":2}"#, ["a": 2]),
      ("\r\n\t[\n1\n]\n", [1]),
    ] as [(String, Value)])
  func reads(text: String, value: Value) throws {
    #expect(try JSON.parse(text) == value)
  }

  @Test(
    "and refused with the place where it goes wrong",
    arguments: [
      ("", 1, 1), (" \n ", 2, 2), ("nul", 1, 1), ("nulls", 1, 5), ("True", 1, 1), ("01", 1, 1),
      ("-", 1, 2), ("+1", 1, 1), (".5", 1, 1), ("1.", 1, 3), ("1.e2", 1, 3), ("1e", 1, 3),
      ("1e400", 1, 1), ("0x10", 1, 2), ("NaN", 1, 1), ("[1,]", 1, 4), ("[1 2]", 1, 4),
      ("[1}", 1, 3), ("[", 1, 2), ("[,1]", 1, 2), ("{", 1, 2), ("{a:1}", 1, 2),
      (#"{"a"}"#, 1, 5), (#"{"a":}"#, 1, 6), (#"{"a":1,}"#, 1, 8), (#"{"a" 1}"#, 1, 6),
      (#"{"a":1"#, 1, 7), ("\"a", 1, 1), ("\"a\\", 1, 1), ("\"a\nb\"", 1, 3), (#""\x""#, 1, 2),
      (#""\u12G4""#, 1, 2), (#""\u12"#, 1, 1), (#""\u12""#, 1, 2), ("1 2", 1, 3), ("[1]]", 1, 4),
      ("{}x", 1, 3), ("\u{FEFF}1", 1, 1), ("// c\n1", 1, 1), ("'a'", 1, 1),
      ("{\n  \"é中\": [1,\n   x]\n}", 3, 4), ("[\"é\",\r\n\"中\" \"\"]", 2, 5),
    ])
  func refuses(text: String, line: Int, column: Int) {
    let failure = #expect(throws: Failure.self) { try JSON.parse(text, named: "x.json") }
    #expect(failure?.location == SourceLocation(file: "x.json", line: line, column: column))
  }

  @Test(
    "and text that is not UTF-8 is refused",
    arguments: [
      [0x80], [0xC0, 0x80], [0xE4, 0xB8], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80],
    ] as [[UInt8]])
  func refusesOtherEncodings(bytes: [UInt8]) {
    let quote = UInt8(ascii: "\"")
    #expect(throws: Failure.self) { try JSON.parse([quote] + bytes + [quote]) }
    #expect(throws: Failure.self) { try JSON.parse(Array(#""\n"#.utf8) + bytes + [quote]) }
  }

  @Test("and depth and size are bounded")
  func bounds() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try JSON.parse(nested(64))
    #expect(throws: Failure.self) { try JSON.parse(nested(65)) }
    #expect(throws: Failure.self) { try JSON.parse(nested(100_000)) }
    #expect(throws: Failure.self) {
      try JSON.parse(String(repeating: #"{"a":"#, count: 100_000))
    }
    _ = try JSON.parse(nested(500), limits: JSONLimits(depth: 10_000))
    #expect(throws: Failure.self) {
      try JSON.parse(nested(501), limits: JSONLimits(depth: 10_000))
    }
    #expect(throws: Failure.self) { try JSON.parse("[1,2,3]", limits: JSONLimits(bytes: 6)) }
  }

  @Test("and a slice of a larger buffer is read within its bounds")
  func readsSlices() throws {
    let bytes = Array("xx[1]yy".utf8)
    #expect(try JSON.parse(bytes[2..<5]) == [1])
    #expect(throws: Failure.self) { try JSON.parse(bytes[2..<4]) }
  }
}

@Suite("The reader walks JSON without building it")
struct JSONReaderTests {
  private static let chunk = Array(
    #"""
    {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m-1",
     "system_fingerprint":null,"choices":[{"index":0,"delta":{"role":"assistant",
     "content":"Hé\n\ud83d\ude00"},"logprobs":null,"finish_reason":null}],"usage":null}
    """#.utf8)

  @Test func takesOneFieldOutOfManyAndSkipsTheRest() throws {
    var reader = try JSONReader(Self.chunk)
    var content: String?
    guard try reader.enterObject() else { return }
    while let key = try reader.nextKey() {
      guard key == "choices", try reader.enterArray() else { continue }
      while try reader.nextElement() {
        guard try reader.enterObject() else { continue }
        while let key = try reader.nextKey() {
          guard key == "delta", try reader.enterObject() else { continue }
          while let key = try reader.nextKey() {
            if key == "content" { content = try reader.string() }
          }
        }
      }
    }
    try reader.finish()
    #expect(content == "Hé\n😀")
  }

  @Test func answersNilForAnotherTypeAndGoesOn() throws {
    var reader = try JSONReader(Array(#"[null,{"a":[1]},"x",[2],7]"#.utf8))
    #expect(try reader.enterArray())
    #expect(try reader.nextElement())
    #expect(try reader.enterObject() == false)
    #expect(try reader.nextElement())
    #expect(try reader.string() == nil)
    #expect(try reader.nextElement())
    #expect(try reader.integer() == nil)
    #expect(try reader.nextElement())
    #expect(try reader.bool() == nil)
    #expect(try reader.nextElement())
    #expect(try reader.kind() == .number)
    #expect(try reader.integer() == 7)
    #expect(try reader.nextElement() == false)
    try reader.finish()
  }

  @Test(
    "reads whole numbers however servers write them",
    arguments: [
      ("3", 3), ("3.0", 3), (#""3""#, 3), ("-3e2", -300), ("3.5", nil), (#""3.5""#, nil),
      (#""x""#, nil), ("null", nil), ("true", nil), ("1e300", nil), ("[3]", nil),
    ] as [(String, Int64?)])
  func readsWholeNumbers(text: String, number: Int64?) throws {
    var reader = try JSONReader(Array(text.utf8))
    #expect(try reader.integer() == number)
    try reader.finish()
  }

  @Test func refusesBrokenTextInWhatItSkips() {
    for text in [#"{"a":[1,}"#, #"{"a":tru}"#, #"{"a":"x}"#, #"{"a":01}"#, #"{"a":1"#, "[[}]"] {
      #expect(throws: Failure.self) {
        var reader = try JSONReader(Array(text.utf8))
        try reader.finish()
      }
    }
  }

  @Test func saysSoWhenItIsAskedForAValueThatIsNotThere() throws {
    var reader = try JSONReader(Array("[1]".utf8))
    #expect(try reader.enterArray())
    #expect(throws: Failure.self) { try reader.value() }
    #expect(throws: Failure.self) { try reader.finish() }
  }
}
