/// How a piece of text is emphasised on a terminal.
struct TextWeight: OptionSet, Sendable, Hashable {
  let rawValue: UInt8

  static let bold = TextWeight(rawValue: 1)
  static let dim = TextWeight(rawValue: 2)
  static let italic = TextWeight(rawValue: 4)
  static let underlined = TextWeight(rawValue: 8)
  static let struck = TextWeight(rawValue: 16)
  static let code = TextWeight(rawValue: 32)

  /// The sequence that switches from any other weight to this one.
  var sequence: String {
    var codes = "0"
    if contains(.bold) { codes += ";1" }
    if contains(.dim) { codes += ";2" }
    if contains(.italic) { codes += ";3" }
    if contains(.underlined) { codes += ";4" }
    if contains(.struck) { codes += ";9" }
    if contains(.code) { codes += ";36" }
    return "\u{1B}[\(codes)m"
  }
}
