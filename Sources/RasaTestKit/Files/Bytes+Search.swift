import Glibc

extension [UInt8] {
  /// Whether the text stands somewhere in the bytes; quick in a debug build, too.
  package func contains(_ text: String) -> Bool {
    let wanted = Array(text.utf8)
    guard let first = wanted.first else { return true }
    return unsafe withUnsafeBytes { all in
      guard var place = all.baseAddress else { return false }
      var left = all.count
      while left >= wanted.count {
        guard let hit = unsafe memchr(place, Int32(first), left - wanted.count + 1) else {
          return false
        }
        if unsafe memcmp(hit, wanted, wanted.count) == 0 { return true }
        left -= unsafe UnsafeRawPointer(hit) - place + 1
        unsafe place = UnsafeRawPointer(hit) + 1
      }
      return false
    }
  }
}
