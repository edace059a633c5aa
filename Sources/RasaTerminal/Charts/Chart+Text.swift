import RasaCore

extension Chart {
  /// The chart in characters, with what it rests on and its notes below.
  ///
  /// - Parameter width: in columns.
  package func text(width: Int, style: Style = .plain) -> String {
    let width = min(max(width, 20), 200)
    let glyphs = style.glyphs
    var lines = rows(glyphs.own(title), width, glyphs).map { style.bold($0) }
    if hasFigures {
      switch axis {
      case .names: lines += bars(width: width, style)
      case .days(let first, let count):
        lines += curve(first: first, count: max(count, 1), width: width, style)
      }
    }
    for note in (hasFigures ? [basis] : []) + notes {
      lines += rows(glyphs.own(note), width, glyphs).map { style.dim($0) }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private func rows(_ text: String, _ width: Int, _ glyphs: Glyphs) -> [String] {
    RasaTerminal.rows(of: text, columns: width)
      .map { fit($0, to: width, ellipsis: glyphs.ellipsis) }
  }

  // MARK: Bars

  private func bars(width: Int, _ style: Style) -> [String] {
    let glyphs = style.glyphs
    let scale = ChartScale(self)
    let texts = points.map { glyphs.own($0.text(unit)) }
    let labels = points.map { fit($0.label, to: max(width / 3, 8), ellipsis: glyphs.ellipsis) }
    let labelWidth = labels.map { displayWidth($0) }.max() ?? 0
    let room = width - labelWidth - (texts.map { displayWidth($0) }.max() ?? 0) - 4
    var lines: [String] = []
    for (index, point) in points.enumerated() {
      let label =
        labels[index] + String(repeating: " ", count: labelWidth - displayWidth(labels[index]))
      if room >= 8 {
        let (bar, rest) = bar(point.value, cells: room, scale, glyphs)
        lines.append("\(label) \(style.cyan(bar))\(rest) \(texts[index])")
        continue
      }
      // On a narrow screen a bar has a line of its own.
      lines += rows("\(labels[index]) \(texts[index])", width, glyphs)
      if point.value != nil {
        lines.append("  " + style.cyan(bar(point.value, cells: width - 4, scale, glyphs).bar))
      }
    }
    return lines
  }

  /// A bar from zero to the value, and the space after it.
  private func bar(
    _ value: Double?, cells: Int, _ scale: ChartScale, _ glyphs: Glyphs
  ) -> (bar: String, rest: String) {
    let zero = Int((scale.share(0) * Double(cells)).rounded())
    var bar = String(repeating: " ", count: zero) + glyphs.bar
    let end = value.map { scale.share($0) * Double(cells) } ?? Double(zero)
    if value ?? 0 < 0 {
      let start = min(Int(end.rounded()), zero)
      bar =
        String(repeating: " ", count: start)
        + String(repeating: glyphs.isUnicode ? "█" : "#", count: zero - start) + glyphs.bar
    } else if glyphs.isUnicode {
      let eighths = max(0, Int(((end - Double(zero)) * 8).rounded()))
      bar += String(repeating: "█", count: eighths / 8)
      if eighths % 8 > 0 { bar += ["▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8 - 1] }
    } else {
      bar += String(repeating: "#", count: max(0, Int((end - Double(zero)).rounded())))
    }
    return (bar, String(repeating: " ", count: max(0, cells + 1 - displayWidth(bar))))
  }

  // MARK: Days

  private static let height = 10

  private func curve(first: LocalDay, count: Int, width: Int, _ style: Style) -> [String] {
    let glyphs = style.glyphs
    let scale = ChartScale(self)
    var labels: [Int: String] = [:]
    for tick in scale.ticks {
      let row = Int(((1 - scale.share(tick)) * Double(Self.height - 1)).rounded())
      labels[row] = labels[row] ?? unit.text(tick, step: scale.step)
    }
    // Numbers beyond all reason must leave room for the curve.
    labels = labels.mapValues { fit($0, to: width - 12, ellipsis: glyphs.ellipsis) }
    let gutter = labels.values.map { displayWidth($0) }.max() ?? 0
    let columns = width - gutter - 2
    var dots = DotRaster(columns: columns, rows: Self.height, isUnicode: glyphs.isUnicode)
    draw(count, scale, on: &dots)
    var lines = dots.lines.enumerated().map { row, line in
      let label = labels[row] ?? ""
      return String(repeating: " ", count: gutter - displayWidth(label)) + label + " " + glyphs.bar
        + style.cyan(line)
    }
    let margin = String(repeating: " ", count: gutter + 1)
    lines.append(
      margin + (glyphs.isUnicode ? "└" : "+") + String(repeating: glyphs.rule, count: columns))
    let (begin, end) = ("\(first)", "\(first.advanced(byDays: count - 1))")
    let gap = columns - displayWidth(begin) - displayWidth(end)
    lines.append(
      "\(margin) \(begin)"
        + (count > 1 && gap > 0 ? String(repeating: " ", count: gap) + end : ""))
    return lines
  }

  private func draw(_ count: Int, _ scale: ChartScale, on dots: inout DotRaster) {
    func across(_ place: Int) -> Int {
      count == 1
        ? dots.width / 2
        : Int((Double(place) / Double(count - 1) * Double(dots.width - 1)).rounded())
    }
    func up(_ value: Double) -> Int {
      Int(((1 - scale.share(value)) * Double(dots.height - 1)).rounded())
    }
    // Columns as wide as the space between them.
    let half = min(max(dots.width / max(count, 1) / 4, 0), 3)
    var previous: (place: Int, x: Int, y: Int)?
    for point in points {
      guard let value = point.value, (0..<count).contains(point.place) else { continue }
      let (x, y) = (across(point.place), up(value))
      if isSum {
        let zero = up(0)
        for x in x - half...x + half {
          for y in min(y, zero)...max(y, zero) { dots.set(x, y) }
        }
      } else {
        dots.set(x, y)
        // Days that follow each other are joined; over a day without a figure there is a gap.
        if let previous, previous.place + 1 == point.place, dots.joins {
          dots.line(from: (previous.x, previous.y), to: (x, y))
        }
      }
      previous = (point.place, x, y)
    }
  }
}

/// Dots that are drawn as Braille characters, eight in each, or as one character each.
struct DotRaster: Sendable {
  private let columns: Int
  private let rows: Int
  private let isUnicode: Bool
  private var dots: [Bool]

  init(columns: Int, rows: Int, isUnicode: Bool) {
    self.columns = columns
    self.rows = rows
    self.isUnicode = isUnicode
    dots = Array(repeating: false, count: columns * rows * (isUnicode ? 8 : 1))
  }

  var width: Int { columns * (isUnicode ? 2 : 1) }
  var height: Int { rows * (isUnicode ? 4 : 1) }
  /// Whether dots are small enough for lines.
  var joins: Bool { isUnicode }

  /// What lies outside is left out.
  mutating func set(_ x: Int, _ y: Int) {
    guard (0..<width).contains(x), (0..<height).contains(y) else { return }
    dots[y * width + x] = true
  }

  mutating func line(from start: (x: Int, y: Int), to end: (x: Int, y: Int)) {
    let steps = max(abs(end.x - start.x), abs(end.y - start.y), 1)
    for step in 0...steps {
      set(
        start.x + (end.x - start.x) * step / steps, start.y + (end.y - start.y) * step / steps)
    }
  }

  var lines: [String] {
    (0..<rows).map { row in
      guard isUnicode else {
        return String((0..<columns).map { dots[row * width + $0] ? "*" : " " })
      }
      var line = String.UnicodeScalarView()
      for column in 0..<columns {
        var pattern: UInt32 = 0
        for (bit, place) in Self.bits.enumerated()
        where dots[(row * 4 + place.y) * width + column * 2 + place.x] {
          pattern |= 1 << UInt32(bit)
        }
        line.append(pattern == 0 ? " " : Unicode.Scalar(0x2800 + pattern) ?? " ")
      }
      return String(line)
    }
  }

  /// Where each bit of a Braille character has its dot.
  private static let bits = [
    (x: 0, y: 0), (x: 0, y: 1), (x: 0, y: 2), (x: 1, y: 0), (x: 1, y: 1), (x: 1, y: 2),
    (x: 0, y: 3), (x: 1, y: 3),
  ]
}
