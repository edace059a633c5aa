import RasaCore

extension Chart {
  /// A page with charts, and a table of the same figures below each. It needs nothing from outside and no script.
  package static func page(title: String, _ charts: [Chart]) -> String {
    let sections = charts.enumerated().map { number, chart in
      "<section>\n\(chart.svg(id: "chart\(number + 1)", style: ""))\n\(chart.table)</section>\n"
    }
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
      <title>\(title.xml)</title>
      <style>
      \(style)
      :root { color-scheme: light dark }
      body { font: 14px system-ui, sans-serif; max-width: 800px; margin: 2em auto; padding: 0 1em; background: #ffffff; color: #1f2328 }
      svg { max-width: 100%; height: auto }
      table { border-collapse: collapse; margin: 0.5em 0 2.5em }
      caption { text-align: left; font-weight: 600; padding: 0.3em 0 }
      th, td { text-align: left; padding: 0.15em 1.5em 0.15em 0; border-bottom: 1px solid #d8dee4; font-variant-numeric: tabular-nums }
      @media (prefers-color-scheme: dark) { body { background: #0d1117; color: #e6edf3 } th, td { border-color: #30363d } }
      </style>
      </head>
      <body>
      <h1>\(title.xml)</h1>
      \(sections.joined())</body>
      </html>

      """
  }

  private var table: String {
    guard !points.isEmpty else { return "" }
    let isDays = axis != .names
    let rows = points.map { point in
      let cells = [
        point.value.map { unit.text($0) } ?? "–", point.intervalText(unit) ?? "–",
        "\(point.runs) of \(point.allRuns)",
      ]
      return "<tr><th scope=\"row\">\(point.label.xml)</th>"
        + cells.map { "<td>\($0.xml)</td>" }.joined() + "</tr>\n"
    }
    let heads = [isDays ? "Day with runs" : "Name", "Figure", "95 %", "Rests on runs"]
    return """
      <table>
      <caption>\(title.xml)</caption>
      <thead><tr>\(heads.map { "<th scope=\"col\">\($0)</th>" }.joined())</tr></thead>
      <tbody>
      \(rows.joined())</tbody>
      </table>

      """
  }
}
