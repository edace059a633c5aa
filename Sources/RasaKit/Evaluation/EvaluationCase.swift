package import RasaCore
package import RasaDocuments
package import RasaPersona
package import RasaSystem

/// A question to a persona or agent, and what is expected of the answer.
package struct EvaluationCase: Sendable {
  package enum Subject: Sendable, Hashable {
    case persona(String)
    case agent(String)

    package var name: String {
      switch self {
      case .persona(let name), .agent(let name): name
      }
    }
  }

  package var name: String
  /// The file that it is from, as the user named it.
  package var file: String
  package var location: SourceLocation
  /// Nil leaves it to the command line.
  package var subject: Subject?
  package var input: String
  package var preferences: [(name: String, value: String)] = []
  /// Paths, as they are found from the folder of the file.
  package var attachments: [String] = []
  package var expectations: [Expectation] = []
  package var trials: Int?
  /// The share of trials that may fail.
  package var tolerance: Double?
}

/// What is expected of an answer.
package struct Expectation: Sendable {
  package enum Kind: Sendable {
    case contains(String)
    case notContains(String)
    case matches(RegularExpression)
    case schema(Schema)
    case when(Guard)
    case cost(Money)
    case seconds(Double)
    case judge(JudgeCriterion)
  }

  package var kind: Kind
  package var location: SourceLocation

  /// The expectation in a few words, for reports.
  package var title: String {
    switch kind {
    case .contains(let text): "contains `\(text)`"
    case .notContains(let text): "does not contain `\(text)`"
    case .matches(let pattern): "matches `\(pattern.source)`"
    case .schema: "fits the schema"
    case .when(let condition): "`\(condition.source)` holds"
    case .cost(let most): "costs at most \(most)"
    case .seconds(let most): "takes at most \(most) s"
    case .judge(let criterion): "is judged: \(criterion.words)"
    }
  }
}

/// What a model judges an answer by.
package struct JudgeCriterion: Sendable, Hashable {
  package var words: String
  /// The lowest score that passes, from 0 to 1.
  package var least: Double
  /// The model that judges; nil leaves it to the command line.
  package var model: String?
}

/// What came of one expectation.
package struct ExpectationResult: Sendable, Hashable {
  package enum Verdict: String, Sendable, Hashable {
    case pass, fail
    case notJudged = "not_judged"
  }

  package var title: String
  package var verdict: Verdict
  /// What was found instead, or what the judge said.
  package var reason = ""
  /// Of a judge.
  package var score: Double?
}

/// What a run came to, as expectations see it.
package struct EvaluatedAnswer: Sendable, Hashable {
  package var run: String
  package var output: Value
  package var state: Value
  package var cost: Money
  package var seconds: Double
  package var answeredBy: [String]
  /// Why there is no answer; nil when there is one.
  package var failure: String?

  package var text: String { output.promptText }
}

extension Expectation {
  /// Whether the answer is as expected; nil for what a model has to judge.
  package func check(_ answer: EvaluatedAnswer, input: String) -> ExpectationResult? {
    func result(_ holds: Bool, _ reason: @autoclosure () -> String) -> ExpectationResult {
      ExpectationResult(title: title, verdict: holds ? .pass : .fail, reason: holds ? "" : reason())
    }
    let text = answer.text
    switch kind {
    case .contains(let part):
      return result(text.hasBytes(part), Self.excerpt(text))
    case .notContains(let part):
      return result(!text.hasBytes(part), Self.excerpt(text))
    case .matches(let pattern):
      return result(pattern.matches(text), Self.excerpt(text))
    case .schema(let schema):
      var value = answer.output
      if let text = value.string { value = JSON.extract(from: text) ?? value }
      let problems = schema.problems(in: value)
      return result(problems.isEmpty, problems.prefix(3).joined(separator: "; "))
    case .when(let condition):
      func read(_ path: StatePath) -> Value {
        var value = answer.state[path.key]
        if value.isNull, path.key == "output" { value = answer.output }
        if value.isNull, path.key == "input" { value = .string(input) }
        return path.components.dropFirst().reduce(value) { $0[$1] }
      }
      let (holds, warning) = condition.evaluate(read)
      return result(
        holds,
        warning
          ?? condition.reads.map { path in
            "\(path) is " + Self.excerpt(read(path).json(.compact))
          }.joined(separator: "; "))
    case .cost(let most): return result(answer.cost <= most, "it cost \(answer.cost)")
    case .seconds(let most):
      return result(answer.seconds <= most, "it took \(answer.seconds.fixed(2)) s")
    case .judge: return nil
    }
  }

  /// The beginning of a text on one line.
  package static func excerpt(_ text: String) -> String {
    text.printable(atMost: 160, replacement: " ", ellipsis: "…")
  }
}
