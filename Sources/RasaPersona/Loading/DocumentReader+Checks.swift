import RasaCore
import RasaDocuments

/// Checks of an operator that do not depend on its persona.
extension DocumentReader {
  private static let usedBy: [(key: String, kinds: Set<OperatorKind>)] = [
    ("profile", [.llm]), ("max_tokens", [.llm, .memory]), ("temperature", [.llm, .memory]),
    ("reasoning_effort", [.llm, .memory]),
    ("prompt", [.llm, .human, .agent, .memory]), ("prompt_path", [.llm, .human, .agent, .memory]),
    ("output", [.llm, .tool, .human, .agent, .memory]), ("rules", [.rule]), ("compose", [.rule]),
    ("memory", [.memory]), ("tools", [.llm, .tool]), ("arguments", [.tool]),
    ("tool_limits", [.llm]), ("agent", [.agent]), ("ask", [.human]),
    ("default", [.human]), ("attachments", [.llm, .agent]), ("may_ask", [.llm]),
  ]

  mutating func warnAboutUnusedFields(_ fields: Fields, of kind: OperatorKind) {
    for (key, kinds) in Self.usedBy where !kinds.contains(kind) {
      guard let entry = fields.entries.first(where: { $0.key == key }) else { continue }
      warn(
        "`\(key)` has no effect on an operator of kind `\(kind.rawValue)`", at: entry.keyLocation)
    }
  }

  mutating func check(_ definition: OperatorDefinition, _ fields: Fields) {
    switch definition.kind {
    case .llm: checkModelCall(definition, fields)
    case .rule: checkRules(definition, fields)
    case .tool:
      if definition.tools.count != 1 {
        fail(
          fields["tools"] ?? fields.node, "an operator of kind `tool` calls exactly one tool",
          suggestion: "name it as `tools: [search]`")
      }
    case .memory:
      if definition.memory == nil, fields["memory"] == nil {
        fail(
          fields.node, "an operator of kind `memory` does not say what it does",
          suggestion: "add `memory: recall` or `memory: remember`")
      }
    case .agent:
      if definition.agent == nil, fields["agent"] == nil {
        fail(
          fields.node, "an operator of kind `agent` does not say which agent it runs",
          suggestion: "add `agent: …`")
      }
    case .human: checkHuman(definition, fields)
    }
    if let prompt = definition.prompt, prompt.source.isBlankText,
      let node = fields["prompt"] ?? fields["prompt_path"]
    {
      fail(node, "the prompt is empty", suggestion: "write the operator's task")
    }
    checkDeclared(
      definition.arguments.flatMap(\.content.paths), in: definition, fields, "an argument takes"
    ) { _ in nil }
    if let ask = definition.ask {
      checkDeclared(ask.paths, in: definition, fields, "the question inserts") {
        ask.location(of: $0)
      }
    }
    if let prompt = definition.prompt {
      checkDeclared(prompt.paths, in: definition, fields, "the prompt inserts") {
        prompt.location(of: $0)
      }
    }
  }

  private mutating func checkModelCall(_ definition: OperatorDefinition, _ fields: Fields) {
    if definition.prompt == nil, fields["prompt"] == nil, fields["prompt_path"] == nil {
      fail(
        fields.node, "an operator of kind `llm` needs a prompt",
        suggestion: "add `prompt: |` with its task")
    }
    checkAnswer(definition, fields)
  }

  /// A `human` operator shows a person the text of others, or asks the user for something, but not
  /// both.
  private mutating func checkHuman(_ definition: OperatorDefinition, _ fields: Fields) {
    guard let ask = definition.ask else {
      if fields["ask"] != nil { return }
      for (key, meaning) in [
        ("default", "the answer used when nobody is asked"),
        ("output", "the schema of an answer"),
      ] {
        guard let entry = fields.entries.first(where: { $0.key == key }) else { continue }
        warn(
          "`\(key)` is \(meaning), but this operator asks for none: it has no `ask`",
          at: entry.keyLocation)
      }
      return
    }
    if ask.source.isBlankText {
      fail(
        fields["ask"] ?? fields.node, "`ask` is empty",
        suggestion: "write the question for the user")
    }
    if definition.prompt != nil {
      fail(
        fields["prompt"] ?? fields["prompt_path"] ?? fields.node,
        "`ask` and `prompt` are both given",
        suggestion:
          "`ask` asks the user for something; `prompt` is the question of a review. Keep one")
    }
    checkAnswer(definition, fields)
    guard let answer = definition.standardAnswer, let node = fields["default"] else { return }
    var problems: [String] = []
    if let schema = definition.output {
      // Errors of the schema itself were already reported.
      problems = (try? Schema.compile(schema).problems(in: answer)) ?? []
    } else if answer.string == nil {
      problems = ["an answer without `output` is text"]
    }
    for problem in problems.prefix(4) {
      fail(
        node, "`default` does not fit: \(problem)",
        suggestion: "give an answer that the operator accepts"
      )
    }
  }

