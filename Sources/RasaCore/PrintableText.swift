extension Unicode.Scalar {
  /// Whether a one-line message can show this scalar. Control and format characters (the invisible and the
  /// bidirectional ones) and line separators are not printable: a terminal obeys them or hides them.
  package var isPrintable: Bool {
    if (0x20..<0x7F).contains(value) { return true }
    return switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: false
    default: true
    }
  }
}

extension StringProtocol {
  /// The first `limit` scalars for a one-line message; each unprintable scalar is replaced.
  package func printable(
    atMost limit: Int, replacement: Unicode.Scalar = "\u{FFFD}", ellipsis: String = ""
  ) -> String {
    var line = String.UnicodeScalarView()
    var count = 0
    for scalar in unicodeScalars {
      if count == limit { return String(line) + ellipsis }
      line.append(scalar.isPrintable ? scalar : replacement)
      count += 1
    }
    return String(line)
  }
}
