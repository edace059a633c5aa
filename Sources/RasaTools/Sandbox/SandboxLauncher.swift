package import RasaCore
package import RasaPersona
package import RasaProcess
import RasaSystem

/// Starts programs in what their declaration allows: in bubblewrap, in a container, or bare where the user's own
/// file says so.
package struct SandboxLauncher: ProcessLauncher {
  let settings: SandboxSettings
  /// Is told of each start without a sandbox.
  private let warn: @Sendable (String) -> Void

  package init(_ settings: SandboxSettings, warn: @escaping @Sendable (String) -> Void) {
    self.settings = settings
    self.warn = warn
  }

  package func start(
    _ command: ChildCommand, in sandbox: ToolSandbox
  ) async throws(Failure) -> ChildProcess {
    switch sandbox.runtime {
    case .bubblewrap: try startInBubblewrap(command, sandbox)
    case .docker, .podman: try startInContainer(command, sandbox)
    case .none: try startBare(command)
    }
  }

  // MARK: - Without a sandbox

  private func startBare(_ command: ChildCommand) throws(Failure) -> ChildProcess {
    var command = command
    command.environment = usualVariables(home: settings.home, path: settings.path)
      .merging(command.environment) { $1 }
    warn(
      "`\(command.arguments.first ?? "")` runs without a sandbox (`sandbox: none`): with your rights, your files, "
        + "and the network")
    return try ChildProcess.start(command)
  }

  private func usualVariables(home: String, path: String) -> [String: String] {
    settings.variables.merging(["HOME": home, "PATH": path]) { $1 }
  }

  // MARK: - Bubblewrap

  private func startInBubblewrap(
    _ command: ChildCommand, _ sandbox: ToolSandbox
  ) throws(Failure) -> ChildProcess {
    guard let bubblewrap = settings.bubblewrap else {
      throw Failure(
        .configuration,
        "programs run in a sandbox, and the one for that, bubblewrap, is not installed",
        suggestion: "run: sudo apt install bubblewrap")
    }
    let paths = SandboxPaths(home: settings.home, protected: settings.protected)
    let program = try ProgramLookup.find(
      command.arguments.first ?? "", path: command.environment["PATH"] ?? settings.path,
      folder: command.folder)

    var arguments = BubblewrapArguments()
    arguments.temporarySize = settings.temporarySize
    let declared = try paths.mounts(
      read: sandbox.read, write: sandbox.write, folder: command.folder)
    var visible = BubblewrapArguments.visibleFolders + declared.map(\.target)
    if let folder = command.folder {
      let mount = try workingFolder(folder, paths)
      arguments.folder = mount.target
      if !visible.contains(where: { $0 == mount.target || SandboxPaths.contains($0, mount.target) })
      {
        arguments.mounts.append(mount)
        visible.append(mount.target)
      }
    }
    let files = ProgramFiles(paths: paths, searchPath: settings.path, visible: visible)
    arguments.mounts += files.mounts(for: program)
    arguments.mounts += declared

    let bin = FileSystem.parent(of: program)
    let standard = ProgramLookup.standardPath
    arguments.variables = usualVariables(
      home: "/tmp",
      path: standard.split(separator: ":").contains { $0 == bin } ? standard : "\(bin):\(standard)")
    arguments.variables["TMPDIR"] = "/tmp"

    var inside = [program] + command.arguments.dropFirst()
    var inherited: [Int32] = []
    var companion: EgressGate?
    switch sandbox.network {
    case .none: inside = limited(inside)
    case .all:
      inside = limited(inside)
      arguments.sharesNetwork = true
    case .hosts(let hosts):
      let gate = try EgressGate.open(
        hosts, privateHosts: sandbox.privateHosts, settings: settings)
      arguments.usesNetwork = true
      arguments.mounts += gate.mounts
      arguments.variables.merge(gate.variables) { $1 }
      inside = gate.command(inside, descriptor: 3, processes: settings.processes)
      inherited = [gate.descriptor]
      companion = gate
    }
    arguments.variables.merge(command.environment) { $1 }

    var outer = ChildCommand([bubblewrap])
    let list = try MemoryFile(arguments.bytes())
    outer.inherited = inherited + [list.descriptor]
    outer.arguments += ["--args", "\(3 + inherited.count)", "--"] + inside
    outer.limits = [.coreSize(0), .fileSize(4 << 30), .openFiles(4096)]
    outer.isSupervisor = true
    return try ChildProcess.start(outer, companion: companion) { [companion] in
      companion?.remarks ?? []
    }
  }

  func workingFolder(
    _ folder: String, _ paths: SandboxPaths
  ) throws(Failure) -> SandboxMount {
    guard let real = FileSystem.realPath(folder), FileSystem.kind(of: real) == .folder else {
      throw Failure(
        .configuration, "the folder \(folder) that a program is to run in does not exist",
        suggestion: "check the path")
    }
    if let refusal = paths.refusal(of: real, isWritable: false) {
      throw Failure(
        .configuration, "a program cannot run in \(folder) in a sandbox: \(refusal)",
        suggestion: "let it run in a folder of its own (`folder:`)")
    }
    return SandboxMount(real, at: SandboxPaths.normalised(FileSystem.absolute(folder)))
  }

  /// Where the number of processes can be limited, that is done inside: outside, everything of the user counts.
  private func limited(_ command: [String]) -> [String] {
    // Nothing limits the number of root's processes.
    guard UserIdentity.ofProcess.id != 0, FileSystem.kind(of: "/usr/bin/prlimit") == .file else {
      return command
    }
    return ["/usr/bin/prlimit", "--nproc=\(settings.processes):\(settings.processes)", "--"]
      + command
  }
}

// MARK: - What went wrong

extension SandboxLauncher {
  /// What bubblewrap said if it is what failed, and not the program in it.
  package static func failure(of child: ChildProcess) -> Failure? {
    guard child.status == .exited(1) else { return nil }
    let lines = child.errorTail.split(separator: "\n")
    guard let line = lines.last(where: { $0.hasPrefix("bwrap: ") }) else { return nil }
    let what = line.dropFirst("bwrap: ".count)
    if what.hasPrefix("execvp") {
      return Failure(
        .configuration, "the program does not start in its sandbox: \(what)",
        suggestion: "name what it needs under `read:` of its `sandbox:`")
    }
    if what.hasPrefix("Unknown option") {
      return Failure(
        .configuration, "this bubblewrap is too old: \(what)",
        suggestion: "install bubblewrap 0.8 or later")
    }
    let isForbidden = what.hasBytes("ermission") || what.hasBytes("not permitted")
    return Failure(
      .configuration, "the sandbox cannot be set up: \(what)",
      suggestion: isForbidden
        ? "allow user namespaces (sysctl kernel.unprivileged_userns_clone=1 and, on Ubuntu, "
          + "kernel.apparmor_restrict_unprivileged_userns=0), or in a container run it with --security-opt "
          + "seccomp=unconfined"
        : "check `read:` and `write:` of the `sandbox:`")
  }
}
