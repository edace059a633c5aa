package import RasaPersona

/// How many tokens of output one call may take: what its operator and its model say, and what such
/// calls have needed.
package struct OutputRoom: Sendable, Hashable {
  /// Where nothing is known of an operator, a hold begins with at most this much text.
  package static let usual: Int64 = 4_096
  /// What is held for thoughts on top of the text, where nothing is known of an operator.
  package static let usualThoughts: Int64 = 4_096
  /// Less than this is not worth asking for, unless the operator wants or needs less.
  package static let least: Int64 = 256
  /// Beyond what any model writes, and small enough to reckon with.
  private static let longest: Int64 = 100_000_000

  /// The most tokens of the whole answer, thoughts included, by its operator or its model; nil when
  /// neither says.
  package private(set) var whole: Int64?
  /// The most tokens of this call: what is left of the whole.
  package private(set) var ceiling: Int64?
  /// What is held to begin with.
  package private(set) var start: Int64
  /// Where less than this can be held, the call is not made.
  package private(set) var least: Int64

  /// - Parameters:
  ///   - wanted: the most tokens of text that the operator wants.
  ///   - most: the most that the model writes.
  ///   - effort: how much the model is to think; it is room on top of what is wanted.
  ///   - known: what such an operator has needed of the model.
  ///   - room: what is to be held at least: an earlier answer was cut at less.
  ///   - already: the tokens of the answer that this one continues.
  package init(
    wanted: Int64?, most: Int64?, thinks: Bool = false, effort: ReasoningEffort? = nil,
    known: Int64? = nil, room: Int64? = nil, continuing already: Int64? = nil
  ) {
    // Vectors are made without a token being written.
    if wanted == 0 {
      (whole, ceiling, start, least) = (0, 0, 0, 0)
      return
    }
    let text = wanted.map { min(max(1, $0), Self.longest) }
    var total = text
    if thinks, let text {
      // An answer that was cut while thinking needs more room, which is not the text's.
      total = max(text + Self.thoughts(effort), room.map { min($0, Self.longest) } ?? 0)
    }
    whole = [total, most.map { min(max(1, $0), Self.longest) }].compactMap(\.self).min()
    let done = min(max(0, already ?? 0), Self.longest)
    let left = whole.map { max(1, $0 - done) }
    func within(_ tokens: Int64) -> Int64 { min(max(1, tokens), left ?? Self.longest) }
    let unknown = min(text ?? Self.usual, Self.usual) + (thinks ? Self.usualThoughts : 0)
    // An answer that has outgrown its hold once may do so again: its room is doubled.
    let usual = already == nil ? known ?? unknown : max(Self.least, done)
    ceiling = left
    start = within(max(usual, room ?? 0))
    var need = already == nil ? known ?? Self.least : Self.least
    if already == nil, let room { need = max(need, room) }
    least = min(start, within(need))
  }

  /// What a model may think on top of the text, where the operator says how much text it wants. An
  /// answer that was cut before its text began may be asked for again with more.
  private static func thoughts(_ effort: ReasoningEffort?) -> Int64 {
    switch effort {
    case .low: 8_192
    case .medium, nil: 32_768
    case .high: 65_536
    }
  }

  /// Exactly so much: a call that is asked again as it was.
  package init(exactly tokens: Int64, of whole: Int64? = nil) {
    (start, least) = (max(0, tokens), max(0, tokens))
    (self.whole, ceiling) = (whole, whole)
  }
}