  /// Checks where the answer of a model or person is stored.
  private mutating func checkAnswer(_ definition: OperatorDefinition, _ fields: Fields) {
    guard let first = definition.writes.first else {
      if fields["writes"] == nil {
        fail(
          fields.node, "the operator does not store its answer",
          suggestion: "add `writes`, such as `writes: {draft: text}`")
      }
      return
    }
    let node = fields["writes"] ?? fields.node
    guard let schema = definition.output else {
      guard fields["output"] == nil else { return }
      if definition.writes.count > 1 {
        fail(
          node, "one answer in plain text cannot fill \(definition.writes.count) keys",
          suggestion: "add an `output` schema with a property for each key, or write one key")
      } else if first.type != .text && first.type != .any {
        fail(
          node, "`\(first.key)` is declared as `\(first.type.rawValue)`, but the answer is text",
          suggestion: "add an `output` schema, or write `\(first.key): text`")
      }
      return
    }
    if definition.writes.count == 1 {
      if first.type != .object && first.type != .any {
        fail(
          node,
          "`\(first.key)` is declared as `\(first.type.rawValue)`, but `output` describes an object",
          suggestion: "write `\(first.key): object`")
      }
    } else {
      for write in definition.writes where schema["properties"][write.key].isNull {
        fail(
          node, "`output` has no property for `\(write.key)`",
          suggestion: "with several keys, each takes the property with its name")
      }
    }
  }

  private mutating func checkRules(_ definition: OperatorDefinition, _ fields: Fields) {
    let node = fields.node
    switch (definition.rules.isEmpty, definition.compose == nil) {
    case (true, true):
      if fields["rules"] == nil, fields["compose"] == nil {
        fail(node, "an operator of kind `rule` needs rules", suggestion: "add `rules` or `compose`")
      } else if let rules = fields["rules"], case .sequence(let elements) = rules.content,
        elements.isEmpty
      {
        fail(rules, "`rules` is empty", suggestion: "add a rule such as `{set: {priority: low}}`")
      }
    case (false, false):
      fail(node, "`rules` and `compose` are both given", suggestion: "make two operators of them")
    default: break
    }
    var written = definition.rules.flatMap(\.keysWritten)
    if let composition = definition.compose { written.append(composition.key) }
    var declared = Set(definition.writes.map(\.key))
    for key in written where declared.insert(key).inserted {
      fail(
        fields["writes"] ?? node, "the operator changes `\(key)` without declaring it",
        suggestion: "add `\(key)` to `writes`")
    }
    for write in definition.writes where fields["writes"] == nil {
      _ = isWritable(write.key, fields["rules"] ?? fields["compose"] ?? node)
    }
    checkDeclared(Self.pathsUsed(by: definition), in: definition, fields, "the operator looks at") {
      _ in nil
    }
  }

  private static let mostHints = 20

  /// An operator only sees what it declares to read, so any other path would be empty.
  private mutating func checkDeclared(
    _ paths: [StatePath], in definition: OperatorDefinition, _ fields: Fields, _ deed: String,
    place: (StatePath) -> SourceLocation?
  ) {
    if paths.isEmpty { return }
    let reads = PathSet(definition.reads)
    let own =
      definition.kind == .rule
      ? Set(definition.writes.map(\.key)).subtracting(Self.keysChangedInPlace(definition)) : []
    var names: [String]?
    var hints = 0
    for path in paths where !reads.covers(path) && !own.contains(path.key) {
      // Finding a suggestion takes longer than all else, and is not needed a hundred times.
      names = hints < Self.mostHints ? names ?? definition.reads.map(\.description) : []
      hints += 1
      let nearest = nearestName(to: path.description, among: names ?? [])
      let message = "\(deed) `\(path)`, which is not among the operator's `reads`"
      let suggestion =
        nearest.map { "did you mean `\($0)`? Otherwise add `\(path)` to `reads`" }
        ?? "add `\(path)` to `reads`"
      if let location = place(path) {
        fail(Failure(.configuration, message, suggestion: suggestion, at: location))
      } else {
        fail(fields["reads"] ?? fields.node, message, suggestion: suggestion)
      }
    }
  }

  /// Whether `output` is the schema of an object with properties.
  mutating func isAnswerSchema(_ node: DocumentNode) -> Bool {
    let before = failures.count
    guard case .mapping = node.content else {
      fail(node, "output", mustBe: "a JSON Schema", suggestion: "start it with `type: object`")
      return false
    }
    if node["type"]?.value.string != "object" {
      fail(
        node["type"] ?? node, "`output` must be a schema of an object",
        suggestion: "add `type: object`")
    }
    let properties = entries(
      node["properties"], "properties", mustBe: "a mapping of names to schemas")
    if properties.isEmpty, failures.count == before {
      fail(node, "`output` has no properties", suggestion: "name the properties of the answer")
    }
    for name in elements(node["required"], "required", of: "property names") {
      guard let text = text(name, "required") else { continue }
      if !properties.contains(where: { $0.key == text }) {
        let suggestion = nearestName(to: text, among: properties.map(\.key))
        fail(
          name, "`required` names `\(text)`, which is not a property",
          suggestion: suggestion.map { "did you mean `\($0)`?" } ?? "")
      }
    }
    guard failures.count == before else { return false }
    do {
      for warning in try Schema.compile(node.value).warnings {
        warn("in `output`, \(warning)", at: node.location)
      }
    } catch {
      fail(node, error.message, suggestion: error.suggestion)
    }
    return failures.count == before
  }
}

extension String {
  fileprivate var isBlankText: Bool { !utf8.contains { $0 > 0x20 } }
}
