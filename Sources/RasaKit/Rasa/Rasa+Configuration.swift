import RasaCore
import RasaSystem

extension Rasa {
  /// Where a `Rasa` finds its files and settings.
  ///
  /// `Configuration(home:)` is hermetic: one folder holds everything, and nothing is read from the
  /// user's home, the environment or the working folder unless it is passed. `forCurrentUser()` is
  /// where the program `rasa` looks.
  ///
  /// ```swift
  /// var configuration = Rasa.Configuration(home: "/srv/app/rasa")
  /// configuration.environment = ["OPENAI_API_KEY": key]
  /// let rasa = try Rasa(configuration)
  /// ```
  public struct Configuration: Sendable, Hashable {
    /// The folder with `agents/`, `personas/`, `operators/`, `models/`, `config.yaml` and the database.
    /// It need not exist yet. Nil stands for the user's usual folders.
    public var home: String?
    /// The folder whose own `agents/`, `personas/`, `operators/` and `.rasa/config.yaml` go before those
    /// of `home`; nil for none.
    public var project: String?
    /// Keys and settings, such as `OPENAI_API_KEY` and `LLM_PROVIDER`, under the names of environment
    /// variables.
    public var environment: [String: String] = [:]
    /// Who is remembered where a call names nobody.
    public var user: String?
    /// Agrees to whatever the project's files change: those that take the place of the user's own or of
    /// shipped ones, and a `.rasa/config.yaml` that says who is asked. Otherwise a run in a project
    /// that has such files, and that the user has not trusted with `rasa trust add`, is refused.
    public var trustsProject = false
    /// How long a prompt that was read is used without being read again although its file seems the
    /// same; nil for as long as it does.
    public var promptLifetime: Duration?
    /// Whether folders beside `home` and `project` count: those of `RASA_WORKSPACE`, of older trees, and
    /// of other tools.
    var isHermetic = true

    /// A configuration that reads nothing but what it names.
    ///
    /// - Parameters:
    ///   - home: The folder that holds everything.
    ///   - project: A folder whose files go before those of `home`.
    ///   - environment: Keys and settings.
    public init(home: String, project: String? = nil, environment: [String: String] = [:]) {
      self.home = home
      self.project = project
      self.environment = environment
    }

    private init() {}

    /// The configuration that the program `rasa` has in this folder: the user's folders, the variables
    /// of the process, and the project in the working folder.
    ///
    /// - Parameters:
    ///   - home: A folder for everything, in place of `RASA_HOME` and of the user's usual folders.
    ///   - project: The folder of the project.
    ///   - environment: Variables in place of those of the process.
    public static func forCurrentUser(
      home: String? = nil, project: String = ".", environment: [String: String]? = nil
    ) -> Configuration {
      var configuration = Configuration()
      configuration.home = home
      configuration.project = project
      configuration.environment = environment ?? Environment.ofProcess().variables
      configuration.isHermetic = false
      return configuration
    }

    func composition() throws(Failure) -> CompositionRoot {
      var variables = environment
      if let home { variables["RASA_HOME"] = FileSystem.absolute(home) }
      if isHermetic {
        for name in ["RASA_WORKSPACE", "RADIUM_WORKSPACE"] { variables[name] = nil }
        if user == nil, variables["RASA_USER"] == nil { variables["RASA_USER"] = "local" }
      }
      if let user { variables["RASA_USER"] = user }
      // A program without a project has only its home, which is its own.
      let project = project ?? variables["RASA_HOME"] ?? "."
      return try CompositionRoot(
        environment: Environment(variables), project: project, promptLifetime: promptLifetime,
        trustsProject: trustsProject, isHermetic: isHermetic)
    }
  }
}
