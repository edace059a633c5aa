import RasaCore
import RasaSystem
import RasaTerminal

/// A list as people read it and as programs do: one of the two, from the same rows.
struct Table {
  var columns: [String]
  var rows: [[String]]
  /// The same rows for programs.
  var values: [Value]
  /// Said instead of an empty table.
  var whenEmpty = "nothing to show"

  /// The last column needs this much for what it says to be read.
  private static let leastLast = 16

  /// The last column takes what is left of the width, and is cut with an ellipsis. Where that is too
  /// little, each row takes some lines of its own. Columns of numbers are aligned at the right.
  func text(width: Int, glyphs: Glyphs = .unicode) -> String {
    guard !rows.isEmpty else {
      // Off a terminal the width is unlimited, and so is the line.
      return wrapped(whenEmpty + "\n", columns: width, mostColumns: width)
    }
    var widths = columns.map { displayWidth($0) }
    for row in rows {
      for (index, cell) in row.enumerated() where index < widths.count {
        widths[index] = max(widths[index], displayWidth(cell))
      }
    }
    let fixed = widths.dropLast().reduce(0, +) + 2 * (widths.count - 1)
    if let last = widths.indices.last {
      guard fixed + min(widths[last], Self.leastLast) <= width else {
        return stacked(width: width, glyphs: glyphs)
      }
      widths[last] = min(widths[last], width - fixed)
    }
    let isNumber = columns.indices.map { $0 > 0 && holdsNumbers($0) }
    var lines: [String] = []
    for row in [columns] + rows {
      var line = ""
      for (index, cell) in row.enumerated() {
        let text = fit(cell, to: widths[index], ellipsis: glyphs.ellipsis)
        let space = String(repeating: " ", count: widths[index] - displayWidth(text))
        let isLast = index == row.count - 1
        line += isNumber[index] ? space + text : isLast ? text : text + space
        if !isLast { line += "  " }
      }
      lines.append(line)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The first cell of a row, and the others below it; numbers say what they count.
  private func stacked(width: Int, glyphs: Glyphs) -> String {
    let isNumber = columns.indices.map { $0 > 0 && holdsNumbers($0) }
    let dot = glyphs.own(" · ")
    var lines: [String] = []
    for row in rows {
      lines += RasaTerminal.rows(of: row.first ?? "", columns: width)
      var facts: [String] = []
      for (index, cell) in row.enumerated().dropFirst() where !cell.isEmpty && cell != "-" {
        let text = fit(cell, to: max(2 * width - 8, 16), ellipsis: glyphs.ellipsis)
        facts.append(isNumber[index] ? "\(columns[index].lowercased()) \(text)" : text)
      }
      guard !facts.isEmpty else { continue }
      lines += RasaTerminal.rows(of: facts.joined(separator: dot), columns: max(width - 2, 8))
        .map { "  " + $0 }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func holdsNumbers(_ column: Int) -> Bool {
    var hasOne = false
    for row in rows where column < row.count && !row[column].isEmpty && row[column] != "-" {
      guard row[column].isNumber else { return false }
      hasOne = true
    }
    return hasOne
  }
}

extension String {
  /// `12`, `$0.0003`, `<1%`, `128k`.
  fileprivate var isNumber: Bool {
    var hasDigit = false
    for byte in utf8 {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): hasDigit = true
      case UInt8(ascii: "."), UInt8(ascii: ","), UInt8(ascii: "$"), UInt8(ascii: "%"),
        UInt8(ascii: "<"), UInt8(ascii: "k"), UInt8(ascii: "M"):
        break
      default: return false
      }
    }
    return hasDigit
  }
}

/// A moment as people read it, in the machine's own zone to the day and minute.
func momentText(_ moment: Timestamp, _ time: TimeSource) -> String {
  let ago = (time.now().milliseconds - moment.milliseconds) / 1000
  switch ago {
  case ..<0: return "\(time.localDay(moment))"
  case 0..<60: return "just now"
  case 60..<3600: return "\(ago / 60) min ago"
  case 3600..<86_400: return "\(ago / 3600) h ago"
  default: return "\(time.localDay(moment))"
  }
}
