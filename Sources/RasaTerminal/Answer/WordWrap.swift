import RasaCore

/// Wraps text at words, by display columns, while it arrives.
///
/// A word is shown as it arrives if the line has plenty of room, otherwise when it is complete;
/// where a line breaks depends on the text and the window alone, never on how the text was split
/// into chunks. A word that is too long for any line is left to the terminal, which knows that it
/// is one line and copies it as such.
struct WordWrap: Sendable {
  /// Text of one width that comes before a row: a bullet, the bar of a quotation.
  struct Prefix: Sendable, Hashable {
    var text = ""
    var width = 0
    var weight = TextWeight()

    init() {}

    init(_ text: String, _ weight: TextWeight = []) {
      self.text = text
      self.width = displayWidth(text)
      self.weight = weight
    }

    static func spaces(_ count: Int) -> Prefix { Prefix(String(repeating: " ", count: count)) }
  }

  /// The columns of the window. A new number applies from the next word on.
  var columns: Int {
    didSet {
      guard columns != oldValue else { return }
      // Terminals reflow a line when their window gets narrower.
      if column > columns { column = (column - 1) % max(columns, 1) + 1 }
      if isHolding { room = max(room + columns - oldValue, 0) }
    }
  }
  /// The output to show next.
  private(set) var output: [UInt8] = []
  /// Where the cursor is.
  private(set) var column = 0

  /// The maximum length of lines of prose: longer ones are hard to read.
  private let mostColumns: Int
  private var prefixes: [Prefix] = []
  private var hanging: [Prefix] = []
  private var isAtLineStart = true
  private var isContinuation = false

  private struct Run: Sendable {
    var weight: TextWeight
    var end: Int
  }
  private var word: [UInt8] = []
  private var runs: [Run] = []
  private var wordWidth = 0
  private var isInWord = false
  private var isHolding = false
  private var room = 0
  private var space: [UInt8] = []
  private var spaceWidth = 0
  private var measure = DisplayMeasure()
  private var isAfterWide = false
  private var isAfterOpening = false
  private var shownWeight = TextWeight()

  init(columns: Int, mostColumns: Int = 100) {
    self.columns = columns
    self.mostColumns = mostColumns
  }

  /// Longer words are file names and addresses: they may extend past the end of a line.
  private static let longestWord = 32

  /// The last column stays free: terminals differ when it is written to.
  private var limit: Int { max(min(columns - 1, mostColumns), 1) }

  /// Returns the pending output once. The weight is reset after it.
  mutating func take() -> [UInt8] {
    show(weight: [])
    defer { output.removeAll(keepingCapacity: true) }
    return output
  }

  // MARK: Lines

  /// The next text comes after these prefixes; continuation rows after the others.
  mutating func begin(_ first: [Prefix], then rest: [Prefix]) {
    prefixes = first
    hanging = rest
    isContinuation = false
  }

  mutating func newLine() {
    endWord()
    showMarks()
    dropSpace()
    breakRow()
    prefixes = []
    hanging = []
    isContinuation = false
  }

  /// A prefix stays even without a text.
  mutating func showMarks() {
    let hasMarks = prefixes.contains { $0.text.utf8.contains { $0 != 0x20 } }
    if isAtLineStart, hasMarks { beginRow() }
  }

  /// Something else was written to the screen, and ended the line.
  mutating func lineWasEnded() {
    guard !isAtLineStart else { return }
    column = 0
    isAtLineStart = true
    prefixes = hanging
    isContinuation = true
    dropSpace()
    room = limit - hangingWidth
  }

  /// Whether the cursor is not at the start of its line.
  var isInsideLine: Bool { !isAtLineStart }

  private mutating func breakRow() {
    show(weight: [])
    output.append(0x0A)
    column = 0
    isAtLineStart = true
    isAfterWide = false
    isAfterOpening = false
  }

  /// In a narrow window the text matters more than its indentation.
  private var hangingWidth: Int {
    let width = hanging.reduce(0) { $0 + $1.width }
    return width * 2 <= limit ? width : 0
  }

  private mutating func beginRow() {
    guard isAtLineStart else { return }
    isAtLineStart = false
    if isContinuation, hangingWidth == 0 { return }
    for prefix in prefixes where !prefix.text.isEmpty {
      show(weight: prefix.weight)
      output += Array(prefix.text.utf8)
      advance(by: prefix.width)
    }
  }

  // MARK: Text

  /// Text whose lines may be wrapped at words. It contains no line feeds.
  mutating func add(_ bytes: ArraySlice<UInt8>, _ weight: TextWeight) {
    var index = bytes.startIndex
    let end = bytes.endIndex
    while index < end {
      let byte = bytes[index]
      if byte == 0x20 || byte == 0x09 {
        endWord()
        addSpace(byte)
        index += 1
      } else if byte < 0x80 {
        var next = index + 1
        while next < end, bytes[next] > 0x20, bytes[next] < 0x7F { next += 1 }
        if isAfterWide, !isAfterOpening, !Self.staysBehind(byte) { endWord() }
        addToWord(bytes[index..<next], next - index, weight)
        measure.noteASCII(bytes[next - 1])
        isAfterWide = false
        isAfterOpening = false
        index = next
      } else {
        let (scalar, length) = Self.scalar(in: bytes, at: index)
        let width = measure.add(scalar)
        let isWide = width == 2
        if width > 0 {
          let mayBreak = (isWide || isAfterWide) && !isAfterOpening
          if mayBreak, isInWord, !Self.staysBehind(scalar) { endWord() }
          isAfterWide = isWide
          isAfterOpening = Self.opens(scalar)
        }
        addToWord(bytes[index..<(index + length)], width, weight)
        index += length
      }
    }
  }

