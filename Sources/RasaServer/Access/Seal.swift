import RasaCore
import RasaSystem

/// Hands the ID of a run to a client, who brings it back and can neither change it nor use it for anything else.
///
/// What comes back says only which run is meant: what it waits for, and whether somebody has answered meanwhile, is in
/// its journal. So a handle needs no time limit of its own; each question has one.
struct Seal: Sendable {
  private let key: [UInt8]

  init(key: [UInt8]) { self.key = key }

  /// With the key of this installation, which is made at first.
  init(keyFile path: String) throws(Failure) {
    if FileSystem.kind(of: path) == nil {
      try FileSystem.makeFolder(FileSystem.parent(of: path))
      do throws(Failure) {
        try FileSystem.write(Array(newSecret("").utf8), to: path, replacing: false)
      } catch  where FileSystem.kind(of: path) != nil {
        // Another process was first.
      }
    }
    let bytes = try FileSystem.readIfPresent(path, limit: 4_096) ?? []
    guard bytes.count >= 32 else {
      throw Failure(
        .configuration, "\(path) holds no key",
        suggestion: "remove the file: the next start makes a new one")
    }
    key = bytes
  }

  /// - Parameter purpose: what the handle is for and whose it is; the same is needed to read it.
  func close(_ run: String, for purpose: [String]) -> String { "\(run).\(code(run, purpose))" }

  /// The run; nil for what was not made here for that purpose.
  func open(_ handle: String, for purpose: [String]) -> String? {
    guard handle.utf8.count <= 512, let dot = handle.utf8.lastIndex(of: UInt8(ascii: ".")) else {
      return nil
    }
    let run = String(handle[..<dot])
    return equalInTime(String(handle[handle.utf8.index(after: dot)...]), code(run, purpose))
      ? run : nil
  }

  /// HMAC-SHA-256 (RFC 2104), as text.
  private func code(_ run: String, _ purpose: [String]) -> String {
    let text = Value.array(([run] + purpose).map(Value.string)).jsonBytes(.canonical)
    var block = key.count > 64 ? Digest.sha256Bytes(key) : key
    block += [UInt8](repeating: 0, count: 64 - block.count)
    let inner = Digest.sha256Bytes(block.map { $0 ^ 0x36 } + text)
    return Digest.sha256(block.map { $0 ^ 0x5C } + inner)
  }
}
