/// The field of an agent or a tool in which a word occurs, and how much that counts.
///
/// A field's words count by `weight`, and less the longer the field is relative to its usual
/// length. The lengths are fixed, so that a note does not depend on others.
enum RelevanceField: UInt8, CaseIterable {
  case name, capabilities, description, examples, surroundings, prompt, derived, parameters

  var weight: Double {
    switch self {
    case .name: 3.0
    case .capabilities: 2.0
    case .description: 0.8
    case .examples: 0.8
    case .surroundings: 0.8
    case .prompt: 0.25
    case .derived: 0
    case .parameters: 0.4
    }
  }

  /// In words, without stop words.
  var usualLength: Double {
    switch self {
    case .name: 3
    case .capabilities: 12
    case .description: 16
    case .examples: 24
    case .surroundings: 10
    case .prompt: 180
    case .derived: 12
    case .parameters: 24
    }
  }

  /// How much a longer text reduces the weight of its words.
  var lengthPenalty: Double { self == .prompt ? 0.75 : 0.4 }

  func weight(of count: Int, inLength length: Int) -> Double {
    let scale = 1 - lengthPenalty + lengthPenalty * Double(length) / usualLength
    return weight * Double(count) / scale
  }
}
