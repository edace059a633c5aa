package import RasaCore
import RasaDocuments

/// Personas and operators by name, from several places: the first one with the name wins, so a
/// user's own file replaces a shipped one.
///
/// Looking up one definition reads one file, because its name is the file's name. Only an alias
/// requires a search through the others.
package struct Library: Sendable {
  package var personaSources: [any DefinitionSource]
  package var operatorSources: [any DefinitionSource]
  package var agentSource: (any AgentSource)?
  /// Which agents may be run and delegated to.
  package var narrowing = AgentNarrowing()
  /// The engines that agents may name.
  package var engines = AgentLoader.builtInEngines
  /// The cache of compiled prompts of agents.
  package var prompts: PromptCache?
  /// The source of limits for agents whose files are stored with a run; nil if the agents' own
  /// source has them.
  package var agentLimits: (any AgentSource)?
  /// The tools that operators of kind `tool` can call: functions of the program.
  package var tools: Set<String> = []
  /// The tools that files other than the persona's declare, read when somebody first needs them.
  package var declaredTools: (@Sendable () throws(Failure) -> [ToolDeclaration])?
  /// The limits in the user's own file with that name, which also apply to a project's file.
  package var limits: (@Sendable (_ name: String) throws(Failure) -> CostBudget?)?

  package init(
    personas: [any DefinitionSource], operators: [any DefinitionSource],
    agents: (any AgentSource)? = nil
  ) {
    personaSources = personas
    operatorSources = operators
    agentSource = agents
  }
}

/// A name in the library, with where it comes from.
package struct LibraryEntry: Sendable, Hashable {
  package var name: String
  /// The label of its place.
  package var origin: String
  /// The labels of the places whose file with that name it replaces.
  package var shadows: [String]
}

extension Library {
  /// Every persona, by name.
  package func personas() throws(Failure) -> [LibraryEntry] { try Self.entries(personaSources) }

  /// Every operator, by name.
  package func operators() throws(Failure) -> [LibraryEntry] { try Self.entries(operatorSources) }

  /// Files that are missing from the lists because their names are invalid.
  package var misnamedFiles: [Warning] {
    (personaSources + operatorSources).flatMap { source -> [Warning] in
      let names = (try? source.list()) ?? []
      var seen: Set<String> = []
      return names.compactMap { name in
        if !DocumentReader.isName(name) {
          let suggestion =
            DocumentReader.name(like: name).map { "; rename it to `\($0).yaml`" } ?? ""
          return Warning("\(source.label)/\(name).yaml is ignored: \(Self.nameRule)\(suggestion)")
        }
        return seen.insert(name).inserted
          ? nil
          : Warning(
            "\(source.label)/\(name).yml is ignored: \(name).yaml, beside it, has the same name")
      }
    }
  }

  /// Personas that share a name, keyed by file name: as an alias, or with an agent.
  ///
  /// - Parameter besideAgents: whether to look for agents, which takes time.
  package func sharedNames(
    besideAgents: Bool = true
  ) throws(Failure) -> [String: [Warning]] {
    let entries = try personas()
    let names = Set(entries.map(\.name))
    let agents = besideAgents ? Set(agentSource?.agentIDs() ?? []) : []
    var owners: [String: String] = [:]
    var warnings: [String: [Warning]] = [:]
    for entry in entries {
      guard let found = try Self.find(entry.name, in: personaSources) else { continue }
      let file = found.document.path
      if agents.contains(entry.name) {
        warnings[entry.name, default: []].append(
          Self.shares(budgetOf: entry.name, at: SourceLocation(file: file, line: 0, column: 0)))
      }
      guard let node = (try? YAML.read(found.document.bytes, file: file))?.node["alias"],
        let alias = node.value.string
      else { continue }
      let other = names.contains(alias) && alias != entry.name ? alias : owners[alias]
      if let other {
        warnings[entry.name, default: []].append(
          Warning(
            "the alias `\(alias)` is also \(other == alias ? "the name of a persona" : "that of `\(other)`"), "
              + "which is used; choose another", at: node.location))
      } else {
        owners[alias] = entry.name
      }
    }
    return warnings
  }

  /// A persona and an agent have the same name, and the ledger knows only names.
  package static func shares(budgetOf name: String, at place: SourceLocation?) -> Warning {
    Warning(
      "there are both a persona and an agent `\(name)`, which share a budget and memories; "
        + "rename one of them", at: place)
  }

  /// Whether there is a persona with that name, ignoring aliases.
  package func hasPersona(named name: String) -> Bool {
    ((try? Self.find(name, in: personaSources)) ?? nil) != nil
  }

