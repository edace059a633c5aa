import RasaCore
import RasaDocuments
package import RasaLearning

/// Questions of many categories, of which it is known whether a small and a large model answer them.
package struct TwoModelQuestions: Sendable {
  package struct Question: Sendable {
    package var category: String
    package var small: Bool
    package var large: Bool
  }

  /// What a choice of models for all the questions comes to.
  package struct Outcome: Sendable {
    package var success = 0.0
    /// The share of the questions that the large model got.
    package var large = 0.0
    /// Above what a random mix of the two models at the same cost answers.
    package var gain = 0.0
    /// Of what the large model alone answers.
    package var kept = 0.0
    /// Of what the large model alone costs.
    package var cost = 0.0

    package init() {}
  }

  package static let smallCost = 1.0
  package static let largeCost = 20.0

  package let questions: [Question]

  package init(_ questions: [Question]) { self.questions = questions }

  /// One question a line, with `category`, `small` and `large`.
  package init(lines: String) throws {
    questions = try lines.split(separator: "\n").map { line in
      let value = try JSON.parse(String(line))
      guard let category = value["category"].string, let small = value["small"].bool,
        let large = value["large"].bool
      else { throw Failure(.run, "a line has no `category`, `small` and `large`") }
      return Question(category: category, small: small, large: large)
    }
  }

  /// Made up: in some categories the large model is much better, in others hardly.
  package static func madeUp(categories: Int, each: Int, seed: UInt64) -> TwoModelQuestions {
    var numbers = SeededNumbers(seed: seed)
    var questions: [Question] = []
    for category in 0..<categories {
      let small = 0.5 + 0.4 * numbers.unit()
      let large = min(0.97, small + (category.isMultiple(of: 2) ? 0.3 : 0.02))
      for _ in 0..<each {
        // What the small model can answer, the large one can mostly, too.
        let hardness = numbers.unit()
        let other = numbers.happens(oneIn: 6) ? numbers.unit() : hardness
        questions.append(
          Question(category: "\(category)", small: hardness < small, large: other < large))
      }
    }
    return TwoModelQuestions(questions)
  }

  /// Each question once, in an order of the seed's; only the chosen model's answer is known afterwards, unless
  /// `seesBoth`. `passes` before are not counted.
  package func run(
    _ policy: RoutingPolicy, seed: UInt64, passesBefore: Int = 0, seesBoth: Bool = false
  ) -> Outcome {
    var numbers = SeededNumbers(seed: seed)
    var history = RoutingHistory()
    let router = Router(policy)
    var right = 0
    var large = 0
    for pass in 0...passesBefore {
      for question in questions.shuffled(using: &numbers) {
        let arms = [("small", Self.smallCost), ("large", Self.largeCost)].map { model, cost in
          history.filled(
            RoutingArm(agent: "agent", model: model, price: cost), category: question.category)
        }
        let decision = router.decide(
          RoutingTask(text: "", category: question.category, seed: numbers.next()), among: arms,
          at: Timestamp(milliseconds: 0))
        let isLarge = decision.chosen == 1
        for model in [false, true] where seesBoth || model == isLarge {
          history.add(
            RoutingOutcome(
              succeeded: model ? question.large : question.small,
              cost: model ? Self.largeCost : Self.smallCost),
            agent: "agent", model: model ? "large" : "small", category: question.category)
        }
        guard pass == passesBefore else { continue }
        if isLarge { large += 1 }
        if isLarge ? question.large : question.small { right += 1 }
      }
    }
    return outcome(right: right, large: large)
  }

  private func outcome(right: Int, large: Int) -> Outcome {
    let count = Double(max(1, questions.count))
    let smallRate = Double(questions.count(where: \.small)) / count
    let largeRate = Double(questions.count(where: \.large)) / count
    let success = Double(right) / count
    let share = Double(large) / count
    var outcome = Outcome()
    outcome.success = success
    outcome.large = share
    outcome.gain = success - (smallRate + share * (largeRate - smallRate))
    outcome.kept = success / max(largeRate, 1e-9)
    outcome.cost = (share * Self.largeCost + (1 - share) * Self.smallCost) / Self.largeCost
    return outcome
  }
}
