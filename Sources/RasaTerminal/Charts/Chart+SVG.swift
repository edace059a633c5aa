import RasaCore

extension Chart {
  /// The chart as an SVG image that needs nothing from outside, for light and dark surroundings.
  package var svg: String { svg(id: "chart", style: "<style>\(Self.style)</style>\n") + "\n" }

  static let style = """
    .rasa-chart { font: 12px system-ui, sans-serif; color-scheme: light dark }
    .rasa-chart .paper { fill: #ffffff } .rasa-chart text { fill: #1f2328 }
    .rasa-chart .small { font-size: 10px } .rasa-chart .head { font-size: 15px; font-weight: 600 }
    .rasa-chart .grid { stroke: #d8dee4 } .rasa-chart .zero { stroke: #59636e }
    .rasa-chart .mark { fill: #0969da } .rasa-chart .join { stroke: #0969da; fill: none }
    .rasa-chart .reach { stroke: #1f2328; stroke-opacity: 0.6; fill: none }
    @media (prefers-color-scheme: dark) {
    .rasa-chart .paper { fill: #0d1117 } .rasa-chart text { fill: #e6edf3 }
    .rasa-chart .grid { stroke: #30363d } .rasa-chart .zero { stroke: #9198a1 }
    .rasa-chart .mark { fill: #4493f8 } .rasa-chart .join { stroke: #4493f8 }
    .rasa-chart .reach { stroke: #e6edf3 } }
    """

  private static let width = 760.0

  /// - Parameters:
  ///   - id: What the IDs in it begin with, so that several can stand on a page.
  ///   - style: The element with the styles; empty where the page has them.
  func svg(id: String, style: String) -> String {
    var picture = Picture()
    if hasFigures {
      switch axis {
      case .names: drawBars(&picture)
      case .days(let first, let count): drawDays(first, max(count, 1), &picture)
      }
    } else {
      picture.bottom = Picture.top
    }
    for note in (hasFigures ? [basis] : []) + notes {
      for line in RasaTerminal.rows(of: note, columns: 115) {
        picture.bottom += 16
        picture.text(20, picture.bottom, line, "small", anchor: "start")
      }
    }
    let (width, height) = (Self.width.fixed(0), (picture.bottom + 14).fixed(0))
    return """
      <svg xmlns="http://www.w3.org/2000/svg" class="rasa-chart" viewBox="0 0 \(width) \(height)" width="\(width)" height="\(height)" role="img" aria-labelledby="\(id)-title \(id)-desc">
      <title id="\(id)-title">\(title.xml)</title>
      <desc id="\(id)-desc">\(description.xml)</desc>
      \(style)<rect class="paper" width="\(width)" height="\(height)"/>
      <text class="head" x="20" y="24">\(fit(title, to: 90).xml)</text>
      \(picture.elements.joined(separator: "\n"))
      </svg>
      """
  }

  /// For those who do not see it: what the chart shows, in words.
  private var description: String {
    var sentences = [basis] + notes
    // A page has a table below it; more than this nobody wants to listen to.
    if points.count <= 31 { sentences += points.map { "\($0.label): \($0.text(unit))" } }
    return sentences.map { "\($0)." }.joined(separator: " ")
  }

  // MARK: Days

