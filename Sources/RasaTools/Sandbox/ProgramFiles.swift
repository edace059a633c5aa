import RasaCore
import RasaProcess
import RasaSystem

/// What has to be visible for a program to start: its own folder, or the environment it is installed in; the files
/// that links lead to; the interpreter of a script, and what that needs in turn.
struct ProgramFiles {
  let paths: SandboxPaths
  let searchPath: String
  /// Folders that are visible anyway.
  let visible: [String]

  private static let mostSteps = 12

  func mounts(for program: String) -> [SandboxMount] {
    var mounts: [SandboxMount] = []
    var waiting = [SandboxPaths.normalised(program)]
    var seen: Set<String> = []
    while let file = waiting.popLast(), seen.count < Self.mostSteps {
      guard seen.insert(file).inserted, let real = FileSystem.realPath(file) else { continue }
      if !isVisible(file) {
        let tree = tree(of: file)
        if !mounts.contains(where: { SandboxPaths.contains($0.target, tree) || $0.target == tree }),
          let source = FileSystem.realPath(tree)
        {
          mounts.append(SandboxMount(source, at: tree))
        }
        if let base = base(ofEnvironment: tree) { waiting.append("\(base)/python3") }
      }
      if let target = FileSystem.readLink(file) {
        let folder = FileSystem.parent(of: file)
        waiting.append(
          SandboxPaths.normalised(target.hasBytePrefix("/") ? target : "\(folder)/\(target)"))
      }
      if real != file { waiting.append(real) }
      if let interpreter = interpreter(of: real) { waiting.append(interpreter) }
    }
    return mounts
  }

  private func isVisible(_ file: String) -> Bool {
    visible.contains { SandboxPaths.contains($0, file) }
  }

  /// The environment that a program is installed in (`X` of `X/bin/program`), else its folder, else the file alone.
  private func tree(of file: String) -> String {
    let folder = FileSystem.parent(of: file)
    if folder.hasByteSuffix("/bin") {
      let prefix = FileSystem.parent(of: folder)
      let isEnvironment =
        FileSystem.exists("\(prefix)/pyvenv.cfg")
        || (FileSystem.kind(of: "\(prefix)/lib") == .folder && prefix != "\(paths.home)/.local")
      if isEnvironment, isAllowed(prefix) { return prefix }
    }
    return isAllowed(folder) ? folder : file
  }

  private func isAllowed(_ folder: String) -> Bool {
    guard let real = FileSystem.realPath(folder) else { return false }
    return paths.refusal(of: real, isWritable: false) == nil
  }

  /// The folder of the Python that a virtual environment was made from.
  private func base(ofEnvironment folder: String) -> String? {
    guard
      let bytes = try? FileSystem.readIfPresent("\(folder)/pyvenv.cfg", limit: 1 << 14)
    else { return nil }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let parts = line.split(separator: "=", maxSplits: 1).map { $0.trimmedByScalars }
      if parts.count == 2, parts[0] == "home", parts[1].hasPrefix("/") { return String(parts[1]) }
    }
    return nil
  }

  /// The program that a script's first line names; of `env NAME` the one of that name.
  private func interpreter(of file: String) -> String? {
    guard let line = FirstLine.read(file), line.hasBytePrefix("#!") else { return nil }
    let words = line.dropFirst(2).split(whereSeparator: { $0 == " " || $0 == "\t" })
    guard let first = words.first.map(String.init) else { return nil }
    guard first.hasByteSuffix("/env") else { return SandboxPaths.normalised(first) }
    guard let name = words.dropFirst().first(where: { !$0.hasPrefix("-") && !$0.contains("=") })
    else { return nil }
    return try? ProgramLookup.find(String(name), path: searchPath)
  }
}
