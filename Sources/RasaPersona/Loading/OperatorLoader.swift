package import RasaCore
package import RasaDocuments

/// Loads an operator from its document.
package enum OperatorLoader {
  /// - Parameters:
  ///   - problems: problems of the document itself.
  ///   - file: the name of its file, which is used; nil for one outside an operators folder.
  package static func load(
    _ node: DocumentNode, text: SourceText, problems: [Failure] = [], named file: String? = nil,
    beside source: any DefinitionSource
  ) -> Reading<OperatorDefinition> {
    var reader = DocumentReader(text: text)
    for problem in problems { reader.fail(problem) }
    let definition = reader.operatorDefinition(
      node, overriding: nil, named: file, beside: source)
    return Reading(
      read: definition ?? OperatorDefinition(name: "", kind: .rule), failures: reader.failures,
      warnings: reader.warnings)
  }
}

extension DocumentReader {
  private static let operatorKeys = [
    "name", "kind", "frame", "description", "reads", "writes", "profile", "max_tokens",
    "temperature", "reasoning_effort", "prompt", "prompt_path", "output", "then", "review",
    "on_error", "timeout",
    "uncertain", "rules", "compose", "memory", "tools", "agent", "ask", "default",
    "attachments", "arguments", "tool_limits", "may_ask", "skills", "context",
  ]

  /// Reads a complete operator, or the fields that a persona overrides.
  mutating func operatorDefinition(
    _ node: DocumentNode, overriding base: OperatorDefinition?, named file: String? = nil,
    beside source: any DefinitionSource
  ) -> OperatorDefinition? {
    guard let fields = fields(node, of: "an operator", known: Self.operatorKeys) else { return nil }
    let name = effectiveName(fields, file: file)
    if fields["name"] == nil, file == nil {
      fail(node, "the operator has no `name`", suggestion: "add `name: …`")
    }
    let kind: OperatorKind? = choice(fields["kind"], "kind")
    if base == nil, fields["kind"] == nil {
      fail(
        node, "the operator has no `kind`",
        suggestion: "add one of \(Self.listed(OperatorKind.allCases.map(\.rawValue)))")
    }
    guard let kind = kind ?? base?.kind else {
      // Other problems are reported too, but the fields depend on the kind.
      if fields["name"] != nil || file != nil { readFields(fields, beside: source) }
      return nil
    }

    var definition = base ?? OperatorDefinition(name: name ?? "", kind: kind)
    definition.location = node.location
    readInterface(fields, into: &definition)
    readModelCall(fields, into: &definition, beside: source)
    readPolicies(fields, into: &definition)
    readRules(fields, into: &definition)
    if let action: MemoryAction = choice(fields["memory"], "memory") { definition.memory = action }
    readTools(fields, into: &definition)
    if let skills = skills(fields["skills"]) { definition.skills = skills }
    if let sees = projectContext(fields["context"]) { definition.seesProject = sees }
    if let agent = worker(fields["agent"], "agent") { definition.agent = agent }
    if let takes = flag(fields["attachments"], "attachments") {
      definition.takesAttachments = takes
    }
    if let may = flag(fields["may_ask"], "may_ask") { definition.mayAsk = may }
    if kind == .agent, definition.prompt == nil {
      definition.sections = definition.reads.filter { $0.key != "preferences" }
    }
    warnAboutUnusedFields(fields, of: kind)
    check(definition, fields)
    return name == nil ? nil : definition
  }

  /// Only for their problems.
  private mutating func readFields(_ fields: Fields, beside source: any DefinitionSource) {
    var definition = OperatorDefinition(name: "", kind: .llm)
    readInterface(fields, into: &definition)
    readModelCall(fields, into: &definition, beside: source)
    readPolicies(fields, into: &definition)
    readRules(fields, into: &definition)
    readTools(fields, into: &definition)
  }

  /// A file is found by its own name, so that name is used: no two files in a folder share it. A
  /// different one inside is reported.
  mutating func effectiveName(_ fields: Fields, file: String?) -> String? {
    let inside = name(fields["name"], "name")
    guard let file else { return inside }
    if let inside, inside != file, let node = fields["name"] {
      warn(
        "the file is named `\(file)` but calls itself `\(inside)`; `\(file)` is used",
        at: node.location)
    }
    return file
  }

  private mutating func readInterface(_ fields: Fields, into definition: inout OperatorDefinition) {
    if let frame = name(fields["frame"], "frame") { definition.frame = frame }
    if let text = text(fields["description"], "description") { definition.description = text }
    if let node = fields["reads"] {
      definition.reads = []
      definition.optionalReads = []
      var seen: Set<StatePath> = []
      for element in elements(node, "reads", of: "paths") {
        guard var path = text(element, "reads") else { continue }
        let isOptional = path.hasSuffix("?")
        if isOptional { path.removeLast() }
        guard PathSyntax.isPath(path) else {
          fail(
            element, "`reads` lists paths, and \(Self.kindName(element)) is not one",
            suggestion:
              "a path is names joined by dots, with a `?` at the end when it may be missing")
          continue
        }
        let read = StatePath(path)
        if seen.insert(read).inserted { definition.reads.append(read) }
        if isOptional { definition.optionalReads.insert(read) }
      }
    }
    if let node = fields["writes"] { definition.writes = writes(node) }
  }

