import RasaCore
import RasaEngine
import RasaModels
import RasaStore
import RasaSystem
import RasaTestKit

extension Row {
  private static let turns = 10_000

  /// From the database to the request that one model gets: the newest turns are read until its window is full, and
  /// what has room is kept.
  static let trimming = Row("trimming a conversation of 10,000 turns") { _, row in
    let folder = ScratchDirectory()
    let store = openStore(at: folder.file("rasa.db"), time: .system)
    let session = SessionID("long", of: "bench")
    for number in 0..<turns {
      let run = Identifier.make(
        prefix: "r", at: Timestamp(milliseconds: Int64(number) * 60_000),
        random: .random(in: .min ... .max))
      let record = RunRecord(
        id: run, session: "long", persona: "bench", personaDigest: "", user: "bench",
        input: "", startedAt: Timestamp(milliseconds: 0))
      store.open(record, [])
      try await store.close(
        run,
        RunEnding(
          .done,
          turn: SessionTurn(
            session: session, run: run, time: record.startedAt,
            input: "Question \(number): what became of the plan for the harbour that we spoke of?",
            output: String(
              repeating: "The plan for part \(number % 97) stands as agreed. ", count: 8))),
        [])
    }
    var notes: [String] = []
    var slowest = 0.0
    for window in [8_000, 128_000] as [Int64] {
      var times: [Double] = []
      var kept = 0
      for round in 0..<30 {
        let begun = TimeSource.system.monotonic()
        let conversation = try await store.conversation(
          of: session, bytes: Int(window * ConversationContext.bytesPerToken))
        let fit = HistoryFit(
          count: conversation.turns.count, earlier: conversation.earlier, summary: nil,
          room: window, meter: TokenMeter()
        ) { (conversation.turns[$0].input, conversation.turns[$0].output) }
        kept = fit.kept
        if round > 2 { times.append(Double(TimeSource.system.monotonic() - begun) / 1e6) }
      }
      guard kept > 10, kept < turns else { throw Failure(.run, "\(kept) turns were kept") }
      slowest = max(slowest, times.median)
      notes.append("\(times.median.short) ms for \(kept) turns in \(window) tokens")
    }
    await store.close()
    return RowResult(
      name: row.name, measured: "\(slowest.short) ms", floor: "–", ratio: 0, target: "≤ 2 ms",
      isMet: slowest <= 2, notes: "read and trimmed: " + notes.joined(separator: ", "))
  }
}
