import RasaCore
import RasaSystem
import RasaTerminal

/// A list as people read it and as programs do: one of the two, from the same rows.
struct Listing {
  var columns: [String]
  var rows: [[String]]
  /// The same rows for programs.
  var values: [Value]
  /// Said instead of an empty table.
  var whenEmpty = "nothing to show"

  /// The last column takes what is left of the width; text that does not fit is cut with an ellipsis.
  func text(width: Int) -> String {
    guard !rows.isEmpty else { return whenEmpty + "\n" }
    var widths = columns.map { displayWidth($0) }
    for row in rows {
      for (index, cell) in row.enumerated() where index < widths.count {
        widths[index] = max(widths[index], displayWidth(cell))
      }
    }
    let fixed = widths.dropLast().reduce(0, +) + 2 * (widths.count - 1)
    if let last = widths.indices.last { widths[last] = min(widths[last], max(12, width - fixed)) }
    var lines: [String] = []
    for row in [columns] + rows {
      var line = ""
      for (index, cell) in row.enumerated() {
        let text = fit(cell, to: widths[index])
        line += text
        if index < row.count - 1 {
          line += String(repeating: " ", count: widths[index] - displayWidth(text) + 2)
        }
      }
      lines.append(line)
    }
    return lines.joined(separator: "\n") + "\n"
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
