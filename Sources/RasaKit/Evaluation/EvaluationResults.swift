package import RasaCore
import RasaDocuments
import RasaSystem

/// One trial of a case, as a line of a results file.
package struct EvaluationTrial: Sendable {
  package enum Status: String, Sendable {
    case passed, failed, notJudged = "not_judged", notRun = "not_run"
  }

  package var name: String
  package var file: String
  package var subject: String
  /// The model that was asked for; empty for what is recommended.
  package var model: String
  /// Counted from 1.
  package var number: Int
  /// What it depends on, as one digest.
  package var key: String
  package var answer: EvaluatedAnswer?
  package var results: [ExpectationResult] = []
  /// What judges said, by digest of what they were asked.
  package var judgements: [String: Value] = [:]
  package var judgeCost = Money.zero
  package var isReused = false
  /// Why it was not run.
  package var notRunBecause: String?

  package var status: Status {
    guard let answer else { return .notRun }
    if answer.failure != nil || results.contains(where: { $0.verdict == .fail }) { return .failed }
    return results.contains { $0.verdict == .notJudged } ? .notJudged : .passed
  }

  /// Why it did not pass, a line each.
  package var problems: [String] {
    if let notRunBecause { return [notRunBecause] }
    if let failure = answer?.failure { return [failure] }
    return results.filter { $0.verdict != .pass }.map { result in
      let words = result.verdict == .notJudged ? "not judged: \(result.title)" : result.title
      let score = result.score.map { " (\($0.fixed(2)))" } ?? ""
      return result.reason.isEmpty ? words + score : "\(words)\(score) — \(result.reason)"
    }
  }

  package var value: Value {
    var object: ValueObject = [
      "case": .string(name), "file": .string(file), "subject": .string(subject),
      "model": .string(model), "trial": .int(Int64(number)), "key": .string(key),
      "status": .string(status.rawValue), "reused": .bool(isReused),
      "judge_cost_usd": .string(judgeCost.decimalText),
    ]
    if let notRunBecause { object["not_run_because"] = .string(notRunBecause) }
    if let answer {
      object["run"] = .string(answer.run)
      object["output"] = answer.output
      object["state"] = answer.state
      object["cost_usd"] = .string(answer.cost.decimalText)
      object["seconds"] = .double(answer.seconds)
      object["answered_by"] = .array(answer.answeredBy.map { .string($0) })
      if let failure = answer.failure { object["error"] = .string(failure) }
    }
    object["expectations"] = .array(
      results.map { result in
        var object: ValueObject = [
          "expect": .string(result.title), "verdict": .string(result.verdict.rawValue),
        ]
        if !result.reason.isEmpty { object["reason"] = .string(result.reason) }
        if let score = result.score { object["score"] = .double(score) }
        return .object(object)
      })
    if !judgements.isEmpty {
      object["judgements"] = .object(
        ValueObject(judgements.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
    }
    return .object(object)
  }
}

/// Lines of results that earlier evaluations left.
struct EvaluationHistory {
  /// Finished trials by key: of several, the newest.
  private(set) var trials: [String: Value] = [:]
  private static let largest = 256 << 20
  /// More files are not read: the newest have what can be reused.
  private static let mostFiles = 50

  init(folder: String) {
    guard FileSystem.kind(of: folder) == .folder,
      let entries = try? FileSystem.list(folder)
    else { return }
    let names = entries.filter { $0.kind == .file && $0.name.hasByteSuffix(".jsonl") }
      .map { FileSystem.path($0.name, in: folder) }
      .map { ($0, FileSystem.status(of: $0)?.stamp.modified ?? 0) }
      .sorted { $0.1 > $1.1 }
    for (path, _) in names.prefix(Self.mostFiles) {
      guard let lines = try? Self.lines(of: path) else { continue }
      for line in lines {
        guard let key = line["key"].string, !line["output"].isNull, line["error"].isNull,
          trials[key] == nil
        else { continue }
        trials[key] = line
      }
    }
  }

  /// The whole lines of a file. The last one may have been cut off by a crash.
  static func lines(of path: String) throws(Failure) -> [Value] {
    let bytes = try FileSystem.read(path, limit: largest)
    return bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
      try? JSON.parse(Array(line), named: path)
    }
  }
}

extension EvaluatedAnswer {
  /// The answer of a line of results.
  init?(_ line: Value) {
    guard let run = line["run"].string,
      let cost = line["cost_usd"].string.flatMap({ Money(decimal: $0) })
    else { return nil }
    self.init(
      run: run, output: line["output"], state: line["state"], cost: cost,
      seconds: line["seconds"].double ?? 0,
      answeredBy: (line["answered_by"].array ?? []).compactMap(\.string), failure: nil)
  }
}
