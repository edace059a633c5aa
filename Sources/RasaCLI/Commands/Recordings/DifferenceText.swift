import RasaCore
import RasaEngine
import RasaPersona
import RasaTerminal

/// Where a replay parts from its recording, as lines for people: what was expected is marked with
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

  mutating func lines(of differences: [Difference]) -> [String] {
    differences.flatMap { lines(of: $0) }
  }

  private mutating func lines(of difference: Difference) -> [String] {
    switch difference {
    case .request(let key, let change):
      return [head(title(of: key), "different prompt")] + lines(of: change, at: key)
    case .newCall(let key, let request):
      return [head(title(of: key), "calls a model, but the recording has no such call")]
        + compared("", request.messages.last?.text ?? "")
    case .missingCall(let key):
      return [head(title(of: key), "the recorded call was not made")]
    case .question(let key, let expected, let found):
      return [head(title(of: key), "a person would see a different text")]
        + compared(expected, found)
    case .newQuestion(let key, let question, let payload):
      return [
        head(title(of: key), "asks a person, but the recording has no such question"),
        "    " + TerminalText.line(question),
      ] + compared("", text(payload))
    case .missingQuestion(let key):
      return [head(title(of: key), "the recorded question was not asked")]
    case .newRecall(let step):
      return [head(title(of: step), "looks up memories, but the recording has none for it")]
    case .missingRecall(let step):
      return [head(title(of: step), "the recorded memories were not looked up")]
    case .path(let expected, let found):
      return [head("path", "different operators, or a different order")]
        + compared(
          expected.map(\.place).joined(separator: "\n"), found.map(\.place).joined(separator: "\n"))
    case .state(let key, let expected, let found):
      return [head("`\(key)` in the state", nil)] + compared(expected, found)
    case .output(let expected, let found):
      return [head("output", nil)] + compared(expected, found)
    case .status(let expected, let found):
      return [head("status", "\(expected.rawValue) → \(found.rawValue)")]
    case .failure(let expected, let found):
      return [head("failure", nil)] + compared(said(expected), said(found))
    case .calls(let expected, let found):
      return [head("calls that were answered", "\(expected) → \(found)")]
    case .cost(let expected, let found): return [head("cost", "\(expected) → \(found)")]
    }
  }

  private func said(_ failure: Failure?) -> String {
    failure.map { "\($0.kind.rawValue): \($0.message)" } ?? "(it did not fail)"
  }

  // MARK: Requests

  private mutating func lines(of change: RequestChange, at key: EffectKey) -> [String] {
    var lines: [String] = []
    for message in change.messages {
      let name = "\(message.role.rawValue) message"
      let changed = compared(message.expected, message.found)
      if let place = shown[changed] {
        lines.append("    \(style.dim("\(name): the same change as in \(place)"))")
        continue
      }
      shown[changed] = title(of: key)
      lines.append("    \(style.dim("\(name):"))")
      lines += changed
    }
    for parameter in change.parameters {
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

  private func title(of step: Step) -> String { step.title }

  private func title(of key: EffectKey) -> String {
    var title = "\(key.operatorName) in \(frameTitle(key.frame))"
    if key.visit > 1 { title += ", visit \(key.visit)" }
    let label = key.label
    if label != "call", label != "review" { title += ", \(label)" }
    if key.occurrence > 1 { title += ", try \(key.occurrence)" }
    return title
  }

  private func text(_ value: Value) -> String {
    value.isNull ? "(nothing)" : value.promptText
  }

  // MARK: Two texts

  private func compared(_ expected: Value, _ found: Value) -> [String] {
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
