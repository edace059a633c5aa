import Glibc

/// The identity of a process, by which others can tell later whether it still runs: a number alone is
/// reused, and means another process in another container.
package struct ProcessIdentity: Sendable, Hashable {
  package var host: String
  /// Changes with every boot.
  package var boot: String
  /// The namespace of the process number.
  package var space: String
  package var process: Int
  /// When it started, in clock ticks after the boot.
  package var started: Int

  /// One line, to be stored beside what the process owns.
  package var text: String { "\(host) \(boot) \(space) \(process) \(started)" }

  package init?(_ text: String) {
    let parts = text.split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 5, let process = Int(parts[3]), let started = Int(parts[4]) else {
      return nil
    }
    self.init(
      host: String(parts[0]), boot: String(parts[1]), space: String(parts[2]), process: process,
      started: started)
  }

  package init(host: String, boot: String, space: String, process: Int, started: Int) {
    self.host = host
    self.boot = boot
    self.space = space
    self.process = process
    self.started = started
  }

  package static let current: ProcessIdentity = {
    var name = [CChar](repeating: 0, count: 256)
    let hasName = unsafe gethostname(&name, name.count - 1) == 0
    let host = String(
      decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return ProcessIdentity(
      host: hasName ? word(host) : "-", boot: word(firstLine("/proc/sys/kernel/random/boot_id")),
      space: word(linkTarget("/proc/self/ns/pid")), process: Int(getpid()),
      started: ProcessStatus(of: "self")?.started ?? 0)
  }()

  /// Whether the process of that text has certainly ended. If that cannot be known here (another machine,
  /// another container, an unknown text), it may still run.
  package static func isKnownGone(_ text: String) -> Bool {
    guard let other = ProcessIdentity(text) else { return false }
    let here = current
    guard other.host == here.host, here.boot != "-", other.boot != "-" else { return false }
    if other.boot != here.boot { return true }
    guard other.space == here.space, here.space != "-" else { return false }
    guard let status = ProcessStatus(of: "\(other.process)") else {
      // A process hidden from this user may still run.
      return kill(pid_t(truncatingIfNeeded: other.process), 0) != 0 && errno == ESRCH
    }
    return status.hasEnded || status.started != other.started
  }

  /// The text as one word.
  private static func word(_ text: String) -> String {
    let kept = text.unicodeScalars.filter { $0.isASCII && $0.value > 0x20 && $0.value < 0x7F }
    return kept.isEmpty ? "-" : String(String.UnicodeScalarView(kept))
  }

  private static func firstLine(_ path: String) -> String {
    let bytes = (try? FileSystem.readIfPresent(path, limit: 4096)) ?? []
    return String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
  }

  private static func linkTarget(_ path: String) -> String {
    var target = [CChar](repeating: 0, count: 256)
    let count = unsafe readlink(path, &target, target.count)
    return String(
      decoding: target.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension ProcessIdentity: CustomStringConvertible {
  package var description: String { "process \(process) on \(host)" }
}

/// What the kernel knows about a process of this namespace; nil if there is none.
private struct ProcessStatus {
  /// It has ended, and its parent has not reaped it.
  var hasEnded: Bool
  var started: Int

  init?(of process: String) {
    guard let bytes = try? FileSystem.readIfPresent("/proc/\(process)/stat", limit: 4096),
      // The name, in parentheses, may contain anything, so the fields are counted from its end.
      let end = bytes.lastIndex(of: UInt8(ascii: ")"))
    else { return nil }
    let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
    guard fields.count > 19, let started = Int(String(decoding: fields[19], as: UTF8.self)) else {
      return nil
    }
    hasEnded = [UInt8(ascii: "Z"), UInt8(ascii: "X")].contains(fields[0].first)
    self.started = started
  }
}
