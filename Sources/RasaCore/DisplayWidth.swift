import CUnicode

extension Unicode.Scalar {
  /// The columns that terminals give this scalar by itself: two for East Asian wide ones and for
  /// emoji, none for marks that sit on another and for what is hidden.
  package var displayWidth: Int {
    if value < 0x300 { return value >= 0x20 && !(0x7F...0x9F).contains(value) ? 1 : 0 }
    if isHidden { return 0 }
    switch value {
    // The two letters of a flag; vowels and final consonants that a Hangul syllable takes in.
    case 0x1F1E6...0x1F1FF: return 1
    case 0x1160...0x11FF, 0xD7B0...0xD7FB: return 0
    default: break
    }
    let width = Int(rasa_code_point_width(Int32(value)))
    // The library may be older than an emoji.
    return width == 1 && value >= 0x1F000 && properties.isEmojiPresentation ? 2 : width
  }
}

/// Measures text scalar by scalar, as it comes: the only measure of width in this program.
///
/// What a terminal draws as one picture counts once, however many scalars it is made of: families
/// that joiners hold together, skin tones, and pictures that a selector asks for.
package struct DisplayMeasure: Sendable, Hashable {
  private enum Base: UInt8 { case other, mayBePicture, picture }
  private var base = Base.other
  private var width = 0
  private var isJoined = false

  package init() {}

  /// The columns that the scalar adds to what came before it.
  package mutating func add(_ scalar: Unicode.Scalar) -> Int {
    let value = scalar.value
    if value >= 0x20, value < 0x7F {
      noteASCII(UInt8(truncatingIfNeeded: value))
      return 1
    }
    switch value {
    case 0x200D:
      isJoined = base == .picture
      return 0
    case 0xFE0F:
      // The selector that asks for the picture form.
      guard base != .other, width == 1 else { return 0 }
      base = .picture
      width = 2
      return 1
    case 0x1F3FB...0x1F3FF where base == .picture && !isJoined: return 0
    default: break
    }
    let own = scalar.displayWidth
    if own == 0 { return 0 }
    let isPicture = scalar.properties.isEmoji
    if isJoined, isPicture {
      isJoined = false
      return 0
    }
    isJoined = false
    width = own
    base = isPicture ? (own == 2 ? .picture : .mayBePicture) : .other
    return own
  }

  /// The same for printable ASCII, of which each character is one column wide.
  package mutating func noteASCII(_ last: UInt8) {
    isJoined = false
    width = 1
    // Digits, `#` and `*` become keys with a selector behind them.
    let isKey = (0x30...0x39).contains(last) || last == 0x23 || last == 0x2A
    base = isKey ? .mayBePicture : .other
  }
}
