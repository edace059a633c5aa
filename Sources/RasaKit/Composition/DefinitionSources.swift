package import RasaCore
package import RasaPersona
package import RasaSystem

/// The YAML files of one folder.
package struct FolderSource: DefinitionSource {
  private let root: FileRoot
  /// Whether it came with the folder that the user is in.
  package let isProject: Bool

  package init(_ root: FileRoot, isProject: Bool = false) {
    self.root = root
    self.isProject = isProject
  }

  package var folder: String { root.folder }
  package var label: String { folder }

  package func list() throws(Failure) -> [String] {
    switch root.standing {
    case .nothing: return []
    case .outside: throw root.refusal
    case .there: break
    }
    return try FileSystem.list(folder).compactMap { entry in
      guard entry.kind != .folder, entry.name.hasSuffix(".yaml") || entry.name.hasSuffix(".yml")
      else { return nil }
      return String(entry.name[..<(entry.name.lastIndex(of: ".") ?? entry.name.endIndex)])
    }
  }

  package func read(_ name: String) throws(Failure) -> SourceDocument? {
    // A name is a name, not a way out of the folder.
    guard !name.hasByte("/"), name != ".." else { return nil }
    for ending in ["yaml", "yml"] {
      let file = "\(name).\(ending)"
      if let bytes = try root.readIfPresent(file, limit: FolderSource.largest) {
        return SourceDocument(bytes: bytes, path: FileSystem.path(file, in: folder))
      }
    }
    return nil
  }

  package func readSibling(
    _ path: String, of document: String
  ) throws(Failure) -> SourceDocument {
    let name = document.utf8.lastIndex(of: UInt8(ascii: "/")).map {
      String(document[document.utf8.index(after: $0)...])
    }
    return SourceDocument(
      bytes: try root.read(path, namedBy: name ?? document, limit: FolderSource.largest),
      path: FileSystem.path(path, in: folder))
  }

  package static let largest = 1_000_000
}

/// What ships inside the binary.
package struct EmbeddedSource: DefinitionSource {
  /// `personas` or `operators`.
  package let folder: String

  package init(folder: String) { self.folder = folder }

  package var label: String { "shipped" }

  package func list() throws(Failure) -> [String] {
    EmbeddedFiles.names.compactMap { name in
      guard name.hasPrefix("\(folder)/"), name.hasSuffix(".yaml") else { return nil }
      return String(name.dropFirst(folder.count + 1).dropLast(5))
    }
  }

  package func read(_ name: String) throws(Failure) -> SourceDocument? {
    EmbeddedFiles.bytes(of: "\(folder)/\(name).yaml").map {
      SourceDocument(bytes: $0, path: "shipped:\(folder)/\(name).yaml")
    }
  }

  package func readSibling(
    _ path: String, of document: String
  ) throws(Failure) -> SourceDocument {
    guard let bytes = EmbeddedFiles.bytes(of: "\(folder)/\(path)") else {
      throw Failure(.configuration, "there is no shipped file `\(folder)/\(path)`")
    }
    return SourceDocument(bytes: bytes, path: "shipped:\(folder)/\(path)")
  }
}
