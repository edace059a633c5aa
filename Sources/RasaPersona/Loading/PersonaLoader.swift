package import RasaCore
package import RasaDocuments

/// Loads a persona from its document, and looks up all its operators.
package struct PersonaLoader {
  /// Returns the operator with that name from the library; nil if there is none.
  package var findOperator: (_ name: String) -> Reading<OperatorDefinition>?
  /// Every name for suggestions.
  package var operatorNames: () -> [String]
  /// The persona's source, which has the prompts beside it.
  package var source: any DefinitionSource

  package init(
    source: any DefinitionSource,
    findOperator: @escaping (_ name: String) -> Reading<OperatorDefinition>?,
    operatorNames: @escaping () -> [String]
  ) {
    self.source = source
    self.findOperator = findOperator
    self.operatorNames = operatorNames
  }

  /// - Parameters:
  ///   - problems: problems of the document itself.
  ///   - file: the name of its file, which is used; nil for one outside a personas folder.
  package func load(
    _ node: DocumentNode, text: SourceText, problems: [Failure] = [], named file: String? = nil
  ) -> Reading<PersonaDefinition> {
    var reader = DocumentReader(text: text)
    for problem in problems { reader.fail(problem) }
    var isWhole = true
    let definition = persona(node, named: file, &reader, &isWhole)
    return Reading(
      read: definition ?? PersonaDefinition(name: "", frames: [], operators: []),
      failures: reader.failures, warnings: reader.warnings, partial: isWhole ? definition : nil)
  }

  /// The hooks alone, of a document that may have problems.
  package static func hooks(in node: DocumentNode, text: SourceText) -> [HookDefinition] {
    var reader = DocumentReader(text: text)
    return reader.hooks(node["hooks"])
  }

  private static let keys = [
    "name", "alias", "description", "frames", "state_stack", "operators", "domain_frames",
    "domain_operators", "prompt_style", "metadata", "example_queries", "recommended_models",
    "performance_profile", "cost_budget", "capabilities", "tools", "limits", "any_engine",
    "agents", "hooks", "policy", "skills", "context", "memory", "feedback",
  ]

  /// - Parameter isWhole: whether all frames and operators could be identified.
  private func persona(
    _ node: DocumentNode, named file: String?, _ reader: inout DocumentReader,
    _ isWhole: inout Bool
  ) -> PersonaDefinition? {
    guard let fields = reader.fields(node, of: "a persona", known: Self.keys) else { return nil }
    for key in ["name", "description"] where fields[key] == nil {
      reader.fail(node, "the persona has no `\(key)`", suggestion: "add `\(key): …`")
    }
    let name = reader.effectiveName(fields, file: file) ?? ""
    var definition = PersonaDefinition(name: name, frames: [], operators: [])
    definition.location = node.location
    definition.alias = reader.name(fields["alias"], "alias")
    definition.description = reader.text(fields["description"], "description") ?? ""
    definition.promptStyle = reader.text(fields["prompt_style"], "prompt_style") ?? "default"
    definition.exampleQueries = reader.texts(fields["example_queries"], "example_queries")
    definition.capabilities = reader.texts(fields["capabilities"], "capabilities")
    definition.metadata = reader.object(fields["metadata"], "metadata")
    definition.metadataAsWritten = fields["metadata"]?.valueAsWritten.object ?? ValueObject()
    definition.models = reader.recommendedModels(fields["recommended_models"])
    if let allows = reader.looseFlag(fields["any_engine"], "any_engine") {
      definition.models.anyEngine = allows
    }
    definition.profile = reader.performanceProfile(
      fields["performance_profile"], models: definition.models)
    definition.budget = reader.costBudget(fields["cost_budget"])
    definition.limits = reader.runLimits(fields["limits"])
    definition.agents = reader.agentList(fields["agents"])
    definition.tools = reader.toolDeclarations(fields["tools"])
    for index in definition.tools.indices { definition.tools[index].persona = name }
    definition.skills = reader.skills(fields["skills"]) ?? []
    definition.seesProject = reader.projectContext(fields["context"]) ?? false
    definition.asksForFeedback = reader.asksForFeedback(fields["feedback"])
    definition.hooks = reader.hooks(fields["hooks"])
    definition.memory = reader.memorySettings(fields["memory"]) ?? MemorySettings()
    if let rules = fields["policy"] { definition.policy = reader.toolRules(rules) }

    var known: Set<String> = []
    for key in ["operators", "domain_operators"] {
      for element in reader.elements(fields[key], key, of: "operators") {
        if add(element, to: &definition, &known, &reader, isRepeatable: false) == nil {
          isWhole = false
        }
      }
    }
    readFrames(fields, into: &definition, &known, &reader, &isWhole)
    if let memory = fields["memory"] {
      reader.warnAboutUnusedMemory(memory, frames: Set(definition.frames.map(\.kind)))
    }
    definition.warnings = reader.warnings
    return definition
  }

  private func readFrames(
    _ fields: Fields, into definition: inout PersonaDefinition, _ operators: inout Set<String>,
    _ reader: inout DocumentReader, _ isWhole: inout Bool
  ) {
    var names: Set<String> = []
    if let legacy = fields["state_stack"], fields["frames"] != nil {
      reader.fail(
        legacy, "`state_stack` is the old name of `frames`, but both are given",
        suggestion: "keep `frames`")
    }
    let key = fields["frames"] == nil && fields["state_stack"] != nil ? "state_stack" : "frames"
    let before = reader.failures.count
    for key in [key, "domain_frames"] {
      for element in reader.elements(fields[key], key, of: "frames") {
        guard let frame = frame(element, &definition, &operators, &reader) else {
          isWhole = false
          continue
        }
        if names.insert(frame.name).inserted {
          definition.frames.append(frame)
        } else {
          reader.fail(
            element, "the frame `\(frame.name)` is listed twice",
            suggestion: "give each its own name")
        }
      }
    }
    if definition.frames.isEmpty { isWhole = false }
    if definition.frames.isEmpty, reader.failures.count == before {
      reader.fail(
        fields[key] ?? fields.node, "the persona has no frames",
        suggestion: "add `frames: [session_frame]`; a run starts at the first one")
    }
  }

  /// A name, or `{name, kind, operators, next, parallel}`.
  private func frame(
    _ node: DocumentNode, _ definition: inout PersonaDefinition, _ known: inout Set<String>,
    _ reader: inout DocumentReader
  ) -> FrameDefinition? {
    if case .scalar = node.content {
      guard let name = reader.name(node, "frames") else { return nil }
      var frame = FrameDefinition(name: name, location: node.location)
      frame.isKindAssumed = assumesKind(ofFrame: name, node, &reader)
      return frame
    }
    let keys = ["name", "kind", "operators", "agent", "next", "parallel"]
    guard let fields = reader.fields(node, of: "a frame", known: keys) else { return nil }
    if fields["name"] == nil {
      reader.fail(node, "the frame has no `name`", suggestion: "add `name: …`")
    }
    let kind: FrameKind? = reader.choice(fields["kind"], "kind")
    var operators: [String]?
    if let list = fields["operators"] {
      operators = reader.elements(list, "operators", of: "operators").compactMap {
        add($0, to: &definition, &known, &reader, isRepeatable: true)
      }
    }
    let next = reader.oneOrMore(fields["next"]).compactMap { reader.transition($0) }
    let parallel = reader.elements(fields["parallel"], "parallel", of: "frames").compactMap {
      reader.name($0, "parallel")
    }
    let agent = reader.worker(fields["agent"], "agent")
    guard let name = reader.name(fields["name"], "name") else { return nil }
    var frame = FrameDefinition(
      name: name, kind: kind, operators: operators, next: next, parallel: parallel,
      agent: agent, location: node.location)
    if fields["kind"] == nil, fields["agent"] == nil, let node = fields["name"] {
      frame.isKindAssumed = assumesKind(ofFrame: name, node, &reader)
    }
    return frame
  }

  /// The kind of a frame is set, or implied by a known name. A typo in such a name must not make a
  /// frame without memory.
  private func assumesKind(
    ofFrame name: String, _ node: DocumentNode, _ reader: inout DocumentReader
  ) -> Bool {
    guard !FrameKind.names.contains(name) else { return false }
    let nearest = nearestName(to: name, among: FrameKind.names)
    if let nearest, editDistance(Array(name.unicodeScalars), Array(nearest.unicodeScalars)) <= 2 {
      reader.fail(
        node, "the frame `\(name)` has no known kind",
        suggestion:
          "did you mean `\(nearest)`? Otherwise set its kind, as in `{name: \(name), kind: session}`"
      )
    }
    return true
  }

  /// Looks up an operator, applies the overrides of a mapping, and adds it to the persona. A frame
  /// may repeat a name that the persona's list already has.
  private func add(
    _ node: DocumentNode, to definition: inout PersonaDefinition, _ known: inout Set<String>,
    _ reader: inout DocumentReader, isRepeatable: Bool
  ) -> String? {
    let isName: Bool
    if case .mapping = node.content { isName = false } else { isName = true }
    guard let name = reader.name(isName ? node : node["name"], isName ? "operators" : "name") else {
      if !isName, node["name"] == nil {
        reader.fail(node, "the operator has no `name`", suggestion: "add `name: …`")
      }
      return nil
    }
    if known.contains(name) {
      if !isName || !isRepeatable {
        reader.fail(
          node, "the operator `\(name)` is listed twice",
          suggestion: "remove one; to run it twice, have a transition lead back to it")
      }
      return name
    }
    var found: OperatorDefinition?
    if isName || node["kind"] == nil {
      guard let reading = findOperator(name) else {
        let names = operatorNames()
        let suggestion = nearestName(to: name, among: names).map { "did you mean `\($0)`? " }
        reader.fail(
          isName ? node : node["name"] ?? node, "there is no operator `\(name)`",
          suggestion: (suggestion ?? "") + "available: \(names.joined(separator: ", "))"
            + (isName ? "" : "; an operator of the persona itself needs a `kind`"))
        return name
      }
      guard let read = reader.adopt(reading) else {
        // Other problems can still be found.
        definition.operators.append(
          OperatorDefinition(name: name, kind: .rule, location: node.location))
        known.insert(name)
        return name
      }
      found = read
    }
    if !isName {
      found = reader.operatorDefinition(node, overriding: found, beside: source)
    }
    if let found {
      definition.operators.append(found)
      known.insert(found.name)
    }
    return name
  }
}
