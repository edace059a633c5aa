import CSystem
import Glibc

/// Shows without reading whether a file has changed: its location, its length, and when it was
/// written to. The kernel sets `changed` on every change, and nobody can set it back.
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

  /// The same file or folder under any name.
  package var identity: FileIdentity { FileIdentity(device: device, inode: inode) }

  /// Whether a change after that time may have left the stamp unchanged, because file systems'
  /// clocks are coarser than nanoseconds. A stamp in whole seconds is accepted as it is.
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
  /// The entry at a path, following links; nil if there is none that can be seen.
  package static func status(of path: String) -> (kind: EntryKind, stamp: FileStamp)? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return (EntryKind(mode: status.st_mode), FileStamp(status))
  }

  /// The current time of the clock that stamps files.
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