  package static func isName(_ name: String) -> Bool { DocumentReader.isName(name) }

  /// The persona with that name or alias.
  package func persona(named name: String) throws(Failure) -> PersonaDefinition {
    try readPersona(named: name).get()
  }

  package func operatorDefinition(named name: String) throws(Failure) -> OperatorDefinition {
    try readOperator(named: name).get()
  }

  /// The same with all failures and warnings; throws if there is no such persona.
  package func readPersona(named name: String) throws(Failure) -> Reading<PersonaDefinition> {
    readPersona(found: try findPersona(name))
  }

  /// The current file of the persona with that name or alias.
  package func personaDocument(named name: String) throws(Failure) -> SourceDocument {
    try findPersona(name).document
  }

  package func operatorDocument(named name: String) throws(Failure) -> SourceDocument {
    if let found = try Self.find(name, in: operatorSources) { return found.document }
    throw Self.unknown("operator", name, among: try operators(), in: operatorSources)
  }

  package func readOperator(named name: String) throws(Failure) -> Reading<OperatorDefinition> {
    if let reading = findOperator(name) { return reading }
    var failure = Self.unknown("operator", name, among: try operators(), in: operatorSources)
    if (try? Self.find(name, in: personaSources)) ?? nil != nil {
      failure.suggestion = "`\(name)` is a persona: `rasa personas show \(name)` shows it"
    }
    throw failure
  }

  /// A persona from a document that need not be in the library; its operators are.
  ///
  /// - Parameter name: the name of its file, if it is in the library.
  package func readPersona(
    _ document: SourceDocument, named name: String? = nil, beside source: any DefinitionSource
  ) -> Reading<PersonaDefinition> {
    do {
      let read = try YAML.read(document.bytes, file: document.path)
      let loader = PersonaLoader(
        source: source, findOperator: { findOperator($0) },
        operatorNames: { ((try? operators()) ?? []).map(\.name) })
      return loader.load(
        read.node, text: SourceText(document), problems: read.problems.map(\.failure), named: name)
    } catch {
      return Reading(failure: error)
    }
  }

  /// An operator from a document that need not be in the library.
  ///
  /// - Parameter name: the name of its file, if it is in the library.
  package func readOperator(
    _ document: SourceDocument, named name: String? = nil, beside source: any DefinitionSource
  ) -> Reading<OperatorDefinition> {
    do {
      let read = try YAML.read(document.bytes, file: document.path)
      return OperatorLoader.load(
        read.node, text: SourceText(document), problems: read.problems.map(\.failure),
        named: name, beside: source)
    } catch {
      return Reading(failure: error)
    }
  }

  /// The persona with that own name, ignoring aliases; nil if there is none.
  package func persona(strictlyNamed name: String) throws(Failure) -> PersonaDefinition? {
    guard let found = try Self.find(name, in: personaSources) else { return nil }
    return try readPersona(found: (found.document, found.source, name)).get()
  }

  private func readPersona(
    found: (document: SourceDocument, source: any DefinitionSource, name: String)
  ) -> Reading<PersonaDefinition> {
    let reading = readPersona(found.document, named: found.name, beside: found.source)
    guard found.source.isProject(found.name), var persona = reading.definition else {
      return reading
    }
    for index in persona.tools.indices { persona.tools[index].isProject = true }
    do throws(Failure) {
      return reading.with(try narrowed(persona, alsoNamed: found.name))
    } catch {
      return Reading(failure: error)
    }
  }

  /// The persona under the limits of the user's own file with that name, the tighter one of each.
  package func narrowed(
    _ persona: PersonaDefinition, alsoNamed name: String? = nil
  ) throws(Failure) -> PersonaDefinition {
    guard let limits else { return persona }
    var persona = persona
    for name in Set([persona.name, name ?? persona.name]) {
      if let own = try limits(name) { persona.budget.narrow(by: own) }
    }
    return persona
  }

  /// The budget in a file.
  package static func costBudget(in document: SourceDocument) throws(Failure) -> CostBudget {
    var reader = DocumentReader(text: SourceText(document))
    let budget = reader.costBudget(try parse(document)["cost_budget"])
    return try Reading(read: budget, failures: reader.failures, warnings: []).get()
  }

  /// The tools that a persona's file declares. What cannot be read is reported when the persona is.
  package static func declaredTools(in document: SourceDocument) -> [ToolDeclaration] {
    // Most declare none.
    let word = Array("tools".utf8)
    guard document.bytes.indices.contains(where: { document.bytes[$0...].starts(with: word) }),
      let node = try? parse(document)["tools"]
    else { return [] }
    var reader = DocumentReader(text: SourceText(document))
    return reader.toolDeclarations(node, isProject: true)
  }

