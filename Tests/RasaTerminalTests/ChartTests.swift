import Foundation
import FoundationXML
import RasaCore
import RasaTerminal
import RasaTestKit
import Testing

/// The elements of an XML document, by name; nil where it is none.
private final class Elements: NSObject, XMLParserDelegate {
  private(set) var counts: [String: Int] = [:]
  private(set) var text = ""

  static func read(_ xml: String) -> Elements? {
    let elements = Elements()
    let parser = XMLParser(data: Data(xml.utf8))
    parser.delegate = elements
    return parser.parse() ? elements : nil
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String] = [:]
  ) { counts[name, default: 0] += 1 }

  func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
}

@Suite("Charts") struct ChartTests {
  private let first = LocalDay(year: 2026, month: 1, day: 1)

  private func days(
    _ values: [Double?], unit: Chart.Unit = .score, isSum: Bool = false, reach: Double? = nil
  ) -> Chart {
    Chart(
      title: "Score by day", unit: unit, axis: .days(first: first, count: values.count),
      isSum: isSum,
      points: values.enumerated().compactMap { place, value in
        guard let value else { return nil }
        return Chart.Point(
          label: "\(first.advanced(byDays: place))", place: place, value: value,
          low: reach.map { value - $0 }, high: reach.map { value + $0 }, runs: 3, allRuns: 4)
      })
  }

  private func names(_ values: [(String, Double?)], unit: Chart.Unit = .score) -> Chart {
    Chart(
      title: "Score by kind of task", unit: unit, axis: .names, isSum: false,
      points: values.enumerated().map { place, value in
        Chart.Point(label: value.0, place: place, value: value.1, runs: 12, allRuns: 12)
      })
  }

  private let ascii = Style(isColored: false, glyphs: .ascii)

