import CZlib

/// Detects damaged bytes: CRC-32, as zlib computes it. It protects from accidents and not from attackers.
package enum Checksum {
  /// The checksum of the bytes from an offset on.
  package static func of(_ bytes: [UInt8], from start: Int = 0) -> UInt32 {
    unsafe bytes.withUnsafeBufferPointer { all in
      let start = min(max(0, start), all.count)
      let rest = unsafe UnsafeBufferPointer(rebasing: all[start...])
      return unsafe UInt32(truncatingIfNeeded: crc32_z(0, rest.baseAddress, rest.count))
    }
  }
}
