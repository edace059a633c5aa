import RasaCore
package import RasaDocuments

/// Makes a persona's definition of its document, with every operator looked up that it names.
package struct PersonaLoader {
  /// The operator of that name from the library; nil when there is none.
  package var findOperator: (_ name: String) -> Reading<OperatorDefinition>?
  /// Every name that could have been meant.
  package var operatorNames: () -> [String]
  /// Where the persona is from: the prompts that it names are beside it.
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

  package func load(_ node: DocumentNode, text: SourceText) -> Reading<PersonaDefinition> {
    var reader = DocumentReader(text: text)
    let definition = persona(node, &reader)
    return Reading(
      read: definition ?? PersonaDefinition(name: "", frames: [], operators: []),
      failures: reader.failures, warnings: reader.warnings)
  }

  private static let keys = [
    "name", "alias", "description", "frames", "state_stack", "operators", "domain_frames",
    "domain_operators", "prompt_style", "metadata", "example_queries", "recommended_models",
    "performance_profile", "cost_budget", "capabilities", "tools", "limits", "any_engine",
    "agents",
  ]

  private func persona(
    _ node: DocumentNode, _ reader: inout DocumentReader
  ) -> PersonaDefinition? {
    guard let fields = reader.fields(node, of: "a persona", known: Self.keys) else { return nil }
    for key in ["name", "description"] where fields[key] == nil {
      reader.fail(node, "the persona has no `\(key)`", mend: "add `\(key): …`")
    }
    let name = reader.name(fields["name"], "name") ?? ""
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
    definition.tools = fields["tools"]?.value ?? .null

    var known: Set<String> = []
    for key in ["operators", "domain_operators"] {
      for element in reader.elements(fields[key], key, of: "operators") {
        _ = add(element, to: &definition, &known, &reader, isRepeatable: false)
      }
    }
    readFrames(fields, into: &definition, &known, &reader)
    definition.warnings = reader.warnings
    return definition
  }

  private func readFrames(
    _ fields: Fields, into definition: inout PersonaDefinition, _ operators: inout Set<String>,
    _ reader: inout DocumentReader
  ) {
    var names: Set<String> = []
    if let legacy = fields["state_stack"], fields["frames"] != nil {
      reader.fail(
        legacy, "`state_stack` is the old name of `frames`, and both are given",
        mend: "keep `frames`")
    }
    let key = fields["frames"] == nil && fields["state_stack"] != nil ? "state_stack" : "frames"
    let before = reader.failures.count
    for key in [key, "domain_frames"] {
      for element in reader.elements(fields[key], key, of: "frames") {
        guard let frame = frame(element, &definition, &operators, &reader) else { continue }
        if names.insert(frame.name).inserted {
          definition.frames.append(frame)
        } else {
          reader.fail(
            element, "the frame `\(frame.name)` is there twice", mend: "give each its own name")
        }
      }
    }
    if definition.frames.isEmpty, reader.failures.count == before {
      reader.fail(
        fields[key] ?? fields.node, "the persona has no frames",
        mend: "add `frames: [session_frame]`; the first one is where a run begins")
    }
  }

  /// A name, or `{name, kind, operators, next, parallel}`.
  private func frame(
    _ node: DocumentNode, _ definition: inout PersonaDefinition, _ known: inout Set<String>,
    _ reader: inout DocumentReader
  ) -> FrameDefinition? {
    if case .scalar = node.content {
      return reader.name(node, "frames").map { FrameDefinition(name: $0, location: node.location) }
    }
    let keys = ["name", "kind", "operators", "agent", "next", "parallel"]
    guard let fields = reader.fields(node, of: "a frame", known: keys) else { return nil }
    if fields["name"] == nil {
      reader.fail(node, "the frame has no `name`", mend: "add `name: …`")
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
    guard let name = reader.name(fields["name"], "name") else { return nil }
    return FrameDefinition(
      name: name, kind: kind, operators: operators, next: next, parallel: parallel,
      agent: reader.name(fields["agent"], "agent"), location: node.location)
  }

  /// Looks up an operator, with the changes that a mapping makes, and adds it to the persona's.
  /// A frame may name one again that the persona's list already holds.
  private func add(
    _ node: DocumentNode, to definition: inout PersonaDefinition, _ known: inout Set<String>,
    _ reader: inout DocumentReader, isRepeatable: Bool
  ) -> String? {
    let isName: Bool
    if case .mapping = node.content { isName = false } else { isName = true }
    guard let name = reader.name(isName ? node : node["name"], isName ? "operators" : "name") else {
      if !isName, node["name"] == nil {
        reader.fail(node, "the operator has no `name`", mend: "add `name: …`")
      }
      return nil
    }
    if known.contains(name) {
      if !isName || !isRepeatable {
        reader.fail(
          node, "the operator `\(name)` is there twice",
          mend: "leave one out; to run one twice, let a transition lead back to it")
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
          mend: (suggestion ?? "") + "known are \(names.joined(separator: ", "))"
            + (isName ? "" : "; an operator of the persona's own needs a `kind`"))
        return name
      }
      guard let definition = reader.adopt(reading) else { return name }
      found = definition
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
