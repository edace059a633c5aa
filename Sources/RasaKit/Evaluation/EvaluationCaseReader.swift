import RasaCore
import RasaDocuments
import RasaPersona
import RasaSystem

/// Reads cases from a YAML file: one, or a list of them. Whatever is not as it should be is a failure with its
/// place, and all mistakes are reported together.
struct EvaluationCaseReader {
  private var failures: [Failure] = []
  private let file: String

  static func read(_ bytes: [UInt8], file: String) throws(Failure) -> [EvaluationCase] {
    let node = try YAML.parse(bytes, file: file)
    var reader = EvaluationCaseReader(file: file)
    let nodes: [DocumentNode]
    if case .sequence(let elements) = node.content { nodes = elements } else { nodes = [node] }
    if nodes.isEmpty { reader.fail(node, "there is no case in the file") }
    var cases: [EvaluationCase] = []
    for node in nodes {
      guard let read = reader.read(node) else { continue }
      if let first = cases.first(where: { $0.name == read.name }) {
        reader.fail(
          node["name"] ?? node,
          "the case `\(read.name)` is there already, in line \(first.location.line)")
      }
      cases.append(read)
    }
    if let failure = Failure(allOf: reader.failures) { throw failure }
    return cases
  }

  private init(file: String) { self.file = file }

  // MARK: Cases

  private static let keys = [
    "name", "persona", "agent", "input", "preferences", "attachments", "expect", "trials",
    "tolerance",
  ]

  private mutating func read(_ node: DocumentNode) -> EvaluationCase? {
    guard let fields = mapping(node, "a case", keys: Self.keys) else { return nil }
    let name = text(fields["name"], "name") ?? ""
    let input = text(fields["input"], "input") ?? ""
    for (key, value) in [("name", name), ("input", input)]
    where fields[key] == nil || fields[key]?.isText == true && value.isBlank {
      fail(fields[key] ?? node, "the case has no `\(key)`", "add `\(key): …`")
    }
    var read = EvaluationCase(name: name, file: file, location: node.location, input: input)
    if let persona = text(fields["persona"], "persona") { read.subject = .persona(persona) }
    if let agent = text(fields["agent"], "agent") {
      if read.subject != nil {
        fail(node, "a case is for a persona or for an agent, and not for both")
      }
      read.subject = .agent(agent)
    }
    if let preferences = fields["preferences"] {
      if case .mapping(let entries) = preferences.content {
        read.preferences = entries.map {
          ($0.key.lowercased(), $0.value.valueAsWritten.promptText)
        }
      } else {
        fail(preferences, "`preferences` must be a mapping")
      }
    }
    for path in elements(fields["attachments"], "attachments") {
      guard let path = text(path, "attachments") else { continue }
      read.attachments.append(FileSystem.path(path, in: FileSystem.parent(of: file)))
    }
    read.trials = number(fields["trials"], "trials", 1...1000).flatMap { Int(exactly: $0) }
    if let trials = fields["trials"], read.trials == nil, failures.last?.location != trials.location
    {
      fail(trials, "`trials` must be a whole number")
    }
    read.tolerance = number(fields["tolerance"], "tolerance", 0...1)
    for node in elements(fields["expect"], "expect") {
      if let expectation = expectation(node) { read.expectations.append(expectation) }
    }
    return read
  }

  // MARK: Expectations

  private static let kinds = [
    "contains", "not_contains", "matches", "schema", "when", "cost", "seconds", "judge",
  ]

  private mutating func expectation(_ node: DocumentNode) -> Expectation? {
    guard
      let fields = mapping(node, "an expectation", keys: Self.kinds + ["at_least", "model"])
    else { return nil }
    let found = Self.kinds.filter { fields[$0] != nil }
    guard found.count == 1, let kind = found.first, let value = fields[kind] else {
      fail(
        node,
        "an expectation has exactly one of \(Self.kinds.map { "`\($0)`" }.joined(separator: ", "))",
        "write each on a line of its own with `- `")
      return nil
    }
    if kind != "judge" {
      for key in ["at_least", "model"] {
        if let extra = fields[key] { fail(extra, "`\(key)` belongs to `judge` alone") }
      }
    }
    guard let kind = read(kind, value, fields) else { return nil }
    return Expectation(kind: kind, location: node.location)
  }

