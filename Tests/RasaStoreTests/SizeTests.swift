import Glibc
import RasaCore
import RasaEngine
import RasaSQLite
import RasaTestKit
import Testing

@testable import RasaStore

/// A conversation as the runtime writes it down: one model call for each turn.
struct Conversation {
  var numbers = SeededNumbers(seed: 7)
  private(set) var payload = 0
  private(set) var turns = 0

  /// Whether words are said again, as people do, or all are new.
  var repeatsWords = false
  private var vocabulary: [[UInt8]] = []

  /// By Zipf's law.
  private mutating func usualWord() -> [UInt8] {
    if vocabulary.isEmpty {
      vocabulary = (0..<20_000).map { number in
        (0..<min(9, 2 + number.trailingZeroBitCount + number / 3_000)).map { _ in
          UInt8.random(in: UInt8(ascii: "a")...UInt8(ascii: "z"), using: &numbers)
        }
      }
    }
    let rank = pow(Double(vocabulary.count), Double.random(in: 0..<1, using: &numbers))
    return vocabulary[min(Int(rank), vocabulary.count) - 1]
  }

  mutating func text(_ length: Int) -> String {
    var text: [UInt8] = []
    while text.count < length {
      if repeatsWords {
        text += usualWord() + [UInt8(ascii: " ")]
        continue
      }
      for _ in 0..<Int.random(in: 2...9, using: &numbers) {
        text.append(UInt8.random(in: UInt8(ascii: "a")...UInt8(ascii: "z"), using: &numbers))
      }
      text.append(UInt8(ascii: " "))
    }
    return String(decoding: text.prefix(length), as: UTF8.self)
  }

  private static let pinned: Value = [
    "digest": .string(String(repeating: "5d", count: 32)),
    "files": [
      [
        "kind": "persona", "name": "single", "path": "personas/single.yaml",
        "text": .string(String(repeating: "name: single, and more of it\n", count: 60)),
      ]
    ],
  ]

  /// One turn in a run of its own: what was asked and what was answered are new.
  mutating func turn(
    _ store: SQLiteStore, _ time: FixedTime, input inputLength: Int = 500,
    output outputLength: Int = 1500, past pastTurns: Int = 20
  ) async throws {
    turns += 1
    time.pass(seconds: 40)
    payload += inputLength + outputLength
    let run = Identifier.make(prefix: "r", at: time.now, random: numbers.next())
    let hold = Identifier.make(prefix: "h", at: time.now, random: numbers.next())
    let (input, output) = (text(inputLength), text(outputLength))
    let key = EffectKey(
      frame: "session_frame", visit: 1, operatorName: "respond", label: "call")
    func line(_ kind: String, _ body: Value, key: String? = nil) -> JournalEntry {
      JournalEntry(run: run, time: time.now, kind: kind, key: key, body: body)
    }
    func line(_ event: RunEvent) -> JournalEntry { event.entry(of: run, at: time.now) }

    let digest = String(repeating: "5d", count: 32)
    store.open(
      RunRecord(
        id: run, session: "talk", persona: "single", personaDigest: digest, user: "ann",
        input: input, startedAt: time.now),
      [
        line(
          .started(
            RunStart(
              run: run, persona: "single", personaDigest: digest, session: "talk", user: "ann",
              input: input))),
        line("persona.pinned", Self.pinned),
      ])
    let past = try await store.turns(of: "talk", limit: pastTurns)
    store.record([
      line(
        .contextOpened([
          "session": .array(
            past.map {
              [
                "input": .string($0.input), "output": .string($0.output),
                "run": .string($0.run.text),
              ]
            }),
          "notes": [], "memories": [],
        ])), line(.frameEntered(frame: "session_frame", visit: 1)),
    ])
    let digits = Array("0123456789abcdef")
    let request = String((0..<64).map { _ in digits[Int.random(in: 0..<16, using: &numbers)] })
    let amount = Money(picoDollars: 4_000_000_000)
    _ = try await store.reserve(
      ReservationRequest(
        id: hold, run: run, key: key, persona: "single", operatorName: "respond",
        provider: "openai", model: "gpt-4o-mini", amount: amount,
        legs: [
          leg(run.text, nil), dayLeg("single", 14, 50_000_000_000_000),
          monthLeg("single", nil),
        ]),
      recording: [
        line(
          "call.intent",
          [
            "reservation": .string(hold.text), "provider": "openai", "model": "gpt-4o-mini",
            "request": .string(request),
            "estimate": ["input": 8213, "output": 1200, "cost": .string(amount.decimalText)],
            "idempotency": .string(hold.text),
          ], key: "\(key)")
      ])
    let usage = Usage(input: 8109, output: 402)
    let cost = Money(picoDollars: 1_457_550_000)
    try await store.settle(
      Settlement(reservation: hold, actual: cost, usage: usage, outcome: .answered),
      recording: [
        line(
          "call.result",
          [
            "reservation": .string(hold.text), "provider": "openai", "model": "gpt-4o-mini",
            "text": .string(output),
            "usage": [
              "input": 8109, "output": 402, "cached_input": 0, "reasoning": 0, "reported": true,
            ],
            "cost": .string(cost.decimalText), "finish": "stop",
          ], key: "\(key)")
      ])
    let step = Step(frame: "session_frame", visit: 1, operatorName: "respond")
    store.record([
      line(.operatorFinished(step, .wrote([Update("draft", .string(output))])))
    ])
    try await store.close(
      run,
      RunEnding(
        .done,
        turn: SessionTurn(
          session: "talk", run: run, time: time.now, input: input, output: output)),
      [line(.finished(output: .string(output)))])
  }
}

