import RasaCore
import RasaDocuments
import Testing

@Suite("The JSON in a model's answer")
struct ExtractionTests {
  @Test(
    "is found in fences and prose",
    arguments: [
      (#"{"a":1}"#, ["a": 1]),
      (" 42\n", 42),
      ("```json\n{\"a\": [1]}\n```", ["a": [1]]),
      ("Sure!\n```\n[{\"a\":1}]\n```\nDone.", [["a": 1]]),
      ("The answer is {\"a\": \"}\"} as asked.", ["a": "}"]),
      ("Use {braces like {\"a\":1}} here", ["a": 1]),
      ("As shown [1] and [2, 3], {\"a\":1}", ["a": 1]),
      ("The list: [\"x\", \"y\"].", ["x", "y"]),
      ("[see {\"a\":1}", ["a": 1]),
      ("{\"a\":1} or {\"b\":2}", ["a": 1]),
      ("He said \"{\" and then {\"a\":2}", ["a": 2]),
      ("[\"oops {\"a\":1} end", ["a": 1]),
      ("[\"It is \"x] and {\"a\":[{}]}", ["a": [[:]]]),
      ("[1, {\"a\":{\"b\":[2]}}, {\"c\":3} oops", ["a": ["b": [2]]]),
      ("see [1], [2]: done", [1]),
      ("{\"a\": [1, 2], oops", nil),
      ("no json { at [ all", nil),
      ("{\"a\": 1", nil),
      ("", nil),
    ] as [(String, Value?)])
  func isFound(text: String, value: Value?) {
    #expect(JSON.extract(from: text) == value)
  }

  @Test(
    "is never a piece of an object that breaks off or goes wrong",
    arguments: [
      (#"{"v": {"a":"b"}"#, .unfinished), (#"{"v": {"a":"b"},"#, .unfinished),
      (#"{"v": {"a":"b"}, "w": "unfinish"#, .unfinished),
      (#"{"v": {"a":"b"}, "w": tru"#, .unfinished), (#"{"v": {"a":"b"}, "w": -1."#, .unfinished),
      (#"Here: {"code": "if (x) {} else {"#, .unfinished), (#"{"a": "x\"#, .unfinished),
      ("```json\n{\"v\": {\"a\":\"b\"},\n", .unfinished),
      (#"[{"a":1}, {"b":2},"#, .unfinished), (#"[{"a":1}, {"b":"#, .unfinished),
      (#"As shown [1], {"v": {"a":1}"#, .unfinished),
      (#"{"r": ["a" "b"], "v": {"verdict": "pass"}}"#, .nothing),
      (#"{"r": ["a" "b"], "v": 1} No: {"r": []}"#, .value(["r": []])),
      (#"{"v": {"a":"b"}, oops} and {"a":"c"}"#, .value(["a": "c"])),
    ] as [(String, JSON.Extraction)])
  func isNoPiece(text: String, expected: JSON.Extraction) {
    #expect(JSON.extraction(from: text) == expected)
  }

  @Test(
    "is never taken from what a model thinks",
    arguments: [
      (#"<think>maybe {"verdict":"pass"}</think>{"verdict":"revise"}"#, "revise"),
      (#"<think>maybe {"verdict":"pass"}</think> Hm. ```{"verdict":"revise"}```"#, "revise"),
      (#"maybe {"verdict":"pass"}</think>{"verdict":"revise"}"#, "revise"),
      (#"<think>maybe {"verdict":"pass"}"#, nil),
      (#"<thinking>{"verdict":"pass"}</thinking>"#, nil),
      (#"{"verdict":"revise"} <think>or {"verdict":"pass"}"#, "revise"),
      (#"{"verdict":"revise", "why": "<think> is a tag, </think> too"}"#, "revise"),
    ] as [(String, String?)])
  func isNoThought(text: String, verdict: String?) {
    #expect(JSON.extract(from: text)?["verdict"].string == verdict)
  }

  @Test(
    "is looked for in linear time",
    arguments: [
      "[", "{", "{\"a\":", "[\"[", "[1,", "{\"a{", "[{\"", "[[],", "\\\"[", "{\"[\":\"]",
    ])
  func isBounded(part: String) {
    _ = JSON.extract(from: String(repeating: part, count: 10_000 / part.utf8.count))
  }
}

@Suite("Digests")
struct DigestTests {
  @Test(
    "are those of the standard's examples",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        String(repeating: "a", count: 1_000_000),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
      ),
    ])
  func standardExamples(text: String, digest: String) {
    #expect(Digest.sha256(text) == digest)
  }

  @Test func doNotDependOnTheOrderOfMembers() {
    #expect(Digest.of(["a": 1, "b": [2]]) == Digest.of(["b": [2], "a": 1]))
    #expect(Digest.of(["a": 1]) == Digest.sha256(#"{"a":1}"#))
    #expect(Digest.of(["a": 1]) != Digest.of(["a": "1"]))
  }
}
