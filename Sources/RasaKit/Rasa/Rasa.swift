import RasaAgents
import RasaCore
import RasaHTTPClient
import RasaModels
import RasaPersona
package import RasaStore
import RasaSystem

/// Agents and personas for a Swift program: finds them, adds the program's own, recommends, and runs
/// them with strict budgets and a journal from which a run can be resumed.
///
/// ```swift
/// let rasa = try Rasa()
/// let run = try await rasa.run(agent: "code-reviewer", input: "Is this safe? …")
/// for try await event in run {
///   if case .output(let text) = event { print(text, terminator: "") }
/// }
/// print("\ncost:", try await run.result().cost)
/// await rasa.close()
/// ```
///
/// One `Rasa` serves any number of tasks at once. Nothing is read, opened or connected before it is
/// used. Runs are in the same database as those of the program `rasa`: `rasa runs list` shows them.
public final class Rasa: Sendable {
  let composition: CompositionRoot
  let registered: RegisteredAgents
  let services: RunServices
  let definitions: RegisteredDefinitions
  private let onWarning: @Sendable (String) -> Void

  var store: any RunStore { services.store }

  /// Opens rasa as the given configuration says.
  ///
  /// - Parameters:
  ///   - configuration: Where files and settings are; by default as the program `rasa` has it.
  ///   - onWarning: Receives what is odd about settings and files and does not stop the work, as one
  ///     sentence each. It may be called from any thread. Warnings about a single run are in its result.
  /// - Throws: A `RasaError` of code `configuration` when there is no folder to keep files in.
  public init(
    _ configuration: Configuration = .forCurrentUser(),
    onWarning: @escaping @Sendable (String) -> Void = { _ in }
  ) throws(RasaError) {
    self.onWarning = onWarning
    var composition = try convertingErrors { () throws(Failure) in try configuration.composition() }
    registered = RegisteredAgents(files: composition.agents, project: composition.project)
    definitions = RegisteredDefinitions()
    composition.agentSource = registered
    composition.registered = definitions
    self.composition = composition
    services = RunServices(lazily: composition, composition.store()) { [composition] in
      onWarning(composition.redaction($0.description))
    }
  }

  /// Opens rasa for the current user; the same as with `Configuration.forCurrentUser`.
  ///
  /// - Parameters:
  ///   - home: A folder for everything, in place of `RASA_HOME` and of the user's usual folders.
  ///   - project: The folder of the project.
  ///   - environment: Variables in place of those of the process.
  ///   - promptLifetime: See `Configuration.promptLifetime`.
  ///   - trustsProject: See `Configuration.trustsProject`.
  /// - Throws: A `RasaError` of code `configuration` when there is no folder to keep files in.
  public convenience init(
    home: String?, project: String = ".", environment: [String: String]? = nil,
    promptLifetime: Duration? = nil, trustsProject: Bool = false
  ) throws(RasaError) {
    var configuration = Configuration.forCurrentUser(
      home: home, project: project, environment: environment)
    configuration.promptLifetime = promptLifetime
    configuration.trustsProject = trustsProject
    try self.init(configuration)
  }

  /// The public face over what a command of the program `rasa` has open already.
  ///
  /// - Parameter onBareProgram: is told of programs that run without a sandbox; nil for `onWarning`.
  package init(
    _ composition: CompositionRoot, _ store: any RunStore,
    onWarning: @escaping @Sendable (String) -> Void = { _ in },
    onBareProgram: (@Sendable (String) -> Void)? = nil
  ) {
    self.onWarning = onWarning
    registered = RegisteredAgents(files: composition.agents, project: composition.project)
    definitions = RegisteredDefinitions()
    self.composition = composition
    services = RunServices(lazily: composition, store) {
      (onBareProgram ?? onWarning)(composition.redaction($0.description))
    }
  }

  func warn(_ warning: Warning) { onWarning(composition.redaction(warning.description)) }

  /// Whether the database belongs to the user of this process, and not to another user of the machine.
  package var ownsDatabase: Bool {
    FileSystem.owner(of: composition.databasePath).map { $0 == ProcessUser.number } ?? true
  }

  /// The version of rasa.
  public static var version: String { BuiltWith.rasa }

  /// Who is meant where nobody is named, or somebody is.
  public func user(_ named: String? = nil) -> String { composition.user(named) }

  /// A name for a new conversation.
  public func newSession() -> String { composition.newIdentifier("s").text }

  /// The text without the keys and passwords that this `Rasa` knows: for what is shown or logged.
  public func redacting(_ text: String) -> String { composition.redaction(text) }

  /// Finishes what is being written and lets go of files and connections. What is durable is so
  /// without it.
  public func close() async { await services.close() }
}