@Suite struct `The size of a store` {
  let folder = ScratchDirectory()
  let time = FixedTime()

  private var files: Int {
    ["rasa.db", "rasa.db-wal", "rasa.db-shm"].reduce(0) { $0 + RawFile.size(of: folder.file($1)) }
  }

  /// Without the index of words, for which words that nobody has said before are the worst case.
  private func filesWithoutWords() throws -> Int {
    try Database(path: folder.file("rasa.db")).execute(
      """
      DELETE FROM postings; DELETE FROM shelf_items; DELETE FROM shelved; VACUUM;
      PRAGMA wal_checkpoint(TRUNCATE)
      """)
    return files
  }

  @Test(arguments: [(500, 1500), (1000, 1000), (100, 1900)])
  func `is at most two and a half times what was said, without the index of words`(
    input: Int, output: Int
  )
    async throws
  {
    let store = SQLiteStore(path: folder.file("rasa.db"), time: time.source)
    var conversation = Conversation()
    for _ in 0..<300 {
      try await conversation.turn(store, time, input: input, output: output)
    }
    await store.close()
    #expect(Double(files) <= 5.5 * Double(conversation.payload))
    let rest = try filesWithoutWords()
    #expect(Double(rest) <= 2.5 * Double(conversation.payload))
  }

  @Test func `is small where words are said again`() async throws {
    let store = SQLiteStore(path: folder.file("rasa.db"), time: time.source)
    var conversation = Conversation()
    conversation.repeatsWords = true
    for _ in 0..<300 { try await conversation.turn(store, time) }
    await store.close()
    #expect(Double(files) <= 3.0 * Double(conversation.payload))
    let rest = try filesWithoutWords()
    #expect(Double(rest) <= 2.2 * Double(conversation.payload))
  }

  @Test func `is as small when every turn is a process of its own`() async throws {
    var conversation = Conversation()
    for _ in 0..<300 {
      let store = SQLiteStore(path: folder.file("rasa.db"), time: time.source)
      try await conversation.turn(store, time)
      await store.close()
    }
    #expect(Double(files) <= 5.5 * Double(conversation.payload))
    let rest = try filesWithoutWords()
    #expect(Double(rest) <= 2.5 * Double(conversation.payload))
  }

  /// A run adds its own turn, and references to those before it in groups that other runs have, too.
  @Test func `grows with the turns and not with their square where all of them fit`() async throws {
    var conversation = Conversation()
    var sizes: [Int] = []
    for _ in 0..<3 {
      let store = SQLiteStore(path: folder.file("rasa.db"), time: time.source)
      for _ in 0..<160 { try await conversation.turn(store, time, past: 10_000) }
      await store.close()
      sizes.append(files)
    }
    #expect(Double(sizes[2] - sizes[1]) <= 1.25 * Double(sizes[1] - sizes[0]), "\(sizes)")
  }
}
