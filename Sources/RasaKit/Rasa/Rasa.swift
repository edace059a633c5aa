import RasaAgents
import RasaCore
import RasaHTTPClient
import RasaPersona
import RasaStore
import RasaSystem

/// Agents and personas for a Swift program: finds them, adds some of its own, recommends, and runs
/// them with budgets that hold and a journal that a run can go on by.
///
/// ```swift
/// let rasa = try Rasa()
/// let run = try rasa.run(agent: "code-reviewer", input: "Is this safe? …")
/// for try await event in run {
///   if case .output(let text) = event { print(text, terminator: "") }
/// }
/// print("\ncost:", try await run.result().cost)
/// await rasa.close()
/// ```
///
/// Everything is looked for where the program `rasa` looks for it, and runs are in the same
/// database: `rasa runs list` shows them.
public final class Rasa: Sendable {
  let house: House
  let registered: RegisteredAgents
  let store: any RunStore
  private let network = Locked<HTTPClient?>(nil)

  /// Nothing is read, opened or connected before it is used.
  ///
  /// - Parameters:
  ///   - home: the folder with `agents/`, `personas/`, `config.yaml` and the database; when nil, the
  ///     one that `RASA_HOME` names, else the user's usual folders.
  ///   - project: the folder whose `agents/`, `personas/` and `.rasa/config.yaml` go before the
  ///     user's.
  ///   - environment: where keys and settings are read from (`OPENAI_API_KEY`, `LLM_PROVIDER`, …);
  ///     when nil, the variables of this process.
  ///   - promptLifetime: how long a prompt that was read is used without being read again although its
  ///     file seems the same; nil for as long as it does.
  ///   - trustsProject: agrees to whatever the project's files change: those that take the place of the
  ///     user's own or of shipped ones, and a `.rasa/config.yaml` that says who is asked. Else a run
  ///     in a project that has such files, and that the user has not trusted with `rasa trust add`,
  ///     is refused.
  /// - Throws: `Rasa.Problem` when there is no folder to keep files in.
  public init(
    home: String? = nil, project: String = ".", environment: [String: String]? = nil,
    promptLifetime: Duration? = nil, trustsProject: Bool = false
  ) throws {
    var variables = environment ?? Environment.ofProcess().variables
    if let home { variables["RASA_HOME"] = FileSystem.absolute(home) }
    var house = try told { () throws(Failure) in
      try House(
        environment: Environment(variables), project: project, promptLifetime: promptLifetime,
        trustsProject: trustsProject)
    }
    registered = RegisteredAgents(files: house.agents, project: project)
    house.agentSource = registered
    self.house = house
    store = house.store()
  }

  /// Finishes what is being written and lets go of files and connections. What is durable is so
  /// without it.
  public func close() async {
    await store.close()
    network.withLock { client in
      defer { client = nil }
      return client
    }?.shutdown()
  }

  /// The connections to providers, made when they are first needed.
  func client() throws(Failure) -> HTTPClient {
    try network.withLock { client throws(Failure) in
      if let client { return client }
      let made = try house.client()
      client = made
      return made
    }
  }
}
