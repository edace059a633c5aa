/// Shows an answer on a terminal while it arrives: wraps words and renders Markdown.
///
/// It holds back as little as possible: the start of a line until its kind is known, emphasis and
/// links until they are closed or cannot be any more, tables until they end. Anything else stays as
/// written. How the text is split into chunks makes no difference to the output.
package struct MarkdownText: Sendable {
  /// How much an answer's formatting is changed.
  package enum Rendering: Sendable, Hashable {
    /// Not at all; the terminal breaks the lines.
    case none
    /// Lines are wrapped at words; marks stay, because nothing else could show their meaning.
    case words
    /// Marks become weights and glyphs.
    case full
  }

  let rendering: Rendering
  let glyphs: Glyphs
  var wrap: WordWrap

  /// The current line starts at `lineStart`; everything before `position` has been shown.
  var line: [UInt8] = []
  private var lineStart = 0
  private var position = 0

  private enum Place: Sendable { case head, text, exact }
  private var place = Place.head
  private var fence: Fence?
  /// The quotation depth of the previous line, and of this one.
  private var quotes = 0
  private var depth = 0
  private var weight = TextWeight()
  private var isInList = false
  /// The previous line was empty, or there was none.
  private var isAfterGap = true
  private var isInIndentedCode = false
  private var table = MarkdownTable()

  private struct Fence: Sendable {
    var byte: UInt8
    var length: Int
    var quotes: Int
  }

  package init(
    _ rendering: Rendering, glyphs: Glyphs = .unicode, columns: Int, mostColumns: Int = 100
  ) {
    self.rendering = rendering
    self.glyphs = glyphs
    wrap = WordWrap(columns: columns, mostColumns: mostColumns)
  }

  /// Whether the cursor is not at the start of its line.
  package var isInsideLine: Bool { wrap.isInsideLine }

  /// Something else was written to the screen, and ended the line.
  package mutating func lineWasEnded() { wrap.lineWasEnded() }

  /// Returns what can be shown now.
  package mutating func take(_ text: String, columns: Int) -> [UInt8] {
    guard rendering != .none else {
      wrap.addUntouched(text)
      return wrap.take()
    }
    wrap.columns = columns
    line += Array(text.utf8)
    read(isEnd: false)
    return wrap.take()
  }

  /// Returns what was held back, before something else is written to the screen: its reader must
  /// have seen the text before it. The text continues afterwards.
  package mutating func settle() -> [UInt8] {
    guard rendering != .none else { return [] }
    let isInside = place != .head || position < line.count
    if position < line.count { read(isEnd: true) }
    if table.isBegun {
      showTable()
      table.takesMore = false
    }
    // The rest of this line is text, whatever it starts with.
    if isInside, place == .head { place = .text }
    wrap.endWord()
    return wrap.take()
  }

  /// Returns the rest. The next text starts afresh.
  package mutating func finish() -> [UInt8] {
    guard rendering != .none else { return [] }
    read(isEnd: true)
    if table.isBegun { showTable() }
    wrap.endWord()
    wrap.showMarks()
    let rest = wrap.take()
    let screen = wrap
    self = MarkdownText(rendering, glyphs: glyphs, columns: screen.columns)
    wrap = screen
    return rest
  }

  // MARK: Lines

  private mutating func read(isEnd: Bool) {
    defer {
      line.removeFirst(lineStart)
      position -= lineStart
      lineStart = 0
    }
    while true {
      let lineEnd = line[position...].firstIndex(of: 0x0A)
      let end = lineEnd ?? line.count
      let isWhole = lineEnd != nil || isEnd
      if place == .head {
        guard isWhole || position < end else { return }
        guard readHead(to: end, isWhole: isWhole) else { return }
      }
      switch place {
      case .head: break
      case .text: readText(to: end, isWhole: isWhole)
      case .exact:
        wrap.addExactly(line[position..<end], weight)
        position = end
      }
      guard lineEnd != nil else {
        if isEnd { (lineStart, position) = (line.count, line.count) }
        return
      }
      // A table row, and a fence that is not shown, include their line ends.
      if place != .head { wrap.newLine() }
      lineStart = end + 1
      position = lineStart
      place = .head
    }
  }

  private mutating func readText(to end: Int, isWhole: Bool) {
    guard rendering == .full else {
      wrap.add(line[position..<end], weight)
      position = end
      return
    }
    position = showInline(line, from: position, to: end, isWhole: isWhole, weight)
  }

  // MARK: Heads of lines

  private struct Head {
    var at: Int
    let end: Int
    let isWhole: Bool
    /// A byte; nil if it has not arrived or never will.
    func byte(_ offset: Int = 0, _ line: [UInt8]) -> UInt8? {
      at + offset < end ? line[at + offset] : nil
    }
    /// How often that byte is repeated.
    func run(of byte: UInt8, _ line: [UInt8]) -> Int {
      var count = 0
      while at + count < end, line[at + count] == byte { count += 1 }
      return count
    }
  }

  /// False if more is needed before the kind of the line is known.
  private mutating func readHead(to end: Int, isWhole: Bool) -> Bool {
    var head = Head(at: lineStart, end: end, isWhole: isWhole)
    weight = []
    var depth = 0
    // Quotations may contain everything else.
    while true {
      var spaces = 0
      while let byte = head.byte(spaces, line), byte == 0x20 { spaces += 1 }
      guard let byte = head.byte(spaces, line) else {
        if !isWhole { return false }
        break
      }
      guard byte == UInt8(ascii: ">"), spaces < 4, fence == nil || depth < fence?.quotes ?? 0
      else { break }
      guard head.byte(spaces + 1, line) != nil || isWhole else { return false }
      depth += 1
      head.at += spaces + 1
      if head.byte(0, line) == 0x20 { head.at += 1 }
    }
    if let open = fence, depth < open.quotes { fence = nil }
    if depth != quotes, fence == nil {
      if table.isBegun { showTable() }
      isInList = false
    }
    self.depth = depth
    // If marks stay, continuation rows get the same ones.
    let bars =
      rendering == .full
      ? [WordWrap.Prefix](repeating: bar, count: depth)
      : depth > 0
        ? [WordWrap.Prefix(String(decoding: line[lineStart..<head.at], as: UTF8.self))] : []
    guard
      readBlock(&head, prefixes: { more in bars + more.filter { !$0.text.isEmpty } })
    else { return false }
    quotes = depth
    return true
  }

  private var bar: WordWrap.Prefix { WordWrap.Prefix(glyphs.bar + " ", .dim) }

  /// The content after the quotation marks.
  private mutating func readBlock(
    _ head: inout Head, prefixes: ([WordWrap.Prefix]) -> [WordWrap.Prefix]
  ) -> Bool {
    let start = head.at
    var spaces = 0
    while let byte = head.byte(spaces, line), byte == 0x20 { spaces += 1 }
    let isBlank = head.at + spaces == head.end
    if isBlank, !head.isWhole { return false }
    if let open = fence { return readCode(open, &head, spaces, prefixes([])) }
    if isBlank || (head.byte(spaces, line) == 0x0D && head.at + spaces + 1 == head.end) {
      if table.isBegun { showTable() }
      wrap.begin(prefixes([]), then: [])
      position = head.end
      isAfterGap = true
      place = .text
      return true
    }
    head.at += spaces
    guard let byte = head.byte(0, line) else { return false }
    if spaces >= 4 || byte == 0x09, !isInList, isAfterGap || isInIndentedCode {
      if table.isBegun { showTable() }
      isInIndentedCode = true
      isAfterGap = false
      return exactly(from: start, prefixes([]))
    }
    if byte != UInt8(ascii: "|") {
      if table.isBegun { showTable() }
      // After a line that is not a row, a table may start again.
      table.takesMore = true
    }
    let indent = WordWrap.Prefix.spaces(spaces)
    switch byte {
    case UInt8(ascii: "|"):
      guard head.isWhole else { return false }
      return readRow(line[head.at..<head.end], from: start, prefixes([]))
    case UInt8(ascii: "#"):
      let level = head.run(of: byte, line)
      let next = head.byte(level, line)
      if next == nil, !head.isWhole { return false }
      if level <= 6, next == 0x20 {
        var at = head.at
        if rendering == .full {
          at += level
          while at < head.end, line[at] == 0x20 { at += 1 }
          // All spaces before the title have to be there, or one of them would be shown.
          if at == head.end, !head.isWhole { return false }
          // Without a title the mark is all there is.
          if at == head.end { at = head.at }
          weight = level == 1 ? [.bold, .underlined] : .bold
        }
        ended()
        isInList = false
        return text(from: at, prefixes([indent]), prefixes([indent]))
      }
    case UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "_"):
      if let decided = readMark(byte, &head, spaces, prefixes) { return decided }
    case UInt8(ascii: "0")...UInt8(ascii: "9"):
      var digits = 1
      while let next = head.byte(digits, line), (0x30...0x39).contains(next), digits < 10 {
        digits += 1
      }
      guard let mark = head.byte(digits, line) else {
        if !head.isWhole { return false }
        break
      }
      if digits < 10, mark == UInt8(ascii: ".") || mark == UInt8(ascii: ")") {
        guard let next = head.byte(digits + 1, line) else {
          if !head.isWhole { return false }
          break
        }
        if next == 0x20 {
          var width = digits + 2
          while let next = head.byte(width, line), next == 0x20, width < digits + 5 { width += 1 }
          if head.at + width == head.end, !head.isWhole { return false }
          ended()
          isInList = true
          let label = String(decoding: line[head.at..<(head.at + width)], as: UTF8.self)
          return text(
            from: head.at + width, prefixes([indent, WordWrap.Prefix(label)]),
            prefixes([indent, .spaces(width)]))
        }
      }
    case UInt8(ascii: "`"), UInt8(ascii: "~"):
      let length = head.run(of: byte, line)
      if head.at + length == head.end, !head.isWhole { return false }
      if length >= 3 {
        guard head.isWhole else { return false }
        let info = line[(head.at + length)..<head.end]
        if byte != UInt8(ascii: "`") || !info.contains(byte) {
          ended()
          fence = Fence(byte: byte, length: length, quotes: depth)
          weight = rendering == .full ? .dim : []
          return exactly(from: start, prefixes([]))
        }
      }
    default: break
    }
    if spaces == 0, isAfterGap || !isInList { isInList = false }
    ended()
    return text(from: head.at, prefixes([indent]), prefixes([indent]))
  }

  /// A block starts that is not code.
  private mutating func ended() {
    isAfterGap = false
    isInIndentedCode = false
  }

  private mutating func text(
    from start: Int, _ first: [WordWrap.Prefix], _ rest: [WordWrap.Prefix]
  ) -> Bool {
    wrap.begin(first, then: rest)
    position = start
    place = .text
    return true
  }

  private mutating func exactly(from start: Int, _ prefixes: [WordWrap.Prefix]) -> Bool {
    wrap.begin(prefixes, then: prefixes)
    position = start
    place = .exact
    return true
  }

  /// Inside code: unchanged, up to the closing fence.
  private mutating func readCode(
    _ open: Fence, _ head: inout Head, _ spaces: Int, _ prefixes: [WordWrap.Prefix]
  ) -> Bool {
    let start = head.at
    head.at += spaces
    if head.byte(0, line) == open.byte {
      guard head.isWhole else { return false }
      let length = head.run(of: open.byte, line)
      let rest = line[(head.at + length)..<head.end]
      if length >= open.length, rest.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
        fence = nil
        isAfterGap = false
        weight = rendering == .full ? .dim : []
      }
    }
    return exactly(from: start, prefixes)
  }

  /// A mark that may start a list item, be a rule, or belong to the text. Nil for the last.
  private mutating func readMark(
    _ byte: UInt8, _ head: inout Head, _ spaces: Int,
    _ prefixes: ([WordWrap.Prefix]) -> [WordWrap.Prefix]
  ) -> Bool? {
    // A rule is nothing but its mark, three times or more.
    var marks = 0
    var at = head.at
    while at < head.end, line[at] == byte || line[at] == 0x20 {
      marks += line[at] == byte ? 1 : 0
      at += 1
    }
    let mayBeRule = byte != UInt8(ascii: "+")
    if at == head.end, mayBeRule {
      if !head.isWhole { return false }
      if marks >= 3 {
        ended()
        isInList = false
        guard rendering == .full else { return exactly(from: head.at - spaces, prefixes([])) }
        wrap.begin(prefixes([]), then: prefixes([]))
        let rule = String(repeating: glyphs.rule, count: max(min(wrap.columns - 1, 40), 3))
        wrap.addExactly(Array(rule.utf8)[...], .dim)
        position = head.end
        place = .exact
        return true
      }
    }
    guard byte != UInt8(ascii: "_") else { return nil }
    guard let next = head.byte(1, line) else { return head.isWhole ? nil : false }
    guard next == 0x20 else { return nil }
    var width = 2
    while let next = head.byte(width, line), next == 0x20, width < 5 { width += 1 }
    if head.at + width == head.end, !head.isWhole { return false }
    var from = head.at + width
    var label = String(decoding: line[head.at..<from], as: UTF8.self)
    if rendering == .full {
      // Task list items, open and done.
      if head.byte(width, line) == UInt8(ascii: "[") {
        guard head.byte(width + 3, line) != nil || head.isWhole else { return false }
        if head.byte(width + 2, line) == UInt8(ascii: "]"), head.byte(width + 3, line) == 0x20 {
          switch head.byte(width + 1, line) {
          case 0x20: label = "\(glyphs.open) "
          case UInt8(ascii: "x"), UInt8(ascii: "X"): label = "\(glyphs.done) "
          default: break
          }
          if label.utf8.first != byte { from += 4 }
        }
      }
      if label.utf8.first == byte, !glyphs.bullet.isEmpty {
        label = glyphs.bullet + String(repeating: " ", count: width - 1)
      }
    }
    ended()
    isInList = true
    let indent = WordWrap.Prefix.spaces(spaces)
    let mark = WordWrap.Prefix(label)
    return text(from: from, prefixes([indent, mark]), prefixes([indent, .spaces(mark.width)]))
  }

  // MARK: Tables

  private mutating func readRow(
    _ row: ArraySlice<UInt8>, from start: Int, _ prefixes: [WordWrap.Prefix]
  ) -> Bool {
    ended()
    isInList = false
    guard table.takesMore else {
      return text(from: start, prefixes, prefixes)
    }
    table.add(Array(row), behind: prefixes)
    position = row.endIndex
    place = .head
    if !table.mayBeTable || table.isFull { showTable() }
    return true
  }

  /// The rows that were held back: in columns if they fit in the window, otherwise as written.
  private mutating func showTable() {
    let held = table
    table = MarkdownTable()
    table.takesMore = held.isWhole
    let columns = held.isTable ? laidOut(held) : nil
    for (index, row) in held.rows.enumerated() {
      wrap.begin(held.prefixes, then: held.prefixes)
      if let columns {
        for piece in columns[index] { wrap.addExactly(piece.bytes[...], piece.weight) }
      } else if rendering == .full, !held.isTable {
        _ = showInline(row, from: 0, to: row.count, isWhole: true, [])
      } else {
        wrap.add(row[...], [])
      }
      wrap.newLine()
    }
  }
}
