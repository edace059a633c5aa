import Glibc
import RasaCore
import RasaDocuments
import RasaEngine
import RasaHTTPClient
import RasaPersona
import RasaStore
import RasaSystem
import RasaTestKit

extension Row {
  static let memory: [Row] = [recall(among: 100_000, within: 5), conversations]
  static let largeMemory = recall(among: 1_000_000, within: 30)

  /// Conversations of one user, of which nine tenths of the words are the common ones.
  private static func recall(among count: Int, within target: Double) -> Row {
    Row("recall among \(count.grouped) items") { _, row in
      let folder = ScratchDirectory()
      let store = SQLiteStore(path: folder.file("rasa.db"), time: .system)
      var talk = Talk(seed: 1)
      var number = 0
      let begin = now()
      while number < count {
        let batch = min(5_000, count - number)
        _ = try await store.importItems((0..<batch).map { talk.item(number + $0) })
        number += batch
      }
      let filling = Double(now() - begin) / 1e9
      // Others' items are in the same file.
      _ = try await store.importItems((0..<1_000).map { talk.item(count + $0, user: "other") })

      let questions = (0..<40).map { _ in talk.question() }
      var times: [Double] = []
      var found = 0
      for round in 0..<3 {
        for question in questions {
          let query = MemoryQuery(text: question, user: "ann", persona: "p", session: "s", limit: 8)
          let start = now()
          found += try await store.search(query).count
          if round > 0 { times.append(Double(now() - start) / 1e6) }
        }
      }
      guard found > 0 else { throw Failure(.run, "nothing was found") }
      var adding: [Double] = []
      for one in 0..<100 {
        let item = talk.item(count + 2_000 + one)
        let start = now()
        _ = try await store.importItems([item])
        adding.append(Double(now() - start) / 1e6)
      }
      await store.close()
      // The first question of a process, whose pages the system has in memory.
      var cold: [Double] = []
      for question in questions.prefix(10) {
        let other = SQLiteStore(path: folder.file("rasa.db"), time: .system)
        let start = now()
        _ = try await other.search(
          MemoryQuery(text: question, user: "ann", persona: "p", session: "s", limit: 8))
        cold.append(Double(now() - start) / 1e6)
        await other.close()
      }
      let median = times.median
      return RowResult(
        name: row.name, measured: "\(median.short) ms", floor: "–", ratio: 0,
        target: "≤ \(Int(target)) ms", isMet: median <= target,
        notes: "p95 \(times.percentile(95).short) ms; the first of a store that is just opened "
          + "\(cold.median.short) ms; adding one, durable \(adding.median.short) ms; filled in "
          + "\(filling.short) s, \(RawFile.size(folder.file("rasa.db")) / count) bytes an item")
    }
  }

  /// Which part of the turns that answer a question is found, in other people's conversations. Each file of the folder in
  /// `RASA_BENCH_CONVERSATIONS` holds one as JSON: `sessions` with a `time` and `turns` (`id`, `speaker`, `text`), and
  /// `questions` (`question`, `evidence`: IDs of turns, `category`). With the address of an OpenAI-compatible server in
  /// `RASA_BENCH_EMBEDDINGS`, also with vectors.
  private static let conversations = Row("recall of conversations") { _, row in
    func result(_ measured: String, isMet: Bool, _ notes: String) -> RowResult {
      RowResult(
        name: row.name, measured: measured, floor: "–", ratio: 0,
        target: "@5 ≥ .58, @10 ≥ .68", isMet: isMet, notes: notes)
    }
    guard let folder = variable("RASA_BENCH_CONVERSATIONS") else {
      return result("skipped", isMet: true, "RASA_BENCH_CONVERSATIONS names no folder")
    }
    let files = try FileSystem.list(folder).map(\.name).filter { $0.contains(".json") }.sorted()
    let all = try files.map { try Conversation(JSON.parse(RawFile.read("\(folder)/\($0)"))) }
    guard !all.isEmpty else { throw Failure(.run, "\(folder) has no conversations") }
    let lexical = try await Recall.of(all, embeddings: nil)
    var notes = ["without vectors \(lexical.text)"]
    if let address = variable("RASA_BENCH_EMBEDDINGS") {
      notes.append(
        "with vectors \(try await Recall.of(all, embeddings: BenchEmbeddings(address)).text)")
    }
    return result(
      "@5 \(lexical.five.short) @10 \(lexical.ten.short)",
      isMet: lexical.five >= 0.58 && lexical.ten >= 0.68 && lexical.several >= 0.38,
      notes.joined(separator: "\n    "))
  }
}

private func now() -> UInt64 { TimeSource.system.monotonic() }

