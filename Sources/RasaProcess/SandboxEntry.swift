import RasaCore
import CSystem
import Glibc

/// rasa as the first program in a sandbox that reaches hosts by name.
package enum SandboxEntry {
  /// The first argument of such a start. It is no command: nobody has to type it.
  package static let mark = "--inside-sandbox"

  /// Becomes the program of the sandbox if that is what this process was started for. Comes before everything else a
  /// start does.
  package static func enterIfAsked() {
    let arguments = unsafe UnsafeMutableBufferPointer(
      start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
    guard arguments.count > 1, let first = unsafe arguments[1],
      unsafe strcmp(first, mark) == 0
    else { return }
    let rest = unsafe CommandLine.unsafeArgv + 2
    exit(unsafe rasa_become_sandboxed(CommandLine.argc - 2, rest))
  }
}

/// The libraries that this process has loaded from places where a sandbox has none.
package enum LoadedLibraries {
  package static func folders(outside visible: [String]) -> [String] {
    let descriptor = unsafe open("/proc/self/maps", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while text.count < 1 << 22 {
      let count = unsafe read(descriptor, &buffer, buffer.count)
      guard count > 0 else { break }
      text += buffer[..<count]
    }
    var folders: Set<String> = []
    for line in text.split(separator: UInt8(ascii: "\n")) {
      guard let slash = line.firstIndex(of: UInt8(ascii: "/")),
        let end = line.lastIndex(of: UInt8(ascii: "/")), end > slash
      else { continue }
      let name = String(decoding: line[end...], as: UTF8.self)
      let folder = String(decoding: line[slash..<end], as: UTF8.self)
      guard name.hasBytes(".so"), !visible.contains(where: { "\(folder)/".hasPrefix("\($0)/") })
      else { continue }
      folders.insert(folder)
    }
    return folders.sorted()
  }
}
