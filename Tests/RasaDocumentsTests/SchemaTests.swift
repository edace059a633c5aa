import RasaCore
import RasaDocuments
import Testing

@Suite("A schema says what is wrong with an answer")
struct SchemaTests {
  private static let review: Value = [
    "type": "object",
    "properties": [
      "verdict": ["type": "string", "enum": ["accept", "revise", "escalate"]],
      "price": ["type": "number", "minimum": 0],
      "notes": ["type": "array", "items": ["type": "string", "minLength": 1], "maxItems": 2],
      "next": ["$ref": "#/$defs/step"],
    ],
    "required": ["verdict", "price"],
    "additionalProperties": false,
    "$defs": [
      "step": [
        "type": ["object", "null"],
        "properties": ["name": ["type": "string"], "then": ["$ref": "#/$defs/step"]],
        "required": ["name"],
      ]
    ],
  ]

  @Test(
    "by path, expectation and value",
    arguments: [
      (["verdict": "accept", "price": 1], []),
      (["verdict": "accept", "price": 1.5, "notes": ["a"], "next": .null], []),
      (["verdict": "accept", "price": "1"], ["answer.price: expected number, got string"]),
      (["price": -1], ["answer.verdict: is missing", "answer.price: expected at least 0, got -1"]),
      (
        ["verdict": "maybe", "price": 1],
        [#"answer.verdict: expected one of "accept", "revise", "escalate", got "maybe""#]
      ),
      (
        ["verdict": "revise", "price": 1, "note": []],
        ["answer.note: is not allowed; did you mean 'notes'?"]
      ),
      (
        ["verdict": "revise", "price": 1, "notes": ["", 1, "x"]],
        [
          "answer.notes: expected at most 2 items, got 3",
          "answer.notes[0]: expected at least 1 characters, got 0",
          "answer.notes[1]: expected string, got integer",
        ]
      ),
      (
        ["verdict": "revise", "price": 1, "next": ["name": "a", "then": ["name": 2]]],
        ["answer.next.then.name: expected string, got integer"]
      ),
      ("x", ["answer: expected object, got string"]),
    ] as [(Value, [String])])
  func reports(value: Value, problems: [String]) throws {
    let schema = try Schema.compile(Self.review)
    #expect(schema.problems(in: value) == problems)
    #expect(schema.accepts(value) == problems.isEmpty)
    #expect(schema.warnings == [])
  }

  @Test(
    "keyword by keyword",
    arguments: [
      (true, 1, []), (false, 1, ["v: is not allowed"]), ([:], .null, []),
      (["type": "integer"], 3.0, []),
      (["type": "integer"], 3.5, ["v: expected integer, got number"]),
      (["type": "number"], 3, []), (["type": ["string", "null"]], .null, []),
      (["type": ["string", "null"]], 1, ["v: expected string or null, got integer"]),
      (["type": "string", "nullable": true], .null, []),
      (["enum": ["a"], "nullable": true], .null, []),
      (["const": 1], 1.0, []), (["const": ["a": [1.0]]], ["a": [1]], []),
      (["const": "a"], "b", [#"v: expected "a", got "b""#]),
      (["maximum": 2], 2, []), (["maximum": 2], 2.5, ["v: expected at most 2, got 2.5"]),
      (["exclusiveMinimum": 0], 0, ["v: expected more than 0, got 0"]),
      (["exclusiveMaximum": 1], 1, ["v: expected less than 1, got 1"]),
      (
        ["minimum": 9_007_199_254_740_993], 9_007_199_254_740_992,
        [
          "v: expected at least 9007199254740993, got 9007199254740992"
        ]
      ),
      (["minimum": 1], "text is no number", []),
      (["maxLength": 2], "😀é", []),
      (
        ["maxLength": 1], "ab",
        [
          "v: expected at most 1 characters, got 2"
        ]
      ),
      (["minItems": 1], [], ["v: expected at least 1 items, got 0"]),
      (
        ["additionalProperties": ["type": "integer"]], ["a": 1, "b": "x"],
        [
          "v.b: expected integer, got string"
        ]
      ),
      (["allOf": [["minimum": 1], ["maximum": 3]]], 5, ["v: expected at most 3, got 5"]),
      (
        ["anyOf": [["type": "string"], ["type": "null"]]], 1,
        [
          "v: expected string or null, got integer"
        ]
      ),
      (
        [
          "anyOf": [["type": "null"], ["properties": ["a": ["type": "string"]], "type": "object"]]
        ],
        ["a": 1], ["v.a: expected string, got integer"]
      ),
      (
        ["anyOf": [["type": "null"], ["type": "integer", "minimum": 3]]], 1,
        [
          "v: expected at least 3, got 1"
        ]
      ),
      (["oneOf": [["type": "integer"], ["type": "string"]]], 1, []),
      (
        ["oneOf": [["type": "integer"], ["type": "number"]]], 1,
        [
          "v: matches more than one alternative of which exactly one must match"
        ]
      ),
      (
        [
          "properties": ["a/b~c": ["type": "string"]],
          "additionalProperties": ["$ref": "#/properties/a~1b~0c"],
        ], ["x": 1],
        [
          "v.x: expected string, got integer"
        ]
      ),
      (
        ["items": ["$ref": "#"], "type": "array"], [[[]], [1]],
        ["v[1][0]: expected array, got integer"]
      ),
      (["$ref": "#"], 1, ["v: is too complex to check"]),
      (["anyOf": [["$ref": "#"], ["$ref": "#"]]], 1, ["v: is too complex to check"]),
    ] as [(Value, Value, [String])])
  func checks(schema: Value, value: Value, problems: [String]) throws {
    #expect(try Schema.compile(schema).problems(in: value, named: "v") == problems)
  }

  @Test(
    "and is itself checked first",
    arguments: [
      (1, "at #: a schema is an object or a boolean, not integer"),
      (["type": "strng"], "at #/type: unknown type 'strng'"),
      (["type": 1], "at #/type: expected the name of a type, got integer"),
      (["properties": ["a": ["minimum": "x"]]], "at #/properties/a/minimum: expected a number"),
      (["properties": []], "at #/properties: expected an object"),
      (["required": "a"], "at #/required: expected an array"),
      (["minLength": -1], "at #/minLength: expected a whole number from 0"),
      (
        ["minItems": 3, "maxItems": 2], "at #/maxItems: the minimum 3 is greater than the maximum 2"
      ),
      (["anyOf": []], "at #/anyOf: expected a list of schemas"),
      (["$ref": "https://x/y"], "at #/$ref: only references inside"),
      (["$ref": "#/$defs/x"], "at #/$ref: nothing is defined at '#/$defs/x'"),
    ] as [(Value, String)])
  func refuses(schema: Value, words: String) {
    let failure = #expect(throws: Failure.self) { try Schema.compile(schema) }
    #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
  }

  @Test func warnsOfWhatItDoesNotCheck() throws {
    let schema = try Schema.compile([
      "title": "t", "x-note": 1,
      "properties": ["a": ["pattern": "^x$"]],
    ])
    #expect(schema.warnings == ["#/properties/a/pattern: 'pattern' is not checked"])
  }

  @Test func survivesDeepAndLongSchemas() throws {
    var deep: Value = ["type": "string"]
    for _ in 0..<300 { deep = ["items": deep] }
    _ = try Schema.compile(deep).problems(in: [[[1]]])
    var definitions = ValueObject()
    for number in 0..<9_000 {
      definitions["d\(number)"] = ["$ref": .string("#/$defs/d\(number + 1)")]
    }
    definitions["d9000"] = ["type": "string"]
    let chain = try Schema.compile(["$ref": "#/$defs/d0", "$defs": .object(definitions)])
    #expect(chain.problems(in: "x") == ["answer: is too complex to check"])
  }

  @Test func reportsTwentyProblemsAtMost() throws {
    let schema = try Schema.compile(["items": ["type": "string"]])
    #expect(schema.problems(in: .array(Array(repeating: 1, count: 1000))).count == 20)
  }
}
