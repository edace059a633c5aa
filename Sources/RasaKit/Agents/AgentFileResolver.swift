import RasaAgents
import RasaCore
import RasaEngine
import RasaModels
import RasaPersona
import RasaSystem

/// Finds the files that words mean, and what is needed to check and write them.
struct AgentFileResolver {
  let composition: CompositionRoot
  let warn: (Warning) -> Void
  private var library: AgentLibrary { composition.agents }

  init(_ composition: CompositionRoot, warn: @escaping (Warning) -> Void) {
    self.composition = composition
    self.warn = warn
  }

  /// The engines that an agent may name.
  func engines() throws(Failure) -> Set<String> {
    let configured = try composition.configuration(onWarning: warn).providers.map(\.name)
    return ModelConfiguration.builtInEngines.union(configured)
  }

  /// The agents that there are, by id.
  func agents() -> [String: Agent] {
    var agents: [String: Agent] = [:]
    for entry in library.found.registry.entries { agents[entry.agent.id] = entry.agent }
    return agents
  }

  /// Every file of every place.
  func allFiles() -> (paths: [String], warnings: [Warning]) { library.agentFiles() }

  /// The files that a word means: a file, a folder's, or an agent's by its id.
  func files(_ word: String) throws(Failure) -> [String] {
    if FileSystem.kind(of: word) == .folder, word.hasByte("/") || word == "." {
      let found = library.agentFiles(in: word)
      for warning in found.warnings { warn(warning) }
      return found.paths
    }
    if CompositionRoot.isAgentPath(word) { return [word] }
    let found = library.found
    if let broken = found.brokenFile(for: word) { return [broken.file] }
    if let files = found.registry[word]?.agent.files, let path = files.config ?? files.prompt {
      return [path]
    }
    if FileSystem.kind(of: word) == .folder { return library.agentFiles(in: word).paths }
    if let id = found.registry.id(for: word), let files = found.registry[id]?.agent.files,
      let path = files.config ?? files.prompt
    {
      return [path]
    }
    let ids = found.registry.entries.map(\.agent.id)
    let nearest = nearestName(to: word, among: ids).map { "did you mean `\($0)`? " } ?? ""
    throw Failure(
      .configuration, "there is no agent `\(word)`",
      suggestion: nearest + "`rasa agents list` lists the agents; name a file by its path")
  }

  /// The one file that a word means.
  func file(_ word: String) throws(Failure) -> String {
    let files = try files(word)
    guard files.count == 1, let file = files.first else {
      throw Failure(
        .usage, "`\(word)` is \(files.count) agents",
        suggestion: "name one of them, by its id or file")
    }
    return file
  }

  func documents(at path: String) throws(Failure) -> AgentDocuments {
    try library.documents(at: path)
  }

  func validation(with agents: [String: Agent], isStrict: Bool) -> AgentValidation {
    let library = library
    return AgentValidation(agents: agents, isStrict: isStrict) {
      (path, documents) throws(Failure) in
      try library.insert(path, intoPromptOf: documents)
    }
  }

  /// Why an agent that is read well cannot be run all the same.
  func obstacle(to loaded: AgentLoader.LoadedAgent, _ documents: AgentDocuments) -> Failure? {
    // One that hands over to an agent of another place can be run only beside that one.
    if let next = loaded.agent.trigger?.agent, library.found.registry[next] == nil { return nil }
    let agents = library
    let library = composition.library
    guard let prompt = loaded.prompt else { return nil }
    do throws(Failure) {
      let persona = try loaded.agent.persona(
        Agent.Parts(
          prompt: prompt, template: try loaded.agent.template(prompt),
          insert: { path throws(Failure) in try agents.insert(path, intoPromptOf: documents) },
          operatorNamed: { name throws(Failure) in try library.operatorDefinition(named: name) }))
      _ = try Graph.compile(persona, in: library)
      return nil
    } catch {
      return error
    }
  }
}
