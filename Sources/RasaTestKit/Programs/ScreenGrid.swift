import RasaCore

/// A terminal emulator, sufficient for programs that write lines: bytes go in, and the visible
/// screen comes out.
///
/// It wraps after the last column as terminals do: when the next character arrives. Rows that were
/// scrolled away are kept, and count as seen.
package struct ScreenGrid: Sendable, Hashable {
  package struct Cell: Sendable, Hashable {
    /// Empty for the second column of a wide character.
    package var text: String
    /// `bold`, `dim`, `italic`, `underlined`, `struck`, and colour numbers.
    package var attributes: Set<String> = []
  }

  private enum State: Sendable, Hashable { case text, escape, sequence(String), string }

  package private(set) var columns: Int
  private let height: Int
  private var rows: [[Cell]] = [[]]
  /// The rows that continue a line that was longer than the window.
  private var wrapped: Set<Int> = []
  private var row = 0
  private var column = 0
  private var mustWrap = false
  private var attributes: Set<String> = []
  private var state = State.text
  private var incomplete: [UInt8] = []
  private var measure = DisplayMeasure()

  package init(columns: Int, height: Int = 24) {
    self.columns = columns
    self.height = height
  }

  package mutating func write(_ text: String) { write(Array(text.utf8)) }

  package mutating func write(_ bytes: some Sequence<UInt8>) {
    for byte in bytes {
      incomplete.append(byte)
      let first = incomplete[0]
      let length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
      guard incomplete.count >= length else { continue }
      let text = String(decoding: incomplete, as: UTF8.self)
      incomplete = []
      for scalar in text.unicodeScalars { take(scalar) }
    }
  }

  /// Changes the width of the window. Existing rows stay as they are, as in terminals that do not
  /// reflow.
  package mutating func resize(columns: Int) {
    self.columns = columns
    column = min(column, max(columns - 1, 0))
    mustWrap = false
  }

  // MARK: What is seen

  /// All rows from the first to the last with content, without trailing blanks.
  package var text: String { lines.joined(separator: "\n") }

  package var lines: [String] {
    var lines = rows.map { Self.text(of: $0) }
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }

  /// The same, with wrapped rows joined.
  package var unwrappedText: String {
    var text = ""
    for (index, row) in rows.enumerated() {
      if index > 0, !wrapped.contains(index) { text += "\n" }
      let isBroken = wrapped.contains(index + 1)
      text += isBroken ? row.map(\.text).joined() : Self.text(of: row)
    }
    while text.utf8.last == 0x0A { text.removeLast() }
    return text
  }

  /// The style of the text where it first appears; nil if it is not on one row.
  package func attributes(of text: String) -> Set<String>? {
    let wanted = text.map(String.init)
    for row in rows {
      let cells = row.filter { !$0.text.isEmpty }
      for start in cells.indices where start + wanted.count <= cells.count {
        let found = cells[start..<(start + wanted.count)]
        guard found.map(\.text) == wanted else { continue }
        return found.dropFirst().reduce(found[start].attributes) { $0.intersection($1.attributes) }
      }
    }
    return nil
  }

  private static func text(of row: [Cell]) -> String {
    var text = row.map(\.text).joined()
    while text.utf8.last == 0x20 { text.removeLast() }
    return text
  }

  // MARK: What is obeyed

  private mutating func take(_ scalar: Unicode.Scalar) {
    switch state {
    case .text: break
    case .escape:
      state = scalar == "[" ? .sequence("") : scalar == "]" ? .string : .text
      return
    case .string:
      if scalar == "\u{7}" { state = .text }
      if scalar == "\u{1B}" { state = .escape }
      return
    case .sequence(let parameters):
      guard (0x40...0x7E).contains(scalar.value) else {
        state = .sequence(parameters + String(scalar))
        return
      }
      state = .text
      obey(scalar, parameters)
      return
    }
    switch scalar {
    case "\u{1B}": state = .escape
    case "\n":
      (row, column) = (row + 1, 0)
      beginRow()
    case "\r":
      column = 0
      mustWrap = false
    case "\u{8}":
      column = max(column - 1, 0)
      mustWrap = false
    case "\t": column = min((column / 8 + 1) * 8, columns - 1)
    case _ where scalar.value < 0x20: break
    default: show(scalar)
    }
  }

  private mutating func beginRow() {
    while rows.count <= row { rows.append([]) }
    mustWrap = false
    measure = DisplayMeasure()
  }

  private mutating func show(_ scalar: Unicode.Scalar) {
    let width = measure.add(scalar)
    if width == 0 || (width == 1 && scalar.value == 0xFE0F) {
      // It combines with the character that is already there.
      var place = min(column, rows[row].count) - (mustWrap ? 0 : 1)
      while place > 0, rows[row].indices.contains(place), rows[row][place].text.isEmpty {
        place -= 1
      }
      if rows[row].indices.contains(place) { rows[row][place].text.unicodeScalars.append(scalar) }
      if width == 1, column < columns {
        set(Cell(text: "", attributes: attributes), at: column)
        column += 1
      }
      return
    }
    if mustWrap || column + width > columns {
      (row, column) = (row + 1, 0)
      beginRow()
      wrapped.insert(row)
      _ = measure.add(scalar)
    }
    // Most attributes are invisible on a blank.
    let seen = scalar == " " ? attributes.intersection(["underlined", "struck", "7"]) : attributes
    set(Cell(text: String(scalar), attributes: seen), at: column)
    if width == 2 { set(Cell(text: "", attributes: attributes), at: column + 1) }
    column += width
    if column >= columns {
      column = columns - 1
      mustWrap = true
    }
  }

  private mutating func set(_ cell: Cell, at column: Int) {
    while rows[row].count <= column { rows[row].append(Cell(text: " ")) }
    rows[row][column] = cell
  }

  private mutating func obey(_ final: Unicode.Scalar, _ parameters: String) {
    let numbers = parameters.split(separator: ";", omittingEmptySubsequences: false)
      .map { Int($0) ?? 0 }
    let count = max(numbers.first ?? 1, 1)
    let top = max(0, rows.count - height)
    switch final {
    case "m":
      for number in numbers.isEmpty ? [0] : numbers {
        switch number {
        case 0: attributes = []
        case 1: attributes.insert("bold")
        case 2: attributes.insert("dim")
        case 3: attributes.insert("italic")
        case 4: attributes.insert("underlined")
        case 9: attributes.insert("struck")
        default: attributes.insert("\(number)")
        }
      }
    case "A": move(to: max(row - count, top), column)
    case "B": move(to: row + count, column)
    case "C": move(to: row, min(column + count, columns - 1))
    case "D": move(to: row, max(column - count, 0))
    case "G": move(to: row, min(count - 1, columns - 1))
    case "H":
      let second = numbers.count > 1 ? max(numbers[1], 1) : 1
      move(to: top + count - 1, min(second - 1, columns - 1))
    case "K":
      let kind = numbers.first ?? 0
      if kind == 2 {
        rows[row] = []
      } else if kind == 1 {
        for place in 0...column { set(Cell(text: " "), at: place) }
      } else if rows[row].count > column {
        rows[row].removeSubrange(column...)
      }
    case "J":
      if rows[row].count > column { rows[row].removeSubrange(column...) }
      rows.removeSubrange((row + 1)...)
    case "P":
      let end = min(column + count, rows[row].count)
      if column < end { rows[row].removeSubrange(column..<end) }
    case "@":
      if rows[row].count > column {
        rows[row].insert(contentsOf: (0..<count).map { _ in Cell(text: " ") }, at: column)
      }
    default: break
    }
  }

  private mutating func move(to row: Int, _ column: Int) {
    self.row = row
    self.column = column
    beginRow()
  }
}
