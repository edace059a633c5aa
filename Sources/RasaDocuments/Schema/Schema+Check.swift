package import RasaCore

extension Schema {
  /// What is wrong with a value, as `answer.price: expected number, got string`; empty when it is
  /// right. The first twenty problems, in an order that does not change.
  package func problems(in value: Value, named name: String = "answer") -> [String] {
    var check = SchemaCheck(nodes: nodes)
    check.check(value, against: 0, at: name, depth: 0)
    return check.problems.map { "\($0.path): \($0.message)" }
  }

  package func accepts(_ value: Value) -> Bool { accepts(value, at: 0) }

  func accepts(_ value: Value, at node: Int) -> Bool {
    var check = SchemaCheck(nodes: nodes)
    check.check(value, against: node, at: "", depth: 0)
    return check.problems.isEmpty
  }
}

private struct SchemaProblem {
  var path: String
  var message: String
  /// The types that would have been right, when the type is what is wrong.
  var expected: [Schema.ValueType] = []
}

private struct SchemaCheck {
  let nodes: [Schema.Node]
  var problems: [SchemaProblem] = []
  /// Alternatives inside alternatives multiply; this bounds what they may cost.
  private var steps = 0

  private static let stepLimit = 200_000
  private static let depthLimit = 256
  private static let problemLimit = 20

  init(nodes: [Schema.Node]) { self.nodes = nodes }

  mutating func check(_ value: Value, against index: Int, at path: String, depth: Int) {
    steps += 1
    guard problems.count < Self.problemLimit else { return }
    guard steps <= Self.stepLimit, depth < Self.depthLimit else {
      return add("is too complex to check", at: path)
    }
    let node = nodes[index]
    if node.isNullable, value.isNull { return }
    if node.isNever { return add("is not allowed", at: path) }
    if let types = node.types, !types.contains(where: { $0.contains(value) }) {
      return addMismatch(types, value, at: path)
    }
    if let allowed = node.enumeration, !allowed.contains(where: { isSame($0, value) }) {
      let shown = allowed.map(brief).joined(separator: ", ")
      return add(
        "expected \(allowed.count == 1 ? "" : "one of ")\(shown), got \(brief(value))", at: path)
    }
    switch value {
    case .int, .double: check(number: value, node, at: path)
    case .string(let text): check(text: text, node, at: path)
    case .array(let elements): check(elements: elements, node, at: path, depth: depth)
    case .object(let object): check(object: object, node, at: path, depth: depth)
    case .null, .bool: break
    }
    if let reference = node.reference {
      check(value, against: reference, at: path, depth: depth + 1)
    }
    for index in node.allOf { check(value, against: index, at: path, depth: depth + 1) }
    if !node.anyOf.isEmpty { check(value, anyOf: node.anyOf, at: path, depth: depth) }
    if !node.oneOf.isEmpty {
      let matches = check(value, anyOf: node.oneOf, at: path, depth: depth)
      if matches > 1 {
        add("matches more than one alternative of which exactly one must match", at: path)
      }
    }
  }

  /// The number of alternatives that fit. If none does, the problems of the one that came closest:
  /// the one that got deepest before it failed.
  @discardableResult
  private mutating func check(
    _ value: Value, anyOf alternatives: [Int], at path: String, depth: Int
  ) -> Int {
    var matches = 0
    var closest: [SchemaProblem] = []
    var expected: [Schema.ValueType] = []
    for index in alternatives {
      var attempt = SchemaCheck(nodes: nodes)
      attempt.steps = steps
      attempt.check(value, against: index, at: path, depth: depth + 1)
      steps = attempt.steps
      guard let first = attempt.problems.first else {
        matches += 1
        continue
      }
      if first.path == path { expected += first.expected.filter { !expected.contains($0) } }
      if closest.isEmpty || first.path.utf8.count > closest[0].path.utf8.count
        || (first.path == closest[0].path && first.expected.isEmpty && !closest[0].expected.isEmpty)
      {
        closest = attempt.problems
      }
    }
    if matches == 0 {
      if let first = closest.first, !first.expected.isEmpty, first.path == path {
        addMismatch(expected, value, at: path)
      } else {
        problems += closest.prefix(Self.problemLimit - problems.count)
      }
    }
    return matches
  }

