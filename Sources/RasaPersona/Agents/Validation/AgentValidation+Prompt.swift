import RasaCore

extension AgentValidation {
  func checkPrompt(
    _ loaded: AgentLoader.LoadedAgent, _ documents: AgentDocuments, _ places: AgentExcerpts,
    _ findings: inout Findings
  ) {
    if let missing = loaded.missingPrompt {
      findings.failures.append(missing)
      // It was a warning when the agent was loaded.
      findings.warnings.removeAll {
        $0 == Warning(missing.message, at: missing.location)
      }
    }
    guard let prompt = loaded.prompt else { return }
    guard !prompt.isBlank else {
      findings.failures.append(
        places.failure(
          "the agent's prompt is empty",
          suggestion: "write its task below the front matter",
          at: prompt.location))
      return
    }
    do {
      let template = try Template.compile(prompt.text, by: .agent, at: prompt.location)
      findings.warnings += template.warnings
      checkFiles(template, documents, places, &findings)
      checkNames(template, loaded.agent, places, &findings)
    } catch {
      findings.failures.append(
        places.failure(error.message, suggestion: error.suggestion, at: error.location))
    }
  }

  /// Each file is reported once, at its first insertion.
  private func checkFiles(
    _ template: Template, _ documents: AgentDocuments, _ places: AgentExcerpts,
    _ findings: inout Findings
  ) {
    var seen: Set<String> = []
    for file in template.files where seen.insert(file.path).inserted {
      do throws(Failure) {
        _ = try insert(file.path, documents)
      } catch {
        findings.failures.append(
          places.failure(error.message, suggestion: error.suggestion, at: file.location))
      }
    }
  }

  private func checkNames(
    _ template: Template, _ agent: Agent, _ places: AgentExcerpts, _ findings: inout Findings
  ) {
    for path in template.paths where !isKnown(path, agent) {
      let location = template.location(of: path)
      let known = Self.knownNames.union(agent.defaults.keys).sorted()
      let nearest = nearestName(to: path.key, among: known)
      let suggestion =
        (nearest.map { "did you mean `\($0)`? Otherwise give" } ?? "give")
        + " it a value in `defaults`, or at each run with `--preferences`"
      let message = "`{{\(path)}}` has no value"
      if isStrict {
        findings.failures.append(places.failure(message, suggestion: suggestion, at: location))
      } else {
        let result = agent.isStrict ? "a run without one fails" : "it is left as it is"
        findings.warnings.append(Warning("\(message), so \(result); \(suggestion)", at: location))
      }
    }
  }

  /// The names that every run has, and those that the agent declares.
  private static let knownNames = Agent.namesOfInput.union(Agent.namesOfState)
    .union(["name", "id", "description", "category"])

  private func isKnown(_ path: StatePath, _ agent: Agent) -> Bool {
    let key = path.key.lowercased()
    if Self.knownNames.contains(key) { return true }
    let values = Value.object(agent.values)["preferences"]
    let name = StatePath(path.description.lowercased())
    return !values[name].isNull || !values[name.description].isNull
  }
}
