/// The identity of an effect: where in the run it was asked for, never when it arrived. Visits are
/// counted per frame, so the key is the same however parallel branches interleave.
package struct EffectKey: Sendable, Hashable, CustomStringConvertible {
  package var frame: String
  /// Which visit of that frame, counted from 1.
  package var visit: Int
  package var operatorName: String
  /// What the operator asks for: `call`, `repair`, `review`, `tool:name`, …
  package var label: String
  /// Counted from 1 for the same label: further tries, further rounds.
  package var occurrence: Int

  package init(
    frame: String, visit: Int, operatorName: String, label: String, occurrence: Int = 1
  ) {
    self.frame = frame
    self.visit = visit
    self.operatorName = operatorName
    self.label = label
    self.occurrence = occurrence
  }

  package var description: String {
    "\(frame):\(visit)/\(operatorName)/\(label)#\(occurrence)"
  }
}

extension EffectKey {
  private static let doubt = ".uncertain"

  /// The key of the question whether an attempt in doubt is repeated: `call.uncertain`, and in a second round
  /// `call@2.uncertain@2`.
  var questionInDoubt: EffectKey {
    step.effect(label + Self.doubt, occurrence: occurrence)
  }

  /// Whether it is the key of such a question.
  var isQuestionInDoubt: Bool {
    let round = step.round
    return label.hasSuffix(round > 1 ? "\(Self.doubt)@\(round)" : Self.doubt)
  }

  /// The pass that asked. Its round follows the label, as in `call@2`.
  package var step: Step {
    let round = label.lastIndex(of: "@").flatMap { Int(label[label.index(after: $0)...]) }
    return Step(frame: frame, visit: visit, operatorName: operatorName, round: round ?? 1)
  }

  /// In which turn of a model the tool is used; nil for any other effect.
  var toolRound: Int? {
    let parts = labelInAnyRound.split(separator: ".")
    guard parts.count == 3, parts[0].hasPrefix("tool:") else { return nil }
    return Int(parts[1])
  }

  /// The run's own operator that asked, or for which an agent did.
  var outermost: Step {
    var step = Step(frame: frame, visit: visit, operatorName: operatorName)
    while let outer = step.outer { step = outer }
    return step
  }

  /// Reads the description back: `frame:visit/operator/label#occurrence`.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, let colon = parts[0].lastIndex(of: ":"),
      let hash = parts[2].lastIndex(of: "#"), let visit = Int(parts[0][colon...].dropFirst()),
      let occurrence = Int(parts[2][hash...].dropFirst())
    else { return nil }
    self.init(
      frame: String(parts[0][..<colon]), visit: visit, operatorName: String(parts[1]),
      label: String(parts[2][..<hash]), occurrence: occurrence)
  }
}
