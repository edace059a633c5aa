import RasaCore
import RasaPersona
import RasaSystem

/// A file beneath a root that may be an agent.
struct AgentFile: Sendable, Hashable {
  var path: String
  /// The number of its root, in order of precedence.
  var root: Int
  var origin: String
  /// From the folders between the root and the file.
  var category: String?
  /// The file's name without its extension.
  var stem: String
  /// Whether it is TOML, which may name a prompt.
  var isConfig: Bool
  var stamp: FileStamp

  /// The folder that contains it; `.` has no slash.
  var folder: String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  var isShipped: Bool { path.hasPrefix(Self.shippedPrefix) }

  static let shippedPrefix = "shipped:"
  static let largest = 1_000_000

  /// Of shipped files: they do not change while the program runs.
  static let shippedStamp = FileStamp(device: 0, inode: 0, size: 0, modified: 0, changed: 0)

  /// Of shipped files; nil if there is no such file.
  static func readShipped(_ path: String) -> [UInt8]? {
    EmbeddedFiles.bytes(of: String(path.dropFirst(shippedPrefix.count)))
  }
}

/// What a file's name says about it.
enum AgentFileName {
  case config, markdown, data, other

  init(_ name: Span<UInt8>) {
    if Self.ends(name, with: ".toml") {
      self = .config
    } else if Self.ends(name, with: ".md"), !Self.isReadMe(name) {
      self = .markdown
    } else if Self.ends(name, with: ".yaml") || Self.ends(name, with: ".yml")
      || Self.ends(name, with: ".json")
    {
      self = .data
    } else {
      self = .other
    }
  }

  /// Without its extension, including two-part ones as in `reviewer.agent.md`.
  static func stem(_ name: String) -> String {
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return name }
    let stem = name[..<dot]
    return stem.utf8.contains(UInt8(ascii: ".")) ? FilePlace.stem(of: name) : String(stem)
  }

  private static func ends(_ name: Span<UInt8>, with ending: StaticString) -> Bool {
    let ending = "\(ending)".utf8
    guard name.count > ending.count else { return false }
    var place = name.count - ending.count
    for byte in ending {
      guard lowered(name[place]) == byte else { return false }
      place += 1
    }
    return true
  }

  /// Documentation of the folder for people.
  private static func isReadMe(_ name: Span<UInt8>) -> Bool {
    guard name.count == 9 else { return false }
    for (place, byte) in "readme.md".utf8.enumerated() where lowered(name[place]) != byte {
      return false
    }
    return true
  }

  private static func lowered(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
  }
}
