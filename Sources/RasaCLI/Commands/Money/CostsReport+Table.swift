import RasaKit
import RasaTerminal

extension CostsReport {
  private struct Column {
    var title: String
    var cells: [String]
    /// Those with the highest number go first where there is no room; 0 stays.
    var spareness = 0
    var isNumber = true
    /// Nothing but zeros stands in it.
    var isEmpty = false

    var width: Int { ([title] + cells).map { displayWidth($0) }.max() ?? 0 }
  }

  /// For a terminal of that width: what has no room is left out, names are cut last.
  package func table(width: Int) -> String {
    guard !costs.rows.isEmpty else { return "nothing was spent \(days)\n" }
    var columns = names + figures
    func overflow() -> Int {
      columns.map(\.width).reduce(0, +) + 2 * (columns.count - 1) - width
    }
    for isEmpty in [true, false] {
      while overflow() > 0,
        let spare = columns.indices.filter({
          columns[$0].spareness > 0 && (!isEmpty || columns[$0].isEmpty)
        }).max(by: { columns[$0].spareness < columns[$1].spareness })
      {
        columns.remove(at: spare)
      }
    }
    shrinkNames(of: &columns, by: overflow())
    let widths = columns.map(\.width)
    var lines = [line(columns.map(\.title), columns, widths)]
    for row in 0...costs.rows.count {
      lines.append(line(columns.map { $0.cells[row] }, columns, widths))
    }
    return lines.joined(separator: "\n") + "\n" + notes.map { "\($0)\n" }.joined()
  }

  private var days: String {
    costs.from == costs.to ? "on \(costs.from)" : "from \(costs.from) to \(costs.to)"
  }

  private var names: [Column] {
    costs.keys.enumerated().map { place, key in
      let cells = costs.rows.map { row in
        row.keys[place].isEmpty ? "-" : TerminalText.line(row.keys[place])
      }
      return Column(
        title: key.rawValue.uppercased(), cells: cells + [place == 0 ? "total" : ""],
        isNumber: false)
    }
  }

  private var figures: [Column] {
    let all = costs.rows + [costs.total]
    func count(_ title: String, spareness: Int, _ figure: (Rasa.Costs.Row) -> Int64) -> Column {
      Column(
        title: title, cells: all.map { String(figure($0)) }, spareness: spareness,
        isEmpty: figure(costs.total) == 0)
    }
    return [
      count("CALLS", spareness: 0) { $0.calls }, count("FAILED", spareness: 3) { $0.failures },
      count("INPUT", spareness: 2) { $0.inputTokens },
      count("OUTPUT", spareness: 1) { $0.outputTokens },
      count("CACHED", spareness: 5) { $0.cachedTokens },
      count("REASONING", spareness: 6) { $0.reasoningTokens },
      Column(title: "SPENT", cells: all.map(\.spent.centsText)),
      Column(
        title: "HELD", cells: all.map(\.held.centsText), spareness: 4,
        isEmpty: costs.total.held == .zero
      ),
      Column(title: "SHARE", cells: all.map { share($0.spent) }, spareness: 1),
    ]
  }

  private func share(_ amount: Rasa.Dollars) -> String {
    guard costs.total.spent > .zero else { return "-" }
    let percent = amount.percent(of: costs.total.spent)
    return percent == 0 && amount > .zero ? "<1%" : "\(percent)%"
  }

  private func shrinkNames(of columns: inout [Column], by overflow: Int) {
    var overflow = overflow
    while overflow > 0 {
      guard
        let widest = columns.indices.filter({ !columns[$0].isNumber })
          .max(by: { columns[$0].width < columns[$1].width }), columns[widest].width > 8
      else { return }
      let width = columns[widest].width - 1
      columns[widest].cells = columns[widest].cells.map { fit($0, to: width) }
      columns[widest].title = fit(columns[widest].title, to: width)
      overflow -= 1
    }
  }

  private func line(_ cells: [String], _ columns: [Column], _ widths: [Int]) -> String {
    var line = ""
    for (index, cell) in cells.enumerated() {
      let padding = String(repeating: " ", count: max(0, widths[index] - displayWidth(cell)))
      line += columns[index].isNumber ? padding + cell : cell + padding
      if index < cells.count - 1 { line += "  " }
    }
    while line.last == " " { line.removeLast() }
    return line
  }

  private var notes: [String] {
    var notes: [String] = []
    if costs.total.unpricedCalls > 0 {
      notes.append(
        costs.total.unpricedCalls == 1
          ? "the price of 1 call is unknown and not included"
          : "the prices of \(costs.total.unpricedCalls) calls are unknown and not included")
    }
    if costs.rows.reduce(0, { $0 + $1.calls }) < costs.total.calls {
      notes.append("only the first \(costs.rows.count) rows are listed; the total includes all")
    }
    return notes
  }
}
