import RasaCore
import RasaSQLite
import RasaTestKit
import Testing

@testable import RasaStore

/// Values of every shape, and texts that come again.
struct RandomValues {
  var numbers: SeededNumbers
  private var said: [String] = ["", "draft", String(repeating: "0a", count: 32)]

  init(seed: UInt64) { numbers = SeededNumbers(seed: seed) }

  mutating func text() -> String {
    if Bool.random(using: &numbers), let known = said.randomElement(using: &numbers) {
      return known
    }
    let letters = Array("abc é🦆\n\"\\日\u{0}") + ["\u{301}"]
    let length = [0, 1, 31, 63, 64, 65, 191, 192, 300, 900].randomElement(using: &numbers) ?? 0
    let text = String((0..<length).map { _ in letters.randomElement(using: &numbers) ?? "x" })
    said.append(text)
    return text
  }

  mutating func value(depth: Int = 0) -> Value {
    switch Int.random(in: 0..<(depth > 2 ? 6 : 9), using: &numbers) {
    case 0: return .null
    case 1: return .bool(.random(using: &numbers))
    case 2: return .int([0, 31, 32, -1, .max, .min, 300].randomElement(using: &numbers) ?? 0)
    case 3: return .double([0, -0.5, 1e300, 0.1, .infinity].randomElement(using: &numbers) ?? 0)
    case 4, 5: return .string(text())
    case 6:
      let count = [0, 1, 2, 16].randomElement(using: &numbers) ?? 0
      return .array((0..<count).map { _ in value(depth: depth + 2) })
    default:
      let count = [0, 1, 3, 16].randomElement(using: &numbers) ?? 0
      return .object(ValueObject((0..<count).map { _ in (text(), value(depth: depth + 1)) }))
    }
  }
}

@Suite struct `Kept content` {
  let folder = ScratchDirectory()

  private func database() throws -> Database {
    let database = try Database(path: folder.file("a.db"))
    try database.migrate(to: .store)
    return database
  }

  @Test(arguments: 1...6)
  func `comes back as it was, in its order`(seed: UInt64) throws {
    let database = try database()
    var values = RandomValues(seed: seed)
    for _ in 0..<12 {
      let value = values.value()
      let column = try database.transaction {
        try database.keep(Content(value, asBody: Bool.random(using: &values.numbers)))
      }
      let bodies = BodyReader(database)
      let read: Value
      switch column {
      case .bytes(let bytes): read = try bodies.read(bytes).value
      case .integer(let number): read = try bodies.body(number).value
      default: throw DamagedContent()
      }
      #expect(read == value)
      #expect(read.json() == value.json())
    }
  }

  @Test func `is kept once, however often it is said`() throws {
    let database = try database()
    let text = Value.string(String(repeating: "said again ", count: 50))
    let other = Value.string(String(repeating: "another ", count: 50))
    let wholes: [Value] = [
      text, [text, text], ["input": text, "output": other], [["input": text, "output": other]],
    ]
    for whole in wholes + wholes { _ = try database.keep(Content(whole, asBody: true)) }
    #expect(try database.first("SELECT count(*) FROM bodies") { $0.integer(0) } == 5)
  }

  @Test func `takes no more room for an attached file than the file has`() throws {
    let database = try database()
    var numbers = SeededNumbers(seed: 9)
    let bytes = (0..<20_000).map { _ in UInt8.random(in: 0...255, using: &numbers) }
    let value: Value = ["sha256": "x", "data": .string(Base64.encode(bytes))]
    _ = try database.keep(Content(value, asBody: true))
    let room = try database.first("SELECT sum(length(bytes)) FROM bodies") { $0.integer(0) } ?? 0
    #expect(room < 20_100)
    // A text that only looks like base64 is not read as another one.
    for text in [
      String(repeating: "A", count: 400), String(repeating: "abcd", count: 99) + "ab==",
      String(repeating: "abcd", count: 99) + "abc", String(repeating: "A", count: 399) + "\n",
    ] {
      let column = try database.keep(Content(.string(text), asBody: true))
      guard case .integer(let number) = column else { throw DamagedContent() }
      #expect(try BodyReader(database).body(number).value == .string(text))
    }
  }

  @Test func `has words that are never moved`() {
    #expect(Set(ContentWords.all).count == ContentWords.all.count)
    #expect(ContentWords.all.count <= 256)
    // What stands here is in files: words may be appended, and nothing else.
    #expect(ContentWords.all.first == "reservation")
    #expect(ContentWords.all[63] == "files")
    #expect(ContentWords.all[101] == "0")
    #expect(ContentWords.all[102] == "attachments")
    #expect(ContentWords.all[116] == "attachment_tokens")
  }

  @Test func `that is damaged is refused and harms nobody`() {
    var numbers = SeededNumbers(seed: 3)
    let value: Value = ["text": "one", "n": [1, 2.5, .int(.max)], "deep": [[["x": .null]]]]
    let bytes = Content(value).root.bytes
    for _ in 0..<2000 {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...4, using: &numbers) {
        damaged[Int.random(in: 0..<damaged.count, using: &numbers)] = .random(
          in: 0...255, using: &numbers)
      }
      if Bool.random(using: &numbers) { damaged.removeLast() }
      _ = try? ContentReader.read(damaged) { _, _ in throw DamagedContent() }
      _ = try? ContentReader.expanded([ContentTag.compressed] + damaged)
    }
    let deep = [UInt8](repeating: ContentTag.shortArray + 1, count: 1_000_000)
    #expect(throws: DamagedContent.self) {
      try ContentReader.read(deep) { _, _ in throw DamagedContent() }
    }
  }

  @Test func `that refers to itself is refused`() throws {
    let database = try database()
    let loop: [UInt8] = [ContentTag.shortArray + 1, ContentTag.reference, 1]
    try database.run(
      "INSERT INTO bodies (number, digest, bytes) VALUES (1, ?, ?)", .bytes([1]), .bytes(loop))
    #expect(throws: DamagedContent.self) { try BodyReader(database).body(1) }
  }
}
