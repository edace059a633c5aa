import RasaCore
import RasaKit
import RasaTerminal

/// Where a replay differs from its recording, as lines for people: what was expected is marked with
/// `-`, what came with `+`.
struct DifferenceText {
  let style: Style
  let width: Int
  /// Changes of messages that were shown already, with the place where.
  private var shown: [[String]: String] = [:]

  init(style: Style, width: Int) {
    self.style = style
    self.width = max(40, width)
  }

  /// Lines of a text that stand for all of it.
  private static let mostLines = 40

  mutating func lines(of differences: [Rasa.Replay.Difference]) -> [String] {
    differences.flatMap { lines(of: $0) }
  }

  private mutating func lines(of difference: Rasa.Replay.Difference) -> [String] {
    let (subject, expected, found) = (difference.subject, difference.expected, difference.found)
    switch difference.kind {
    case .request: return [head(subject, "different prompt")] + requestLines(of: difference)
    case .newCall:
      return [head(subject, "calls a model, but the recording has no such call")]
        + compared("", found.string ?? "")
    case .missingCall: return [head(subject, "the recorded call was not made")]
    case .question:
      return [head(subject, "a person would see a different text")] + compared(expected, found)
    case .newQuestion:
      return [
        head(subject, "asks a person, but the recording has no such question"),
        "    " + TerminalText.line(difference.title),
      ] + compared("", text(found))
    case .missingQuestion: return [head(subject, "the recorded question was not asked")]
    case .newRecall:
      return [head(subject, "looks up memories, but the recording has none for it")]
    case .missingRecall: return [head(subject, "the recorded memories were not looked up")]
    case .path:
      return [head("path", "different operators, or a different order")]
        + compared(steps(expected), steps(found))
    case .state: return [head("`\(subject)` in the state", nil)] + compared(expected, found)
    case .output: return [head("output", nil)] + compared(expected, found)
    case .status: return [head("status", "\(expected.text) → \(found.text)")]
    case .failure: return [head("failure", nil)] + compared(error(expected), error(found))
    case .calls:
      return [head("calls that were answered", "\(expected.text) → \(found.text)")]
    case .cost: return [head("cost", "\(amount(expected)) → \(amount(found))")]
    default: return [head("\(difference.kind)", subject)] + compared(expected, found)
    }
  }

  private func steps(_ path: Rasa.JSON) -> String {
    (path.array ?? []).map(\.text).joined(separator: "\n")
  }

  private func error(_ failure: Rasa.JSON) -> String {
    failure.isNull
      ? "(it did not fail)" : "\(failure["kind"].text): \(failure["message"].text)"
  }

  private func amount(_ cost: Rasa.JSON) -> String {
    cost.string.flatMap { Rasa.Dollars($0) }.map(\.description) ?? cost.text
  }

  // MARK: Requests

  private mutating func requestLines(of difference: Rasa.Replay.Difference) -> [String] {
    var lines: [String] = []
    for message in difference.messages {
      let name = "\(message.role) message"
      let changed = compared(message.expected, message.found)
      if let place = shown[changed] {
        lines.append("    \(style.dim("\(name): the same change as in \(place)"))")
        continue
      }
      shown[changed] = difference.subject
      lines.append("    \(style.dim("\(name):"))")
      lines += changed
    }
    for parameter in difference.parameters {
      let (expected, found) = (text(parameter.expected), text(parameter.found))
      if expected.hasByte("\n") || found.hasByte("\n") {
        lines.append("    \(style.dim("\(parameter.name):"))")
        lines += compared(expected, found)
      } else {
        lines.append(
          "    \(style.dim("\(parameter.name):")) \(style.red(expected)) → \(style.green(found))")
      }
    }
    return lines
  }

  // MARK: Words

  private func head(_ subject: String, _ what: String?) -> String {
    "  " + style.bold(TerminalText.line(subject)) + (what.map { ": \($0)" } ?? "")
  }

  private func text(_ value: Rasa.JSON) -> String {
    value.isNull ? "(nothing)" : value.text
  }

  // MARK: Two texts

  private func compared(_ expected: Rasa.JSON, _ found: Rasa.JSON) -> [String] {
    compared(text(expected), text(found))
  }

  private func compared(_ expected: String, _ found: String) -> [String] {
    var lines: [String]
    if expected.isEmpty || found.isEmpty {
      let mark = expected.isEmpty ? "+ " : "- "
      lines = (expected + found).byteLines
        .map { mark + $0 }
    } else {
      lines = LineDifference(from: expected, to: found).unified()
    }
    let more = width < Printer.unlimited ? lines.count - Self.mostLines : 0
    if more > 1 { lines.removeLast(more) }
    var clean = cut(lines).map { line in
      let text = TerminalText.escaped(line)
      if line.hasPrefix("- ") { return "      " + style.red(text) }
      if line.hasPrefix("+ ") { return "      " + style.green(text) }
      return "      " + text
    }
    if more > 1 { clean.append("      " + style.dim("… and \(more) more lines")) }
    return clean
  }

  /// Long lines are cut: what is gone and what came in its place both around where they part.
  private func cut(_ lines: [String]) -> [String] {
    var lines = lines
    var index = 0
    while index < lines.count {
      let gone = lines[index...].prefix { $0.hasPrefix("- ") }.count
      guard gone > 0 else {
        lines[index] = excerpt(lines[index], around: 0)
        index += 1
        continue
      }
      let new = lines[(index + gone)...].prefix { $0.hasPrefix("+ ") }.count
      for offset in 0..<max(gone, new) {
        let left = index + offset
        let right = index + gone + offset
        let isPair = offset < gone && offset < new
        let place = isPair ? parting(lines[left], lines[right]) : 0
        if offset < gone { lines[left] = excerpt(lines[left], around: place) }
        if offset < new { lines[right] = excerpt(lines[right], around: place) }
      }
      index += gone + new
    }
    return lines
  }

  /// How many characters of the two, behind their marks, are the same.
  private func parting(_ left: String, _ right: String) -> Int {
    zip(left.dropFirst(2), right.dropFirst(2)).prefix { $0 == $1 }.count
  }

  private func excerpt(_ line: String, around place: Int) -> String {
    let room = width - 10
    guard line.count > room + 2 else { return line }
    let text = line.dropFirst(2)
    let start = max(0, min(place - room / 3, text.count - room))
    let piece = text.dropFirst(start).prefix(room)
    return line.prefix(2) + (start > 0 ? "…" : "") + piece
      + (start + room < text.count ? "…" : "")
  }
}
