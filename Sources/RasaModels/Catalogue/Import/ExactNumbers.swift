import RasaCore
import RasaDocuments

extension Money {
  /// An amount as a number is written, `2.5e-06` too, times ten to a power. What is finer than a
  /// trillionth is rounded up; nil for what is no number or out of range.
  init?(number text: String, timesTenTo power: Int) {
    var digits = ""
    var exponent = power
    var isNegative = false
    var isFraction = false
    var rest = text.utf8[...]
    if rest.first == UInt8(ascii: "-") {
      isNegative = true
      rest = rest.dropFirst()
    }
    while let byte = rest.first, byte | 0x20 != UInt8(ascii: "e") {
      rest = rest.dropFirst()
      switch byte {
      case UInt8(ascii: "."):
        guard !isFraction else { return nil }
        isFraction = true
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        guard digits.utf8.count < 400 else { return nil }
        if isFraction { exponent -= 1 }
        digits.unicodeScalars.append(Unicode.Scalar(byte))
      default: return nil
      }
    }
    guard !digits.isEmpty else { return nil }
    if !rest.isEmpty {
      guard let written = Int(String(rest.dropFirst()) ?? ""), (-400...400).contains(written) else {
        return nil
      }
      exponent += written
    }
    guard let amount = Self.picoDollars(digits, exponent + 12) else { return nil }
    self.init(picoDollars: isNegative ? -amount : amount)
  }

  /// The digits times ten to the exponent, rounded up.
  private static func picoDollars(_ digits: String, _ exponent: Int) -> Int64? {
    var kept = digits.drop { $0 == "0" }
    guard !kept.isEmpty else { return 0 }
    var exponent = exponent
    var hasRest = false
    while exponent < 0, let last = kept.last {
      if last != "0" { hasRest = true }
      kept = kept.dropLast()
      exponent += 1
    }
    guard kept.utf8.count <= 18, var amount = kept.isEmpty ? 0 : Int64(kept) else { return nil }
    if amount > 0 {
      guard exponent <= 18 else { return nil }
      for _ in 0..<Swift.max(0, exponent) {
        let (scaled, overflow) = amount.multipliedReportingOverflow(by: 10)
        if overflow { return nil }
        amount = scaled
      }
    }
    return amount + (hasRest ? 1 : 0)
  }
}

extension JSONReader {
  /// The next value, with numbers as the text that was written. `budget` is how many values may be
  /// in it.
  mutating func exactValue(_ budget: inout Int) throws(Failure) -> Value {
    budget -= 1
    guard budget >= 0 else {
      throw Failure(
        .configuration, "an entry has more values than a price list can have",
        suggestion: "check that it is a price list")
    }
    switch try kind() {
    case .object:
      var object = ValueObject()
      guard try enterObject() else { return .null }
      while let key = try nextKey() { object[key] = try exactValue(&budget) }
      return .object(object)
    case .array:
      var elements: [Value] = []
      guard try enterArray() else { return .null }
      while try nextElement() { elements.append(try exactValue(&budget)) }
      return .array(elements)
    case .number: return try numberText().map { .string($0) } ?? .null
    case .null, .bool, .string: return try value()
    }
  }
}
