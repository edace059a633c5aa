import RasaAgents
import RasaCore
import RasaEngine
import RasaModels
import RasaPersona
import RasaStore
import RasaSystem
import RasaTools

extension Rasa {
  /// What names stand for.
  public struct NameKind: Sendable, Hashable {
    fileprivate enum Kind: Sendable, Hashable {
      case personas, agents, owners, operators, models, providers, runs, sessions, approvals, tools
    }
    fileprivate let kind: Kind

    private init(_ kind: Kind) { self.kind = kind }

    /// Personas, by name and by alias.
    public static let personas = NameKind(.personas)
    /// Agents, by id.
    public static let agents = NameKind(.agents)
    /// Whoever can have a budget: personas, agents, and `everyone`.
    public static let owners = NameKind(.owners)
    /// Operators.
    public static let operators = NameKind(.operators)
    /// Models of the configured providers, with and without their provider.
    public static let models = NameKind(.models)
    /// The configured providers.
    public static let providers = NameKind(.providers)
    /// The newest hundred runs.
    public static let runs = NameKind(.runs)
    /// The latest hundred conversations.
    public static let sessions = NameKind(.sessions)
    /// The questions that wait for people.
    public static let approvals = NameKind(.approvals)
    /// Declared tools and servers.
    public static let tools = NameKind(.tools)
  }

  /// A name as somebody may type it.
  public struct Name: Sendable, Hashable, Codable {
    /// The name.
    public var name: String
    /// What it stands for, in a few words; may be empty.
    public var meaning: String
  }

  /// Names that somebody may want to type, for completion. Only what is on this machine is read: nobody is
  /// asked, and nothing is created.
  public func names(_ kind: NameKind) async throws(RasaError) -> [Name] {
    try await redacted {
      switch kind.kind {
      case .personas: return try personaNames()
      case .agents: return agentNames()
      case .owners:
        return try personaNames() + agentNames() + [Name(name: "everyone", meaning: "all together")]
      case .operators:
        let library = composition.library
        return try library.operators().map {
          Name(
            name: $0.name,
            meaning: (try? library.operatorDefinition(named: $0.name))?.description ?? "")
        }
      case .models: return try await modelNames()
      case .tools:
        return try services.tools.catalogue().entries.map {
          Name(name: $0.declaration.reference, meaning: $0.declaration.description)
        }
      case .providers:
        return try configuredModels().providers.map {
          Name(name: $0.name, meaning: $0.vendor ?? "")
        }
      case .runs:
        return try await stored { store in
          try await store.runs(
            RunFilter(exceptOwners: RunArchive.internalOwners, limit: 100)
          ).map { run in
            Name(
              name: run.record.id.text,
              meaning: "\(run.record.status.rawValue) · \(run.record.input)")
          }
        }
      case .sessions:
        return try await stored { store in
          try await store.sessions(limit: 100).map { session in
            let turns = session.turns == 1 ? "1 turn" : "\(session.turns) turns"
            return Name(name: session.id.name, meaning: "\(session.persona), \(turns)")
          }
        }
      case .approvals:
        return try await stored { store in
          try await store.approvals(ApprovalFilter(onlyPending: true), limit: 100).map {
            Name(name: $0.id, meaning: $0.question.title)
          }
        }
      }
    }
  }

  private func personaNames() throws(Failure) -> [Name] {
    let library = composition.library
    var names: [Name] = []
    var aliases: [Name] = []
    for entry in try library.personas() {
      let persona = try? library.persona(named: entry.name)
      names.append(Name(name: entry.name, meaning: persona?.description ?? ""))
      if let alias = persona?.alias {
        aliases.append(Name(name: alias, meaning: "\(entry.name), by its alias"))
      }
    }
    return names + aliases
  }

  private func agentNames() -> [Name] {
    registered.registry.agents.map { Name(name: $0.id, meaning: $0.description) }
  }

  /// What is odd about the configuration is for commands to report.
  private func configuredModels() throws(Failure) -> ModelConfiguration {
    try composition.models(composition.configuration(onWarning: { _ in }), onWarning: { _ in })
  }

  private func modelNames() async throws -> [Name] {
    let standings = (try? await stored { try await $0.standings() }) ?? []
    let remembered = RememberedModels(standings, at: composition.time.now())
    var names: [Name] = []
    for settings in try configuredModels().providers {
      var models = Set(remembered.models(of: settings))
      if let vendor = settings.vendor {
        for facts in try composition.catalogue.allFacts()
        where facts.vendor == vendor && !facts.isOpen {
          models.insert(facts.id)
        }
      }
      if let model = settings.defaultModel { models.insert(model) }
      names += models.sorted().map { Name(name: $0, meaning: settings.name) }
      names += models.sorted().map { Name(name: "\(settings.name):\($0)", meaning: "") }
    }
    return names + [Name(name: "mock", meaning: "made-up answers, at no cost")]
  }

  /// Nothing is created where nothing has been run yet.
  private func stored<Element: Sendable>(
    _ read: (any RunStore) async throws -> [Element]
  ) async throws -> [Element] {
    guard FileSystem.kind(of: composition.databasePath) == .file else { return [] }
    return try await read(store)
  }
}
