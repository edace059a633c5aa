package import RasaCore

/// What happens to a question that nobody answers in time.
package enum ExpiryPolicy: String, Sendable, Hashable, CaseIterable {
  /// It counts as refused, and the run can go on.
  case deny
  /// The run waits; whoever resumes it is asked anew.
  case park
  /// It stays open and is marked in lists.
  case escalate
}

/// Which values of an argument a rule or a grant is about.
package indirect enum ArgumentPattern: Sendable, Hashable {
  case text(TextPattern)
  /// Exactly this number or truth value, or null.
  case value(Value)
  /// Any of these.
  case anyOf([ArgumentPattern])
  /// Members of an object, by name.
  case members(ArgumentPatterns)
}

/// Patterns of arguments, by name.
package struct ArgumentPatterns: Sendable, Hashable {
  package var members: [String: ArgumentPattern]
  /// Whether there may be arguments that are not named. They may always where a rule forbids or asks.
  package var allowsOthers: Bool

  package init(_ members: [String: ArgumentPattern], allowsOthers: Bool = false) {
    self.members = members
    self.allowsOthers = allowsOthers
  }

  /// The patterns that only these arguments fit.
  package init(exactly arguments: Value) {
    self.init(
      Dictionary((arguments.object ?? ValueObject()).map { ($0.key, .exactly($0.value)) }) { $1 })
  }

  /// Read narrowly, each named argument has to be there and fit, and there is no other. Read widely, it is
  /// enough that the named ones are there and fit.
  package func matches(_ arguments: Value, _ reach: PatternReach) -> Bool {
    let object = arguments.object ?? ValueObject()
    for (name, pattern) in members {
      guard let value = object[name] else {
        if reach == .narrow, pattern.isAnything { continue }
        return false
      }
      guard pattern.matches(value, reach) else { return false }
    }
    if reach == .wide || allowsOthers { return true }
    return object.keys.allSatisfy { members[$0] != nil }
  }
}

extension ArgumentPattern {
  package var isAnything: Bool {
    if case .text(let text) = self { text.isAnything } else { false }
  }

  package static func exactly(_ value: Value) -> ArgumentPattern {
    switch value {
    case .string(let text): .text(TextPattern(exactly: text))
    case .object: .members(ArgumentPatterns(exactly: value))
    // A list may have fewer elements, and no others.
    case .array(let list): .anyOf(list.map { .exactly($0) })
    case .null, .bool, .int, .double: .value(value)
    }
  }

  /// Of a list, read narrowly every element has to fit, read widely one is enough.
  package func matches(_ value: Value, _ reach: PatternReach) -> Bool {
    if isAnything { return true }
    if let list = value.array {
      return reach == .narrow
        ? list.allSatisfy { matches($0, reach) } : list.contains { matches($0, reach) }
    }
    switch self {
    case .text(let text):
      if let string = value.string { return text.matches(string, reach) }
      guard reach == .wide else { return false }
      if let object = value.object { return object.contains { matches($0.value, reach) } }
      return text.matches(value.json(.compact), reach)
    case .members(let patterns): return value.object != nil && patterns.matches(value, reach)
    case .value(let wanted): return Self.isSame(wanted, value)
    case .anyOf(let patterns): return patterns.contains { $0.matches(value, reach) }
    }
  }

  private static func isSame(_ one: Value, _ other: Value) -> Bool {
    // 3 and 3.0 are one number, and no text is one.
    if let one = one.double, let other = other.double { return one == other }
    return one.jsonBytes(.canonical) == other.jsonBytes(.canonical)
  }
}

/// A rule of a policy: for these tools, with these arguments, this is decided.
package struct ToolRule: Sendable, Hashable {
  package enum Decision: String, Sendable, Hashable, CaseIterable { case allow, ask, deny }

  package var decision: Decision
  package var tools: [ToolNamePattern]
  /// Nil for whatever arguments.
  package var arguments: ArgumentPatterns?
  /// How many different people have to approve.
  package var people = 1
  /// Seconds until a question expires; nil for the usual time.
  package var expires: Double?
  package var onExpiry: ExpiryPolicy?
  /// Its author's reason; may be empty.
  package var because = ""
  package var location: SourceLocation

  package init(
    _ decision: Decision, tools: [ToolNamePattern], arguments: ArgumentPatterns? = nil,
    location: SourceLocation = SourceLocation(file: "", line: 0, column: 0)
  ) {
    self.decision = decision
    self.tools = tools
    self.arguments = arguments
    self.location = location
  }

  private var reach: PatternReach { decision == .allow ? .narrow : .wide }

  /// Whether it is about some use of that tool.
  package func concerns(tool: String) -> Bool { tools.contains { $0.matches(tool, reach) } }

  package func matches(tool: String, _ arguments: Value) -> Bool {
    guard concerns(tool: tool) else { return false }
    return self.arguments?.matches(arguments, reach) ?? true
  }
}

extension [ToolRule] {
  /// The first that is about this use.
  package func first(for tool: String, _ arguments: Value) -> ToolRule? {
    first { $0.matches(tool: tool, arguments) }
  }
}
