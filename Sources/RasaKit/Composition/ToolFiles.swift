package import RasaCore
import RasaPersona
import RasaSystem
package import RasaTools

/// The tools that files declare, beside those of personas.
package struct DeclaredTools: Sendable {
  /// The project's files before the user's, and in each place rasa's own before those of other clients.
  package var layers: [ToolCatalogue.Layer] = []
  package var warnings: [Warning] = []
  /// Entries of other clients' files that cannot be used.
  package var problems: [Failure] = []
}

/// What has been read of those files, and the servers that this process may have started.
package final class ToolFiles: Sendable {
  fileprivate let servers = Locked<[any ToolServers]>([])
  fileprivate let kept = Locked<DeclaredTools?>(nil)
}

extension CompositionRoot {
  func note(_ servers: any ToolServers) { toolFiles.servers.withLock { $0.append(servers) } }

  /// Ends all servers that have been started, before the process does.
  package func endServers() async {
    let servers = toolFiles.servers.withLock { servers in
      defer { servers = [] }
      return servers
    }
    for one in servers { await one.end() }
  }

  /// The files of other clients, from the project's folder.
  static let projectServerFiles = [".mcp.json", ".vscode/mcp.json"]

  /// What both configurations and the files of other MCP clients declare, read once.
  func declaredTools() throws(Failure) -> DeclaredTools {
    if let declared = toolFiles.kept.withLock(\.self) { return declared }
    let declared = try readTools()
    toolFiles.kept.withLock { $0 = declared }
    return declared
  }

  private func readTools() throws(Failure) -> DeclaredTools {
    var declared = DeclaredTools()
    let configuration = try configuration()
    if !isProjectOwn {
      declared.layers.append(ToolCatalogue.Layer(.project, configuration.ofProject?.tools ?? []))
      let folder = FileSystem.realPath(project) ?? FileSystem.absolute(project)
      for file in projectServerDocuments() { declared.add(file, .project, in: folder) }
    }
    declared.layers.append(ToolCatalogue.Layer(.user, configuration.tools))
    for (root, path) in userServerFiles {
      declared.add(Self.document(path, in: root), .user)
    }
    return declared
  }

  /// The project's files with servers, as far as they are there.
  func projectServerDocuments() -> [Result<SourceDocument, Failure>] {
    Self.projectServerFiles.compactMap { Self.document($0, in: FileRoot(project)) }
  }

  private var userServerFiles: [(FileRoot, String)] {
    var files = [(FileRoot(folders.configuration, links: .anywhere), "mcp.json")]
    let base = environment["XDG_CONFIG_HOME"] ?? environment["HOME"].map { "\($0)/.config" }
    if let base, !isHermetic {
      files.append(
        (FileRoot("\(base)/Claude", links: .anywhere), "claude_desktop_config.json"))
    }
    return files
  }

  private static func document(
    _ path: String, in root: FileRoot
  ) -> Result<SourceDocument, Failure>? {
    do throws(Failure) {
      return try root.readIfPresent(path, limit: FolderSource.largest).map {
        .success(SourceDocument(bytes: $0, path: FileSystem.path(path, in: root.folder)))
      }
    } catch {
      return .failure(error)
    }
  }
}

extension DeclaredTools {
  fileprivate mutating func add(
    _ found: Result<SourceDocument, Failure>?, _ scope: ToolCatalogue.Scope,
    in folder: String? = nil
  ) {
    switch found {
    case nil: return
    case .failure(let failure): problems.append(failure)
    case .success(let document):
      let reading = ServerFile.load(document, isProject: scope == .project)
      var tools = reading.definition ?? reading.partial ?? []
      // The clients that these files are for start servers in the project's folder.
      for index in tools.indices {
        guard let folder, case .mcp(var server) = tools[index].kind,
          case .stdio(let command, let environment, nil) = server.transport
        else { continue }
        server.transport = .stdio(command: command, environment: environment, folder: folder)
        tools[index].kind = .mcp(server)
      }
      layers.append(ToolCatalogue.Layer(scope, tools))
      problems += reading.failures
      warnings += reading.warnings
    }
  }
}
