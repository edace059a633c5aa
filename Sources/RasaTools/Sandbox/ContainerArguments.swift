package import RasaCore
import RasaPersona
import RasaProcess
import RasaSystem

/// The arguments of Docker or Podman for one start.
package struct ContainerArguments: Sendable {
  package enum Engine: String, Sendable { case docker, podman }

  package var engine: Engine
  package var image: String
  package var name: String
  package var mounts: [SandboxMount] = []
  package var folder: String?
  package var sharesNetwork = false
  package var temporarySize: UInt64 = 512 << 20
  package var processes = 1024
  package var memory: UInt64 = 4 << 30
  /// Of who starts it, so that files that are written are theirs.
  package var user: (id: UInt32, group: UInt32)
  /// The descriptor of a file with the variables, which are not for every process to see.
  package var variablesDescriptor: Int32 = 3

  package init(_ engine: Engine, image: String, name: String, user: (id: UInt32, group: UInt32)) {
    self.engine = engine
    self.image = image
    self.name = name
    self.user = user
  }

  package func list(_ command: [String]) -> [String] {
    var list = ["run", "--rm", "--interactive", "--name", name, "--pull", "never"]
    list += ["--network", sharesNetwork ? "bridge" : "none"]
    if engine == .podman, sharesNetwork { list[list.count - 1] = "slirp4netns" }
    list += ["--read-only", "--tmpfs", "/tmp:rw,nosuid,nodev,mode=1777,size=\(temporarySize)"]
    list += ["--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    list += ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=\(processes):\(processes)"]
    list += ["--ulimit", "core=0:0"]
    list += ["--pids-limit", "\(processes)", "--memory", "\(memory)"]
    switch engine {
    // Podman without root maps its own user to the one inside.
    case .podman: list += user.id == 0 ? [] : ["--userns", "keep-id"]
    case .docker: list += ["--user", "\(user.id):\(user.group)"]
    }
    list += ["--env-file", "/proc/self/fd/\(variablesDescriptor)"]
    for mount in mounts {
      let options = mount.isWritable ? "" : ",readonly"
      list += ["--mount", "type=bind,source=\(mount.source),target=\(mount.target)\(options)"]
    }
    if let folder { list += ["--workdir", folder] }
    // What stands after the image is the program's, whatever it begins with.
    return list + [image] + command
  }

  /// The lines of the file with the variables.
  ///
  /// - Throws: a `Failure` for a value that such a file cannot hold.
  package static func variableLines(_ variables: [String: String]) throws(Failure) -> [UInt8] {
    var lines = ""
    for (name, value) in variables.sorted(by: { $0.key < $1.key }) {
      guard !value.utf8.contains(10), !value.utf8.contains(13) else {
        throw Failure(
          .configuration,
          "the variable \(name) has a line break, which a container cannot be given",
          suggestion: "pass the value in a file that the sandbox may read")
      }
      lines += "\(name)=\(value)\n"
    }
    return Array(lines.utf8)
  }
}

extension SandboxLauncher {
  func startInContainer(
    _ command: ChildCommand, _ sandbox: ToolSandbox
  ) throws(Failure) -> ChildProcess {
    let engine: ContainerArguments.Engine
    let image: String
    switch sandbox.runtime {
    case .docker(let name): (engine, image) = (.docker, name)
    case .podman(let name): (engine, image) = (.podman, name)
    case .bubblewrap, .none: throw Failure(.configuration, "this sandbox is no container")
    }
    let client = try client(engine)
    guard !image.isEmpty, !image.hasBytePrefix("-"),
      image.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else {
      throw Failure(
        .configuration,
        "`\(image.unicodeScalars.prefix(80).map { $0.isASCII ? String($0) : "?" }.joined())` is no name of an image",
        suggestion: "write a name such as debian:12-slim")
    }
    var arguments = ContainerArguments(
      engine, image: image, name: "rasa-\(String(systemRandom(), radix: 36))",
      user: UserIdentity.ofProcess)
    arguments.temporarySize = settings.temporarySize
    arguments.processes = settings.processes
    switch sandbox.network {
    case .none: break
    case .all: arguments.sharesNetwork = true
    case .hosts:
      throw Failure(
        .configuration, "hosts by name are only for bubblewrap, not for a container",
        suggestion: "leave `type` of the sandbox out, or write `network: none` or `network: all`")
    }
    let paths = SandboxPaths(home: settings.home, protected: settings.protected)
    arguments.mounts = try paths.mounts(
      read: sandbox.read, write: sandbox.write, folder: command.folder)
    if let folder = command.folder {
      let mount = try workingFolder(folder, paths)
      arguments.folder = mount.target
      let isThere = arguments.mounts.contains {
        $0.target == mount.target || SandboxPaths.contains($0.target, mount.target)
      }
      if !isThere { arguments.mounts.append(mount) }
    }
    // Outer ones first, so that an inner one counts.
    arguments.mounts.sort { $0.target.utf8.count < $1.target.utf8.count }
    for mount in arguments.mounts where (mount.source + mount.target).contains(",") {
      throw Failure(
        .configuration,
        "\(mount.source) has a comma in its name, which a container's mounts cannot have",
        suggestion: "give it another name")
    }
    let variables = try MemoryFile(
      ContainerArguments.variableLines(
        settings.variables.merging(["HOME": "/tmp", "TMPDIR": "/tmp"]) { $1 }
          .merging(command.environment) { $1 }))
    var outer = ChildCommand(
      [client] + arguments.list(command.arguments), environment: settings.containerVariables)
    outer.inherited = [variables.descriptor]
    let removal = ContainerRemoval(
      ChildCommand(
        [client, "rm", "--force", arguments.name], environment: settings.containerVariables))
    return try ChildProcess.start(outer, companion: removal)
  }

  private func client(_ engine: ContainerArguments.Engine) throws(Failure) -> String {
    do throws(Failure) {
      return try ProgramLookup.find(engine.rawValue, path: settings.path)
    } catch {
      let name = engine == .docker ? "Docker" : "Podman"
      throw Failure(
        .configuration, "the sandbox asks for \(name), and `\(engine.rawValue)` is not installed",
        suggestion: engine == .docker
          ? "install Docker, or leave `type` of the sandbox out: bubblewrap needs no image"
          : "run: sudo apt install podman, or leave `type` of the sandbox out: bubblewrap needs no image"
      )
    }
  }
}

/// Ends a container with the program that was started for it: its client may have been killed before it could say so.
private final class ContainerRemoval: Sendable {
  private let command: ChildCommand
  init(_ command: ChildCommand) { self.command = command }

  deinit {
    guard let child = try? ChildProcess.start(command) else { return }
    child.closeInput()
    // The child is kept until it has ended; nobody else has to wait for it.
    Task { _ = await child.wait() }
  }
}
