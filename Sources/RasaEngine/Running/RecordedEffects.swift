import RasaCore

/// Recorded effects: of the run itself if it was resumed, and of the run that it was forked from.
package struct RecordedEffects: Sendable {
  /// The run's own journal. Its persona is the same, so a key alone identifies a request.
  package var own: EffectLog
  /// The journal of the run that this one was forked from; only identical requests count.
  package var inherited: EffectLog?
  /// Whether the fork has the input, preferences and user of its origin, so that what was recalled
  /// is recalled again.
  package var recallsTheSame: Bool

  package init(
    own: EffectLog = EffectLog(), inherited: EffectLog? = nil, recallsTheSame: Bool = true
  ) {
    self.own = own
    self.inherited = inherited
    self.recallsTheSame = recallsTheSame
  }

  func humanAnswer(at key: EffectKey, payloadDigest: String) -> HumanAnswer? {
    own.humanAnswer(at: key, payloadDigest: payloadDigest)
      ?? inherited?.humanAnswer(at: key, payloadDigest: payloadDigest)
  }

  func recall(in step: Step) -> [Update]? {
    recallsTheSame ? inherited?.updates(of: step) : nil
  }
}