  private mutating func read(
    _ kind: String, _ value: DocumentNode, _ fields: [String: DocumentNode]
  ) -> Expectation.Kind? {
    do throws(Failure) {
      switch kind {
      case "contains": return written(value, kind).map { .contains($0) }
      case "not_contains": return written(value, kind).map { .notContains($0) }
      case "matches":
        guard let source = written(value, kind) else { return nil }
        return .matches(try RegularExpression(source))
      case "schema": return .schema(try Schema.compile(value.value))
      case "when":
        guard let source = text(value, kind) else { return nil }
        return .when(try Guard.compile(source))
      case "cost":
        guard case .scalar(let amount) = value.content,
          let most = Money(decimal: value.rawText ?? amount.promptText), most >= .zero
        else {
          fail(value, "`cost` must be an amount in dollars such as 0.10")
          return nil
        }
        return .cost(most)
      case "seconds": return number(value, kind, 0...1_000_000).map { .seconds($0) }
      default:
        guard let words = text(value, kind) else { return nil }
        let least = fields["at_least"] == nil ? 0.7 : number(fields["at_least"], "at_least", 0...1)
        guard let least else { return nil }
        let model = fields["model"] == nil ? nil : text(fields["model"], "model")
        return .judge(JudgeCriterion(words: words, least: least, model: model))
      }
    } catch {
      fail(value, error.message, error.suggestion)
      return nil
    }
  }

  // MARK: Fields

  private mutating func fail(_ node: DocumentNode, _ message: String, _ suggestion: String = "") {
    failures.append(node.failure(message, suggestion: suggestion))
  }

  private mutating func mapping(
    _ node: DocumentNode, _ label: String, keys: [String]
  ) -> [String: DocumentNode]? {
    guard case .mapping(let entries) = node.content else {
      fail(node, "\(label) must be a mapping, such as `\(keys[0]): …`")
      return nil
    }
    var fields: [String: DocumentNode] = [:]
    for entry in entries {
      guard keys.contains(entry.key) else {
        var failure = entry.value.failure(
          "`\(entry.key)` is unknown in \(label)",
          suggestion: nearestName(to: entry.key, among: keys).map { "did you mean `\($0)`?" }
            ?? "known are \(keys.map { "`\($0)`" }.joined(separator: ", "))")
        failure.location = entry.keyLocation
        failures.append(failure)
        continue
      }
      fields[entry.key] = entry.value
    }
    return fields
  }

  private mutating func elements(_ node: DocumentNode?, _ key: String) -> [DocumentNode] {
    guard let node else { return [] }
    guard case .sequence(let elements) = node.content else {
      fail(node, "`\(key)` must be a list", "write it as `[…]` or with `- ` lines")
      return []
    }
    return elements
  }

  private mutating func text(_ node: DocumentNode?, _ key: String) -> String? {
    guard let node else { return nil }
    guard case .scalar(.string(let text)) = node.content else {
      fail(node, "`\(key)` must be text", "quote it if it is meant as text")
      return nil
    }
    return text
  }

  /// A text, or a number as it is written.
  private mutating func written(_ node: DocumentNode, _ key: String) -> String? {
    guard case .scalar(let value) = node.content, !value.isNull,
      !(node.rawText ?? value.promptText).isEmpty
    else {
      fail(node, "`\(key)` must be text", "quote it if it is meant as text")
      return nil
    }
    return value.string ?? node.rawText ?? value.promptText
  }

  private mutating func number(
    _ node: DocumentNode?, _ key: String, _ range: ClosedRange<Double>
  ) -> Double? {
    guard let node else { return nil }
    guard case .scalar(let value) = node.content, let number = value.double, range.contains(number)
    else {
      fail(node, "`\(key)` must be a number from \(range.lowerBound) to \(range.upperBound)")
      return nil
    }
    return number
  }
}

extension DocumentNode {
  fileprivate var isText: Bool { value.string != nil }
}

extension String {
  fileprivate var isBlank: Bool { utf8.allSatisfy { $0 <= 0x20 } }
}
