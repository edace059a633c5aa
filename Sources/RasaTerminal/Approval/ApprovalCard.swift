import RasaCore

/// How a request is displayed. All text from others has a bar at the left edge, whatever it
/// contains and however narrow the window is, so that none of it can be mistaken for output of the
/// program.
struct ApprovalCard {
  let style: Style
  let columns: Int

  /// The rows of context that are shown; `rasa approvals show` has all of it.
  private static let mostContextRows = 12

  init(style: Style, columns: Int) {
    self.style = style
    // The last column stays free: terminals differ when it is written to.
    self.columns = max(columns, 8) - 1
  }

  func presentation(of request: ApprovalRequest) -> String {
    var lines = [head("approval")]
    lines += content(request.title) { style.bold($0) }
    lines.append(empty)
    var facts = [("asked by", request.askedBy)]
    if !request.risk.isEmpty { facts.append(("at stake", request.risk)) }
    facts.append(("cost so far", request.costSoFar.displayText))
    facts += request.context.map { ($0.name, $0.value) }
    for (name, value) in facts { lines += fact(name, value) }
    lines.append(section(request.subjectName))
    lines += content(request.subject)
    lines.append(foot)
    if !request.problem.isEmpty {
      lines.append(head("the edit was refused; you still decide on this text"))
      lines += content(request.problem)
      lines.append(foot)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// A question whose answer is a text.
  func presentation(question: String, facts: [(String, String)]) -> String {
    var lines = [head("question")]
    lines += content(question) { style.bold($0) }
    lines.append(empty)
    for (name, value) in facts { lines += fact(name, value) }
    lines.append(foot)
    return lines.joined(separator: "\n") + "\n"
  }

  /// The rule that is stored for the session if the person agrees.
  func presentation(ofGrant rule: String) -> String {
    let shown = rule.hasSuffix("\n") ? String(rule.dropLast()) : rule
    let lines =
      [head("allowed for the rest of the session, without asking")] + content(shown) + [foot]
    return lines.joined(separator: "\n") + "\n"
      + choice("", "`*` stands for one word, `**` for anything on one line, `***` for anything.")
  }

  func note(_ text: String) -> String {
    ExactText.rows(text, columns: columns - 2).map { style.dim("\(style.glyphs.bar) ") + $0.text }
      .joined(separator: "\n") + "\n"
  }

  /// A choice and its effect.
  func choice(_ letter: String, _ text: String) -> String {
    let rows = ExactText.rows(text, columns: columns - 5)
    return rows.enumerated().map { index, row in
      "  \(index == 0 && !letter.isEmpty ? letter : " ")  \(row.text)\n"
    }.joined()
  }

  // MARK: Frame

  private func head(_ title: String) -> String {
    rule(style.glyphs.corners.0, title) { style.yellow($0) }
  }
  private func section(_ title: String) -> String { rule(style.glyphs.corners.1, title) { $0 } }
  private var foot: String {
    style.dim(
      style.glyphs.corners.2 + String(repeating: style.glyphs.rule, count: min(columns, 72) - 1))
  }
  private var empty: String { style.dim(style.glyphs.bar) }

  private func rule(_ begin: String, _ title: String, _ tint: (String) -> String) -> String {
    let title = fit(TerminalText.line(title), to: columns - 4)
    let rest = min(columns, 72) - 4 - displayWidth(title)
    return style.dim(begin) + tint(title)
      + (rest > 0 ? style.dim(" " + String(repeating: style.glyphs.rule, count: rest)) : "")
  }

  // MARK: Content

  /// Continuation rows have a broken bar before them.
  private func content(
    _ text: String, indent: Int = 0, tint: (String) -> String = { $0 }
  ) -> [String] {
    let space = String(repeating: " ", count: indent)
    return ExactText.rows(text, columns: columns - 2 - indent).map { row in
      style.dim(row.isContinuation ? "\(style.glyphs.bentBar) " : "\(style.glyphs.bar) ") + space
        + (row.text.isEmpty ? "" : tint(row.text))
    }
  }

  private func fact(_ name: String, _ value: String) -> [String] {
    let width = 12
    let label = TerminalText.exact(name).replacing(bytes: "\n", with: " ")
    // Without room for two columns, the value goes under its name.
    guard columns >= 44, displayWidth(label) <= width else {
      return content(name) { style.dim($0) } + shortened(content(value, indent: 2))
    }
    let rows = ExactText.rows(value, columns: columns - 2 - width - 2)
    return shortened(
      rows.enumerated().map { index, row in
        let name = index == 0 ? style.dim(label.padded(to: width)) : "".padded(to: width)
        return style.dim(row.isContinuation ? "\(style.glyphs.bentBar) " : "\(style.glyphs.bar) ")
          + name
          + "  " + row.text
      })
  }

  private func shortened(_ rows: [String]) -> [String] {
    guard rows.count > Self.mostContextRows else { return rows }
    let left = rows.count - Self.mostContextRows + 1
    return rows.prefix(Self.mostContextRows - 1) + [
      style.dim("\(style.glyphs.bar) ") + style.dim("(\(left) more rows)")
    ]
  }
}

extension String {
  fileprivate func padded(to columns: Int) -> String {
    self + String(repeating: " ", count: max(0, columns - displayWidth(self)))
  }
}
