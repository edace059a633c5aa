import RasaCore

/// What a plain scalar means under the core schema of YAML 1.2: `no`, `on` and `1:30` are text.
enum CoreSchema {
  static func value(of text: String) -> Value {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    case ".nan", ".NaN", ".NAN": return .double(.nan)
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .double(.infinity)
    case "-.inf", "-.Inf", "-.INF": return .double(-.infinity)
    default: return number(text) ?? .string(text)
    }
  }

  /// A whole number that does not fit 64 bits becomes a double, as in JSON; the node's raw text
  /// still has every digit.
  private static func number(_ text: String) -> Value? {
    guard let first = text.utf8.first, isDigit(first) || "+-.".utf8.contains(first) else {
      return nil
    }
    if text.hasPrefix("0x") { return whole(text.dropFirst(2), radix: 16) }
    if text.hasPrefix("0o") { return whole(text.dropFirst(2), radix: 8) }
    guard isDecimal(text) else { return nil }
    if let whole = Int64(text) { return .int(whole) }
    return Double(text).map { .double($0) }
  }

  private static func whole(_ digits: Substring, radix: UInt8) -> Value? {
    var number = 0.0
    for byte in digits.utf8 {
      guard let digit = hexadecimalDigit(byte), digit < radix else { return nil }
      number = number * Double(radix) + Double(digit)
    }
    guard !digits.isEmpty else { return nil }
    return Int64(digits, radix: Int(radix)).map { .int($0) } ?? .double(number)
  }

  /// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
  private static func isDecimal(_ text: String) -> Bool {
    var bytes = text.utf8[...]
    func takeSign() {
      if let first = bytes.first, "+-".utf8.contains(first) { bytes.removeFirst() }
    }
    func takeDigits() -> Int {
      let digits = bytes.prefix(while: isDigit)
      bytes.removeFirst(digits.count)
      return digits.count
    }
    takeSign()
    var digits = takeDigits()
    if bytes.first == UInt8(ascii: ".") {
      bytes.removeFirst()
      digits += takeDigits()
    }
    guard digits > 0 else { return false }
    if let byte = bytes.first, byte | 0x20 == UInt8(ascii: "e") {
      bytes.removeFirst()
      takeSign()
      if takeDigits() == 0 { return false }
    }
    return bytes.isEmpty
  }
}
