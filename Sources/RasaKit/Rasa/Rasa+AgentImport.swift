import RasaAgents
import RasaCore
import RasaModels
import RasaPersona
import RasaSystem

extension Rasa {
  /// Agents of other tools, converted to rasa's own form.
  public struct AgentImport: Sendable {
    /// What came of one agent. More cases may come.
    public struct Status: Sendable, Hashable, Codable, CustomStringConvertible {
      private enum Kind: String, Sendable, Hashable, Codable {
        case written, unchanged, exists, failed
      }
      private let kind: Kind

      private init(_ kind: Kind) { self.kind = kind }

      /// Its file was written, or would be.
      public static let written = Status(.written)
      /// Its file was there already, with the same content.
      public static let unchanged = Status(.unchanged)
      /// There is another file of that name, which was not changed.
      public static let exists = Status(.exists)
      /// Its file could not be written.
      public static let failed = Status(.failed)

      /// The word that JSON documents have for it.
      public var description: String { kind.rawValue }
    }

    /// One agent.
    public struct Item: Sendable, Hashable {
      /// Its id in rasa.
      public var id: String
      /// The id that it would have had, where another agent has it.
      public var wantedID: String?
      /// The file that it is written to.
      public var file: String
      /// The file that it was read from.
      public var source: String
      /// Whose form that file has.
      public var format: AgentFormat
      /// The fields of that file that mean nothing to rasa.
      public var ignoredFields: [String]
      /// What came of it.
      public var status: Status
      /// Why its file could not be written.
      public var problem: RasaError?
    }

    /// A file that is no agent.
    public struct OtherFile: Sendable, Hashable {
      /// Its path.
      public var file: String
      /// What it is, in a word: `instructions`, `persona`, `workflow`, …; `rasa` for a file that is in rasa's
      /// form already.
      public var kind: String
    }

    /// The file or folder that was read.
    public var source: String
    /// The folder that the agents go to.
    public var target: String
    /// Whether nothing was written.
    public var isDryRun: Bool
    /// The agents, in the order of their files.
    public var items: [Item]
    /// Files that are no agents, then those that need no import.
    public var others: [OtherFile]
    /// What the files are that are no agents: a sentence for each kind.
    public var remarks: [String]
    /// Everything that could not be read or written.
    public var problems: [RasaError]
  }

  /// Converts files of other tools to agents of rasa's own form, and writes them. What the files say that
  /// means nothing to rasa is listed.
  ///
  /// - Parameters:
  ///   - source: A file or folder. Of a project only the folders of tools are read.
  ///   - format: Reads only files of this format, whatever their place and contents say.
  ///   - destination: Where the agents go.
  ///   - replacing: Whether files that exist are replaced. Otherwise they are left alone, and reported.
  ///   - isDryRun: Whether nothing is written.
  /// - Throws: A `RasaError` when the source cannot be read at all. What is wrong with single files is in
  ///   the result.
  public func importAgents(
    from source: String, as format: AgentFormat? = nil, to destination: Destination = .project,
    replacing: Bool = false, isDryRun: Bool = false
  ) async throws(RasaError) -> AgentImport {
    try await prepared { rasa throws(Failure) in
      var path = source
      while path.utf8.count > 1, path.hasByteSuffix("/") { path.removeLast() }
      let found = try RasaAgents.AgentImport(
        from: path, as: format?.own,
        engines: try AgentFileResolver(rasa.composition, warn: rasa.warn).engines())
      for warning in found.warnings { rasa.warn(warning) }
      let (target, root) = rasa.root(destination, "agents")
      var failures = found.failures
      let items = found.items.map { item in
        var result = AgentImport.Item(
          id: item.id, wantedID: item.wanted, file: FileSystem.path(item.name, in: target),
          source: item.source, format: AgentFormat(item.kind), ignoredFields: item.unused,
          status: .failed)
        do throws(Failure) {
          result.status = try Self.writeImported(item, in: root, replacing, isDryRun)
        } catch {
          failures.append(error)
          result.problem = RasaError(error)
        }
        return result
      }
      var counts: [RasaPersona.OtherFile: Int] = [:]
      for other in found.others { counts[other.what, default: 0] += 1 }
      return AgentImport(
        source: source, target: target, isDryRun: isDryRun, items: items,
        others: found.others.map { .init(file: $0.file, kind: $0.what.rawValue) }
          + found.own.map { .init(file: $0, kind: "rasa") },
        remarks: counts.sorted { $0.key.rawValue < $1.key.rawValue }
          .map { $0.key.sentence($0.value, in: source) },
        problems: failures.map { RasaError($0) })
    }
  }

  private static func writeImported(
    _ item: RasaAgents.AgentImport.Item, in root: FileRoot, _ replacing: Bool, _ isDryRun: Bool
  ) throws(Failure) -> AgentImport.Status {
    if let there = try root.readIfPresent(item.name, limit: 10_000_000) {
      if there == item.bytes { return .unchanged }
      guard replacing else { return .exists }
    }
    if !isDryRun {
      try root.write(item.bytes, to: item.name, mode: 0o644, replacing: replacing)
    }
    return .written
  }
}
