import RasaCore
import RasaPersona

/// What operators list under `tools:` has to exist before a run begins.
extension GraphCompiler {
  /// The operator's list, with a problem for each name that is none of a tool. Names that another program's agent
  /// file has for tools of that program are left out.
  mutating func usableTools(
    of definition: OperatorDefinition, _ shipped: (String) throws(Failure) -> OperatorDefinition
  ) -> [String] {
    // Without functions the graph is only read.
    guard let functions = tools, !definition.tools.isEmpty else {
      if tools != nil, definition.kind == .tool {
        problems.append(
          Failure(
            .configuration, "the operator `\(definition.name)` is of kind `tool` and names none",
            suggestion: "name it as `tools: [search]`", at: definition.location))
      }
      return definition.tools
    }
    var usable: [String] = []
    for name in definition.tools where !usable.contains(name) {
      do throws(Failure) {
        if let problem = try problem(of: name, in: definition, functions, shipped) {
          if definition.hasForeignTools {
            if case .named = ToolReference(name) { continue }
            graph.warnings.append(
              Warning("\(problem.message), so it is left out", at: definition.location))
            continue
          }
          problems.append(problem)
        }
        usable.append(name)
      } catch {
        problems.append(located(error, at: definition.location))
        usable.append(name)
      }
    }
    return usable
  }

  /// Nil for the name of a tool.
  private func problem(
    of name: String, in definition: OperatorDefinition, _ functions: Set<String>,
    _ shipped: (String) throws(Failure) -> OperatorDefinition
  ) throws(Failure) -> Failure? {
    // Skills are looked up when the run begins.
    if functions.contains(name) || name.hasBytePrefix("skill:") { return nil }
    switch ToolReference(name) {
    case .agent(let id):
      if try delegates(id) != nil { return nil }
      return Failure(
        .configuration,
        "`\(definition.name)` uses the agent `\(id)`, and there is none of that name",
        suggestion: "`rasa agents list` shows which there are", at: definition.location)
    case .server(let server, _):
      if try declaration(server, where: \.isServer) != nil { return nil }
      return try unknown(name, "mcp:\(server)", in: definition, functions)
    case .named(let plain):
      if let found = try declaration(plain, where: { _ in true }) {
        guard found.isServer else { return nil }
        return Failure(
          .configuration, "`\(definition.name)` uses `\(plain)`, which is a server and not a tool",
          suggestion: "write `mcp:\(plain)` for all of its tools, or `mcp:\(plain)/TOOL` for one",
          at: definition.location)
      }
      if try workingOperator(plain) != nil { return nil }
      return try unknown(name, name, in: definition, functions)
    }
  }

  func declaration(
    _ name: String, where fits: (ToolDeclaration) -> Bool
  ) throws(Failure) -> ToolDeclaration? {
    if let own = persona.tools.first(where: { $0.name == name && fits($0) }) { return own }
    return try declared?().first { $0.name == name && fits($0) }
  }

  private func unknown(
    _ name: String, _ spelling: String, in definition: OperatorDefinition,
    _ functions: Set<String>
  ) throws(Failure) -> Failure {
    let known = (persona.tools + (try declared?() ?? [])).map(\.reference)
    let others = definition.kind == .llm ? persona.operators.map(\.name) : []
    let nearest = nearestName(to: spelling, among: known + functions.sorted() + others)
    return Failure(
      .configuration,
      "`\(definition.name)` uses the tool `\(name)`, and no tool of that name is declared",
      suggestion: (nearest.map { "did you mean `\($0)`? " } ?? "")
        + "declare it under `tools:` of the persona or of config.yaml, or register it from Swift; "
        + "`rasa tools list` shows which there are", at: definition.location)
  }
}
