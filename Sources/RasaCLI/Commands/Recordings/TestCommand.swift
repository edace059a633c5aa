import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// `rasa test`: replays recordings, and shows where they differ from what they expect.
struct TestCommand {
  let rasa: Rasa
  let print: Printer
  let style: Style
  /// Uses the persona as it is kept in the file instead of the current one.
  let isPinned: Bool
  /// Writes what came of a replay into the file, where every call and question had its answer.
  let isUpdating: Bool

  func run(_ paths: [String]) async throws {
    let files = try await Rasa.RecordingFile.find(at: paths)
    let width = min(files.map { displayWidth($0.path) }.max() ?? 0, 60)
    var all: [Rasa.RecordingTest] = []
    for file in files {
      let tested = try await rasa.test(file, usesPinnedFiles: isPinned, updates: isUpdating)
      if !print.isJSON { try print.output.write(line(tested, width)) }
      all.append(tested)
    }
    if print.isJSON {
      try print(.array(all.map { value(of: $0) }))
    } else {
      for tested in all where tested.verdict != .ok { try print.output.write(account(of: tested)) }
    }
    try conclude(all, paths)
  }

  // MARK: What is said

  private func line(_ tested: Rasa.RecordingTest, _ width: Int) -> String {
    let word = tested.verdict.description
    let padding = String(repeating: " ", count: 9 - word.count)
    let name = print.others.line(tested.path)
    let space = String(repeating: " ", count: max(0, width - displayWidth(name)))
    let time = (milliseconds(tested) * 10).rounded() / 10
    return "\(colored(tested.verdict, word))\(padding)\(name)\(space)  \(time) ms\n"
  }

  private func milliseconds(_ tested: Rasa.RecordingTest) -> Double {
    tested.duration / .milliseconds(1)
  }

  private func colored(_ verdict: Rasa.RecordingTest.Verdict, _ text: String) -> String {
    switch verdict {
    case .ok: style.green(text)
    case .updated: style.yellow(text)
    default: style.red(text)
    }
  }

  private func account(of tested: Rasa.RecordingTest) -> String {
    var lines = [
      "",
      style.bold(print.others.line(tested.path))
        + style.dim("  \(print.others.line(tested.persona))"),
    ]
    var text = DifferenceText(style: style, width: print.width)
    lines += text.lines(of: tested.differences)
    if let failure = tested.failure {
      lines += failure.description.split(atByte: "\n", omittingEmpty: true).map {
        "  " + print.others.whole(String($0))
      }
    }
    if isUpdating, tested.verdict == .differs {
      lines.append("  not updated: it has no answer to a new question; record it again")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func value(of tested: Rasa.RecordingTest) -> Value {
    var object: ValueObject = [
      "file": .string(tested.path), "persona": .string(tested.persona),
      "status": .string(tested.verdict.description), "took_ms": .double(milliseconds(tested)),
      "differences": .array(tested.differences.map { Value($0.json) }),
    ]
    if let failure = tested.failure { object["error"] = Value(failure.json) }
    return .object(object)
  }

  private func conclude(_ all: [Rasa.RecordingTest], _ paths: [String]) throws {
    func count(_ verdict: Rasa.RecordingTest.Verdict) -> Int { all.count { $0.verdict == verdict } }
    let words: [Rasa.RecordingTest.Verdict] = [.ok, .updated, .differs, .broken]
    let parts = words.filter { count($0) > 0 }.map { "\(count($0)) \($0)" }
    let summary =
      "\(all.count) \(all.count == 1 ? "recording" : "recordings"): "
      + parts.joined(separator: ", ")
    if count(.broken) > 0 {
      throw Failure(
        .configuration, summary,
        suggestion: "fix the broken files by hand, or record the runs again")
    }
    if count(.differs) > 0 {
      throw Failure(
        .run, summary,
        suggestion: all.contains { $0.verdict == .differs && $0.isComplete }
          ? "`rasa test \(paths.joined(separator: " ")) --update` accepts the new results"
          : "there is no recorded answer to a new question: record it again")
    }
    if !print.isJSON { try print(text: summary + "\n") }
  }
}
