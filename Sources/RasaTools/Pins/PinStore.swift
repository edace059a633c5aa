package import RasaCore
import RasaDocuments
package import RasaPersona
package import RasaSystem

/// The pins of servers: a file for each declaration in the state folder, readable by the user alone.
package struct PinStore: Sendable {
  private let root: FileRoot
  private let project: String
  private static let largest = 16 << 20
  /// Where servers of command lines seem to be declared. They have nothing in common but that.
  package static let commandLineFile = "shipped:tool_call.yaml"

  /// - Parameter project: the folder from which a project's commands start.
  package init(_ folders: RasaFolders, project: String) {
    root = FileRoot("\(folders.state)/tools", links: .anywhere)
    self.project = FileSystem.realPath(project) ?? project
  }

  /// What an approval is for: this declaration under this name, and for one of a project in this project.
  package func key(of declaration: ToolDeclaration) -> String {
    Digest.sha256(
      Value.array([
        .string(declaration.name), .string(declaration.digest),
        declaration.isProject ? .string(project) : .null,
      ]).jsonBytes(.canonical))
  }

  private static func path(_ digest: String) -> String { "\(digest).json" }

  /// The pin of exactly this declaration.
  package func pin(of declaration: ToolDeclaration) throws(Failure) -> ServerPin? {
    try read(Self.path(key(of: declaration)))
  }

  /// The pin of what the same file declared under the name before.
  package func earlierPin(of declaration: ToolDeclaration) throws(Failure) -> ServerPin? {
    guard declaration.location.file != Self.commandLineFile else { return nil }
    let key = key(of: declaration)
    return try all().first {
      $0.name == declaration.name && $0.file == declaration.location.file && $0.digest != key
    }
  }

  package func all() throws(Failure) -> [ServerPin] {
    guard FileSystem.kind(of: root.folder) == .folder else { return [] }
    var pins: [ServerPin] = []
    for entry in try FileSystem.list(root.folder) where entry.name.hasByteSuffix(".json") {
      if let pin = try read(entry.name) { pins.append(pin) }
    }
    return pins.sorted { ($0.name, $1.since.milliseconds) < ($1.name, $0.since.milliseconds) }
  }

  private func read(_ path: String) throws(Failure) -> ServerPin? {
    guard let bytes = try root.readIfPresent(path, limit: Self.largest) else { return nil }
    guard let value = try? JSON.parse(bytes), let pin = ServerPin(value) else {
      throw Failure(
        .configuration, "\(FileSystem.path(path, in: root.folder)) is no approval of a server",
        suggestion: "remove it: then you are asked again")
    }
    return pin
  }

  /// Keeps the pin in the place of what the same file declared under its name before.
  package func keep(_ pin: ServerPin) throws(Failure) {
    try root.write(pin.value.json(.pretty) + "\n", to: Self.path(pin.digest))
    guard pin.file != Self.commandLineFile else { return }
    for other in try all()
    where other.name == pin.name && other.file == pin.file && other.digest != pin.digest {
      try FileSystem.removeFile(FileSystem.path(Self.path(other.digest), in: root.folder))
    }
  }

  /// Why a server that nobody has approved is not started.
  package func refusal(of declaration: ToolDeclaration) throws(Failure) -> Failure {
    let lines = declaration.accessLines(with: declaration.usualAccess)
      .map { "\($0.label): \($0.text)" }
    var failure = Failure(
      .approval, "the server `\(declaration.name)` is not approved",
      suggestion: "`\(declaration.commandLine("approve"))` shows what it needs, and starts it",
      at: declaration.location, details: lines)
    if let earlier = try earlierPin(of: declaration) {
      failure.message =
        "the declaration of the server `\(declaration.name)` has changed since it was approved"
      failure.details +=
        PinDifference.lines(
          from: .object(earlier.declared), to: .object(declaration.shown), in: "declaration")
    }
    failure.reason = "tools"
    return failure
  }
}
