import RasaCore
import RasaPersona

extension Rasa {
  /// What a check of agents' files found.
  public struct AgentValidation: Sendable {
    /// One file that was checked.
    public struct File: Sendable, Hashable {
      /// Its path.
      public var file: String
      /// The id of its agent; nil where it cannot be read.
      public var agent: String?
      /// The file that is used, where one of another place takes this one's place.
      public var shadowedBy: String?
      /// What keeps the agent from being run, each with its place.
      public var problems: [RasaError]
      /// What is odd about it, each with its place.
      public var warnings: [FileWarning]
      /// Whether it can be run; after a strict check, whether nothing is odd about it either.
      public var isValid: Bool
    }

    /// The files, in order of precedence, or in the order that they were named in.
    public var files: [File]
    /// What is odd about the folders that were searched.
    public var warnings: [FileWarning]
    /// Whether every file is valid.
    public var isValid: Bool { files.allSatisfy(\.isValid) }
  }

  /// Checks agents' files together, so that agents that are checked at once may name each other: whether
  /// they can be read and run, whether the agents that they name exist, whether they share a name.
  ///
  /// - Parameters:
  ///   - words: Files, folders and ids; none for everything that there is.
  ///   - isStrict: Whether warnings make a file invalid, and a name without a value is an error.
  public func validateAgents(
    _ words: [String] = [], isStrict: Bool = false
  ) async throws(RasaError) -> AgentValidation {
    try await prepared { rasa throws(Failure) in
      let (checked, warnings) = try AgentFileCheck(
        AgentFileResolver(rasa.composition, warn: rasa.warn), isStrict: isStrict
      ).run(words)
      return AgentValidation(
        files: checked.map { file in
          AgentValidation.File(
            file: file.path, agent: file.agent?.id, shadowedBy: file.shadowedBy,
            problems: file.findings.failures.map { RasaError($0) },
            warnings: file.findings.warnings.map { FileWarning($0) },
            isValid: file.findings.failures.isEmpty
              && !(isStrict && !file.findings.warnings.isEmpty))
        }, warnings: warnings.map { FileWarning($0, rasa.composition.redaction) })
    }
  }
}
