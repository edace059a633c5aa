extension Unicode.Scalar {
  /// Whether a terminal obeys this scalar or shows nothing for it: controls other than newline and tab,
  /// marks that change the direction of text, and characters without a width, which can hide text.
  package var isHidden: Bool {
    switch value {
    case 0x09, 0x0A: false
    case 0x00...0x1F, 0x7F...0x9F: true
    // Soft hyphen; grapheme joiner; Arabic letter mark; Hangul and Khmer fillers; Mongolian
    // selectors.
    case 0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B...0x180F: true
    // Zero-width space and joiners, direction marks; embeddings; invisible operators; isolates.
    case 0x200B...0x200F, 0x202A...0x202E, 0x2060...0x206F: true
    // Hangul fillers; byte order mark; interlinear annotation.
    case 0x3164, 0xFEFF, 0xFFA0, 0xFFF9...0xFFFB: true
    // Music formatting; tags and the second set of variation selectors.
    case 0x1D173...0x1D17A, 0xE0000...0xE0FFF: true
    default: false
    }
  }

  /// Whether this scalar looks like an ordinary space or like nothing, which matters in a command or a
  /// path.
  package var looksBlank: Bool {
    switch value {
    // No-break space; Ogham space; the spaces of typesetting; line and paragraph separators.
    case 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F: true
    // Empty braille pattern; ideographic space.
    case 0x2800, 0x3000: true
    default: false
    }
  }

  /// The visible form of the scalar: `\u{200B}`.
  package var numbered: String { "\\u{\(String(value, radix: 16, uppercase: true))}" }
}