  private func findPersona(
    _ name: String
  ) throws(Failure) -> (document: SourceDocument, source: any DefinitionSource, name: String) {
    if let found = try Self.find(name, in: personaSources) {
      return (found.document, found.source, name)
    }
    let entries = try personas()
    if DocumentReader.isName(name) {
      var ofProject: (document: SourceDocument, source: any DefinitionSource, name: String)?
      for entry in entries {
        guard let found = try Self.find(entry.name, in: personaSources),
          let node = (try? YAML.read(found.document.bytes, file: ""))?.node,
          node["alias"]?.value.string == name
        else { continue }
        // A project's file cannot take an alias from a persona that exists outside the project.
        guard found.source.isProject else { return (found.document, found.source, entry.name) }
        ofProject = ofProject ?? (found.document, found.source, entry.name)
      }
      if let ofProject { return ofProject }
    }
    var failure = Self.unknown("persona", name, among: entries, in: personaSources)
    if !failure.suggestion.hasPrefix("did you mean"),
      let agent = nearestName(to: name, among: agentSource?.agentIDs() ?? [])
    {
      failure.suggestion =
        agent == name
        ? "`\(name)` is an agent: `rasa run --agent \(name)` runs it, `rasa agents info \(name)` "
          + "shows it"
        : "did you mean the agent `\(agent)`? " + failure.suggestion
    }
    throw failure
  }

  private func findOperator(_ name: String) -> Reading<OperatorDefinition>? {
    do {
      guard let found = try Self.find(name, in: operatorSources) else { return nil }
      return readOperator(found.document, named: name, beside: found.source)
    } catch {
      return Reading(failure: error)
    }
  }
}

extension Library {
  /// A name is validated before it becomes part of a path.
  private static func find(
    _ name: String, in sources: [any DefinitionSource]
  ) throws(Failure) -> (document: SourceDocument, source: any DefinitionSource)? {
    guard DocumentReader.isName(name) else { return nil }
    for source in sources {
      if let document = try source.read(name) { return (document, source) }
    }
    return nil
  }

  private static func entries(
    _ sources: [any DefinitionSource]
  ) throws(Failure) -> [LibraryEntry] {
    var entries: [String: LibraryEntry] = [:]
    for source in sources {
      for name in try source.list() where DocumentReader.isName(name) {
        if entries[name] == nil {
          entries[name] = LibraryEntry(name: name, origin: source.label, shadows: [])
        } else if entries[name]?.origin != source.label {
          entries[name]?.shadows.append(source.label)
        }
      }
    }
    return entries.values.sorted { $0.name < $1.name }
  }

  private static func unknown(
    _ kind: String, _ name: String, among entries: [LibraryEntry],
    in sources: [any DefinitionSource]
  ) -> Failure {
    if let misnamed = misnamed(in: sources).first(where: { file in
      file.name == name || file.name.lowercased() == name.lowercased()
    }) {
      return Failure(
        .configuration, "\(misnamed.place) is not a valid \(kind) file: \(nameRule)",
        suggestion: "rename it to `\(misnamed.name.lowercased()).yaml`")
    }
    let names = entries.map(\.name)
    let suggestion = nearestName(to: name, among: names).map { "did you mean `\($0)`? " } ?? ""
    let known = names.isEmpty ? "there are none yet" : "available: \(names.joined(separator: ", "))"
    return Failure(
      .configuration, "there is no \(kind) `\(name)`", suggestion: suggestion + known)
  }

  private static let nameRule = "a name may contain only lowercase letters, digits, `_` and `-`"

  /// Files with invalid names.
  private static func misnamed(
    in sources: [any DefinitionSource]
  ) -> [(name: String, place: String)] {
    sources.flatMap { source in
      ((try? source.list()) ?? []).filter { !DocumentReader.isName($0) }.map {
        (name: $0, place: "\(source.label)/\($0).yaml")
      }
    }
  }

  private static func parse(_ document: SourceDocument) throws(Failure) -> DocumentNode {
    try YAML.parse(document.bytes, file: document.path)
  }
}

extension SourceText {
  init(_ document: SourceDocument) {
    // A byte order mark does not count as a column of the first line.
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let bytes = document.bytes[...]
    self.init(bytes.starts(with: mark) ? bytes.dropFirst(3) : bytes, file: document.path)
  }
}
