import RasaCore

/// The rows of a table, held back until the table ends.
struct MarkdownTable: Sendable {
  private(set) var rows: [[UInt8]] = []
  private(set) var prefixes: [WordWrap.Prefix] = []
  private var bytes = 0
  /// Whether a row may belong to a table: the rest of one that was too long is shown as it arrives.
  var takesMore = true

  private static let mostRows = 200
  private static let mostBytes = 32 * 1024

  var isBegun: Bool { !rows.isEmpty }
  var isFull: Bool { rows.count >= Self.mostRows || bytes >= Self.mostBytes }
  /// Whether it was held back to its end.
  var isWhole: Bool { !isFull }
  /// The second row of a table is its rule.
  var mayBeTable: Bool { rows.count < 2 || isTable }

  var isTable: Bool {
    guard rows.count > 1 else { return false }
    let rule = Self.cells(of: rows[1])
    return rule.count == Self.cells(of: rows[0]).count
      && rule.allSatisfy { Self.alignment(of: $0) != nil }
  }

  mutating func add(_ row: [UInt8], behind prefixes: [WordWrap.Prefix]) {
    if rows.isEmpty { self.prefixes = prefixes }
    rows.append(row)
    bytes += row.count
  }

  enum Alignment: Sendable { case left, center, right }

  /// What a cell of the rule says about its column; nil for anything else.
  static func alignment(of cell: [UInt8]) -> Alignment? {
    var dashes = cell[...]
    let left = dashes.first == UInt8(ascii: ":")
    if left { dashes.removeFirst() }
    let right = dashes.last == UInt8(ascii: ":")
    if right { dashes.removeLast() }
    guard !dashes.isEmpty, dashes.allSatisfy({ $0 == UInt8(ascii: "-") }) else { return nil }
    return right ? (left ? .center : .right) : .left
  }

  /// Split at bars, except for escaped ones and those in code; without surrounding space.
  static func cells(of row: [UInt8]) -> [[UInt8]] {
    var cells: [[UInt8]] = [[]]
    var isInCode = false
    var index = 0
    while index < row.count {
      let byte = row[index]
      if byte == UInt8(ascii: "\\"), index + 1 < row.count, row[index + 1] == UInt8(ascii: "|") {
        cells[cells.count - 1].append(UInt8(ascii: "|"))
        index += 2
        continue
      }
      if byte == UInt8(ascii: "`") { isInCode.toggle() }
      if byte == UInt8(ascii: "|"), !isInCode {
        cells.append([])
      } else {
        cells[cells.count - 1].append(byte)
      }
      index += 1
    }
    cells = cells.map { cell in
      var cell = cell[...]
      while let first = cell.first, first == 0x20 || first == 0x09 { cell.removeFirst() }
      while let last = cell.last, last == 0x20 || last == 0x09 { cell.removeLast() }
      return Array(cell)
    }
    if cells.first?.isEmpty == true { cells.removeFirst() }
    if cells.last?.isEmpty == true, cells.count > 1 { cells.removeLast() }
    return cells
  }
}

extension MarkdownText {
  struct Piece {
    var bytes: [UInt8]
    var weight: TextWeight
  }

  /// Each row as lines, its cells aligned in columns; nil if that does not fit in the window.
  func laidOut(_ table: MarkdownTable) -> [[Piece]]? {
    let rows = table.rows.map { MarkdownTable.cells(of: $0) }
    guard let head = rows.first, rows.count > 1 else { return nil }
    let count = head.count
    // A row with more cells than the header would lose them.
    guard rows.allSatisfy({ $0.count <= count }) else { return nil }
    let alignments = rows[1].map { MarkdownTable.alignment(of: $0) ?? .left }
    var cells: [[[Piece]]] = []
    var widths = [Int](repeating: 3, count: count)
    for (place, row) in rows.enumerated() {
      guard place != 1 else {
        cells.append([])
        continue
      }
      let shown = row.map { pieces(of: $0, place == 0 && rendering == .full ? .bold : []) }
      for (column, cell) in shown.enumerated() { widths[column] = max(widths[column], width(cell)) }
      cells.append(shown)
    }
    let indent = table.prefixes.reduce(0) { $0 + $1.width }
    let full = rendering == .full
    guard indent + widths.reduce(0, +) + 3 * (count - 1) + (full ? 0 : 4) < wrap.columns
    else { return nil }
    let bar = full ? Piece(bytes: Array(" \(glyphs.bar) ".utf8), weight: .dim) : plain(" | ")
    return cells.enumerated().map { place, row in
      var line: [Piece] = full ? [] : [plain("| ")]
      for column in 0..<count {
        if place == 1 {
          if full, column > 0 {
            line.append(
              Piece(bytes: Array((glyphs.rule + glyphs.cross + glyphs.rule).utf8), weight: .dim))
          } else if column > 0 {
            line.append(plain(" | "))
          }
          let rule = String(repeating: full ? glyphs.rule : "-", count: widths[column])
          line.append(Piece(bytes: Array(rule.utf8), weight: full ? .dim : []))
          continue
        }
        if column > 0 { line.append(bar) }
        let cell = column < row.count ? row[column] : []
        let left = widths[column] - width(cell)
        let before =
          switch alignments[column] {
          case .left: 0
          case .center: left / 2
          case .right: left
          }
        line.append(plain(String(repeating: " ", count: before)))
        line += cell
        let isLast = column == count - 1 && full
        if !isLast { line.append(plain(String(repeating: " ", count: left - before))) }
      }
      if !full { line.append(plain(" |")) }
      return line.filter { !$0.bytes.isEmpty }
    }
  }

  private func plain(_ text: String) -> Piece { Piece(bytes: Array(text.utf8), weight: []) }

  private func width(_ cell: [Piece]) -> Int {
    var measure = DisplayMeasure()
    var width = 0
    for piece in cell {
      for scalar in String(decoding: piece.bytes, as: UTF8.self).unicodeScalars {
        width += measure.add(scalar)
      }
    }
    return width
  }

  private func pieces(of cell: [UInt8], _ weight: TextWeight) -> [Piece] {
    guard rendering == .full else { return [Piece(bytes: cell, weight: weight)] }
    var pieces: [Piece] = []
    _ = MarkdownInline.read(cell, from: 0, to: cell.count, isWhole: true, weight) { bytes, weight in
      pieces.append(Piece(bytes: Array(bytes), weight: weight))
    }
    return pieces
  }
}