  private mutating func check(number: Value, _ node: Schema.Node, at path: String) {
    func fails(_ bound: Value?, _ isRight: (Order) -> Bool) -> Bool {
      bound.map { !isRight(order(number, $0)) } ?? false
    }
    if let bound = node.minimum, fails(bound, { $0 == .same || $0 == .greater }) {
      add("expected at least \(brief(bound)), got \(brief(number))", at: path)
    }
    if let bound = node.maximum, fails(bound, { $0 == .same || $0 == .less }) {
      add("expected at most \(brief(bound)), got \(brief(number))", at: path)
    }
    if let bound = node.exclusiveMinimum, fails(bound, { $0 == .greater }) {
      add("expected more than \(brief(bound)), got \(brief(number))", at: path)
    }
    if let bound = node.exclusiveMaximum, fails(bound, { $0 == .less }) {
      add("expected less than \(brief(bound)), got \(brief(number))", at: path)
    }
  }

  private mutating func check(text: String, _ node: Schema.Node, at path: String) {
    guard let lengths = node.lengths else { return }
    addSize(text.unicodeScalars.count, lengths, "characters", at: path)
  }

  private mutating func check(
    elements: [Value], _ node: Schema.Node, at path: String, depth: Int
  ) {
    if let counts = node.counts { addSize(elements.count, counts, "items", at: path) }
    guard let items = node.items else { return }
    for (position, element) in elements.enumerated() {
      check(element, against: items, at: "\(path)[\(position)]", depth: depth + 1)
    }
  }

  private mutating func check(
    object: ValueObject, _ node: Schema.Node, at path: String, depth: Int
  ) {
    for name in node.required where object[name] == nil { add("is missing", at: "\(path).\(name)") }
    var known: Set<String> = []
    for (name, index) in node.properties {
      known.insert(name)
      guard let member = object[name] else { continue }
      check(member, against: index, at: "\(path).\(name)", depth: depth + 1)
    }
    if case .allowed = node.additional { return }
    for (name, member) in object where !known.contains(name) {
      if case .checked(let index) = node.additional {
        check(member, against: index, at: "\(path).\(name)", depth: depth + 1)
      } else {
        let missing = node.properties.map(\.name).filter { object[$0] == nil }
        let nearest = nearestName(to: name, among: missing)
        add(
          "is not allowed" + (nearest.map { "; did you mean '\($0)'?" } ?? ""),
          at: "\(path).\(name)")
      }
    }
  }
}

// MARK: Words and comparisons

extension SchemaCheck {
  private enum Order { case less, same, greater, none }

  private mutating func add(_ message: String, at path: String) {
    guard problems.count < Self.problemLimit else { return }
    problems.append(SchemaProblem(path: path, message: message))
  }

  private mutating func addMismatch(
    _ expected: [Schema.ValueType], _ value: Value, at path: String
  ) {
    guard problems.count < Self.problemLimit else { return }
    let names = expected.map(\.rawValue).joined(separator: " or ")
    problems.append(
      SchemaProblem(
        path: path, message: "expected \(names), got \(value.typeName)", expected: expected))
  }

  private mutating func addSize(
    _ size: Int, _ allowed: ClosedRange<Int>, _ unit: String, at path: String
  ) {
    if size < allowed.lowerBound {
      add("expected at least \(allowed.lowerBound) \(unit), got \(size)", at: path)
    } else if size > allowed.upperBound {
      add("expected at most \(allowed.upperBound) \(unit), got \(size)", at: path)
    }
  }

  private func brief(_ value: Value) -> String {
    let text = value.json()
    return text.unicodeScalars.count > 60 ? "\(text.unicodeScalars.prefix(57))…" : text
  }

  private func order(_ left: Value, _ right: Value) -> Order {
    if case .int(let left) = left, case .int(let right) = right {
      return left < right ? .less : left == right ? .same : .greater
    }
    guard let left = left.double, let right = right.double else { return .none }
    return left < right ? .less : left == right ? .same : left > right ? .greater : .none
  }

  /// Equal as JSON has it, where 1 and 1.0 are the same number.
  private func isSame(_ left: Value, _ right: Value) -> Bool {
    switch (left, right) {
    case (.int, .double), (.double, .int): order(left, right) == .same
    case (.array(let left), .array(let right)):
      left.count == right.count && zip(left, right).allSatisfy { isSame($0, $1) }
    case (.object(let left), .object(let right)):
      left.count == right.count
        && left.allSatisfy { name, member in right[name].map { isSame(member, $0) } ?? false }
    default: left == right
    }
  }
}
