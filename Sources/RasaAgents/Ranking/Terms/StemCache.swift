import RasaCore

/// A cache of words for many concurrent readers: ten thousand agents use a few thousand words.
///
/// A reader uses the cache as it is and reports new words afterwards. They are merged once there
/// are many, so that the readers' copy is rarely replaced.
final class StemCache: Sendable {
  typealias Words = [UInt64: KnownWord]
  private let kept = Locked<(known: Words, new: Words)>(([:], [:]))
  /// Names and numbers are unlimited.
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
