/// Takes out of a stream's text what has been there before: some servers send with every piece all that
/// they have sent so far, and some send the whole answer once more at its end.
///
/// A piece that begins with everything before it may be meant so ("1", then "10"). So only a row of such
/// pieces counts, and until it is decided they wait; nothing waits in a stream whose second piece does not
/// begin like that, which is nearly every one.
struct RepeatedText: Sendable, Hashable {
  private enum Mode: Sendable, Hashable { case undecided, pieces, cumulative }

  /// So many repeated bytes in a row of two are no accident.
  private static let fewestRepeatedBytes = 12
  private static let longRow = 3
  /// An answer that is shorter may end with a word that is all of it once more.
  private static let shortestWhole = 8
  private static let openingLength = 64

  private var mode = Mode.undecided
  /// The first bytes of the text, and how long it is: enough to recognise it.
  private var opening: [UInt8] = []
  private var length = 0
  private var count = 0
  /// Pieces each of which begins with the one before it.
  private var row: [String] = []
  private var repeatedBytes = 0

  init() {}

  /// Further pieces are what they seem, and need not be looked at.
  var isDecided: Bool { mode == .pieces && opening.count == Self.openingLength }

  /// Pieces came that were not looked at.
  mutating func pass(_ bytes: Int) {
    guard bytes > 0 else { return }
    length += bytes
    count += 1
  }

  /// What is new in a piece of the stream. May be less than is new: the rest waits.
  ///
  /// - Parameter isLast: the piece came with the end of the answer.
  mutating func take(_ piece: String, isLast: Bool = false) -> String {
    if mode == .pieces, !isLast {
      note(piece)
      return piece
    }
    guard !piece.isEmpty else { return "" }
    switch mode {
    case .pieces:
      if count > 1, length >= Self.shortestWhole, piece.utf8.count == length, begins(piece) {
        return ""
      }
      note(piece)
      return piece
    case .cumulative:
      guard let rest = rest(of: piece) else {
        note(piece)
        return piece
      }
      note(rest)
      return rest
    case .undecided:
      guard count > 0 else {
        note(piece)
        return piece
      }
      guard let before = row.last else {
        guard rest(of: piece)?.isEmpty == false else { return decide(.pieces, piece) }
        repeatedBytes = length
        row = [piece]
        return ""
      }
      guard piece.utf8.starts(with: before.utf8) else { return decide(.pieces, piece) }
      repeatedBytes += before.utf8.count
      row.append(piece)
      let isClear = row.count >= Self.longRow || repeatedBytes >= Self.fewestRepeatedBytes
      return isClear ? decide(.cumulative) : ""
    }
  }

  /// What is new in a text that the server calls the whole answer so far. Where it does not begin with
  /// what came before, that is believed, unless the text may be a piece itself.
  mutating func take(whole text: String, orPiece mayBePiece: Bool) -> String {
    guard !text.isEmpty else { return "" }
    if length == 0 {
      mode = .cumulative
      note(text)
      return text
    }
    let waiting = row.last == text ? decide(.cumulative) : finish()
    if let rest = rest(of: text) {
      note(rest)
      return waiting + rest
    }
    guard mayBePiece else { return waiting }
    note(text)
    return waiting + text
  }

  /// What was still waiting when the text ended.
  mutating func finish() -> String { mode == .undecided ? decide(.pieces) : "" }

  private mutating func decide(_ decided: Mode, _ piece: String = "") -> String {
    mode = decided
    let texts = row
    row = []
    let new: String
    if decided == .cumulative {
      new = texts.last.flatMap { rest(of: $0) } ?? ""
    } else {
      new = texts.joined() + piece
    }
    note(new)
    return new
  }

  private mutating func note(_ new: String) {
    guard !new.isEmpty else { return }
    length += new.utf8.count
    count += 1
    if opening.count < Self.openingLength {
      opening += new.utf8.prefix(Self.openingLength - opening.count)
    }
  }

  private func begins(_ text: String) -> Bool { text.utf8.starts(with: opening) }

  /// What follows the text so far; nil where it does not begin with that.
  private func rest(of text: String) -> String? {
    let bytes = text.utf8
    guard bytes.count >= length, begins(text) else { return nil }
    let rest = bytes.dropFirst(length)
    // In the middle of a character it cannot be a continuation.
    if let first = rest.first, first & 0xC0 == 0x80 { return nil }
    return String(decoding: rest, as: UTF8.self)
  }
}
