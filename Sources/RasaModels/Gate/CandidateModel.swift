import RasaCore
import RasaEngine
import RasaPersona

/// One model of the chain and how it has fared in this call.
struct CandidateModel: Sendable {
  var candidate: Candidate
  var isOut = false
  /// What spoke against it before this call; nil for nothing.
  var obstacle: ModelStanding?
  /// It is only tried to see whether it has recovered.
  var hasOneTry = false
  /// Until when the provider asked to be left alone, in nanoseconds of the monotonic clock.
  var notBefore: UInt64 = 0
  var problems: [ProviderProblem] = []

  init(candidate: Candidate) { self.candidate = candidate }

  func isReady(at now: UInt64) -> Bool { !isOut && notBefore <= now }

  mutating func note(_ problem: ProviderProblem, longestDelay: Duration, at now: UInt64) {
    problems.append(problem)
    // A stream that breaks twice will break again, and each time is paid for.
    let breaks = problems.count { $0.kind == .brokenStream || $0.kind == .idle }
    let asked = problem.retryAfter ?? .zero
    isOut = !problem.isTransient || hasOneTry || breaks > 1 || asked > longestDelay
    notBefore = now.advanced(by: asked)
  }
}

extension [CandidateModel] {
  /// What was too long for one model may fit another whose window is known to be larger, and hardly
  /// one whose window is known to be no larger.
  mutating func putLargerWindowsFirst(
    after index: Int, _ window: (Candidate) -> Int64?
  ) {
    guard let small = window(self[index].candidate) else { return }
    func rank(_ contender: CandidateModel) -> Int {
      guard let other = window(contender.candidate) else { return 1 }
      return other > small ? 0 : 2
    }
    let rest = self[(index + 1)...].enumerated()
      .sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }
    replaceSubrange((index + 1)..., with: rest.map(\.element))
  }

  /// Puts the model first that is in doubt about an earlier attempt, and returns the doubt; nil when
  /// that model is not to be asked any more, so that nobody could recognise the request.
  mutating func placeFirst(_ doubt: UncertainCall?) -> UncertainCall? {
    guard let doubt,
      let place = firstIndex(where: {
        $0.candidate.provider == doubt.provider && $0.candidate.model ?? doubt.model == doubt.model
      })
    else { return nil }
    var first = remove(at: place)
    first.candidate.model = doubt.model
    insert(first, at: 0)
    return doubt
  }

  /// Whether all that was asked for by name is unknown where it was asked for.
  var lackTheirModels: Bool {
    allSatisfy { $0.candidate.isStandIn || $0.problems.last?.kind == .modelNotFound }
  }
}
