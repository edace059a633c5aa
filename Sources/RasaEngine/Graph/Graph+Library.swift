package import RasaCore
package import RasaPersona

extension Graph {
  /// The persona or agent of that name as it was kept with a run.
  ///
  /// - Parameters:
  ///   - engines: what agents may name before a `:` in a model's name.
  ///   - limits: where the user's own limits stand, which hold for files that came from elsewhere.
  ///   - isOnlyRead: whether nothing is run, so that tools that this program lacks do not matter.
  package static func compile(
    _ files: PinnedFiles, named name: String,
    engines: Set<String> = AgentLoader.builtInEngines, under limits: Library? = nil,
    isOnlyRead: Bool = false
  ) throws(Failure) -> Graph {
    var library = files.library
    library.engines = engines
    library.limits = limits?.limits
    library.agentLimits = limits?.agentSource
    library.tools = limits?.tools ?? []
    library.declaredTools = limits?.declaredTools
    guard let persona = try library.runnable(named: name) else {
      throw Failure(
        .configuration, "`\(name)` is not among the files that are kept with the run",
        suggestion: "leave `--pinned` out, or record the run again")
    }
    var graph = try Graph.compile(persona, in: library, isOnlyRead: isOnlyRead)
    graph.pinned = files.value
    return graph
  }

  /// The persona with everything that it names in the library.
  package static func compile(
    _ persona: PersonaDefinition, in library: Library, isOnlyRead: Bool = false
  ) throws(Failure) -> Graph {
    try compile(
      persona,
      operators: { name throws(Failure) in try library.operatorDefinition(named: name) },
      delegates: { name throws(Failure) in try library.delegate(named: name) },
      tools: isOnlyRead ? nil : library.tools, declared: library.declaredTools)
  }

  /// The names of all personas and agents that it is made of.
  package var workers: Set<String> {
    nodes.reduce(into: [persona.name]) { names, node in
      for delegate in node.delegates { names.formUnion(delegate.graph.workers) }
      for delegate in node.toolDelegates { names.formUnion(delegate.graph.workers) }
    }
  }
}
