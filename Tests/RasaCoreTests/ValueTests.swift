import RasaCore
import Testing

@Suite("Values")
struct ValueTests {
  @Test(
    "are written as JSON",
    arguments: [
      (.null, "null"), (true, "true"), (false, "false"), (.int(.min), "-9223372036854775808"),
      (1.0, "1.0"), (-0.0, "-0.0"), (0.1, "0.1"), (1e300, "1e+300"),
      (.double(.leastNonzeroMagnitude), "5e-324"),
      (.double(.infinity), "null"), (.double(.nan), "null"),
      ("", #""""#), ("é中😀/", #""é中😀/""#),
      (
        "\"\\\n\r\t\u{8}\u{C}\u{0}\u{1F}\u{7F}",
        "\"\\\"\\\\\\n\\r\\t\\u0008\\u000c\\u0000\\u001f\\u007f\""
      ),
      ([], "[]"), ([:], "{}"), ([1, [.null]], "[1,[null]]"),
      (["b": 1, "a": ["d": 2, "c": 3]], #"{"b":1,"a":{"d":2,"c":3}}"#),
      (["k\"": 1], #"{"k\"":1}"#),
    ] as [(Value, String)])
  func areWritten(value: Value, text: String) {
    #expect(value.json() == text)
  }

  @Test("keep members apart whose names only look alike", arguments: [0, 20])
  func spellings(others: Int) {
    var object = ValueObject((0..<others).map { ("k\($0)", .int(Int64($0))) })
    object["\u{E9}"] = 1
    object["e\u{301}"] = 2
    object["\u{E9}"] = 3
    #expect(object.count == others + 2)
    #expect(object["\u{E9}"] == 3 && object["e\u{301}"] == 2)
    object["\u{E9}"] = nil
    #expect(object["\u{E9}"] == nil && object["e\u{301}"] == 2)
  }

  @Test(
    "as JSON have nothing that a terminal obeys or hides, unless a model is to read them",
    arguments: [
      ("\u{9B}2J", #"\u009b2J"#), ("a\u{202E}b", #"a\u202eb"#), ("می\u{200C}روم", #"می\u200cروم"#),
      ("\u{2028}\u{AD}\u{FEFF}", #"\u2028\u00ad\ufeff"#), ("\u{E0041}", #"\udb40\udc41"#),
      ("—“é世😀\u{FE0F}", "—“é世😀\u{FE0F}"), ("\u{A0}\u{3000}", "\u{A0}\u{3000}"),
    ])
  func hiddenEscapes(text: String, written: String) throws {
    for style in [JSONStyle.compact, .pretty] {
      #expect(Value.string(text).json(style) == "\"\(written)\"")
      let raw = Value.string(text).json(style, escaping: .onlyNeeded)
      #expect(Array(raw.utf8) == Array("\"\(text)\"".utf8))
    }
    // What digests see stays as it always was.
    #expect(Array(Value.string(text).json(.canonical).utf8) == Array("\"\(text)\"".utf8))
    #expect(Array(Value.string(text).promptText.utf8) == Array(text.utf8))
  }

  @Test("are escaped wherever in a text a character stands", arguments: 0...20)
  func escapedAnywhere(length: Int) {
    let characters = [
      ("\"", #"\""#), ("\\", #"\\"#), ("\n", #"\n"#), ("\u{1}", #"\u0001"#), ("\u{7F}", #"\u007f"#),
      ("\u{AD}", #"\u00ad"#), ("\u{202E}", #"\u202e"#), ("\u{E0041}", #"\udb40\udc41"#),
      ("é", "é"), ("—", "—"), ("😀", "😀"),
    ]
    for (character, written) in characters {
      for place in 0...length {
        let head = String(repeating: "a", count: place)
        let tail = String(repeating: "b", count: length - place)
        #expect(
          Value.string(head + character + tail + character).json()
            == "\"\(head)\(written)\(tail)\(written)\"")
      }
    }
  }

  @Test func areWrittenPrettyForPeople() {
    let value: Value = ["a": [1, ["b": .null]], "c": [], "d": [:]]
    #expect(
      value.json(.pretty) == """
        {
          "a": [
            1,
            {
              "b": null
            }
          ],
          "c": [],
          "d": {}
        }
        """)
  }

  @Test func areWrittenTheSameCanonicallyWhenTheyAreEqual() {
    let left: Value = ["b": 1, "a": ["d": 2, "c": -0.0], "é": 3, "Z": 4, "": 5, "aa": 6]
    let right: Value = ["aa": 6, "": 5, "Z": 4, "é": 3, "a": ["c": 0.0, "d": 2], "b": 1]
    #expect(left == right)
    #expect(left.hashValue == right.hashValue)
    #expect(left.json(.canonical) == right.json(.canonical))
    #expect(left.json(.canonical) == #"{"":5,"Z":4,"a":{"c":0.0,"d":2},"aa":6,"b":1,"é":3}"#)
    #expect(left.json() != right.json())
  }

  @Test func areTakenAsTheTypeThatIsAskedFor() {
    #expect(Value.double(3).int == 3)
    #expect(Value.double(3.5).int == nil)
    #expect(Value.double(1e300).int == nil)
    #expect(Value.double(.nan).int == nil)
    #expect(Value.int(3).double == 3)
    #expect(Value.string("3").int == nil)
    #expect(Value.bool(true).int == nil)
    #expect(Value.null.isNull && !Value.bool(false).isNull)
  }

  @Test func areFoundByPath() {
    let state: Value = ["critique": ["verdict": "revise", "notes": [1]], "a.b": 1]
    #expect(state[StatePath("critique.verdict")] == "revise")
    #expect(state[StatePath("critique.verdict.more")] == .null)
    #expect(state[StatePath("critique.notes.0")] == .null)
    #expect(state[StatePath("missing.verdict")] == .null)
    #expect(state[StatePath("a.b")] == .null)
    #expect(state["a.b"] == 1)
    #expect(Value.int(1)["a"] == .null)
  }

  @Test(
    "at paths that overlap when one holds the other",
    arguments: [
      ("a", "a", true), ("a", "a.b", true), ("a.b.c", "a", true), ("a.b", "a.c", false),
      ("a", "ab", false), ("a.b", "b", false),
    ])
  func pathsOverlap(left: String, right: String, overlap: Bool) {
    #expect(StatePath(left).overlaps(StatePath(right)) == overlap)
    #expect(StatePath(right).overlaps(StatePath(left)) == overlap)
  }

  @Test func areShownInPromptsAsText() {
    #expect(Value.null.promptText == "")
    #expect(Value.string("a \"b\"").promptText == "a \"b\"")
    #expect(Value.int(3).promptText == "3")
    #expect(Value.array(["x"]).promptText == "[\n  \"x\"\n]")
  }
}

@Suite("Objects")
struct ValueObjectTests {
  @Test("keep the order of their members", arguments: [3, 40])
  func keepOrder(count: Int) {
    let names = (0..<count).map { "k\($0 * 7 % count)" }
    var object = ValueObject(names.map { ($0, Value.string($0)) })
    let distinct = names.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    #expect(object.keys == distinct)
    object["k1"] = 5
    #expect(object.keys == distinct)
    #expect(object["k1"] == 5)
    object["k1"] = nil
    #expect(object.keys == distinct.filter { $0 != "k1" })
    #expect(object["k1"] == nil)
    object["k1"] = 6
    #expect(object.keys.last == "k1")
    for name in distinct where name != "k1" { #expect(object[name] == .string(name)) }
    #expect(object.map(\.key) == object.keys)
    #expect(object.count == distinct.count)
  }

  @Test("compare without it", arguments: [3, 40])
  func compareWithoutOrder(count: Int) {
    let pairs = (0..<count).map { ("k\($0)", Value.int(Int64($0))) }
    let forwards = ValueObject(pairs)
    var backwards = ValueObject(pairs.reversed())
    #expect(forwards == backwards)
    #expect(forwards.hashValue == backwards.hashValue)
    backwards["k0"] = 99
    #expect(forwards != backwards)
    backwards["k0"] = nil
    #expect(forwards != backwards)
    backwards["other"] = 0
    #expect(forwards != backwards)
  }
}
