import CSystem
import Glibc

/// What tells without reading it whether a file has changed: where it is, how long, and when it was
/// written to. The kernel sets `changed` at every change, and nobody can set it back.
package struct FileStamp: Sendable, Hashable {
  package var device: UInt64
  package var inode: UInt64
  package var size: Int64
  /// Nanoseconds since 1970.
  package var modified: Int64
  package var changed: Int64

  package init(device: UInt64, inode: UInt64, size: Int64, modified: Int64, changed: Int64) {
    self.device = device
    self.inode = inode
    self.size = size
    self.modified = modified
    self.changed = changed
  }

  init(_ status: stat) {
    self.init(
      device: UInt64(truncatingIfNeeded: status.st_dev),
      inode: UInt64(truncatingIfNeeded: status.st_ino), size: Int64(status.st_size),
      modified: nanoseconds(status.st_mtim), changed: nanoseconds(status.st_ctim))
  }

  /// The same file or folder, whatever it is called there.
  package var identity: FileIdentity { FileIdentity(device: device, inode: inode) }

  /// Whether a change after that moment may have left the stamp as it is, because clocks of file
  /// systems do not go by the nanosecond. One that shows whole seconds only is taken at its word.
  package func mayHide(changesAfter moment: Int64) -> Bool {
    let tick: Int64 = changed % 1_000_000_000 == 0 ? 2_000_000_000 : 50_000_000
    return changed > moment - tick
  }
}

package struct FileIdentity: Sendable, Hashable {
  package var device: UInt64
  package var inode: UInt64
  package init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }
}

extension FileSystem {
  /// What stands at a path, links followed; nil when nothing does that can be seen.
  package static func status(of path: String) -> (kind: EntryKind, stamp: FileStamp)? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return (EntryKind(mode: status.st_mode), FileStamp(status))
  }

  /// Now, by the clock that files are stamped with.
  package static func clock() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return nanoseconds(time)
  }
}

private func nanoseconds(_ time: timespec) -> Int64 {
  let (seconds, overflow) = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
  return overflow ? (time.tv_sec < 0 ? .min : .max) : seconds &+ Int64(time.tv_nsec)
}