  /// `{key: type, …}`, or a list of keys with values of any type.
  private mutating func writes(_ node: DocumentNode) -> [Write] {
    var writes: [Write] = []
    if case .sequence(let elements) = node.content {
      for element in elements {
        guard let key = text(element, "writes"), isWritable(key, element) else { continue }
        writes.append(Write(key: key, type: .any))
      }
    } else {
      for entry in entries(node, "writes", mustBe: "a mapping of keys to types") {
        let type: ValueType? = choice(entry.value, entry.key)
        guard isWritable(entry.key, entry.value), let type else { continue }
        writes.append(Write(key: entry.key, type: type))
      }
    }
    var seen: Set<String> = []
    for write in writes where !seen.insert(write.key).inserted {
      fail(node, "`writes` names `\(write.key)` twice", suggestion: "remove one of the two")
    }
    return writes
  }

  mutating func isWritable(_ key: String, _ node: DocumentNode) -> Bool {
    guard PathSyntax.isPath(key), !key.utf8.contains(UInt8(ascii: ".")) else {
      fail(
        node, "`\(key)` cannot be a key of the state",
        suggestion: "a key is one name of letters, digits, `_` and `-`, without dots")
      return false
    }
    guard !["input", "preferences", "metadata", "context"].contains(key) else {
      fail(
        node, "operators cannot write `\(key)`",
        suggestion: "write a key of its own, such as `draft`")
      return false
    }
    return true
  }

  private mutating func readModelCall(
    _ fields: Fields, into definition: inout OperatorDefinition,
    beside source: any DefinitionSource
  ) {
    if let profile: PerformanceProfile = choice(fields["profile"], "profile") {
      definition.profile = profile
    }
    if let tokens = integer(fields["max_tokens"], "max_tokens", in: 1...1_000_000) {
      definition.maxTokens = tokens
    }
    if let heat = number(fields["temperature"], "temperature", in: 0...2) {
      definition.temperature = heat
    }
    if let effort: ReasoningEffort = choice(fields["reasoning_effort"], "reasoning_effort") {
      definition.effort = effort
    }
    if let prompt = template(fields["prompt"], "prompt") { definition.prompt = prompt }
    if let node = fields["prompt_path"] {
      if fields["prompt"] != nil {
        fail(node, "`prompt` and `prompt_path` are both given", suggestion: "keep one of the two")
      } else if let prompt = promptFile(node, beside: source) {
        definition.prompt = prompt
      }
    }
    if let ask = template(fields["ask"], "ask") { definition.ask = ask }
    if let node = fields["default"] { definition.standardAnswer = node.value }
    if let node = fields["output"] {
      if isAnswerSchema(node) { definition.output = node.value }
    }
  }

  /// The prompt in a file beneath the definition's folder.
  private mutating func promptFile(
    _ node: DocumentNode, beside source: any DefinitionSource
  ) -> Template? {
    guard let path = text(node, "prompt_path") else { return nil }
    let parts = path.split(atByte: "/")
    let isInside =
      parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." } && !path.utf8.contains(0)
    guard isInside else {
      fail(
        node, "`prompt_path` leads out of the operator's folder",
        suggestion: "name a file beside the definition, such as `prompts/critic.md`")
      return nil
    }
    do {
      let file = try source.readSibling(path, of: text.file)
      guard let text = String(validating: file.bytes, as: UTF8.self) else {
        fail(node, "the prompt in \(file.path) is not UTF-8", suggestion: "save it as UTF-8")
        return nil
      }
      return template(text, at: SourceLocation(file: file.path, line: 1, column: 1))
    } catch {
      fail(node, "the prompt cannot be read: \(error.message)", suggestion: error.suggestion)
      return nil
    }
  }

  private mutating func readPolicies(_ fields: Fields, into definition: inout OperatorDefinition) {
    if let node = fields["then"] { definition.then = oneOrMore(node).compactMap { route($0) } }
    if let review = reviewPolicy(fields["review"]) { definition.review = review }
    if let policy = errorPolicy(fields["on_error"]) { definition.onError = policy }
    if let seconds = number(fields["timeout"], "timeout", in: 0.001...86_400, unit: " of seconds") {
      definition.timeout = seconds
    }
    if let policy: UncertainPolicy = choice(fields["uncertain"], "uncertain") {
      definition.uncertain = policy
    }
  }
}