func variable(_ name: String) -> String? {
  let value = unsafe getenv(name).map { unsafe String(cString: $0) }
  return value?.isEmpty == false ? value : nil
}

extension Int {
  /// With commas between thousands.
  fileprivate var grouped: String {
    let digits = String(self)
    return digits.enumerated().map { place, digit in
      let left = digits.count - place
      return left % 3 == 0 && place > 0 ? ",\(digit)" : "\(digit)"
    }.joined()
  }
}

extension RawFile {
  fileprivate static func size(_ path: String) -> Int {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? Int(status.st_size) : 0
  }
}

/// What people say to each other: words by Zipf's law, of which a dozen are in a tenth of the turns.
struct Talk {
  private var chance: SeededNumbers
  private static let vocabulary = 50_000

  init(seed: UInt64) { chance = SeededNumbers(seed: seed) }

  private mutating func word() -> String {
    let part = Double.random(in: 0..<1, using: &chance)
    return Self.word(Int(pow(Double(Self.vocabulary), part)) - 1)
  }

  /// A word that can be spoken, of as many syllables as its number needs.
  private static func word(_ number: Int) -> String {
    let syllables = [
      "ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "wu", "da", "fe", "gi", "ho", "ju",
      "pa",
    ]
    var rest = number
    var word = ""
    repeat {
      word += syllables[rest % 16]
      rest /= 16
    } while rest > 0
    return word + "n"
  }

  mutating func item(_ number: Int, user: String = "ann", persona: String = "p") -> MemoryItem {
    let length = Int.random(in: 6...24, using: &chance)
    let isAnswer = number % 2 == 1
    return MemoryItem(
      id: Int64(number), kind: .turn, scope: .persona, user: user, persona: persona,
      session: "s\(number / 400)", speaker: isAnswer ? persona : user,
      text: (0..<length).map { _ in word() }.joined(separator: " ") + (isAnswer ? "." : "?"),
      run: Identifier("r\(user)\(number / 2)"),
      time: Timestamp(milliseconds: 1_600_000_000_000 + Int64(number) * 1000),
      trust: isAnswer ? .model : .person)
  }

  enum Words: String, CaseIterable {
    case mixed, rare, common

    fileprivate var ranks: [ClosedRange<Int>] {
      switch self {
      // Two that are common, three of some, one that is rare.
      case .mixed: [1...12, 1...12, 20...400, 20...400, 200...2_000, 2_000...40_000]
      case .rare: Array(repeating: 2_000...40_000, count: 6)
      case .common: [1...12, 1...12, 1...40, 1...40, 10...100, 20...200]
      }
    }
  }

  mutating func question(_ words: Words = .mixed) -> String {
    words.ranks.map { Self.word(Int.random(in: $0, using: &chance)) }.joined(separator: " ")
  }
}

/// A conversation with questions about it.
private struct Conversation {
  struct Turn {
    var id: String
    var session: Int
    var time: Timestamp
    var speaker: String
    var text: String
  }
  struct Question {
    var text: String
    var evidence: Set<String>
    var category: Int64
  }
  var turns: [Turn] = []
  var questions: [Question] = []

  init(_ value: Value) throws {
    for (number, session) in (value["sessions"].array ?? []).enumerated() {
      let begin =
        Self.time(session["time"].string ?? "")
        ?? Timestamp(milliseconds: Int64(number) * 86_400_000)
      for (place, turn) in (session["turns"].array ?? []).enumerated() {
        turns.append(
          Turn(
            id: turn["id"].string ?? "", session: number,
            time: Timestamp(milliseconds: begin.milliseconds + Int64(place) * 60_000),
            speaker: turn["speaker"].string ?? "",
            text: turn["text"].string ?? ""))
      }
    }
    for question in value["questions"].array ?? [] {
      let evidence = Set((question["evidence"].array ?? []).compactMap(\.string))
      guard let text = question["question"].string, !evidence.isEmpty else { continue }
      questions.append(
        Question(text: text, evidence: evidence, category: question["category"].int ?? 0))
    }
    guard !turns.isEmpty, !questions.isEmpty else {
      throw Failure(.run, "a file has no turns or no questions")
    }
  }
}

extension Conversation {
  /// `1:56 pm on 8 May, 2023`; the hour does not matter.
  private static func time(_ text: String) -> Timestamp? {
    let months = [
      "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    let words = text.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != ":" }
    guard let place = words.firstIndex(where: { months.contains(String($0.prefix(3))) }), place > 0,
      place + 1 < words.count, let day = Int(words[place - 1]), let year = Int(words[place + 1]),
      let month = months.firstIndex(of: String(words[place].prefix(3)))
    else { return nil }
    return Timestamp(
      milliseconds: LocalDay(year: year, month: month + 1, day: day).ordinal * 86_400_000)
  }
}

/// The mean over the questions of the part of the evidence that is found.
private struct Recall {
  var five = 0.0
  var ten = 0.0
  /// Questions whose answer lies in several turns, among the first ten.
  var several = 0.0
  /// By conversation, among the first ten.
  var byConversation: [Double] = []
  /// Of a search, in milliseconds.
  var time = 0.0

