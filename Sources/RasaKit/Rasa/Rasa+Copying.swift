import RasaCore
import RasaSystem

extension Rasa {
  /// What kind of thing a file defines.
  @nonexhaustive
  public enum DefinitionKind: String, Sendable, Hashable, CaseIterable, Codable {
    /// An agent, which may be two files.
    case agent
    /// A persona.
    case persona
    /// An operator.
    case `operator`
  }

  /// The whole files of a definition, to be changed.
  public struct DefinitionCopy: Sendable, Hashable {
    /// One file.
    public struct File: Sendable, Hashable {
      /// Its path from the folder that it goes to.
      public var path: String
      /// Its content.
      public var text: String { String(decoding: bytes, as: UTF8.self) }

      let bytes: [UInt8]
    }

    /// What it is.
    public let kind: DefinitionKind
    /// The name that the copy is found by.
    public let name: String
    /// The place that it comes from: `shipped`, or a folder.
    public let origin: String
    /// The files, the one first that is found by its name.
    public let files: [File]
    /// What is not copied.
    public let warnings: [String]
  }

  /// Copies an agent, persona or operator with the prompts and files that it names. Nothing is written.
  ///
  /// - Parameters:
  ///   - kind: What it is.
  ///   - name: Its name or id.
  ///   - newName: The name of the copy; nil for the same, so that the copy takes its place.
  /// - Throws: A `RasaError` when there is none, it is broken, or the new name is not valid.
  public func copy(
    _ kind: DefinitionKind, named name: String, as newName: String? = nil
  ) async throws(RasaError) -> DefinitionCopy {
    try await prepared { rasa throws(Failure) in
      let copier = DefinitionCopier(
        kind: kind, library: rasa.composition.library, agents: rasa.registered)
      if let newName { try copier.check(newName) }
      let copy = try copier.copy(name, as: newName)
      return DefinitionCopy(
        kind: kind, name: copy.name, origin: copy.source,
        files: copy.files.map { DefinitionCopy.File(path: $0.path, bytes: $0.bytes) },
        warnings: copy.warnings)
    }
  }

  /// A file that was to be written.
  public struct WrittenFile: Sendable, Hashable, Codable {
    /// Its path.
    public var file: String
    /// Whether it was written. Otherwise it was there already, with the same content.
    public var isWritten: Bool
  }

  /// Writes a copy.
  ///
  /// - Parameters:
  ///   - copy: What is written.
  ///   - destination: The folder that it goes to.
  ///   - replacing: Whether files that exist are replaced.
  /// - Throws: A `RasaError` of code `usage` when a file exists with another content. Nothing has been
  ///   written then.
  @discardableResult
  public func write(
    _ copy: DefinitionCopy, to destination: Destination = .project, replacing: Bool = false
  ) async throws(RasaError) -> [WrittenFile] {
    try await prepared { rasa throws(Failure) in
      let (folder, root) = rasa.root(destination, "\(copy.kind.rawValue)s")
      func isSame(_ file: DefinitionCopy.File) -> Bool {
        (try? root.readIfPresent(file.path, limit: 10_000_000)) == file.bytes
      }
      for file in copy.files {
        let path = FileSystem.path(file.path, in: folder)
        guard FileSystem.exists(path), !replacing, !isSame(file) else { continue }
        throw Failure(
          .usage, "\(path) exists already",
          suggestion: "choose another `--name`, or add `--force`")
      }
      let new = copy.files.filter { !isSame($0) }
      let written = Set(
        try writeFiles(new.map { ($0.path, $0.bytes) }, in: root, replacing: replacing))
      return copy.files.map {
        WrittenFile(
          file: FileSystem.path($0.path, in: folder), isWritten: written.contains($0.path))
      }
    }
  }
}
