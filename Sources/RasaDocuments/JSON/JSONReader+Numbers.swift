package import RasaCore

/// A number as it stands in the document.
struct NumberToken {
  var range: Range<Int>
  /// It has neither a fraction nor an exponent.
  var isWhole: Bool
}

extension JSONReader {
  /// The number that begins here.
  func number(at start: Int) throws(Failure) -> NumberToken {
    var isWhole = true
    let firstDigit = text[start] == UInt8(ascii: "-") ? start + 1 : start
    var index = try endOfDigits(from: firstDigit)
    if text[firstDigit] == UInt8(ascii: "0"), index > firstDigit + 1 {
      throw failure("a number has a leading zero", at: start)
    }
    if text[index] == UInt8(ascii: ".") {
      isWhole = false
      index = try endOfDigits(from: index + 1)
    }
    if text[index] | 0x20 == UInt8(ascii: "e") {
      isWhole = false
      index += 1
      if text[index] == UInt8(ascii: "+") || text[index] == UInt8(ascii: "-") { index += 1 }
      index = try endOfDigits(from: index)
    }
    return NumberToken(range: start..<index, isWhole: isWhole)
  }

  func number(of token: NumberToken) throws(Failure) -> Value {
    if token.isWhole, let number = wholeNumber(in: token.range) { return .int(number) }
    let digits = text.text(in: token.range, isASCII: true) ?? ""
    guard let number = Double(digits), number.isFinite else {
      throw failure("the number is out of range", at: token.range.lowerBound)
    }
    return .double(number)
  }

  private func endOfDigits(from start: Int) throws(Failure) -> Int {
    var index = start
    while isDigit(text[index]) { index += 1 }
    if index == start { throw failure("expected a digit", at: start) }
    return index
  }

  /// Nil when it does not fit 64 bits.
  private func wholeNumber(in range: Range<Int>) -> Int64? {
    let isNegative = text[range.lowerBound] == UInt8(ascii: "-")
    var number: Int64 = 0
    for index in (range.lowerBound + (isNegative ? 1 : 0))..<range.upperBound {
      let digit = Int64(text[index] - UInt8(ascii: "0"))
      let (scaled, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, overflow2) =
        isNegative
        ? scaled.subtractingReportingOverflow(digit) : scaled.addingReportingOverflow(digit)
      if overflow || overflow2 { return nil }
      number = sum
    }
    return number
  }
}

func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

extension Value {
  /// A whole number as servers write it: `3`, `3.0` or `"3"`.
  package var wholeNumber: Int64? {
    if case .string(let text) = self { Int64(text) } else { int }
  }
}
