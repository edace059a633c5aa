import RasaCore

/// Whole answers of models, to be given again to who asks the very same: in memory, and bounded in size. Who may be
/// given what is a matter of the keys.
final class AnswerCache: Sendable {
  enum Answer: Sendable {
    case forwarded(ForwardedCopy)
    case completed(Rasa.CompletionResult, reasoning: String)
  }

  private struct Kept: Sendable {
    var answer: Answer
    var bytes: Int
    /// In nanoseconds of the monotonic clock.
    var since: UInt64
    /// Which entry of `order` is this one's.
    var number: UInt64
  }

  private struct State: Sendable {
    var kept: [String: Kept] = [:]
    /// The oldest first; those that were replaced since are still in it.
    var order: [(key: String, number: UInt64)] = []
    var first = 0
    var bytes = 0
    var number: UInt64 = 0
  }

  private let state = Locked(State())
  private let most: Int
  /// A longer answer is not kept.
  let mostPerAnswer: Int

  init(most: Int = 64 << 20, mostPerAnswer: Int = 1 << 20) {
    self.most = most
    self.mostPerAnswer = mostPerAnswer
  }

  /// An answer that is no older than that.
  func answer(_ key: String, within age: Duration, at now: UInt64) -> Answer? {
    state.withLock { state in
      guard let kept = state.kept[key],
        now < kept.since || .nanoseconds(Int64(clamping: now - kept.since)) <= age
      else { return nil }
      return kept.answer
    }
  }

  /// Keeps an answer in place of an older one, and lets go of the oldest where there is no room.
  func keep(_ answer: Answer, of size: Int, as key: String, at now: UInt64) {
    // The key and what keeping takes count, too.
    let bytes = size + key.utf8.count + 256
    guard size <= mostPerAnswer, bytes <= most else { return }
    state.withLock { state in
      state.number += 1
      if let old = state.kept[key] { state.bytes -= old.bytes }
      state.kept[key] = Kept(answer: answer, bytes: bytes, since: now, number: state.number)
      state.bytes += bytes
      state.order.append((key, state.number))
      while state.bytes > most, state.first < state.order.count {
        let oldest = state.order[state.first]
        state.first += 1
        guard let kept = state.kept[oldest.key], kept.number == oldest.number else { continue }
        state.bytes -= kept.bytes
        state.kept[oldest.key] = nil
      }
      // Replaced entries would gather where one answer is made anew again and again.
      if state.first > 1_000 || state.order.count > 2 * state.kept.count + 1_000 {
        state.order = state.order[state.first...].filter { entry in
          state.kept[entry.key]?.number == entry.number
        }
        state.first = 0
      }
    }
  }

  /// How many bytes are kept, and how many answers.
  var size: (bytes: Int, count: Int) { state.withLock { ($0.bytes, $0.kept.count) } }

  /// What identifies a request: every part is preceded by its length.
  static func key(_ parts: [[UInt8]]) -> String {
    var bytes: [UInt8] = []
    for part in parts {
      bytes += "\(part.count):".utf8
      bytes += part
    }
    return Digest.sha256(bytes)
  }
}

/// An answer that was handed on, while it is being copied.
struct ForwardedCopy: Sendable {
  var headers: [(name: String, value: String)] = []
  var bytes: [UInt8] = []
  /// The answer exceeds the size limit, so it is not cached.
  var isCut = false
  var call: Rasa.ForwardedCall?

  mutating func add(_ part: Rasa.ProviderPart, atMost most: Int) {
    switch part {
    // The rest is about one connection and one request.
    case .head(_, let headers):
      self.headers = headers.filter { $0.name.lowercased() == "content-type" }
    case .bytes(let more):
      isCut = isCut || bytes.count + more.count > most
      if isCut { bytes = [] } else { bytes += more }
    }
  }
}
