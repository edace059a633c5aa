import RasaCore
import RasaEngine
import RasaPersona

// MARK: Lists

extension Rasa {
  /// A persona or operator as lists have it.
  public struct DefinitionSummary: Sendable, Hashable, Codable, Identifiable {
    /// The name that it is found by.
    public var name: String
    /// `shipped`, `registered`, or the folder that it was found in.
    public var origin: String
    /// The places that have another file of this name, which is not used.
    public var shadows: [String]
    /// What it is for; nil where its file is broken, and `Rasa.validatePersonas(_:)` or
    /// `Rasa.validateOperators(_:)` says why.
    public var description: String?
    /// Another name of a persona.
    public var alias: String?
    /// What an operator does, such as `llm`.
    public var kind: String?
    /// The frame that an operator belongs to.
    public var frame: String?

    /// The same as `name`.
    public var id: String { name }
    /// Whether its file can be read.
    public var isValid: Bool { description != nil }

    init(_ entry: LibraryEntry) {
      name = entry.name
      origin = entry.origin
      shadows = entry.shadows
    }
  }

  /// Every persona, by name. Files that share a name, or that nobody can ask for, are reported as
  /// warnings.
  public func personas() async throws(RasaError) -> [DefinitionSummary] {
    try await prepared { rasa throws(Failure) in
      let library = rasa.composition.library
      for warning in library.misnamedFiles { rasa.warn(warning) }
      let shared = try library.sharedNames(besideAgents: false)
      for (_, warnings) in shared.sorted(by: { $0.key < $1.key }) {
        for warning in warnings { rasa.warn(warning) }
      }
      return try library.personas().map { entry in
        var summary = DefinitionSummary(entry)
        if let persona = try? library.persona(named: entry.name) {
          summary.description = persona.description
          summary.alias = persona.alias
        }
        return summary
      }
    }
  }

  /// Every operator, by name. Files that nobody can ask for are reported as warnings.
  public func operators() async throws(RasaError) -> [DefinitionSummary] {
    try await prepared { rasa throws(Failure) in
      let library = rasa.composition.library
      for warning in library.misnamedFiles { rasa.warn(warning) }
      return try library.operators().map { entry in
        var summary = DefinitionSummary(entry)
        if let definition = try? library.operatorDefinition(named: entry.name) {
          summary.description = definition.description
          summary.kind = definition.kind.rawValue
          summary.frame = definition.frame
        }
        return summary
      }
    }
  }
}

// MARK: One of them

extension Rasa {
  /// A persona or agent as it would run: its files read and checked, its frames and operators bound.
  public struct PersonaDetails: Sendable {
    private let graph: Graph

    init(_ graph: Graph) { self.graph = graph }

    /// The name that budgets and memories know it by.
    public var name: String { graph.persona.name }
    /// What it is for.
    public var description: String { graph.persona.description }
    /// How many calls of models one run makes at most.
    public var mostCalls: Int { graph.mostCalls }
    /// What is odd about its files.
    public var warnings: [FileWarning] { graph.warnings.map { FileWarning($0) } }
    /// Everything that decides what a run does, as `rasa personas show --json` prints it.
    public var json: JSON { JSON(graph.description) }
    /// Its frames, operators and routes as a Mermaid flowchart.
    public var diagram: String { graph.mermaid }
    /// The same for Graphviz.
    public var dot: String { graph.dot }
    /// Its frames, operators and routes as lines of text, for people.
    public var outline: String { graph.outline }
  }

  /// The persona of that name, alias or path.
  ///
  /// - Throws: A `RasaError` of code `configuration` with everything that keeps it from being run.
  public func details(ofPersona name: String) async throws(RasaError) -> PersonaDetails {
    try await prepared { rasa throws(Failure) in PersonaDetails(try rasa.composition.graph(name)) }
  }

  /// The operator of that name as its file says it, member by member.
  ///
  /// - Throws: A `RasaError` of code `configuration` with everything that is wrong with it.
  public func definition(ofOperator name: String) async throws(RasaError) -> JSON {
    try await prepared { rasa throws(Failure) in
      JSON(.object(try rasa.composition.library.operatorDefinition(named: name).valueObject))
    }
  }
}

// MARK: Checks

extension Rasa {
  /// Everything that is wrong with one persona or operator, and odd about it.
  public struct DefinitionReport: Sendable, Hashable, Identifiable {
    /// The name that was checked.
    public var name: String
    /// What keeps it from being run, each with its place.
    public var problems: [RasaError]
    /// What is odd about it, each with its place.
    public var warnings: [FileWarning]
    /// How many calls of models one run of a persona makes at most; nil where it cannot be run.
    public var mostCalls: Int?
    /// How often one run of a persona uses tools at most.
    public var mostToolUses: Int?
    /// What one run costs at most with the models that would be asked now, every loop and repair taken and without an
    /// input; nil where the prices are not known.
    public var mostCost: Dollars?
    /// Whether every answer has a bound. Otherwise `mostCost` is what is likely.
    public var isBounded = false
    /// The tools that can be used without a person on the way.
    public var unattendedTools: [UnattendedTool]

    /// The same as `name`.
    public var id: String { name }
    /// Whether it can be run.
    public var isValid: Bool { problems.isEmpty }

    init(_ name: String, _ findings: DefinitionFindings) {
      self.name = name
      problems = findings.failures.map { RasaError($0) }
      warnings = findings.warnings.map { FileWarning($0) }
      mostCalls = findings.mostCalls
      mostToolUses = findings.mostToolUses
      unattendedTools = findings.unattended.map { UnattendedTool($0) }
    }
  }

  /// Checks personas, each for itself: a broken one does not keep the next from being checked.
  ///
  /// - Parameter names: Names, aliases or paths; none for all personas that there are.
  public func validatePersonas(
    _ names: [String] = []
  ) async throws(RasaError) -> [DefinitionReport] {
    var reports = try await prepared { rasa throws(Failure) in
      let library = rasa.composition.library
      for warning in library.misnamedFiles { rasa.warn(warning) }
      let names = names.isEmpty ? try library.personas().map(\.name) : names
      let shared = try library.sharedNames()
      return names.map {
        DefinitionReport($0, rasa.composition.findings(onPersona: $0, shared))
      }
    }
    for index in reports.indices where reports[index].isValid {
      // Without a model that could be asked there is none.
      guard
        let forecast = try? await prepare(persona: reports[index].name)
          .forecast("", options: RunOptions()),
        forecast.knowsPrices
      else { continue }
      reports[index].mostCost = forecast.mostCost
      reports[index].isBounded = forecast.isBounded
    }
    return reports
  }

  /// Checks operators, each for itself: a broken one does not keep the next from being checked.
  ///
  /// - Parameter names: Names; none for all operators that there are.
  public func validateOperators(
    _ names: [String] = []
  ) async throws(RasaError) -> [DefinitionReport] {
    try await prepared { rasa throws(Failure) in
      let library = rasa.composition.library
      for warning in library.misnamedFiles { rasa.warn(warning) }
      let names = names.isEmpty ? try library.operators().map(\.name) : names
      return names.map { name in
        do throws(Failure) {
          let reading = try library.readOperator(named: name)
          return DefinitionReport(
            name, DefinitionFindings(failures: reading.failures, warnings: reading.warnings))
        } catch {
          return DefinitionReport(name, DefinitionFindings(failures: error.separated))
        }
      }
    }
  }
}
