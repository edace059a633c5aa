package import RasaCore
package import RasaPersona
import RasaSystem

/// Single files, for commands that check or change them.
extension AgentDiscovery {
  /// Every file that is or was meant to be an agent, including shadowed ones.
  ///
  /// - Parameter folder: nil for all places.
  package func agentFiles(in folder: String? = nil) -> (paths: [String], warnings: [Warning]) {
    var warnings: [Warning] = []
    let roots =
      folder.map { [AgentRoot(files: FileRoot($0))] } ?? places.roots { warnings.append($0) }
    let tree = AgentFileTree(roots, limits: limits)
    let scan = scan(tree, AgentMemory(), reading(roots, began: 0))
    let paths = tree.files.map(\.path).filter { path in
      scan.memory[path].map { $0.record.entry != nil || !$0.record.failures.isEmpty } ?? false
    }
    return (paths, warnings + tree.warnings)
  }

  /// The files of the agent that is read from this one, inside or outside the agent folders.
  package func documents(at named: String) throws(Failure) -> AgentDocuments {
    let path = named.hasBytePrefix("./") ? String(named.dropFirst(2)) : named
    let roots = places.roots { _ in }
    let number = roots.firstIndex { path.hasBytePrefix("\($0.path)/") }
    let root = number.map { roots[$0] }
    let name = path.split(atByte: "/", omittingEmpty: true).last.map(String.init) ?? path
    let isThere =
      root?.isShipped == true
      ? AgentFile.readShipped(path) != nil : FileSystem.exists(path)
    // A name with an extension is a file's, and the extension must be a supported one.
    let isFileName = name.hasByte(".") && !path.hasByteSuffix("/")
    if !isThere, !isFileName {
      throw Failure(
        .usage,
        path.hasByteSuffix("/")
          ? "there is no folder \(path)" : "there is no file or folder \(path)",
        suggestion: "check the path")
    }
    let isConfig: Bool
    switch AgentFileName(name.utf8.span) {
    case .config: isConfig = true
    case .markdown, .data: isConfig = false
    case .other:
      throw Failure(
        .usage,
        "\(path) is not an agent file: its name must end in .toml, .md, .yaml, .yml or .json",
        suggestion: "name an agent's file, or a folder of them")
    }
    guard isThere else {
      throw Failure(.usage, "there is no file \(path)", suggestion: "check the path")
    }
    guard root?.isShipped == true || FileSystem.kind(of: path) == .file else {
      throw Failure(.usage, "\(path) is not a regular file", suggestion: "name an agent's file")
    }
    let above =
      root.map { FileSystem.parent(of: path).dropFirst($0.path.count + 1) }.map(String.init)
    let file = AgentFile(
      path: path, root: number ?? -1, origin: root?.origin ?? FileSystem.parent(of: path),
      category: above.flatMap { $0.isEmpty ? nil : $0 }, stem: AgentFileName.stem(name),
      isConfig: isConfig, stamp: FileSystem.status(of: path)?.stamp ?? AgentFile.shippedStamp)
    var record = AgentRecord(file)
    return try reading(roots, began: 0).documents(file, &record)
  }
}

extension AgentLibrary {
  /// As `AgentDiscovery` does.
  package func agentFiles(in folder: String? = nil) -> (paths: [String], warnings: [Warning]) {
    discovery.agentFiles(in: folder)
  }

  package func documents(at path: String) throws(Failure) -> AgentDocuments {
    try discovery.documents(at: path)
  }

  /// Rewrites an agent's file. Links that lead out of the root are left alone, except the user's
  /// own.
  package func replace(_ bytes: [UInt8], in path: String) throws(Failure) {
    for root in discovery.places.roots({ _ in }) {
      if let inner = root.path(of: path) { return try root.files.replace(bytes, in: inner) }
    }
    let name = path.split(separator: "/").last.map(String.init) ?? path
    try FileRoot(FileSystem.parent(of: path)).replace(bytes, in: name)
  }
}
