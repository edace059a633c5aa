package import RasaCore
package import RasaEngine
import RasaPersona
import RasaTools

/// All that is wrong with one definition, and odd about it.
package struct DefinitionFindings: Sendable {
  package var failures: [Failure] = []
  package var warnings: [Warning] = []
  /// How many calls of models one run makes at most; nil for what cannot be run.
  package var mostCalls: Int?
  /// How often one run uses tools at most.
  package var mostToolUses: Int?
  /// The tools that can be used without a person on the way.
  package var unattended: [UnattendedTool] = []

  /// Those that may change something are worth a warning.
  fileprivate mutating func note(_ tools: [UnattendedTool]) {
    unattended = tools
    warnings += tools.filter(\.mayChange).map(\.warning)
  }
}

extension CompositionRoot {
  /// - Parameter shared: what is odd about names that several files share.
  package func findings(
    onPersona name: String, _ shared: [String: [Warning]] = [:]
  ) -> DefinitionFindings {
    let library = library
    do throws(Failure) {
      let reading = try readPersona(name)
      var found = DefinitionFindings(failures: reading.failures, warnings: reading.warnings)
      if let persona = reading.definition {
        do throws(Failure) {
          let graph = try Graph.compile(try library.narrowed(persona), in: library)
          found.warnings += graph.warnings.filter { !found.warnings.contains($0) }
          found.mostCalls = graph.mostCalls
          found.mostToolUses = graph.mostToolUses
          found.add(surroundings: graph, self)
          found.note(try unattendedTools(of: graph))
        } catch {
          found.failures += error.separated
        }
      } else if let partial = reading.partial {
        // What is broken in one place hides nothing in the others.
        let others = Graph.problems(inPartOf: partial, in: library)
        found.failures += others.filter { !found.failures.contains($0) }
      }
      found.warnings += (reading.definition ?? reading.partial)?.vagueFrames ?? []
      found.warnings += shared[name] ?? []
      return found
    } catch {
      return DefinitionFindings(failures: error.separated)
    }
  }

  private func unattendedTools(of graph: Graph) throws(Failure) -> [UnattendedTool] {
    let policy = try policy()
    return graph.unattendedTools(
      policy.own, tightenedBy: [policy.project],
      sideEffects: { declaredSideEffects(of: $0, beside: graph.persona.tools) })
  }

  /// What files say about what a reference names. A program answers for its own tools.
  func declaredSideEffects(
    of reference: String, beside own: [ToolDeclaration] = []
  ) -> SideEffects? {
    if registered?.tools[reference] != nil { return SideEffects.none }
    guard let layers = try? declaredTools().layers else { return nil }
    let catalogue = ToolCatalogue([ToolCatalogue.Layer(.persona, own)] + layers)
    let wanted = ToolReference(reference)
    guard let declaration = try? catalogue.entry(of: wanted).declaration else { return nil }
    if case .mcp(let server) = declaration.kind, case .server(_, let tool?) = wanted,
      let override = server.tools[tool]?.sideEffects
    {
      return override
    }
    return declaration.sideEffects
  }

  /// The same for the agent of that id or name, or of that file.
  package func findings(onAgent word: String) -> DefinitionFindings {
    do throws(Failure) {
      let graph = try graph(agent: word)
      var found = DefinitionFindings(
        warnings: graph.warnings, mostCalls: graph.mostCalls, mostToolUses: graph.mostToolUses)
      found.add(surroundings: graph, self)
      found.note(try unattendedTools(of: graph))
      return found
    } catch {
      return DefinitionFindings(failures: error.separated)
    }
  }
}

extension DefinitionFindings {
  /// What hooks and skills mean for it.
  fileprivate mutating func add(surroundings graph: Graph, _ composition: CompositionRoot) {
    let configured = (try? composition.configuration().hooks) ?? []
    if let hook = (graph.persona.hooks + configured).first(where: { $0.point == .beforeOutput }) {
      warnings.append(
        Warning(
          "the hook `\(hook.name)` sees the answer before anybody else, so it is shown when it is complete and not "
            + "while it is written", at: hook.location))
    }
    let wanted = graph.ownSkills.filter { $0 != "all" }
    guard !wanted.isEmpty else { return }
    composition.noteSkillFolders(of: graph)
    let skills = composition.skillLibrary()
    for name in wanted {
      do throws(Failure) {
        _ = try skills.require(name, at: graph.persona.location)
      } catch {
        if graph.persona.agent == nil {
          failures.append(error)
        } else {
          warnings.append(Warning(error.message, at: error.location))
        }
      }
    }
  }
}
