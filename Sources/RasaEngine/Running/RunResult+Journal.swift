package import RasaCore

extension RunResult {
  /// What a run on another machine came to.
  package init(
    told output: Value, session: String?, state: State, cost: Money, usage: Usage, steps: Int,
    calls: Int, usedMock: Bool, notices: [RunNotice]
  ) {
    self.init(
      session: session, output: output, state: state, cost: cost, usage: usage, steps: steps,
      calls: calls, usedMock: usedMock, notices: notices)
  }

  /// What a run came to, as its journal tells it: for a reader who was not there.
  ///
  /// - Parameters:
  ///   - history: The whole journal.
  ///   - output: Its answer; null where there is none.
  ///   - state: What the run knew in the end.
  ///   - waitsFor: The questions that it waits for.
  package init(recordedIn history: RunHistory, output: Value, state: State, waitsFor: [Approval])
    throws(Failure)
  {
    let log = EffectLog(history.entries)
    let start = try history.start
    let shared = SharedRunState(parts: [], seconds: nil, startedAt: 0)
    shared.begin(
      with: log.answers, spent: log.spent,
      notices: history.entries.flatMap { RunNotice.recorded(in: $0) })
    for step in log.finishedSteps { shared.noteEnd(of: step) }
    var usage = Usage()
    for answer in log.answers { usage.add(answer.usage) }
    self.init(
      session: history.record.session, output: output, state: state, cost: log.spent,
      usage: usage, steps: log.finishedSteps.count, calls: log.answers.count,
      usedMock: log.answers.contains(where: \.isMock), waitsFor: waitsFor, notices: shared.notices)
    mockReason = log.answers.first(where: \.isMock)?.fallback?.because
    for answer in log.answers where !answeredBy.contains(answer.source) {
      answeredBy.append(answer.source)
    }
    fallback = log.answers.lazy.compactMap(\.fallback).first
    attachments = start?.attachments.reports(log.answers) ?? []
  }
}
