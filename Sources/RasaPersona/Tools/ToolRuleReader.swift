package import RasaCore
import RasaDocuments

/// Reads rules of a policy from a document of their own.
package enum ToolRuleLoader {
  /// A list of rules.
  package static func load(_ document: SourceDocument) -> Reading<[ToolRule]> {
    // A new file may have nothing but comments.
    let lines = document.bytes.split { $0 == 0x0A || $0 == 0x0D }
    guard
      lines.contains(where: { line in
        let first = line.first { $0 > 0x20 }
        return first != nil && first != UInt8(ascii: "#")
      })
    else {
      return Reading(read: [], failures: [], warnings: [])
    }
    do {
      let read = try YAML.read(document.bytes, file: document.path)
      var reader = DocumentReader(text: SourceText(document))
      for problem in read.problems { reader.fail(problem.failure) }
      var list = read.node
      // With the heading that it has in a config.yaml, too.
      if case .mapping(let entries) = list.content, entries.count == 1,
        let only = entries.first, only.key == "policy"
      {
        list = only.value
      }
      let rules: [ToolRule] =
        if case .scalar(.null) = list.content { [] } else { reader.toolRules(list) }
      return Reading(read: rules, failures: reader.failures, warnings: reader.warnings)
    } catch {
      return Reading(failure: error)
    }
  }

  /// One rule, as a person writes a grant.
  package static func rule(_ text: String, named name: String) throws(Failure) -> ToolRule {
    let document = SourceDocument(bytes: Array(text.utf8), path: name)
    let read = try YAML.read(document.bytes, file: name)
    var reader = DocumentReader(text: SourceText(document))
    for problem in read.problems { reader.fail(problem.failure) }
    let rule = reader.toolRule(read.node)
    if let failure = Failure(allOf: reader.failures) { throw failure }
    guard let rule else { throw Failure(.configuration, "\(name) is no rule") }
    return rule
  }
}

extension DocumentReader {
  private static let ruleKeys = [
    "allow", "ask", "deny", "arguments", "others", "people", "expires", "on_expiry", "because",
  ]

  /// The rules under `policy:`, or of a policy's own file.
  mutating func toolRules(_ node: DocumentNode?) -> [ToolRule] {
    elements(node, "policy", of: "rules").compactMap { toolRule($0) }
  }

  mutating func toolRule(_ node: DocumentNode) -> ToolRule? {
    guard case .mapping(let entries) = node.content else {
      fail(
        node, "a rule", mustBe: "a mapping",
        suggestion: "write it as `- ask: mcp:mail/send`, with `arguments:` below where they matter")
      return nil
    }
    let before = failures.count
    // A word that is overlooked would leave a rule that says more than its author meant.
    for entry in entries where !Self.ruleKeys.contains(entry.key) {
      let nearest = nearestName(to: entry.key, among: Self.ruleKeys)
      fail(
        Failure(
          .configuration, "`\(Self.printable(entry.key))` is unknown in a rule",
          suggestion: nearest.map { "did you mean `\($0)`?" }
            ?? "a rule has \(Self.listed(Self.ruleKeys, "and"))", at: entry.keyLocation))
    }
    let fields = Fields(node: node, entries: entries)
    let decisions = ToolRule.Decision.allCases.filter { decision in
      entries.contains { $0.key == decision.rawValue }
    }
    guard decisions.count == 1, let decision = decisions.first else {
      fail(
        node,
        decisions.isEmpty
          ? "the rule decides nothing"
          : "the rule says both `\(decisions[0].rawValue)` and `\(decisions[1].rawValue)`",
        suggestion: "write one of `allow: TOOL`, `ask: TOOL` and `deny: TOOL`")
      return nil
    }
    let tools = oneOrMore(fields[decision.rawValue]).compactMap { toolName($0, decision) }
    if tools.isEmpty, failures.count == before {
      fail(
        node, "the rule names no tool",
        suggestion: "write `\(decision.rawValue): \"*\"` for every tool")
    }
    var rule = ToolRule(decision, tools: tools, location: node.location)
    let allowsOthers = flag(fields["others"], "others")
    if let node = fields["arguments"] {
      rule.arguments = argumentPatterns(
        node, "arguments", allowsOthers: allowsOthers ?? (decision != .allow))
    } else if let node = fields["others"] {
      fail(
        node, "`others` requires `arguments`",
        suggestion: "a rule without `arguments` is about all arguments")
    }
    rule.because = text(fields["because"], "because") ?? ""
    for key in ["people", "expires", "on_expiry"] where decision != .ask {
      if let node = fields[key] {
        fail(
          node, "`\(key)` requires `ask`",
          suggestion: "nobody is asked where a rule says `\(decision.rawValue)`")
      }
    }
    rule.people = integer(fields["people"], "people", in: 1...9) ?? 1
    rule.expires = seconds(fields["expires"], "expires")
    rule.onExpiry = choice(fields["on_expiry"], "on_expiry")
    return failures.count == before ? rule : nil
  }

  private mutating func toolName(
    _ node: DocumentNode, _ decision: ToolRule.Decision
  ) -> ToolNamePattern? {
    guard let name = text(node, decision.rawValue) else { return nil }
    guard !name.isEmpty, name.utf8.count <= 1000 else {
      fail(node, decision.rawValue, mustBe: "the name of a tool, such as `mcp:git/git_*`")
      return nil
    }
    return ToolNamePattern(name)
  }

