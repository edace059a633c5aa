import RasaCore

/// What is known from before: of the run itself when it goes on, and of the run that it is a fork of.
package struct RecordedEffects: Sendable {
  /// The run's own journal: its persona is the same, so what was asked at a place is asked there.
  package var own: EffectLog
  /// The journal of the run that this one is a fork of; only what is asked in the same words counts.
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
