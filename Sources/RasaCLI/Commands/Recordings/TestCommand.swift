import RasaCore
import RasaEngine
import RasaKit
import RasaPersona
import RasaSystem
import RasaTerminal

/// `rasa test`: replays recordings, and shows where they part from what they expect.
struct TestCommand {
  let house: CompositionRoot
  let print: Printer
  let style: Style
  /// Uses the persona as it is kept in the file instead of the one that stands now.
  let isPinned: Bool
  /// Takes what came as what is expected, where every call and question had its answer.
  let isUpdating: Bool

  private enum Verdict: String { case ok, differs, updated, broken }

  private struct Tested {
    var path: String
    var persona = ""
    var verdict: Verdict
    var milliseconds: Double
    var differences: [Difference] = []
    /// Whether its answers are enough for an update.
    var isComplete = true
    var failure: Failure?
  }

  func run(_ paths: [String]) async throws {
    let files = try RecordingFile.find(paths)
    let width = min(files.map { displayWidth($0.path) }.max() ?? 0, 60)
    var all: [Tested] = []
    for file in files {
      let tested = try await test(file)
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

  private func test(_ named: NamedFile) async throws -> Tested {
    let begin = house.time.monotonic()
    var tested = Tested(path: named.path, verdict: .ok, milliseconds: 0)
    do {
      var file = try RecordingFile.read(named)
      tested.persona = file.recording.start.persona
      let graph = try house.graph(for: file.recording, isPinned: isPinned)
      let replayed = try await Replay(file.recording, on: graph).run()
      tested.differences = replayed.differences
      tested.isComplete = replayed.isComplete
      if !replayed.differences.isEmpty { tested.verdict = .differs }
      if isUpdating, tested.verdict == .differs, tested.isComplete {
        file.recording = replayed.observed
        try file.write()
        tested.verdict = .updated
      }
    } catch let failure as Failure {
      tested.verdict = .broken
      tested.failure = failure
    }
    tested.milliseconds = Double(house.time.monotonic() &- begin) / 1_000_000
    return tested
  }

  // MARK: What is said

  private func line(_ tested: Tested, _ width: Int) -> String {
    let word = tested.verdict.rawValue
    let padding = String(repeating: " ", count: 9 - word.count)
    let name = print.others.line(tested.path)
    let space = String(repeating: " ", count: max(0, width - displayWidth(name)))
    let time = (tested.milliseconds * 10).rounded() / 10
    return "\(colored(tested.verdict, word))\(padding)\(name)\(space)  \(time) ms\n"
  }

  private func colored(_ verdict: Verdict, _ text: String) -> String {
    switch verdict {
    case .ok: style.green(text)
    case .updated: style.yellow(text)
    case .differs, .broken: style.red(text)
    }
  }

  private func account(of tested: Tested) -> String {
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

  private func value(of tested: Tested) -> Value {
    var object: ValueObject = [
      "file": .string(tested.path), "persona": .string(tested.persona),
      "status": .string(tested.verdict.rawValue), "took_ms": .double(tested.milliseconds),
      "differences": .array(tested.differences.map(\.value)),
    ]
    if let failure = tested.failure { object["error"] = failure.value }
    return .object(object)
  }

  private func conclude(_ all: [Tested], _ paths: [String]) throws {
    func count(_ verdict: Verdict) -> Int { all.count { $0.verdict == verdict } }
    let words: [Verdict] = [.ok, .updated, .differs, .broken]
    let parts = words.filter { count($0) > 0 }.map { "\(count($0)) \($0.rawValue)" }
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
