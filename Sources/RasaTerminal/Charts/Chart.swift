import Glibc
package import RasaCore

/// Figures that are drawn: over days, or a bar for each name. It says what they are, and `text`, `svg` and `html` draw it.
package struct Chart: Sendable {
  package enum Unit: Sendable, Hashable {
    /// From 0 to 1.
    case score
    /// From 0 to 1, as a percentage.
    case share
    case dollars, seconds, number
  }

  package enum Axis: Sendable, Hashable {
    /// A point's place is how many days after the first it is.
    case days(first: LocalDay, count: Int)
    /// A bar for each point, in their order.
    case names
  }

  package struct Point: Sendable, Hashable {
    /// The day or the name.
    package var label: String
    package var place: Int
    /// Nil where there is none: it is left out, and not drawn as nothing.
    package var value: Double?
    /// Where the value lies with 95 % confidence, both nil where too little tells.
    package var low: Double?
    package var high: Double?
    /// How many runs the value rests on, and how many there are.
    package var runs: Int
    package var allRuns: Int

    package init(
      label: String, place: Int, value: Double?, low: Double? = nil, high: Double? = nil, runs: Int,
      allRuns: Int
    ) {
      self.label = TerminalText.line(label)
      self.place = place
      self.value = value.flatMap { $0.isFinite ? $0 : nil }
      let hasInterval = low?.isFinite == true && high?.isFinite == true
      self.low = hasInterval ? low : nil
      self.high = hasInterval ? high : nil
      self.runs = runs
      self.allRuns = allRuns
    }
  }

  package var title: String
  package var unit: Unit
  package var axis: Axis
  /// Whether a value is a sum, which is drawn from zero on, and not a mean.
  package var isSum: Bool
  package var points: [Point]
  /// What a reader has to know of the figures.
  package var notes: [String]

  package init(
    title: String, unit: Unit, axis: Axis, isSum: Bool, points: [Point], notes: [String] = []
  ) {
    self.title = TerminalText.line(title)
    self.unit = unit
    self.axis = axis
    self.isSum = isSum
    self.points = points
    self.notes = notes.map { TerminalText.line($0) }
  }

  package var hasFigures: Bool { points.contains { $0.value != nil } }

  /// What the figures rest on, as a sentence.
  package var basis: String {
    let drawn = points.filter { $0.value != nil }
    guard let least = drawn.map(\.runs).min(), let most = drawn.map(\.runs).max() else {
      return "no figure"
    }
    let runs =
      least == most ? "\(runCount(least)) each" : "\(least) to \(runCount(most)) each"
    switch axis {
    case .names: return drawn.count == 1 ? runCount(least) : runs
    case .days(_, let count):
      let days = count == 1 ? "1 day" : "\(count) days"
      return "\(drawn.count) of \(days) \(drawn.count == 1 ? "has" : "have") a figure, from \(runs)"
    }
  }
}

func runCount(_ count: Int) -> String { count == 1 ? "1 run" : "\(count) runs" }

extension Chart.Point {
  /// `0.81 (0.70–0.92), 12 runs`.
  func text(_ unit: Chart.Unit) -> String {
    guard let value else { return "no figure of \(runCount(allRuns))" }
    let interval = intervalText(unit).map { " (\($0))" } ?? ""
    return "\(unit.text(value))\(interval), \(runCount(runs))"
  }

  func intervalText(_ unit: Chart.Unit) -> String? {
    guard let low, let high else { return nil }
    return "\(unit.text(low))–\(unit.text(high))"
  }
}

extension Chart.Unit {
  /// A value, to two digits that tell something.
  func text(_ value: Double) -> String {
    switch self {
    case .score: return value.fixed(2)
    case .share: return text(value, step: 0.01)
    case .seconds: return text(value, step: 0.1)
    case .number: return text(value, step: value == value.rounded() ? 1 : 0.1)
    case .dollars: return text(value, step: min(0.01, 0.1 * powerOfTen(below: value.magnitude)))
    }
  }

  /// A value to the precision of a step, such as that of an axis.
  func text(_ value: Double, step: Double) -> String {
    let step = self == .share ? step * 100 : step
    var decimals = 0
    while decimals < 9, step * pow(10, Double(decimals)) < 0.999 { decimals += 1 }
    switch self {
    case .score, .number: return value.fixed(decimals)
    case .share: return "\((value * 100).fixed(decimals))%"
    case .dollars where value == 0: return "$0"
    case .dollars: return (value < 0 ? "-$" : "$") + value.magnitude.fixed(decimals)
    case .seconds: return "\(value.fixed(decimals)) s"
    }
  }
}

/// `0.01` for 0.034; 1 for what has none.
private func powerOfTen(below value: Double) -> Double {
  value > 0 && value.isFinite ? pow(10, floor(log10(value))) : 1
}

/// Where values lie on an axis that has zero on it.
struct ChartScale: Sendable, Hashable {
  private(set) var low = 0.0
  private(set) var high = 0.0
  private(set) var step = 1.0

  init(_ chart: Chart) {
    for value in chart.points.compactMap(\.value) {
      low = min(low, Self.bounded(value))
      high = max(high, Self.bounded(value))
    }
    if chart.unit == .score || chart.unit == .share { high = max(high, 1) }
    // Few runs have wide intervals, which must not press everything else flat.
    let room = high - low
    let (least, most) = (low - room, high + room)
    for point in chart.points where point.value != nil {
      guard let from = point.low, let to = point.high else { continue }
      low = min(low, max(Self.bounded(from), least))
      high = max(high, min(Self.bounded(to), most))
    }
    // Nothing but zeros, or less than any figure says.
    if high - low < 1e-12 { high = low + 1 }
    let rough = (high - low) / 5
    let power = powerOfTen(below: rough)
    step = (([1, 2, 5].first { $0 * power >= rough * 0.999 }) ?? 10) * power
  }

  /// Beyond this nothing is told apart, and the sums stay finite.
  private static func bounded(_ value: Double) -> Double { min(max(value, -1e100), 1e100) }

  /// From 0 at the low end to 1 at the high one.
  func share(_ value: Double) -> Double {
    min(max((Self.bounded(value) - low) / (high - low), 0), 1)
  }

  func isBeyond(_ value: Double) -> Bool { value < low || value > high }

  /// Round values, two to seven.
  var ticks: [Double] {
    let (first, last) = ((low / step).rounded(.up), (high / step).rounded(.down))
    return stride(from: first, through: last, by: 1).map { $0 * step }
  }
}
