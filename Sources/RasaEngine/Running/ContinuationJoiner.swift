import RasaCore

/// Where the continuation of a text meets what there is of it.
///
/// A model that is asked to go on often repeats the last words. What the head of its text repeats of
/// the tail of the old one is left out, by the longest match; everything else is kept byte for byte.
/// Text is held back only while it still may be a repetition, so the rest can be shown as it comes,
/// and what comes of it does not depend on how it was split.
struct ContinuationJoiner: Sendable {
  /// How many bytes of the old text are looked at.
  static let reach = 2_000
  /// A repetition of so many bytes is none by chance.
  private static let certain = 16

  private let tail: [UInt8]
  private let hasMore: Bool
  /// The head of the new text, while it may still be a repetition.
  private var held: [UInt8] = []
  private var isDecided = false

  init(after text: String) {
    tail = Array(text.utf8.suffix(Self.reach))
    hasMore = text.utf8.count > tail.count
  }

  /// The two as one text.
  static func join(_ text: String, _ continuation: String) -> String {
    var joint = ContinuationJoiner(after: text)
    let new = joint.take(continuation)
    return text + new + joint.finish()
  }

  /// What of this piece goes behind the old text, as far as that is certain.
  mutating func take(_ piece: String) -> String {
    if isDecided { return piece }
    held += piece.utf8
    return mayRepeatMore ? "" : decide()
  }

  /// What was still held back, once nothing more comes.
  mutating func finish() -> String { isDecided ? "" : decide() }

  private mutating func decide() -> String {
    isDecided = true
    let rest = held.dropFirst(repeated)
    held = []
    return String(decoding: rest, as: UTF8.self)
  }

  /// Leading white space may have been put before the repetition.
  private var blank: Int { held.prefix { $0 <= 0x20 }.count }

  /// Whether more bytes could make the repetition longer.
  private var mayRepeatMore: Bool {
    if blank == held.count { return held.count <= Self.reach }
    return [held[...], held[blank...]].contains { head in
      tail.indices.contains { start in
        tail.count - start > head.count && tail[start...].starts(with: head)
      }
    }
  }

  /// How many bytes at the head are a repetition.
  private var repeated: Int {
    for skipped in Set([0, blank]).sorted() {
      let head = held[skipped...]
      var length = min(head.count, tail.count)
      while length > 0 {
        let start = tail.count - length
        if tail[start...].elementsEqual(head.prefix(length)), isRepetition(from: start) {
          return skipped + length
        }
        length -= 1
      }
    }
    return 0
  }

  /// Whether a match is more than chance: it begins where a word does and has one, or is long. A
  /// number alone is not enough, for `1` and `150` can be `1150`.
  private func isRepetition(from start: Int) -> Bool {
    let match = tail[start...]
    guard !match[start].isContinuation else { return false }
    let isLong = match.count >= Self.certain && match.contains { $0 > 0x20 }
    if isLong { return true }
    guard match.contains(where: \.isLetter) else { return false }
    if start == 0 { return !hasMore }
    return !(tail[start - 1].isWord && match[start].isWord)
  }
}

extension UInt8 {
  /// Whether it stands inside of a character.
  fileprivate var isContinuation: Bool { self & 0xC0 == 0x80 }
  fileprivate var isLetter: Bool {
    self >= 0x80 || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20)
  }
  fileprivate var isWord: Bool {
    isLetter || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) || self == UInt8(ascii: "_")
  }
}
