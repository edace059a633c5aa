import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

private func randomText(_ numbers: inout SeededNumbers) -> String {
  let alphabet = Array(
    "ab \"\\/\n\r\t\u{0}\u{1F}\u{7F}é中😀\u{301}\u{2028}:-#{}[],&*!|>'%@`".unicodeScalars)
  var text = String.UnicodeScalarView()
  for _ in 0..<Int.random(in: 0...12, using: &numbers) {
    text.append(alphabet.randomElement(using: &numbers) ?? "x")
  }
  return String(text)
}

private func randomValue(_ numbers: inout SeededNumbers, depth: Int = 0) -> Value {
  switch Int.random(in: 0...(depth < 5 ? 8 : 5), using: &numbers) {
  case 0: return .null
  case 1: return .bool(Bool.random(using: &numbers))
  case 2: return .int(Int64.random(in: .min ... .max, using: &numbers))
  case 3:
    let number = Double(bitPattern: numbers.next())
    return .double(number.isFinite ? number : 0.5)
  case 4: return .double(Double(Int.random(in: -1000...1000, using: &numbers)) / 8)
  case 5: return .string(randomText(&numbers))
  case 6:
    return .array(
      (0..<Int.random(in: 0...4, using: &numbers)).map { _ in
        randomValue(&numbers, depth: depth + 1)
      })
  default:
    var object = ValueObject()
    for _ in 0..<Int.random(in: 0...4, using: &numbers) {
      object[randomText(&numbers)] = randomValue(&numbers, depth: depth + 1)
    }
    return .object(object)
  }
}

@Suite("Any document")
struct RandomDocumentTests {
  @Test func ofAnyValueReadsBackAsThatValue() throws {
    var numbers = SeededNumbers(seed: 1)
    for _ in 0..<2_000 {
      let value = randomValue(&numbers)
      for style in [JSONStyle.compact, .pretty, .canonical] {
        let bytes = value.jsonBytes(style)
        #expect(try JSON.parse(bytes) == value)
        var reader = try JSONReader(bytes)
        try reader.finish()
      }
      let canonical = value.jsonBytes(.canonical)
      #expect(try JSON.parse(canonical).jsonBytes(.canonical) == canonical)
    }
  }

  @Test func thatIsJSONMeansTheSameAsYAML() throws {
    var numbers = SeededNumbers(seed: 2)
    for _ in 0..<500 {
      // What JSON has and YAML files have not: a DEL, a line separator in a key, and a NUL.
      let json = Array(randomValue(&numbers).json().utf8)
        .replacing(Array("\\u0000".utf8), with: Array("\\ue000\\ue001".utf8))
      let scalars = String(decoding: json, as: UTF8.self).unicodeScalars.filter {
        $0 != "\u{7F}" && $0 != "\u{2028}"
      }
      let text = String(String.UnicodeScalarView(scalars))
      let value = try JSON.parse(text)
      #expect(try YAML.parse("a: " + text, file: "x.yaml")["a"]?.value == value, "\(text)")
    }
  }

  @Test func cutAnywhereIsRefusedAsJSON() throws {
    var numbers = SeededNumbers(seed: 3)
    for _ in 0..<100 {
      let bytes = Value.array([randomValue(&numbers)]).jsonBytes()
      for length in bytes.indices {
        #expect(throws: Failure.self) { try JSON.parse(bytes[..<length]) }
      }
    }
  }

  @Test func cutAnywhereIsReadOrRefusedAsYAML() {
    let text = """
      # é
      name: &n "a\\u00e9\\n"  # note
      list: [1, {b: 'c'' d'}, *n]
      long: |+
        text 中

        more
      ? x
      : - !!str 1
        - .inf
      ...
      """
    let bytes = Array(text.utf8)
    for length in bytes.indices { outcome(of: Array(bytes[..<length])) }
  }

  @Test func withOneByteChangedIsReadOrRefused() {
    let documents = [
      #"{"a":[1,-2.5e3,"x\n\ud83d\ude00é",null,true],"b":{"c":{}}}"#,
      "a: &x [1, {b: c}]\nd:\n  - |\n    t\n  - *x\n  - \"q\\x41\"\n? k\n: !!int 7\n",
    ]
    for document in documents {
      let bytes = Array(document.utf8)
      for index in bytes.indices {
        for byte in stride(from: 0, through: 255, by: 7) {
          var changed = bytes
          changed[index] = UInt8(byte)
          outcome(of: changed)
        }
      }
    }
  }

  @Test func ofRandomBytesIsReadOrRefused() {
    var numbers = SeededNumbers(seed: 4)
    let interesting =
      Array("{}[]:,\"'\\-?&*!|>%@#~ \n\r\tabe0.1+uxtrnfls<=".utf8) + [0xC3, 0xA9, 0xEF]
    for _ in 0..<5_000 {
      let bytes = (0..<Int.random(in: 0...40, using: &numbers)).map { _ in
        interesting.randomElement(using: &numbers) ?? 0
      }
      outcome(of: bytes)
    }
  }

  /// Reads bytes every way there is; what counts is that each way ends in an answer.
  private func outcome(of bytes: [UInt8]) {
    let tree = try? JSON.parse(bytes)
    var reader = try? JSONReader(bytes)
    let isWalked = (try? reader?.finish()) != nil
    if tree != nil { #expect(isWalked) }
    _ = JSON.extract(from: String(decoding: bytes, as: UTF8.self))
    do {
      let node = try YAML.parse(bytes, file: "x.yaml")
      #expect(node.location.line > 0)
      if let schema = try? Schema.compile(node.value) { _ = schema.problems(in: node.value) }
    } catch {
      #expect(!error.message.isEmpty && error.location?.line ?? 0 > 0 && !error.suggestion.isEmpty)
      _ = error.description
    }
  }
}
