import Glibc
package import RasaCore

/// A POSIX extended regular expression, as `grep -E` reads it: `^` and `$` are the ends of a line, and `.` is
/// anything but the end of one.
package struct RegularExpression: Sendable, Hashable {
  package let source: String

  /// More is no expression that somebody wrote.
  package static let longest = 1_000
  /// The C library writes out what is repeated, so that repetitions within each other multiply and could take more
  /// memory than there is. The bounds of all of them together may come to this.
  package static let mostRepetitions = 10_000

  package init(_ source: String) throws(Failure) {
    guard source.utf8.count <= Self.longest, !source.utf8.contains(0) else {
      throw Failure(
        .configuration,
        "a regular expression has at most \(Self.longest) bytes, and none of them is zero")
    }
    guard Self.repetitions(of: source) <= Self.mostRepetitions else {
      throw Failure(
        .configuration,
        "`\(source)` repeats too much: the bounds of its repetitions multiply to more than \(Self.mostRepetitions)",
        suggestion: "use `*` or `+` in place of large bounds")
    }
    self.source = source
    var compiled = unsafe regex_t()
    let code = unsafe regcomp(&compiled, source, Self.flags)
    guard code == 0 else {
      var message = [CChar](repeating: 0, count: 200)
      _ = unsafe regerror(code, &compiled, &message, message.count)
      let text = String(
        decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw Failure(
        .configuration, "`\(source)` is no regular expression: \(text)",
        suggestion: "it is read as `grep -E` reads it")
    }
    unsafe regfree(&compiled)
  }

  /// The product of all upper bounds, as in `a{1,20}`, bounded itself.
  private static func repetitions(of source: String) -> Int {
    var product = 1
    for part in source.split(separator: "{").dropFirst() {
      let bounds = part.prefix { $0 != "}" }.split(separator: ",")
      let most = bounds.compactMap { Int($0) }.max() ?? 1
      product = min(mostRepetitions + 1, product * min(max(1, most), mostRepetitions + 1))
    }
    return product
  }

  private static let flags = REG_EXTENDED | REG_NEWLINE

  /// Whether a part of the text fits.
  package func matches(_ text: String) -> Bool {
    var compiled = unsafe regex_t()
    guard unsafe regcomp(&compiled, source, Self.flags) == 0 else { return false }
    defer { unsafe regfree(&compiled) }
    // A text may contain a zero, so its length is given.
    var range = regmatch_t(rm_so: 0, rm_eo: regoff_t(clamping: text.utf8.count))
    return unsafe regexec(&compiled, text, 1, &range, REG_STARTEND) == 0
  }
}
