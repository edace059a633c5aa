import RasaCore

extension Unicode.Scalar {
  /// Whether this scalar may look different from what it is: hidden, or drawn as a blank, as a line
  /// end, or in an unknown way.
  var looksLikeSomethingElse: Bool {
    if value < 0x7F { return isHidden }
    if isHidden { return true }
    switch properties.generalCategory {
    case .control, .format, .spaceSeparator, .lineSeparator, .paragraphSeparator, .unassigned,
      .privateUse, .surrogate:
      return true
    default: break
    }
    // The empty Braille cell; variation selectors without a picture form of their own.
    return value == 0x2800 || (0xFE00...0xFE0D).contains(value)
  }
}

/// Finds the first hidden scalar in valid UTF-8; nil if there is none.
///
/// Every streamed token passes through here, so it looks at bytes, and decodes only after the few
/// lead bytes that a hidden scalar can start with.
func offsetOfHiddenScalar(in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
  let raw = UnsafeRawBufferPointer(bytes)
  let count = bytes.count
  var offset = 0
  while offset < count {
    if offset + 8 <= count,
      isPrintableASCII(unsafe raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    {
      offset += 8
      continue
    }
    let end = min(offset + 8, count)
    while offset < end {
      let byte = unsafe bytes[offset]
      if !mayBeginHiddenScalar(byte) {
        offset += 1
        continue
      }
      if byte < 0x80 { return offset }
      let length = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
      guard offset + length <= count else { return nil }
      var value = UInt32(byte & (byte < 0xE0 ? 0x1F : byte < 0xF0 ? 0x0F : 0x07))
      for index in 1..<length { value = value << 6 | UInt32(unsafe bytes[offset + index] & 0x3F) }
      if Unicode.Scalar(value)?.isHidden == true { return offset }
      offset += length
    }
  }
  return nil
}

/// Whether all eight bytes are in 0x20…0x7E. May return false for some that are, never true for one
/// that is not.
@inline(__always)
private func isPrintableASCII(_ bytes: UInt64) -> Bool {
  let ones: UInt64 = 0x0101_0101_0101_0101
  let belowSpace = (bytes &- ones &* 0x20) & ~bytes
  let delete = bytes &+ ones
  return (bytes | belowSpace | delete) & (ones &* 0x80) == 0
}

@inline(__always)
private func mayBeginHiddenScalar(_ byte: UInt8) -> Bool {
  // One bit per byte, so that an ordinary byte costs a shift and no branch.
  let masks: (UInt64, UInt64, UInt64, UInt64) = (
    0x0000_0000_FFFF_F9FF,  // controls without tab and newline
    0x8000_0000_0000_0000,  // delete
    0,  // continuation bytes
    // C2 CD D8 E1 E2 E3 EF F0 F3
    1 << 0x02 | 1 << 0x0D | 1 << 0x18 | 1 << 0x21 | 1 << 0x22 | 1 << 0x23 | 1 << 0x2F | 1 << 0x30
      | 1 << 0x33
  )
  let mask =
    switch byte >> 6 {
    case 0: masks.0
    case 1: masks.1
    case 2: masks.2
    default: masks.3
    }
  return mask >> UInt64(byte & 63) & 1 != 0
}