  @Test("bars: eighths of a character, and nothing for what has no figure")
  func bars() {
    let chart = names([("code", 0.75), ("writing", 0.3), ("tax", nil)])
    #expect(
      chart.text(width: 50) == """
        Score by kind of task
        code    │██████████████▎     0.75, 12 runs
        writing │█████▊              0.30, 12 runs
        tax     │                    no figure of 12 runs
        12 runs each

        """, "\n\(chart.text(width: 50))")
    #expect(
      chart.text(width: 50, style: ascii).contains("code    |##############      0.75"),
      "\n\(chart.text(width: 50, style: ascii))")
  }

  @Test("points lose bars to the left of zero")
  func negative() {
    let chart = names([("good", 20), ("bad", -20)], unit: .number)
    let lines = chart.text(width: 50, style: ascii).split(separator: "\n").map(String.init)
    #expect(lines[1].contains("    |####"), "\(lines)")
    #expect(lines[2].contains("####|    "), "\(lines)")
  }

  @Test("on a narrow screen a bar has a line of its own, and no line is too long")
  func narrow() {
    let chart = names([("a rather long name of a kind of task", 0.5)])
    let text = chart.text(width: 24)
    #expect(text.contains("█"))
    #expect(text.split(separator: "\n").allSatisfy { displayWidth($0) <= 24 }, "\(text)")
  }

  @Test("days: a day without runs is a gap, and a value of zero is none")
  func gap() {
    let chart = days([1, nil, 1, 0, 0], isSum: true)
    let lines = chart.text(width: 40, style: ascii).split(separator: "\n").map(String.init)
    let plot = lines[1...10].map { line in String(line.drop { $0 != "|" }.dropFirst()) }
    let bottom = plot[9].map { $0 == "*" }
    let columns = bottom.indices.filter { bottom[$0] }
    // Three columns of the width that they have, the last at the right end, none in the second place.
    #expect(columns.first == 0 && columns.last == bottom.count - 1, "\(lines)")
    let second = Int((Double(bottom.count - 1) / 4).rounded())
    #expect(!plot.contains { $0.count > second && Array($0)[second] == "*" }, "\(lines)")
    #expect(!plot[0].hasSuffix("*"))
    #expect(lines[12].contains("2026-01-01") && lines[12].hasSuffix("2026-01-05"), "\(lines)")
    #expect(lines[13] == "4 of 5 days have a figure, from 3 runs" && lines[14].hasSuffix("each"))
  }

  @Test("a curve of Braille dots joins days that follow each other")
  func curve() {
    let joined = days([0, 1]).text(width: 30)
    let apart = days([0, nil, 1]).text(width: 30)
    func dots(_ text: String) -> Int {
      text.unicodeScalars.filter { (0x2801...0x28FF).contains($0.value) }.count
    }
    #expect(dots(apart) == 2 && dots(joined) > 15, "\n\(joined)\(apart)")
    #expect(joined.contains("1.0 │") && joined.contains("0.8 │"), "\n\(joined)")
  }

  @Test("without a figure no axis is drawn, and that is said")
  func nothing() {
    var chart = names([("code", nil)])
    chart.notes = ["nobody has judged a run"]
    #expect(chart.text(width: 80) == "Score by kind of task\nnobody has judged a run\n")
    #expect(Elements.read(chart.svg)?.counts["rect"] == 1)
  }

  @Test("colours only where the style has them")
  func colours() {
    let chart = days([0.5, 0.6])
    #expect(!chart.text(width: 80).contains("\u{1B}"))
    #expect(chart.text(width: 80, style: .colored).contains("\u{1B}[36m"))
  }

  @Test(
    "values are written to the digits that tell something",
    arguments: [
      (Chart.Unit.dollars, 0.0, "$0"), (.dollars, 1.5, "$1.50"), (.dollars, 0.000123, "$0.00012"),
      (.dollars, 1234.5, "$1234.50"), (.share, 0.123, "12%"), (.score, 0.815, "0.82"),
      (.seconds, 12.34, "12.3 s"), (.number, 12, "12"), (.number, -3.25, "-3.3"),
    ])
  func texts(unit: Chart.Unit, value: Double, expected: String) {
    let chart = names([("a", value)], unit: unit)
    #expect(chart.text(width: 80).contains(" \(expected), 12 runs"), "\(chart.text(width: 80))")
  }

  @Test("an SVG image stands alone, says what it shows, and has a mark for each figure")
  func svg() throws {
    let chart = days([0.5, nil, 0.7, 0.9], reach: 0.1)
    let image = chart.svg
    let elements = try #require(Elements.read(image))
    #expect(elements.counts["circle"] == 3)
    // Two days follow each other; each figure has its interval, with an end on each side.
    let joins = image.split(separator: "\n").count { $0.contains("class=\"join\"") }
    #expect(joins == 1)
    #expect(image.split(separator: "\n").count { $0.contains("class=\"reach\"") } == 9)
    #expect(image.contains("role=\"img\" aria-labelledby=\"chart-title chart-desc\""))
    #expect(elements.text.contains("2026-01-03: 0.70 (0.60–0.80), 3 runs"))
    #expect(image.contains("prefers-color-scheme: dark"))
    #expect(!image.contains("<script") && !image.contains("href") && !image.contains("url("))
    #expect(image.components(separatedBy: "http").count == 2)
  }

  @Test("what others named cannot become markup")
  func hostile() throws {
    let name = "</title><script>alert(\"x\")</script>&amp;\u{1B}[2J\u{202E}\u{0}\u{FFFE}"
    var chart = names([(name, 0.5)])
    chart.title = name
    chart.notes = [name]
    for text in [chart.svg, Chart.page(title: name, [chart, chart])] {
      let elements = try #require(Elements.read(text), "\(text)")
      #expect(elements.counts["script"] == nil)
      #expect(!text.contains("\u{1B}"))
    }
    let bars = names([(name, 0.5)]).text(width: 60)
    #expect(!bars.contains("\u{1B}") && !bars.contains("\u{202E}"))
  }

  @Test("a page has each chart with its table, and each ID once")
  func page() throws {
    let page = Chart.page(
      title: "How runs went", [days([0.5, nil, 0.7], reach: 0.1), names([("a", nil)])])
    let elements = try #require(Elements.read(page))
    #expect(elements.counts["svg"] == 2 && elements.counts["table"] == 2)
    // A head and two days; a head and a name.
    #expect(elements.counts["tr"] == 5)
    #expect(page.contains("<td>0.70</td><td>0.60–0.80</td><td>3 of 4</td>"))
    let ids = page.components(separatedBy: " id=\"").dropFirst().map { $0.prefix { $0 != "\"" } }
    #expect(Set(ids).count == ids.count && ids.count == 4)
    #expect(!page.contains("<script") && page.contains("default-src 'none'"))
  }

  static let extremes: [[Double?]] = [
    [0.5], [nil, nil, 3], Array(repeating: 7, count: 40), [0, 0, 0], [-30, 20, -1],
    [.greatestFiniteMagnitude, -.greatestFiniteMagnitude], [.leastNonzeroMagnitude, 0],
    [1e-13, 1e-12], [1e300, 1], [.infinity, 1, .nan], Array(repeating: 1e100, count: 3),
    (0..<3_000).map { $0 % 7 == 0 ? nil : Double($0 % 100) / 100 },
  ]

  @Test("any numbers are drawn within the picture", arguments: extremes)
  func property(values: [Double?]) throws {
    for unit in [Chart.Unit.score, .share, .dollars, .seconds, .number] {
      for isSum in [false, true] {
        try expectDrawn(days(values, unit: unit, isSum: isSum, reach: 0.3))
      }
      try expectDrawn(names(values.map { ("x", $0) }, unit: unit))
    }
  }

  @Test("random numbers are drawn within the picture", arguments: 1...40)
  func random(seed: UInt64) throws {
    var numbers = SeededNumbers(seed: seed)
    let values: [Double?] = (0..<(1 + numbers.upTo(60))).map { _ in
      if numbers.happens(oneIn: 5) { return nil }
      let value = Double(numbers.upTo(2_000_001) - 1_000_000) / 1000
      return numbers.happens(oneIn: 3) ? value * 1e-6 : value
    }
    let reach = Double(numbers.upTo(1000))
    try expectDrawn(days(values, unit: .number, isSum: numbers.happens(oneIn: 2), reach: reach))
    try expectDrawn(names(values.map { ("ü\(numbers.upTo(9))", $0) }, unit: .dollars))
  }

  private func expectDrawn(_ chart: Chart) throws {
    let image = chart.svg
    let elements = try #require(Elements.read(image))
    let drawn = chart.points.count { $0.value != nil }
    if chart.axis == .names || chart.isSum {
      // The paper is one, too.
      #expect(elements.counts["rect"] == drawn + 1)
    } else {
      #expect(elements.counts["circle", default: 0] == drawn)
    }
    let height = number(after: "viewBox=\"0 0 760 ", in: image)
    for attribute in ["x", "x1", "x2", "cx"] {
      for value in numbers(of: attribute, in: image) {
        #expect((0...760).contains(value), "\(attribute) \(value)")
      }
    }
    for attribute in ["y", "y1", "y2", "cy"] {
      for value in numbers(of: attribute, in: image) {
        #expect((0...height).contains(value), "\(attribute) \(value)")
      }
    }
    for width in [20, 33, 80, 160] {
      for style in [Style.plain, ascii] {
        let text = chart.text(width: width, style: style)
        #expect(text.split(separator: "\n").allSatisfy { displayWidth($0) <= width }, "\n\(text)")
        if style == ascii {
          #expect(
            !text.unicodeScalars.contains { $0.value >= 0x80 && $0 != "ü" && $0 != "∞" },
            "\n\(text)")
        }
      }
    }
  }

  private func number(after text: String, in image: String) -> Double {
    let rest = image.components(separatedBy: text).dropFirst().first ?? ""
    return Double(rest.prefix { $0 != "\"" }) ?? -1
  }

  private func numbers(of attribute: String, in image: String) -> [Double] {
    image.components(separatedBy: " \(attribute)=\"").dropFirst().map {
      Double($0.prefix { $0 != "\"" }) ?? -1
    }
  }
}
