import RasaCore
import RasaKit
import RasaTerminal

/// `8192`, `128k`, `1.05M`.
func tokensText(_ count: Int64?) -> String {
  guard let count else { return "" }
  switch count {
  case ..<10_000: return String(count)
  case ..<1_000_000: return "\(count / 1_000)k"
  default:
    let hundredths = count / 10_000
    let fraction = hundredths % 100
    if fraction == 0 { return "\(hundredths / 100)M" }
    let digits = fraction < 10 ? "0\(fraction)" : "\(fraction)"
    return "\(hundredths / 100).\(digits.hasSuffix("0") ? String(digits.dropLast()) : digits)M"
  }
}

extension Rasa.ModelHealth {
  /// `unavailable for another 4 min: too many requests (429)`.
  var text: String {
    guard availability == .unavailable else { return availability.rawValue }
    let time =
      unavailableMilliseconds.map { " for another \(durationText(milliseconds: $0))" } ?? ""
    return "unavailable\(time)" + (reason.isEmpty ? "" : ": \(reason)")
  }

  var firstContentText: String {
    firstContentMilliseconds.map { durationText(milliseconds: $0) } ?? ""
  }

  var speedText: String {
    tokensPerSecond.map { $0 < 1e9 ? String(Int64($0.rounded())) : "" } ?? ""
  }
}

extension Table {
  /// The same without the columns that are named, one after the other, until it is no wider than
  /// that. Only a column of short cells gains by it, so the last one is left alone.
  func fitting(_ width: Int, leavingOut names: [String]) -> Table {
    var listing = self
    for name in names where listing.widest > width {
      guard let index = listing.columns.firstIndex(of: name) else { continue }
      listing.columns.remove(at: index)
      for row in listing.rows.indices { listing.rows[row].remove(at: index) }
    }
    return listing
  }

  private var widest: Int {
    var widths = columns.map { displayWidth($0) }
    for row in rows {
      for (index, cell) in row.enumerated() where index < widths.count {
        widths[index] = max(widths[index], displayWidth(cell))
      }
    }
    return widths.reduce(0, +) + 2 * max(0, widths.count - 1)
  }
}
