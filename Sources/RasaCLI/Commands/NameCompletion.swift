import RasaAgents
import RasaCore
import RasaEngine
import RasaKit
import RasaModels
import RasaPersona
import RasaStore
import RasaSystem
import RasaTerminal

/// `rasa __names KIND [BEGINNING]`: what completion scripts ask while somebody types. It is no command
/// for people, so no help names it.
///
/// It reads what is on this machine, asks nobody (neither a network nor for trust), writes nothing, and
/// says nothing when something is wrong: a line that is being typed is no place for errors.
struct NameCompletion {
  static let command = "__names"

  let house: CompositionRoot

  /// One name a line, what it means behind a tab.
  static func run(_ arguments: [String], _ environment: Environment) async {
    guard let kind = arguments.first.flatMap(CompletedNames.init(rawValue:)),
      let house = try? CompositionRoot(environment: environment)
    else { return }
    let beginning = arguments.count > 1 ? arguments[1] : ""
    let names = (try? await NameCompletion(house: house).names(kind)) ?? []
    var seen: Set<String> = []
    var text = ""
    for (name, meaning) in names
    where name.hasBytePrefix(beginning) && isWord(name) && seen.insert(name).inserted {
      text += "\(name)\t\(Self.line(meaning))\n"
    }
    try? Output.standard.write(text)
  }

  /// Shells take a name apart that is not one word, and control characters must not reach the prompt.
  private static func isWord(_ name: String) -> Bool {
    !name.isEmpty
      && name.unicodeScalars.allSatisfy { scalar in
        !scalar.properties.isWhitespace && scalar.properties.generalCategory != .control
          && scalar.properties.generalCategory != .format
          && !"'\"\\$`;&|<>()".unicodeScalars.contains(scalar)
      }
  }

  private static func line(_ text: String) -> String {
    String(TerminalText.line(String(text.prefix(200))).trimmedByScalars.prefix(72))
  }

  private typealias Names = [(name: String, meaning: String)]

  private func names(_ kind: CompletedNames) async throws -> Names {
    switch kind {
    case .personas: return try personas()
    case .agents, .agentFiles: return agents()
    case .owners: return try personas() + agents() + [("everyone", "all together")]
    case .operators:
      let library = house.library
      return try library.operators().map { entry in
        (entry.name, (try? library.operatorDefinition(named: entry.name))?.description ?? "")
      }
    case .models: return try await models()
    case .providers:
      return try configuration().providers.map { ($0.name, $0.vendor ?? "") }
    case .runs:
      return try await stored { store in
        try await store.runs(RunFilter(limit: 100)).map { run in
          (run.record.id.text, "\(run.record.status.rawValue) · \(run.record.input)")
        }
      }
    case .sessions:
      return try await stored { store in
        try await store.sessions(limit: 100).map { session in
          let turns = session.turns == 1 ? "1 turn" : "\(session.turns) turns"
          return (session.id.name, "\(session.persona), \(turns)")
        }
      }
    case .approvals:
      return try await stored { store in
        try await store.approvals(ApprovalFilter(onlyPending: true), limit: 100).map {
          ($0.id, $0.question.title)
        }
      }
    case .files, .folders: return []
    }
  }

  private func personas() throws -> Names {
    let library = house.library
    var names: Names = []
    var aliases: Names = []
    for entry in try library.personas() {
      let persona = try? library.persona(named: entry.name)
      names.append((entry.name, persona?.description ?? ""))
      if let alias = persona?.alias { aliases.append((alias, "\(entry.name), by its alias")) }
    }
    return names + aliases
  }

  private func agents() -> Names {
    house.agents.found.registry.entries.map { ($0.agent.id, $0.agent.description) }
  }

  private func configuration() throws -> ModelConfiguration {
    try house.models(house.configuration(onWarning: { _ in }), onWarning: { _ in })
  }

  /// Those that the configured providers have, with and without their engine.
  private func models() async throws -> Names {
    let configuration = try configuration()
    let standings = try? await stored {
      RememberedModels(try await $0.standings(), at: house.time.now())
    }
    var names: Names = []
    for settings in configuration.providers {
      var models = Set(standings?.models(of: settings) ?? [])
      if let vendor = settings.vendor {
        for facts in try house.catalogue.allFacts() where facts.vendor == vendor && !facts.isOpen {
          models.insert(facts.id)
        }
      }
      if let model = settings.defaultModel { models.insert(model) }
      names += models.sorted().map { ($0, settings.name) }
      names += models.sorted().map { ("\(settings.name):\($0)", "") }
    }
    return names + [("mock", "made-up answers, at no cost")]
  }

  /// Nothing is created where nothing has been run yet.
  private func stored<Result: Sendable>(
    _ read: (any RunStore) async throws -> Result
  ) async throws -> Result {
    guard FileSystem.kind(of: house.databasePath) == .file else {
      throw Failure(.storage, "no runs")
    }
    let store = house.store()
    do {
      let result = try await read(store)
      await store.close()
      return result
    } catch {
      await store.close()
      throw error
    }
  }
}
