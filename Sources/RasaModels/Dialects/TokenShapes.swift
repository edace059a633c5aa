import RasaDocuments

/// The members of a dialect's events that change from token to token.
struct TokenKeys: Sendable {
  var text: String
  var reasoning: [String]
  /// Their values are wanted.
  var numbers: [String] = []
  /// Their values are not.
  var varying: [String] = []
}

/// The shapes of the events that bring a token, once one of each kind has been read: nearly every
/// event of a stream, so that reading them is nearly all the work.
struct TokenShapes: Sendable {
  /// A server whose events have nothing in common is not learnt from for ever.
  private static let mostVainLessons = 16

  private let keys: TokenKeys
  private var text: JSONRepeat?
  private var reasoning: JSONRepeat?
  /// What the last token's event said, by the position of its key; -1 is unsaid.
  private(set) var numbers: [Int64]
  private var vainLessons = 0

  init(_ keys: TokenKeys) {
    self.keys = keys
    numbers = keys.numbers.map { _ in -1 }
  }

  /// What the event brings, if it has a known shape.
  mutating func token(in bytes: [UInt8], _ event: Range<Int>) -> DecodedEvent {
    forgetNumbers()
    if let text, let token = text.string(in: bytes, event, numbers: &numbers) {
      vainLessons = 0
      return .text(token)
    }
    forgetNumbers()
    if let reasoning, let token = reasoning.string(in: bytes, event, numbers: &numbers) {
      vainLessons = 0
      return .reasoning(token)
    }
    return .other
  }

  mutating func learn(_ brought: DecodedEvent, from bytes: [UInt8], _ event: Range<Int>) {
    guard vainLessons < Self.mostVainLessons else { return }
    func shape(_ key: String, _ value: String) -> JSONRepeat? {
      JSONRepeat(
        bytes, event, key: key, value: value, numbers: keys.numbers, varying: keys.varying)
    }
    switch brought {
    case .text(let value): text = shape(keys.text, value) ?? text
    case .reasoning(let value):
      for key in keys.reasoning {
        guard let learnt = shape(key, value) else { continue }
        reasoning = learnt
        break
      }
    case .other: return
    }
    vainLessons += 1
  }

  private mutating func forgetNumbers() {
    for index in numbers.indices { numbers[index] = -1 }
  }
}
