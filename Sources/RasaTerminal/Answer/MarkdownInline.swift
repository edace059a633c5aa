/// Inline constructs of a line: code, emphasis, links.
///
/// A construct that is not closed on its line, or is too long to hold back, is plain text.
enum MarkdownInline {
  typealias Show = (ArraySlice<UInt8>, TextWeight) -> Void

  private static let longestEmphasis = 400
  private static let longestCode = 1000
  private static let longestLink = 2000

  private enum Found {
    case text(Int)
    /// Shown so far; continues there.
    case shown(next: Int)
    case needsMore
  }

  /// Shows what can be shown; returns how far that was.
  static func read(
    _ line: [UInt8], from start: Int, to end: Int, isWhole: Bool, _ weight: TextWeight,
    show: Show
  ) -> Int {
    var at = start
    var textStart = start
    while at < end {
      guard isSpecial(line[at]) else {
        at += 1
        continue
      }
      if at > textStart { show(line[textStart..<at], weight) }
      textStart = at
      switch construct(line, at, to: end, isWhole, weight, show) {
      case .text(let count): at += count
      case .shown(let next):
        at = next
        textStart = next
      case .needsMore: return at
      }
    }
    if end > textStart { show(line[textStart..<end], weight) }
    return end
  }

  private static func isSpecial(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "`"), UInt8(ascii: "*"), UInt8(ascii: "_"), UInt8(ascii: "~"),
      UInt8(ascii: "["), UInt8(ascii: "!"), UInt8(ascii: "\\"):
      true
    default: false
    }
  }

  private static func construct(
    _ line: [UInt8], _ at: Int, to end: Int, _ isWhole: Bool, _ weight: TextWeight, _ show: Show
  ) -> Found {
    let byte = line[at]
    switch byte {
    case UInt8(ascii: "\\"):
      guard at + 1 < end else { return isWhole ? .text(1) : .needsMore }
      // Only before characters with a meaning here: much text that is not Markdown has backslashes.
      guard isEscapable(line[at + 1]) else { return .text(line[at + 1] == byte ? 2 : 1) }
      show(line[(at + 1)..<(at + 2)], weight)
      return .shown(next: at + 2)
    case UInt8(ascii: "`"): return code(line, at, to: end, isWhole, weight, show)
    case UInt8(ascii: "!"):
      guard at + 1 < end else { return isWhole ? .text(1) : .needsMore }
      guard line[at + 1] == UInt8(ascii: "[") else { return .text(1) }
      return link(line, at + 1, to: end, isWhole, weight, show, mark: 1)
    case UInt8(ascii: "["): return link(line, at, to: end, isWhole, weight, show, mark: 0)
    default: return emphasis(line, at, to: end, isWhole, weight, show)
    }
  }

  private static func isEscapable(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "*"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "~"),
      UInt8(ascii: "#"), UInt8(ascii: ">"), UInt8(ascii: "|"):
      true
    default: false
    }
  }

  private static func run(_ line: [UInt8], _ at: Int, to end: Int) -> Int {
    var count = 0
    while at + count < end, line[at + count] == line[at] { count += 1 }
    return count
  }

  // MARK: Code

  private static func code(
    _ line: [UInt8], _ at: Int, to end: Int, _ isWhole: Bool, _ weight: TextWeight, _ show: Show
  ) -> Found {
    let length = run(line, at, to: end)
    guard at + length < end else { return isWhole ? .text(length) : .needsMore }
    let last = min(end, at + longestCode)
    guard let close = closingCode(line, at + length, to: last, length, isWhole || last < end) else {
      return isWhole || last < end ? .text(length) : .needsMore
    }
    var inner = line[(at + length)..<close]
    // One space at each end belongs to the marks, if code starts or ends with a mark itself.
    if inner.count > 2, inner.first == 0x20, inner.last == 0x20 {
      inner = inner.dropFirst().dropLast()
    }
    guard inner.contains(where: { $0 != 0x20 }) else { return .text(close + length - at) }
    show(inner, weight.union(.code))
    return .shown(next: close + length)
  }

  /// A run of exactly that length. One that reaches the end may still grow.
  private static func closingCode(
    _ line: [UInt8], _ start: Int, to end: Int, _ length: Int, _ isWhole: Bool
  ) -> Int? {
    var at = start
    while at < end {
      guard line[at] == UInt8(ascii: "`") else {
        at += 1
        continue
      }
      let count = run(line, at, to: end)
      if count == length, at + count < end || isWhole { return at }
      at += count
    }
    return nil
  }

  // MARK: Emphasis

  private static func emphasis(
    _ line: [UInt8], _ at: Int, to end: Int, _ isWhole: Bool, _ weight: TextWeight, _ show: Show
  ) -> Found {
    let byte = line[at]
    let length = run(line, at, to: end)
    guard at + length < end else { return isWhole ? .text(length) : .needsMore }
    let isStrike = byte == UInt8(ascii: "~")
    guard isStrike ? length == 2 : length <= 3, opens(line, at, length, to: end),
      !isInAddress(line, at)
    else { return .text(length) }
    let last = min(end, at + longestEmphasis)
    let isFinal = isWhole || last < end
    guard let close = closing(line, at, length, to: last, isFinal) else {
      return isFinal ? .text(length) : .needsMore
    }
    let more: TextWeight =
      isStrike ? .struck : length == 1 ? .italic : length == 2 ? .bold : [.bold, .italic]
    _ = read(
      line, from: at + length, to: close, isWhole: true, weight.union(more), show: show)
    return .shown(next: close + length)
  }

  private static func opens(_ line: [UInt8], _ at: Int, _ length: Int, to end: Int) -> Bool {
    let next = line[at + length]
    guard !isSpace(next) else { return false }
    guard at > 0 else { return true }
    let before = line[at - 1]
    if line[at] == UInt8(ascii: "_"), isOfWord(before) { return false }
    return !isPunctuation(next) || isSpace(before) || isPunctuation(before)
  }

  private static func closing(
    _ line: [UInt8], _ open: Int, _ length: Int, to end: Int, _ isFinal: Bool
  ) -> Int? {
    let byte = line[open]
    var at = open + length
    while at < end {
      switch line[at] {
      case UInt8(ascii: "\\"): at += 2
      case UInt8(ascii: "`"):
        let count = run(line, at, to: end)
        let close = closingCode(line, at + count, to: end, count, isFinal)
        if close == nil, !isFinal { return nil }
        at = (close ?? at) + count
      case byte:
        let count = run(line, at, to: end)
        let next = at + count
        // A run that reaches the end may grow, and a word may continue after it.
        guard next < end || isFinal else { return nil }
        let follows = next < line.count && next < end ? line[next] : 0x20
        if count == length, at > open + length, !isSpace(line[at - 1]), !isInAddress(line, at),
          byte != UInt8(ascii: "_") || !isOfWord(follows),
          !isPunctuation(line[at - 1]) || isSpace(follows) || isPunctuation(follows)
        {
          return at
        }
        at = next
      default: at += 1
      }
    }
    return nil
  }

  /// Whether this is part of an address: in one, these bytes are letters.
  private static func isInAddress(_ line: [UInt8], _ at: Int) -> Bool {
    var index = at - 1
    let last = max(0, at - 2048)
    while index >= last, !isSpace(line[index]) {
      if line[index] == UInt8(ascii: ":"), index + 2 < at, line[index + 1] == UInt8(ascii: "/"),
        line[index + 2] == UInt8(ascii: "/")
      {
        return true
      }
      index -= 1
    }
    return false
  }

  // MARK: Links

  /// `[text](address)`: both are shown.
  private static func link(
    _ line: [UInt8], _ at: Int, to end: Int, _ isWhole: Bool, _ weight: TextWeight, _ show: Show,
    mark: Int
  ) -> Found {
    let last = min(end, at + longestLink)
    let isFinal = isWhole || last < end
    let asText = Found.text(mark + 1)
    guard let close = closing(line, at, to: last, isFinal) else {
      return isFinal ? asText : .needsMore
    }
    guard close + 1 < end else { return isFinal ? asText : .needsMore }
    guard line[close + 1] == UInt8(ascii: "("), close > at + 1 else { return asText }
    var depth = 0
    var index = close + 1
    while index < last {
      switch line[index] {
      case UInt8(ascii: "("): depth += 1
      case UInt8(ascii: ")"): depth -= 1
      case 0x20, 0x09: return asText
      default: break
      }
      if depth == 0 { break }
      index += 1
    }
    guard index < last else { return isFinal ? asText : .needsMore }
    let address = line[(close + 2)..<index]
    guard !address.isEmpty else { return asText }
    let text = line[(at + 1)..<close]
    guard !text.elementsEqual(address) else {
      show(address, weight.union(.underlined))
      return .shown(next: index + 1)
    }
    _ = read(
      line, from: at + 1, to: close, isWhole: true,
      mark == 0 ? weight.union(.underlined) : weight, show: show)
    show([0x20, UInt8(ascii: "(")], weight)
    show(address, weight)
    show([UInt8(ascii: ")")], weight)
    return .shown(next: index + 1)
  }

  /// The bracket that closes the one at `open`.
  private static func closing(
    _ line: [UInt8], _ open: Int, to end: Int, _ isFinal: Bool
  ) -> Int? {
    var depth = 0
    var at = open
    while at < end {
      switch line[at] {
      case UInt8(ascii: "\\"): at += 1
      case UInt8(ascii: "`"):
        let count = run(line, at, to: end)
        let close = closingCode(line, at + count, to: end, count, isFinal)
        if close == nil, !isFinal { return nil }
        at = (close ?? at) + count - 1
      case UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "]"):
        depth -= 1
        if depth == 0 { return at }
      default: break
      }
      at += 1
    }
    return nil
  }

  // MARK: Bytes

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0A
  }

  private static func isPunctuation(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
    default: false
    }
  }

  /// Letters, digits, and every non-ASCII byte.
  private static func isOfWord(_ byte: UInt8) -> Bool { byte > 0x20 && !isPunctuation(byte) }
}

extension MarkdownText {
  /// Shows what can be shown of a part of a line; returns how far that was.
  mutating func showInline(
    _ line: [UInt8], from start: Int, to end: Int, isWhole: Bool, _ weight: TextWeight
  ) -> Int {
    MarkdownInline.read(line, from: start, to: end, isWhole: isWhole, weight) { bytes, weight in
      wrap.add(bytes, weight)
    }
  }
}
