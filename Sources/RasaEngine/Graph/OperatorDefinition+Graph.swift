package import RasaCore
package import RasaPersona

extension OperatorDefinition {
  /// What a person is asked about by a `human` operator: the first key it reads that an operator
  /// wrote. That is also what an edit replaces.
  package var reviewSubject: StatePath? {
    guard isReviewer else { return nil }
    return reads.first { !State.provided.contains($0.key) }
  }

  /// Whether what is attached to the input is shown to it: where it reads the input, unless its file
  /// says that it can do without. One that is given the draft alone does not pay for an image again.
  package var seesAttachments: Bool {
    guard takesAttachments else { return false }
    return reads.contains { $0.overlaps(.input) } || (prompt == nil && sections.isEmpty)
  }

  /// Whether a person decides about what others wrote, and is not asked for something of their own.
  package var isReviewer: Bool { kind == .human && ask == nil }

  /// The type of a path below the keys this operator writes, as far as it declares it.
  func type(of path: StatePath) -> ValueType? {
    guard let write = writes.first(where: { $0.key == path.key }) else { return nil }
    guard path.components.count > 1 else { return write.type == .any ? nil : write.type }
    var schema = output ?? .null
    let inside = writes.count > 1 ? path.components : Array(path.components.dropFirst())
    for component in inside { schema = schema["properties"][component] }
    switch schema["type"].string {
    case "string": return .text
    case "number", "integer": return .number
    case "boolean": return .boolean
    case "array": return .list
    case "object": return .object
    default: return nil
    }
  }
}

extension Graph {
  /// Guards that compare what cannot be compared, as far as declared types and schemas tell.
  func guardTypeProblems() -> [Failure] {
    var writers: [String: (nodes: [Int], count: Int)] = [:]
    for (index, node) in nodes.enumerated() {
      for key in Set(node.writes.map(\.key)) { writers[key, default: ([], 0)].count += 1 }
      for write in node.definition.writes where writers[write.key]?.nodes.last != index {
        writers[write.key, default: ([], 0)].nodes.append(index)
      }
    }
    var known: [StatePath: ValueType?] = [:]
    func type(of path: StatePath) -> ValueType? {
      if let type = known[path] { return type }
      let type = type(lookingFor: path)
      known[path] = .some(type)
      return type
    }
    func type(lookingFor path: StatePath) -> ValueType? {
      switch path.components {
      case ["input"]: return .text
      case ["preferences"], ["metadata"], ["context"]: return .object
      case ["feedback"]: return .text
      default: break
      }
      if path.key == "preferences" { return .text }
      guard let writers = writers[path.key] else { return nil }
      let types = writers.nodes.compactMap { nodes[$0].definition.type(of: path) }
      return Set(types).count == 1 && writers.count == types.count ? types.first : nil
    }
    var guards: [Guard] = []
    for node in nodes {
      guards += node.routes.compactMap(\.when)
      if case .when(let condition) = node.definition.review { guards.append(condition) }
      guards += node.definition.rules.compactMap(\.when)
    }
    for frame in frames { guards += frame.transitions.compactMap(\.when) }
    return guards.flatMap { $0.problems(types: type(of:)) }
  }

  /// Templates and rules that look at what `reads` does not declare: order and parallel running
  /// are derived from `reads`, so it has to tell all.
  func undeclaredReads() -> [Failure] {
    var found: [Failure] = []
    for node in nodes {
      let definition = node.definition
      var seen: [(StatePath, SourceLocation)] = []
      func look(_ paths: [StatePath], _ location: SourceLocation?) {
        for path in paths { seen.append((path, location ?? definition.location)) }
      }
      if let prompt = definition.prompt { look(prompt.paths, prompt.location) }
      if let ask = definition.ask { look(ask.paths, ask.location) }
      for rule in definition.rules {
        if let condition = rule.when { look(condition.reads, condition.location) }
        for (_, value) in rule.set {
          switch value {
          case .literal: break
          case .template(let template): look(template.paths, template.location)
          case .path(let path): look([path], nil)
          }
        }
        for (_, text) in rule.append { look(text.paths, text.location) }
      }
      if case .when(let condition) = definition.review { look(condition.reads, condition.location) }
      if seen.isEmpty { continue }
      let declared = PathSet(definition.reads + node.writes)
      for (path, location) in seen where !declared.overlaps(path) {
        found.append(
          Failure(
            .configuration,
            "the operator `\(definition.name)` uses `\(path)` without declaring it",
            suggestion: "add `\(path)` to its `reads`", at: location))
      }
    }
    return found
  }
}
