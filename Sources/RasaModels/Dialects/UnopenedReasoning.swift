/// Notices that what was taken for the answer was reasoning: some servers put `<think>` into the prompt,
/// so that a model's text begins in the middle of it and only its end mark comes.
///
/// The mark counts at the beginning of a line, and not in a text that has the opening one too: that
/// speaks of such marks.
struct UnopenedReasoning: Sendable, Hashable {
  private static let opening = Array("<think>".utf8)
  private static let closing = Array("\n</think>".utf8)

  /// Nothing of the kind can come any more.
  private(set) var isOver = false
  /// The last bytes, where they may be the beginning of a mark.
  private var tail: [UInt8] = []

  init() {}

  mutating func finish() { isOver = true }

  /// The text behind the end mark, when the piece brings the end of it; nil for every other piece.
  mutating func end(in piece: String) -> String? {
    if tail.isEmpty, !piece.utf8.contains(where: { $0 == UInt8(ascii: "<") || $0 == 0x0A }) {
      return nil
    }
    let bytes = tail + piece.utf8
    var start = 0
    while start < bytes.count {
      guard bytes[start] == UInt8(ascii: "<") || bytes[start] == 0x0A else {
        start += 1
        continue
      }
      let rest = bytes[start...]
      if rest.starts(with: Self.opening) {
        isOver = true
        return nil
      }
      if rest.starts(with: Self.closing) {
        isOver = true
        return String(decoding: rest.dropFirst(Self.closing.count), as: UTF8.self)
      }
      if Self.opening.starts(with: rest) || Self.closing.starts(with: rest) {
        tail = Array(rest)
        return nil
      }
      start += 1
    }
    tail = []
    return nil
  }
}
