/// Where in an agent a word stands, and how much that says.
///
/// A field's words count by `weight`, and less the longer the field is beside its usual length. The
/// lengths are fixed, so that what is noted of an agent does not depend on the others.
enum RelevanceField: UInt8, CaseIterable {
  case name, capabilities, description, examples, surroundings, prompt, derived

  var weight: Double {
    switch self {
    case .name: 3.0
    case .capabilities: 2.0
    case .description: 0.8
    case .examples: 0.8
    case .surroundings: 0.8
    case .prompt: 0.25
    case .derived: 0
    }
  }

  /// In words that are no stop words.
  var usualLength: Double {
    switch self {
    case .name: 3
    case .capabilities: 12
    case .description: 16
    case .examples: 24
    case .surroundings: 10
    case .prompt: 180
    case .derived: 12
    }
  }

  /// How far a longer text is held against its words.
  var lengthPenalty: Double { self == .prompt ? 0.75 : 0.4 }

  func weight(of count: Int, inLength length: Int) -> Double {
    let scale = 1 - lengthPenalty + lengthPenalty * Double(length) / usualLength
    return weight * Double(count) / scale
  }
}
