import RasaCore
import RasaEngine
import RasaStore
import RasaSystem
import RasaTestKit

extension Row {
  /// What a long-term frame adds to the time until a reader has the first token, with words of every frequency in the
  /// questions.
  static let recallingFirstToken = Row("first token with a long-term frame, 100,000 items") {
    bench, row in
    let count = 100_000
    let home = ScratchDirectory()
    for (name, frame) in [("plain", "stateless_frame"), ("recalling", "long_term_frame")] {
      try home.write(
        "name: \(name)\ndescription: One streamed answer.\nframes: [\(frame)]\noperators: []\n",
        to: "personas/\(name).yaml")
    }
    var talk = Talk(seed: 3)
    let store = SQLiteStore(path: home.file("rasa.db"), time: .system)
    for first in stride(from: 0, to: count, by: 5_000) {
      _ = try await store.importItems(
        (first..<first + 5_000).map { talk.item($0, user: "bench", persona: "recalling") })
    }
    await store.close()

    func measured(_ persona: String, _ question: String) throws -> Double {
      let run = try bench.program(
        bench.rasa,
        ["run", "--persona", persona, "--input", question, "--model", "openai:t1-d0", "--quiet"],
        adding: ["RASA_HOME": home.path])
      return Double(run.firstByte) / 1e6
    }
    var more: [Talk.Words: Double] = [:]
    var notes: [String] = []
    for words in Talk.Words.allCases {
      let questions = (0..<31).map { _ in talk.question(words) }
      var number = 0
      let (with, without) = try await bench.paired(
        questions.count,
        {
          number += 1
          return try measured("recalling", questions[number % questions.count])
        },
        { try measured("plain", questions[number % questions.count]) })
      more[words] = with - without
      notes.append("\(with.short) and \(without.short) ms with \(words.rawValue) words")
    }
    let worst = more.values.max() ?? 0
    return RowResult(
      name: row.name, measured: "\(worst.short) ms more", floor: "–", ratio: 0,
      target: "≤ 5 ms more than without", isMet: worst <= 5,
      notes: "with and without it: " + notes.joined(separator: ", "))
  }
}