  var text: String {
    "@5 \(five.digits) @10 \(ten.digits), several turns @10 \(several.digits); by conversation @10 "
      + byConversation.map(\.digits).joined(separator: " ") + "; a search takes \(time.short) ms"
  }

  static func of(_ conversations: [Conversation], embeddings: BenchEmbeddings?) async throws
    -> Recall
  {
    var five: [Double] = []
    var ten: [Double] = []
    var several: [Double] = []
    var times: [Double] = []
    var recall = Recall()
    for conversation in conversations {
      let folder = ScratchDirectory()
      let store = SQLiteStore(path: folder.file("rasa.db"), time: .system)
      let viewer = MemoryViewer(user: "someone", persona: "p")
      _ = try await store.importItems(
        conversation.turns.enumerated().map { number, turn in
          MemoryItem(
            id: Int64(number), kind: .turn, scope: .persona, user: viewer.user,
            persona: viewer.persona, session: "\(turn.session)", speaker: turn.speaker,
            text: turn.text, run: Identifier(turn.id),
            time: turn.time, trust: .person)
        })
      var vectors: [[Float]] = []
      if let embeddings {
        let items = try await store.items(
          MemoryFilter(user: viewer.user), before: nil, limit: conversation.turns.count)
        let made = try await embeddings.vectors(items.map(\.embeddedText), .stored)
        try await store.keepVectors(
          MadeVectors(
            model: embeddings.model,
            vectors: zip(items, made).map { .init(item: $0.0.id, numbers: $0.1) }, viewer: viewer))
        vectors = try await embeddings.vectors(conversation.questions.map(\.text), .question)
      }
      var here: [Double] = []
      for (number, question) in conversation.questions.enumerated() {
        var query = MemoryQuery(
          text: question.text, kinds: [.turn], user: viewer.user, persona: viewer.persona, limit: 10
        )
        if let embeddings, vectors.indices.contains(number) {
          query.vector = .init(model: embeddings.model, numbers: vectors[number])
        }
        let start = now()
        let found = try await store.search(query).map(\.item.run.text)
        times.append(Double(now() - start) / 1e6)
        func part(_ count: Int) -> Double {
          Double(question.evidence.intersection(found.prefix(count)).count)
            / Double(question.evidence.count)
        }
        five.append(part(5))
        here.append(part(10))
        if question.category == 1 { several.append(part(10)) }
      }
      ten += here
      recall.byConversation.append(here.mean)
      await store.close()
    }
    recall.five = five.mean
    recall.ten = ten.mean
    recall.several = several.mean
    recall.time = times.median
    return recall
  }
}

extension [Double] {
  fileprivate var mean: Double { isEmpty ? 0 : reduce(0, +) / Double(count) }
}

extension Double {
  fileprivate var digits: String { String(Int((self * 1000).rounded())).leftPadded }
}

extension String {
  fileprivate var leftPadded: String {
    "." + String(repeating: "0", count: Swift.max(0, 3 - count)) + self
  }
}

/// A server that makes vectors. What a text is for is said in `input_type`.
private struct BenchEmbeddings {
  enum Purpose: String { case question = "query", stored = "passage" }

  let address: String
  let model = "bench"
  private let client = HTTPClient()

  init(_ address: String) { self.address = address }

  func vectors(_ texts: [String], _ purpose: Purpose) async throws -> [[Float]] {
    var vectors: [[Float]] = []
    var first = 0
    while first < texts.count {
      let part = texts[first..<min(texts.count, first + 64)]
      first += 64
      let body: Value = [
        "model": .string(model), "input": .array(part.map { .string($0) }),
        "input_type": .string(purpose.rawValue), "encoding_format": "float",
      ]
      let response = try await client.send(
        HTTPRequest(
          url: "\(address)/embeddings", headers: [("Content-Type", "application/json")],
          body: body.jsonBytes(), allowsPlainHTTP: true))
      let answer = try JSON.parse(try await response.body.collect(limit: 64 << 20))
      let made = (answer["data"].array ?? []).map { one in
        (one["embedding"].array ?? []).compactMap { $0.double.map(Float.init) }
      }
      guard made.count == part.count else {
        throw Failure(.run, "\(address) made \(made.count) vectors of \(part.count) texts")
      }
      vectors += made
    }
    return vectors
  }
}
