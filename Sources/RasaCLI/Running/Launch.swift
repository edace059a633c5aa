import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaModels
import RasaPersona
import RasaStore
import RasaSystem
import RasaTerminal

/// The parts of a run that can be used for more than one: a chat keeps them.
struct Workshop: Sendable {
  let house: House
  let client: HTTPClient
  let store: SQLiteStore

  /// Starts what takes time in the background: the store and the HTTP client get ready while the
  /// persona is read.
  init(_ house: House) {
    self.house = house
    client = HTTPClient()
    store = house.store()
    store.prepare()
    client.prepare()
  }

  func close() async {
    await store.close()
    client.shutdown()
  }

  /// Runs a persona once and shows it.
  func run(
    _ graph: Graph, _ settings: RunSettings, screen: any RunScreen, people: any People,
    onWarning: @escaping @Sendable (Warning) -> Void
  ) async throws -> RunResult {
    let gate = try house.gate(
      ledger: store, client: client, options: settings.gate, onWarning: onWarning)
    let start = RunStart(
      run: house.newIdentifier("r"), persona: graph.persona.name, personaDigest: graph.digest,
      session: settings.session, user: house.user(settings.user), input: settings.input,
      preferences: settings.preferences)
    let runner = Runner(
      Surroundings(
        gate: gate, journal: store, memory: store, people: people, time: house.time),
      options: RunOptions(profile: settings.gate.profile))
    let result = try await runner.run(graph, start) { progress in
      try await screen.show(progress)
    }
    try await screen.finish(result, of: start)
    return result
  }
}

extension Workshop {
  /// The screen and the people that fit the settings.
  func stage(_ settings: RunSettings) -> (screen: any RunScreen, people: any People) {
    let terminal = Terminal(house.environment)
    let prompt = ApprovalPrompt(environment: house.environment, style: terminal.style(of: .error))
    func people(_ screen: TextScreen?) -> TerminalPeople {
      TerminalPeople(
        mode: settings.approval, prompt: prompt, user: house.user(settings.user), screen: screen)
    }
    switch settings.format {
    case .text:
      let screen = TextScreen(house: house, terminal: terminal, settings: settings)
      return (screen, people(screen))
    case .json: return (JSONScreen(output: house.output), people(nil))
    case .streamJSON: return (StreamJSONScreen(output: house.output), people(nil))
    }
  }
}
