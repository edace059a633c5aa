import RasaCore

/// Words that were looked at before, for many readers at once: ten thousand agents are written in a few
/// thousand words.
///
/// A reader takes what is known as it is and tells afterwards what was new to it. That is put with
/// the rest when there is much of it, so that what readers hold is rarely copied.
final class WordMemory: Sendable {
  typealias Words = [UInt64: KnownWord]
  private let kept = Locked<(known: Words, new: Words)>(([:], [:]))
  /// Names and numbers never end.
  private static let most = 60_000

  var words: Words { kept.withLock { $0.known } }

  func learn(_ words: Words) {
    guard !words.isEmpty else { return }
    kept.withLock { kept in
      guard kept.known.count < Self.most else { return }
      kept.new.merge(words) { first, _ in first }
      guard kept.new.count > max(256, kept.known.count / 4) else { return }
      kept.known.merge(kept.new) { first, _ in first }
      kept.new = [:]
    }
  }
}

struct KnownWord: Sendable {
  var hash: TermHash
  var isStopWord: Bool
}
