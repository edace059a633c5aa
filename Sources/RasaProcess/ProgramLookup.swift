import Glibc
package import RasaCore

/// Which file a program's name means.
package enum ProgramLookup {
  /// Where programs are looked for if the environment has no `PATH`.
  package static let standardPath = "/usr/local/bin:/usr/bin:/bin"

  /// The path of the program. Relative ones begin in `folder`.
  ///
  /// - Throws: a `Failure` that says where it was looked for and what has a similar name.
  package static func find(
    _ name: String, path: String?, folder: String? = nil
  ) throws(Failure) -> String {
    guard !name.isEmpty, !name.utf8.contains(0) else {
      throw Failure(
        .configuration, "a program's name is empty or contains a NUL byte",
        suggestion: "name a program as the first element of the command")
    }
    if name.utf8.contains(UInt8(ascii: "/")) {
      var file = name
      if let folder, name.utf8.first != UInt8(ascii: "/") { file = "\(folder)/\(name)" }
      if let problem = problem(of: file) { throw failure(file, problem) }
      return file
    }
    let folders = (path ?? standardPath).split(separator: ":").map(String.init)
    var unusable: (file: String, problem: Problem)?
    for folder in folders where folder.utf8.first == UInt8(ascii: "/") {
      let file = "\(folder)/\(name)"
      switch problem(of: file) {
      case nil: return file
      case .missing: continue
      case .some(let problem): unusable = unusable ?? (file, problem)
      }
    }
    if let unusable { throw failure(unusable.file, unusable.problem) }
    let near = nearestName(to: name, among: folders.flatMap(programs))
    throw Failure(
      .configuration, "there is no program `\(name)` in \(folders.joined(separator: ", "))",
      suggestion: (near.map { "did you mean `\($0)`? Otherwise " } ?? "")
        + "install it, or name it by its path")
  }

  private enum Problem { case missing, folder, notExecutable, unreachable(Int32) }

  private static func problem(of file: String) -> Problem? {
    var status = stat()
    guard unsafe (stat(file, &status) == 0) else {
      return errno == ENOENT || errno == ENOTDIR ? .missing : .unreachable(errno)
    }
    guard status.st_mode & S_IFMT != S_IFDIR else { return .folder }
    return unsafe access(file, X_OK) == 0 ? nil : .notExecutable
  }

  private static func failure(_ file: String, _ problem: Problem) -> Failure {
    switch problem {
    case .missing:
      let (parent, name) = split(file)
      let near = nearestName(to: name, among: programs(in: parent))
      return Failure(
        .configuration, "there is no program \(file)",
        suggestion: near.map { "did you mean \(parent)/\($0)?" } ?? "check the path")
    case .folder:
      return Failure(
        .configuration, "\(file) is a folder, not a program", suggestion: "name a program in it")
    case .notExecutable:
      return Failure(
        .configuration, "\(file) is not executable", suggestion: "run: chmod +x '\(file)'")
    case .unreachable(let code):
      return Failure(
        .configuration, "cannot look at \(file): \(text(of: code))",
        suggestion: "check the modes of its folders (ls -ld)")
    }
  }

  private static func split(_ file: String) -> (folder: String, name: String) {
    guard let slash = file.lastIndex(of: "/") else { return (".", file) }
    return (String(file[..<slash]), String(file[file.index(after: slash)...]))
  }

  /// Enough names for a suggestion, whatever is in the folder.
  private static func programs(in folder: String) -> [String] {
    guard let entries = unsafe opendir(folder.isEmpty ? "/" : folder) else { return [] }
    defer { unsafe closedir(entries) }
    var names: [String] = []
    while names.count < 10_000, let entry = unsafe readdir(entries) {
      names.append(
        unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
          unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) {
            unsafe String(cString: $0)
          }
        })
    }
    return names
  }

  /// What a failed start means: the system's word about it names none of these.
  static func failure(toStart program: String, code: Int32) -> Failure {
    switch code {
    case ENOENT:
      let line = FirstLine.read(program)
      guard let line, line.hasPrefix("#!") else { return failure(program, .missing) }
      return Failure(
        .configuration, "the interpreter of \(program) does not exist: \(line)",
        suggestion: "install it, or correct the first line of the file")
    case ENOEXEC:
      return Failure(
        .configuration, "\(program) is not a program that this machine can run",
        suggestion: "begin a script with `#!` and its interpreter, such as #!/bin/sh")
    case ETXTBSY:
      return Failure(
        .run, "\(program) is being written at this moment", suggestion: "try it again")
    case E2BIG:
      return Failure(
        .run, "the arguments and variables for \(program) are too large for the system",
        suggestion: "pass large data on standard input")
    case EACCES:
      return Failure(
        .configuration, "\(program) may not be run: \(text(of: code))",
        suggestion:
          "check its mode and that of its interpreter, and whether its disk allows programs")
    case EAGAIN, ENOMEM:
      return Failure(
        .run, "the system has no room for another process to run \(program)",
        suggestion: "run fewer things at once (ulimit -u, free -m)")
    default:
      return Failure(.run, "cannot start \(program): \(text(of: code))")
    }
  }

  static func text(of code: Int32) -> String {
    unsafe String(cString: strerror(code)).lowercased()
  }
}

/// The first line of a file: that of a script names its interpreter.
package enum FirstLine {
  /// At most 256 bytes; nil if there is no such file or it cannot be read.
  package static func read(_ file: String) -> String? {
    let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
    guard count > 0 else { return nil }
    let line = buffer[..<count].prefix { $0 != UInt8(ascii: "\n") }
    return String(decoding: line, as: UTF8.self)
  }
}
