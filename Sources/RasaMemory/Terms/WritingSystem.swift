/// What a letter belongs to, as far as it decides how a word is made of letters and which languages it can be in.
enum WritingSystem: Sendable {
  case latin, greek, cyrillic, armenian, arabic, hebrew, devanagari, tamil, other
  /// Words are not separated by spaces, or not only, so that pairs of letters take their place.
  case unspaced

  init(_ scalar: Unicode.Scalar) {
    switch scalar.value {
    // Marks of no script are with those of Latin.
    case 0..<0x0370, 0x1E00..<0x1F00, 0x2C60..<0x2C80, 0xA720..<0xA800, 0xAB30..<0xAB70:
      self = .latin
    case 0x0370..<0x0400, 0x1F00..<0x2000: self = .greek
    case 0x0400..<0x0530, 0x1C80..<0x1C90, 0x2DE0..<0x2E00, 0xA640..<0xA6A0: self = .cyrillic
    case 0x0530..<0x0590: self = .armenian
    case 0x0590..<0x0600: self = .hebrew
    case 0x0600..<0x0780, 0x08A0..<0x0900, 0xFB50..<0xFE00, 0xFE70..<0xFF00: self = .arabic
    case 0x0900..<0x0980, 0xA8E0..<0xA900: self = .devanagari
    case 0x0B80..<0x0C00: self = .tamil
    // Thai, Lao, Tibetan, Burmese, Korean, Khmer, Chinese, Japanese.
    case 0x0E00..<0x10A0, 0x1100..<0x1200, 0x1780..<0x1800, 0x19E0..<0x1A00, 0x2E80..<0x3000,
      0x3005..<0x3008, 0x3021..<0x3030, 0x3031..<0x3200, 0x3400..<0x4DC0, 0x4E00..<0xA000,
      0xA960..<0xA980, 0xAA60..<0xAA80, 0xAC00..<0xD800, 0xF900..<0xFB00, 0x1B000..<0x1B170,
      0x20000..<0x323B0:
      self = .unspaced
    default: self = .other
    }
  }

  /// The language of a word of which nothing else is known.
  var usualLanguage: WordLanguage {
    switch self {
    case .latin: .english
    case .greek: .greek
    case .cyrillic: .russian
    case .armenian: .armenian
    case .arabic: .arabic
    case .devanagari: .hindi
    case .tamil: .tamil
    case .hebrew, .unspaced, .other: .none
    }
  }
}

/// A language whose words have stems.
enum WordLanguage: String, Sendable, CaseIterable {
  case arabic, armenian, basque, catalan, danish, dutch, english, finnish, french, german, greek,
    hindi, hungarian, indonesian, irish, italian, lithuanian, nepali, norwegian, portuguese,
    romanian, russian, serbian, spanish, swedish, tamil, turkish
  /// Any other: words are their own stems.
  case none = ""

  /// - Parameter code: as `de`, `pt-BR` or `zh-Hant`.
  init(code: String) {
    self =
      switch code.prefix(while: { $0 != "-" && $0 != "_" }).lowercased() {
      case "ar": .arabic
      case "hy": .armenian
      case "eu": .basque
      case "ca": .catalan
      case "da": .danish
      case "nl", "af": .dutch
      case "en": .english
      case "fi": .finnish
      case "fr": .french
      case "de", "lb": .german
      case "el": .greek
      case "hi": .hindi
      case "hu": .hungarian
      case "id", "ms": .indonesian
      case "ga": .irish
      case "it": .italian
      case "lt": .lithuanian
      case "ne": .nepali
      case "no", "nb", "nn": .norwegian
      case "pt": .portuguese
      case "ro": .romanian
      case "ru": .russian
      case "sr", "hr", "bs": .serbian
      case "es", "gl": .spanish
      case "sv": .swedish
      case "ta": .tamil
      case "tr": .turkish
      default: .none
      }
  }

  /// What its words are written in; nil for none.
  var writing: WritingSystem? {
    switch self {
    case .arabic: .arabic
    case .armenian: .armenian
    case .greek: .greek
    case .hindi, .nepali: .devanagari
    case .russian: .cyrillic
    case .tamil: .tamil
    case .none: nil
    default: .latin
    }
  }
}