  private func drawDays(_ first: LocalDay, _ count: Int, _ picture: inout Picture) {
    let scale = ChartScale(self)
    let (left, right, top, bottom) = (72.0, Self.width - 24, Picture.top, Picture.top + 200)
    func across(_ place: Int) -> Double {
      let share = count == 1 ? 0.5 : Double(place) / Double(count - 1)
      return left + 14 + share * (right - left - 28)
    }
    func up(_ value: Double) -> Double { bottom - scale.share(value) * (bottom - top) }
    for tick in scale.ticks {
      picture.line(left, up(tick), right, up(tick), tick == 0 ? "zero" : "grid")
      picture.text(left - 8, up(tick) + 4, unit.text(tick, step: scale.step), "", anchor: "end")
    }
    let named = min(count, 6)
    for index in 0..<named {
      let place = named == 1 ? 0 : index * (count - 1) / (named - 1)
      picture.text(
        across(place), bottom + 18, "\(first.advanced(byDays: place))", "small", anchor: "middle")
    }
    let saysRuns = count <= 31
    let half = min(max((right - left) / Double(count) / 3, 0.5), 12)
    var previous: (place: Int, x: Double, y: Double)?
    for point in points {
      guard let value = point.value, (0..<count).contains(point.place) else { continue }
      let (x, y) = (across(point.place), up(value))
      let tip = "<title>\("\(point.label): \(point.text(unit))".xml)</title>"
      if isSum {
        let zero = up(0)
        // A sum of nothing is seen, too: it is no gap.
        let height = max((y - zero).magnitude, 1)
        picture.elements.append(
          "<rect class=\"mark\" x=\"\((x - half).fixed(1))\" y=\"\(min(y, zero - 1).fixed(1))\" width=\"\((2 * half).fixed(1))\" height=\"\(height.fixed(1))\">\(tip)</rect>"
        )
      } else {
        if let previous, previous.place + 1 == point.place {
          picture.line(previous.x, previous.y, x, y, "join")
        }
        if let low = point.low, let high = point.high {
          picture.line(x, up(low), x, up(high), "reach")
          // An interval that leaves the picture has no end in it.
          for end in [low, high] where !scale.isBeyond(end) {
            picture.line(x - 3, up(end), x + 3, up(end), "reach")
          }
        }
        picture.elements.append(
          "<circle class=\"mark\" cx=\"\(x.fixed(1))\" cy=\"\(y.fixed(1))\" r=\"\(count > 200 ? "1.5" : "3.5")\">\(tip)</circle>"
        )
      }
      if saysRuns {
        picture.text(x, bottom + 32, "\(point.runs)", "small", anchor: "middle")
      }
      previous = (point.place, x, y)
    }
    picture.bottom = bottom + 22
    if saysRuns {
      picture.text(left - 8, bottom + 32, "runs", "small", anchor: "end")
      picture.bottom = bottom + 40
    }
  }

  // MARK: Bars

  private func drawBars(_ picture: inout Picture) {
    let scale = ChartScale(self)
    let (left, right, rowHeight) = (190.0, Self.width - 190, 26.0)
    let bottom = Picture.top + rowHeight * Double(points.count)
    func across(_ value: Double) -> Double { left + scale.share(value) * (right - left) }
    for tick in scale.ticks {
      picture.line(
        across(tick), Picture.top, across(tick), bottom, tick == 0 ? "zero" : "grid")
      picture.text(
        across(tick), bottom + 16, unit.text(tick, step: scale.step), "small", anchor: "middle")
    }
    for (index, point) in points.enumerated() {
      let middle = Picture.top + rowHeight * (Double(index) + 0.5)
      picture.text(left - 8, middle + 4, fit(point.label, to: 28), "", anchor: "end")
      picture.text(right + 8, middle + 4, point.text(unit), "small", anchor: "start")
      guard let value = point.value else { continue }
      let (zero, end) = (across(0), across(value))
      picture.elements.append(
        "<rect class=\"mark\" x=\"\(min(zero, end).fixed(1))\" y=\"\((middle - 8).fixed(1))\" width=\"\((end - zero).magnitude.fixed(1))\" height=\"16\"><title>\("\(point.label): \(point.text(unit))".xml)</title></rect>"
      )
      guard let low = point.low, let high = point.high else { continue }
      picture.line(across(low), middle, across(high), middle, "reach")
      for end in [low, high] where !scale.isBeyond(end) {
        picture.line(across(end), middle - 4, across(end), middle + 4, "reach")
      }
    }
    picture.bottom = bottom + 22
  }
}

/// The elements of an image, from top to bottom.
private struct Picture {
  static let top = 44.0
  var elements: [String] = []
  var bottom = 0.0

  mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ name: String) {
    elements.append(
      "<line class=\"\(name)\" x1=\"\(x1.fixed(1))\" y1=\"\(y1.fixed(1))\" x2=\"\(x2.fixed(1))\" y2=\"\(y2.fixed(1))\"/>"
    )
  }

  mutating func text(
    _ x: Double, _ y: Double, _ text: String, _ name: String, anchor: String
  ) {
    let name = name.isEmpty ? "" : " class=\"\(name)\""
    elements.append(
      "<text\(name) x=\"\(x.fixed(1))\" y=\"\(y.fixed(1))\" text-anchor=\"\(anchor)\">\(text.xml)</text>"
    )
  }
}
