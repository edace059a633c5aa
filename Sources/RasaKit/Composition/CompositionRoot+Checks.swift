package import RasaCore
import RasaEngine
import RasaPersona

/// All that is wrong with one definition, and odd about it.
package struct DefinitionFindings: Sendable {
  package var failures: [Failure] = []
  package var warnings: [Warning] = []
  /// How many calls one run makes at most; nil for what cannot be run.
  package var mostCalls: Int?
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

  /// The same for the agent of that id or name, or of that file.
  package func findings(onAgent word: String) -> DefinitionFindings {
    do throws(Failure) {
      let graph = try graph(agent: word)
      return DefinitionFindings(warnings: graph.warnings, mostCalls: graph.mostCalls)
    } catch {
      return DefinitionFindings(failures: error.separated)
    }
  }
}