  /// `{name: pattern}`; a dot leads into an object.
  private mutating func argumentPatterns(
    _ node: DocumentNode, _ label: String, allowsOthers: Bool
  ) -> ArgumentPatterns {
    var patterns = ArgumentPatterns([:], allowsOthers: allowsOthers)
    for entry in entries(node, label, mustBe: "a mapping of arguments to patterns") {
      guard let pattern = argumentPattern(entry.value, entry.key, allowsOthers: allowsOthers) else {
        continue
      }
      let dot = UInt8(ascii: ".")
      let path = entry.key.utf8.split(separator: dot, omittingEmptySubsequences: false)
        .map { String(decoding: Array($0), as: UTF8.self) }
      guard !path.contains("") else {
        fail(
          Failure(
            .configuration, "`\(Self.printable(entry.key))` names no argument",
            suggestion: "write `name`, or `outer.inner` for a member of an object",
            at: entry.keyLocation))
        continue
      }
      if !patterns.add(pattern, at: path[...]) {
        fail(
          Failure(
            .configuration, "`\(Self.printable(entry.key))` is given twice",
            suggestion: "list what it may be as `[one, another]`", at: entry.keyLocation))
      }
    }
    return patterns
  }

  private mutating func argumentPattern(
    _ node: DocumentNode, _ label: String, allowsOthers: Bool
  ) -> ArgumentPattern? {
    switch node.content {
    case .scalar(.string(let text)):
      guard text.utf8.count <= 10_000, text.utf8.count(where: { $0 == UInt8(ascii: "*") }) <= 64
      else {
        fail(node, "the pattern of `\(Self.printable(label))` is too long")
        return nil
      }
      return .text(TextPattern(text))
    case .scalar(let value): return .value(value)
    case .sequence(let elements):
      return .anyOf(
        elements.compactMap { argumentPattern($0, label, allowsOthers: allowsOthers) })
    case .mapping:
      return .members(argumentPatterns(node, label, allowsOthers: allowsOthers))
    }
  }

  /// `90s`, `30m`, `1h`, `2d`, or seconds.
  mutating func seconds(_ node: DocumentNode?, _ label: String) -> Double? {
    guard let node else { return nil }
    if case .scalar(let value) = node.content {
      if value.string == nil, let seconds = value.double, seconds > 0, seconds <= 31_536_000 {
        return seconds
      }
      if let text = value.string, let unit = text.utf8.last,
        let factor = [
          UInt8(ascii: "s"): 1.0, UInt8(ascii: "m"): 60, UInt8(ascii: "h"): 3600,
          UInt8(ascii: "d"): 86_400,
        ][unit], let number = Double(String(text.dropLast())), number > 0,
        number * factor <= 31_536_000
      {
        return number * factor
      }
    }
    fail(
      node, label, mustBe: "a time such as `30m`, `1h` or `2d`, of at most a year")
    return nil
  }
}

extension ArgumentPatterns {
  /// False if there is a pattern at that path already.
  fileprivate mutating func add(_ pattern: ArgumentPattern, at path: ArraySlice<String>) -> Bool {
    guard let name = path.first else { return false }
    if path.count == 1 {
      guard members[name] == nil else { return false }
      members[name] = pattern
      return true
    }
    var inner = ArgumentPatterns([:], allowsOthers: allowsOthers)
    switch members[name] {
    case .members(let known)?: inner = known
    case nil: break
    default: return false
    }
    guard inner.add(pattern, at: path.dropFirst()) else { return false }
    members[name] = .members(inner)
    return true
  }
}

// MARK: As text

extension ToolRule {
  /// The rule as a person reads and edits it, and as a policy file takes it.
  package var text: String { "\(lines(value))\n" }

  private func lines(_ value: Value) -> String {
    (value.object ?? ValueObject()).map { "\($0.key): \($0.value.json(.compact))" }
      .joined(separator: "\n")
  }

  /// As JSON documents and the store have it. JSON is YAML, so the reader reads it back.
  package var value: Value {
    let names = tools.map { Value.string($0.text.source) }
    var object = ValueObject()
    object[decision.rawValue] = names.count == 1 ? names[0] : .array(names)
    if let arguments {
      object["arguments"] = arguments.value
      if arguments.allowsOthers == (decision == .allow) {
        object["others"] = .bool(arguments.allowsOthers)
      }
    }
    if people > 1 { object["people"] = .int(Int64(people)) }
    if let expires { object["expires"] = .double(expires) }
    if let onExpiry { object["on_expiry"] = .string(onExpiry.rawValue) }
    if !because.isEmpty { object["because"] = .string(because) }
    return .object(object)
  }
}

extension ArgumentPatterns {
  fileprivate var value: Value {
    .object(
      ValueObject(members.sorted { $0.key < $1.key }.map { ($0.key, $0.value.value) }))
  }
}

extension ArgumentPattern {
  fileprivate var value: Value {
    switch self {
    case .text(let text): .string(text.source)
    case .value(let value): value
    case .anyOf(let patterns): .array(patterns.map(\.value))
    case .members(let patterns): patterns.value
    }
  }
}
