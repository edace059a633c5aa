import RasaCore
import RasaEngine

/// Reads of a document without words (vectors, counts of tokens) how many tokens went into it. It may have many
/// megabytes, and the count stands near its beginning or its end, so that is all that is kept.
struct CountDecoder: ChatDecoder {
  private static let kept = 4_096

  var progress = ChatProgress()
  private var head: [UInt8] = []
  private var tail: [UInt8] = []

  mutating func feed(_ chunk: [UInt8]) {
    if head.count < Self.kept { head += chunk.prefix(Self.kept - head.count) }
    tail += chunk.suffix(Self.kept)
    if tail.count > 2 * Self.kept { tail.removeFirst(tail.count - Self.kept) }
  }

  mutating func finish() {
    for part in [tail, head] {
      guard let count = count(in: part) else { continue }
      progress.note(ReportedUsage(input: count, output: 0))
      break
    }
    progress.finish = .stop
    progress.isDone = true
  }

  private func count(in bytes: [UInt8]) -> Int64? {
    for name in ["\"prompt_tokens\"", "\"prompt_eval_count\"", "\"input_tokens\""] {
      guard let place = bytes[...].firstRange(ofBytes: Array(name.utf8)) else { continue }
      let digits = bytes[place.upperBound...].drop { $0 == UInt8(ascii: ":") || $0 == 0x20 }
        .prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      if let count = Int64(String(decoding: digits, as: UTF8.self)) { return count }
    }
    return nil
  }
}