  /// Text that must not change: only the terminal itself breaks it.
  mutating func addExactly(_ bytes: ArraySlice<UInt8>, _ weight: TextWeight) {
    endWord()
    flushSpace()
    guard !bytes.isEmpty else { return }
    beginRow()
    show(weight: weight)
    output += bytes
    var index = bytes.startIndex
    while index < bytes.endIndex {
      if bytes[index] == 0x09 {
        column = min((column / 8 + 1) * 8, max(columns - 1, 0))
        index += 1
        continue
      }
      let (scalar, length) = Self.scalar(in: bytes, at: index)
      advance(by: measure.add(scalar), isOneCharacter: true)
      index += length
    }
  }

  /// Text that the terminal lays out, including line feeds.
  mutating func addUntouched(_ text: String) {
    guard let last = text.utf8.last else { return }
    output += Array(text.utf8)
    isAtLineStart = last == 0x0A
  }

  /// The word is complete.
  mutating func endWord() {
    guard isInWord else { return }
    isInWord = false
    guard isHolding else { return }
    isHolding = false
    flushSpace()
    showWord()
  }

  /// Also shows a trailing space.
  mutating func flush() { flushSpace() }

  private mutating func addSpace(_ byte: UInt8) {
    isAfterWide = false
    isAfterOpening = false
    space.append(byte)
    let place = column + spaceWidth
    spaceWidth += byte == 0x09 ? 8 - place % 8 : 1
  }

  private mutating func addToWord(
    _ bytes: ArraySlice<UInt8>, _ width: Int, _ weight: TextWeight
  ) {
    if !isInWord {
      isInWord = true
      if isAtLineStart {
        if isContinuation { dropSpace() }
        flushSpace()
        beginRow()
        isHolding = false
      } else {
        room = limit - column - spaceWidth
        isHolding = room < min(Self.longestWord, max(limit - hangingWidth, 1))
        if !isHolding { flushSpace() }
      }
    }
    guard isHolding else {
      beginRow()
      show(weight: weight)
      output += bytes
      return advance(by: width, isOneCharacter: bytes.count > width)
    }
    word += bytes
    if runs.last?.weight == weight {
      runs[runs.count - 1].end = word.count
    } else {
      runs.append(Run(weight: weight, end: word.count))
    }
    wordWidth += width
    if wordWidth > room {
      dropSpace()
      isHolding = false
      breakRow()
      prefixes = hanging
      isContinuation = true
      beginRow()
      showWord()
    }
  }

  private mutating func showWord() {
    beginRow()
    var start = 0
    for run in runs {
      show(weight: run.weight)
      let bytes = word[start..<run.end]
      output += bytes
      start = run.end
    }
    advance(by: wordWidth)
    word.removeAll(keepingCapacity: true)
    runs.removeAll(keepingCapacity: true)
    wordWidth = 0
  }

  private mutating func dropSpace() {
    space.removeAll(keepingCapacity: true)
    spaceWidth = 0
  }

  private mutating func flushSpace() {
    guard !space.isEmpty else { return }
    beginRow()
    if !shownWeight.isDisjoint(with: [.underlined, .struck]) { show(weight: []) }
    output += space
    advance(by: spaceWidth)
    dropSpace()
  }

  private mutating func show(weight: TextWeight) {
    guard weight != shownWeight else { return }
    output += Array((weight.isEmpty ? "\u{1B}[0m" : weight.sequence).utf8)
    shownWeight = weight
  }

  /// The terminal itself starts a new row after its last column.
  private mutating func advance(by width: Int, isOneCharacter: Bool = false) {
    column += width
    guard column > columns, columns > 0 else { return }
    column = (column - 1) % columns + 1
    // Double-width characters are not split.
    if isOneCharacter, width == 2, column == 1, columns > 1 { column = 2 }
  }

  // MARK: Characters

  private static func scalar(
    in bytes: ArraySlice<UInt8>, at index: Int
  ) -> (Unicode.Scalar, Int) {
    let first = UInt32(bytes[index])
    if first < 0x80 { return (Unicode.Scalar(UInt8(first)), 1) }
    let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    guard index + length <= bytes.endIndex else { return ("\u{FFFD}", bytes.endIndex - index) }
    var value = first & (length == 2 ? 0x1F : length == 3 ? 0x0F : 0x07)
    for offset in 1..<length { value = value << 6 | UInt32(bytes[index + offset] & 0x3F) }
    return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
  }

  /// Must not start a line.
  private static func staysBehind(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: ","), UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "?"),
      UInt8(ascii: ":"), UInt8(ascii: ";"), UInt8(ascii: ")"), UInt8(ascii: "]"),
      UInt8(ascii: "}"), UInt8(ascii: "%"), UInt8(ascii: "\""), UInt8(ascii: "'"):
      true
    default: false
    }
  }

  private static func staysBehind(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .closePunctuation, .finalPunctuation: return true
    default: break
    }
    switch scalar.value {
    // Full stops, commas, prolonged sound and iteration marks, small Japanese letters.
    case 0x3001, 0x3002, 0xFF01, 0xFF0C, 0xFF0E, 0xFF1A, 0xFF1B, 0xFF1F, 0x30FB, 0x30FC, 0x3005,
      0x303B, 0x309D, 0x309E, 0x30FD, 0x30FE, 0x2026, 0x2025, 0xFF05, 0x3041, 0x3043, 0x3045,
      0x3047, 0x3049, 0x3063, 0x3083, 0x3085, 0x3087, 0x308E, 0x30A1, 0x30A3, 0x30A5, 0x30A7,
      0x30A9, 0x30C3, 0x30E3, 0x30E5, 0x30E7, 0x30EE:
      return true
    default: return false
    }
  }

  /// Must not end a line.
  private static func opens(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .openPunctuation, .initialPunctuation: true
    default: false
    }
  }
}
