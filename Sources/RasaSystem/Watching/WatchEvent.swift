import CSystem

/// One event of the kernel.
struct WatchEvent: Hashable {
  /// Which watch it belongs to.
  var watch: Int32
  var mask: UInt32
  /// The entry of the folder; empty for the folder itself.
  var name: String

  /// All complete events in a buffer.
  static func all(in buffer: ArraySlice<UInt8>) -> [WatchEvent] {
    var events: [WatchEvent] = []
    let header = MemoryLayout<inotify_event>.size
    unsafe buffer.withUnsafeBytes { bytes in
      var offset = 0
      while offset + header <= bytes.count {
        let event = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
        let end = offset + header + Int(event.len)
        guard end <= bytes.count else { return }
        // The name is padded with zeros.
        let name = unsafe bytes[(offset + header)..<end].prefix { $0 != 0 }
        events.append(
          WatchEvent(
            watch: event.wd, mask: event.mask, name: unsafe String(decoding: name, as: UTF8.self)))
        offset = end
      }
    }
    return events
  }

  func has(_ flags: Int32) -> Bool { mask & UInt32(flags) != 0 }
}
