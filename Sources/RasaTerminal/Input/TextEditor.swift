package import RasaCore
package import RasaSystem

/// The person's editor: `VISUAL`, `EDITOR`, else the system's `editor`, else `vi`.
package struct TextEditor: Sendable {
  private let environment: Environment
  private static let longestText = 64 << 20

  package init(environment: Environment) { self.environment = environment }

  /// The text when the editor ended; nil if the editor reports a failure.
  package func edit(_ text: String, terminal: Int32) async throws(Failure) -> String? {
    let base = environment["XDG_RUNTIME_DIR"] ?? environment["TMPDIR"] ?? "/tmp"
    // A folder of its own, so that backup files of the editor are as private as the file.
    let folder = "\(base)/rasa-edit-\(String(systemRandom(), radix: 36))"
    try FileSystem.makeFolder(folder)
    defer { try? FileSystem.removeFolder(folder) }
    let path = "\(folder)/text.md"
    try FileSystem.write(text, to: path)
    let code = try await InteractiveProgram.run(
      // The setting may be a command with arguments, as in `code --wait`.
      ["/bin/sh", "-c", "\(command) \"$1\"", "sh", path], terminal: terminal,
      environment: environment)
    guard code == 0 else { return nil }
    let bytes = try FileSystem.read(path, limit: Self.longestText, followingLinks: false)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(
        .usage, "the edited text is not UTF-8",
        suggestion: "set the editor's file encoding to UTF-8, and edit it again")
    }
    return text
  }

  private var command: String {
    // An empty variable names no editor.
    for name in ["VISUAL", "EDITOR"] {
      if let command = environment[name], command.utf8.contains(where: { $0 > 0x20 }) {
        return command
      }
    }
    return FileSystem.exists("/usr/bin/editor") ? "editor" : "vi"
  }
}
