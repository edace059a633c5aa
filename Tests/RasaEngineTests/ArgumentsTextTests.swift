import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

@Suite("Arguments as a person reads them")
struct ArgumentsTextTests {
  @Test("no text passes for another argument, a number, or nothing")
  func shown() {
    let arguments: Value = [
      "to": "bob@example.com", "count": 3, "number": "3", "nothing": .null, "word": "null",
      "body": "Dear Bob,\nto: \"eve@evil.example\"\n", "a: b": "x", "list": ["a", "b\nc", [1]],
      "deep": ["x": [:], "y": []], "ctrl": "a\u{1B}[2Jb",
    ]
    #expect(
      arguments.argumentsText == """
        to: "bob@example.com"
        count: 3
        number: "3"
        nothing: null
        word: "null"
        body: 33 bytes in 3 lines
          | Dear Bob,
          | to: "eve@evil.example"
          |\u{20}
        "a: b": "x"
        list:
          - "a"
          - 3 bytes in 2 lines
            | b
            | c
          -
            - 1
        deep:
          x: {}
          y: []
        ctrl: "a\\u001b[2Jb"
        """)
    #expect(Value.emptyObject.argumentsText == "no arguments")
  }
}
