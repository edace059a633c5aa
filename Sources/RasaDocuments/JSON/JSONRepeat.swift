import Glibc
import RasaCore

/// The same JSON document again and again with other values in a few places: what a provider's
/// stream is, token after token.
///
/// Once a document has been read, a later one that has the same bytes around these places needs no
/// reading: the one that is wanted, the text, is taken out, numbers that are wanted are read, and
/// what else varies (a time, padding) is passed over.
package struct JSONRepeat: Sendable {
  private enum Place: Sendable {
    case text
    case passedText
    case number(slot: Int)
    case passedNumber
  }

  /// What stands before a place, as a range of `literals`.
  private struct Part: Sendable {
    var literal: Range<Int>
    var place: Place
  }

  private let literals: [UInt8]
  private let parts: [Part]
  /// What stands behind the last place.
  private let ending: Range<Int>

  /// Learns from a document that was read, in which the member `key` had this value. The members in
  /// `numbers` are read too, each into the slot of its position there; those in `varying` are passed
  /// over. Nil when the place of the text cannot be told for certain.
  package init?(
    _ bytes: [UInt8], _ range: Range<Int>, key: String, value: String, numbers: [String] = [],
    varying: [String] = []
  ) {
    guard range.upperBound <= bytes.count else { return nil }
    var search = PlaceSearch(
      document: bytes[range], key: Array(key.utf8), numbers: numbers.map { Array($0.utf8) },
      varying: varying.map { Array($0.utf8) })
    guard search.run(), search.texts == 1 else { return nil }
    var literals: [UInt8] = []
    var parts: [Part] = []
    var end = range.lowerBound
    for found in search.found {
      let start = literals.count
      literals += bytes[end..<found.range.lowerBound]
      let place: Place
      switch found.kind {
      case .text:
        guard Self.text(bytes, found.range, hasEscapes: found.hasEscapes) == value else {
          return nil
        }
        place = .text
      case .otherText: place = .passedText
      case .number(let slot): place = slot.map { .number(slot: $0) } ?? .passedNumber
      }
      parts.append(Part(literal: start..<literals.count, place: place))
      end = found.range.upperBound
    }
    let start = literals.count
    literals += bytes[end..<range.upperBound]
    self.literals = literals
    self.parts = parts
    ending = start..<literals.count
  }

  /// The text, if this is the same document around it. Slots of numbers that the document does not
  /// have stay as they are.
  package func string(
    in bytes: [UInt8], _ range: Range<Int>, numbers: inout [Int64]
  ) -> String? {
    guard let text = place(in: bytes, range, numbers: &numbers) else { return nil }
    return Self.text(bytes, text.range, hasEscapes: text.hasEscapes)
  }

  private func place(
    in bytes: [UInt8], _ range: Range<Int>, numbers: inout [Int64]
  ) -> (range: Range<Int>, hasEscapes: Bool)? {
    guard range.upperBound <= bytes.count else { return nil }
    var text: (range: Range<Int>, hasEscapes: Bool)? = nil
    var position = range.lowerBound
    for part in parts {
      guard same(part.literal, bytes, at: position, before: range.upperBound) else { return nil }
      position += part.literal.count
      let start = position
      switch part.place {
      case .text, .passedText:
        guard let end = Self.stringEnd(bytes, from: start, before: range.upperBound) else {
          return nil
        }
        position = end.index
        if case .text = part.place { text = (start..<end.index, end.hasEscapes) }
      case .number(let slot):
        guard let number = Self.number(bytes, at: &position, before: range.upperBound) else {
          return nil
        }
        if numbers.indices.contains(slot) { numbers[slot] = number }
      case .passedNumber:
        guard Self.number(bytes, at: &position, before: range.upperBound) != nil else {
          return nil
        }
      }
    }
    guard range.upperBound - position == ending.count,
      same(ending, bytes, at: position, before: range.upperBound)
    else { return nil }
    return text
  }

  private func same(
    _ literal: Range<Int>, _ bytes: [UInt8], at position: Int, before end: Int
  ) -> Bool {
    guard end - position >= literal.count else { return false }
    return unsafe bytes.withUnsafeBytes { bytes in
      unsafe literals.withUnsafeBytes { literals in
        guard let left = bytes.baseAddress, let right = literals.baseAddress else {
          return literal.isEmpty
        }
        return unsafe memcmp(left + position, right + literal.lowerBound, literal.count) == 0
      }
    }
  }

  /// Where the string ends whose inside begins here.
  private static func stringEnd(
    _ bytes: [UInt8], from start: Int, before end: Int
  ) -> (index: Int, hasEscapes: Bool)? {
    let bytes = bytes.span
    var index = start
    var hasEscapes = false
    while index < end {
      switch bytes[index] {
      case UInt8(ascii: "\""): return (index, hasEscapes)
      case UInt8(ascii: "\\"):
        hasEscapes = true
        index += 2
      case 0..<0x20: return nil
      default: index += 1
      }
    }
    return nil
  }

  /// Whole numbers of up to 18 digits; all others are left to the reader.
  private static func number(_ bytes: [UInt8], at position: inout Int, before end: Int) -> Int64? {
    let start = position
    var number: Int64 = 0
    while position < end, position - start < 18,
      case let digit = bytes[position] &- UInt8(ascii: "0"), digit < 10
    {
      number = number * 10 + Int64(digit)
      position += 1
    }
    let length = position - start
    return length == 0 || (length > 1 && bytes[start] == UInt8(ascii: "0")) ? nil : number
  }

  private static func text(_ bytes: [UInt8], _ range: Range<Int>, hasEscapes: Bool) -> String? {
    guard hasEscapes else { return String(validating: bytes[range], as: UTF8.self) }
    // With its quotes it is a JSON document.
    return try? JSON.parse(bytes[(range.lowerBound - 1)...range.upperBound]).string
  }
}

/// Finds the places of a document that was read without a fault, in one pass over its strings.
private struct PlaceSearch {
  enum Kind {
    case text, otherText
    case number(slot: Int?)
  }

  let document: ArraySlice<UInt8>
  let key: [UInt8]
  let numbers: [[UInt8]]
  let varying: [[UInt8]]
  private(set) var found: [(kind: Kind, range: Range<Int>, hasEscapes: Bool)] = []
  private(set) var texts = 0

  init(document: ArraySlice<UInt8>, key: [UInt8], numbers: [[UInt8]], varying: [[UInt8]]) {
    self.document = document
    self.key = key
    self.numbers = numbers
    self.varying = varying
  }

  /// False when the document is none after all.
  mutating func run() -> Bool {
    var index = document.startIndex
    while index < document.endIndex {
      guard document[index] == UInt8(ascii: "\"") else {
        index += 1
        continue
      }
      guard let name = string(at: index) else { return false }
      index = name.range.upperBound + 1
      var next = index
      skipBlanks(&next)
      guard next < document.endIndex, document[next] == UInt8(ascii: ":") else { continue }
      next += 1
      skipBlanks(&next)
      guard next < document.endIndex else { return false }
      guard let end = take(name.range, valueAt: next) else { return false }
      index = end
    }
    return true
  }

  /// Notes the value if its name is looked for; says where to go on.
  private mutating func take(_ name: Range<Int>, valueAt start: Int) -> Int? {
    let name = document[name]
    if document[start] == UInt8(ascii: "\"") {
      guard let value = string(at: start) else { return nil }
      if name.elementsEqual(key) {
        texts += 1
        found.append((.text, value.range, value.hasEscapes))
      } else if varying.contains(where: { name.elementsEqual($0) }) {
        found.append((.otherText, value.range, value.hasEscapes))
      }
      return value.range.upperBound + 1
    }
    var end = start
    while end < document.endIndex, document[end] &- UInt8(ascii: "0") < 10 { end += 1 }
    guard end > start else { return start }
    // A sign, a fraction or an exponent makes it a number that is read as usual.
    let isWhole = end < document.endIndex && !".eE".utf8.contains(document[end])
    let slot = numbers.firstIndex { name.elementsEqual($0) }
    if isWhole, slot != nil || varying.contains(where: { name.elementsEqual($0) }) {
      found.append((.number(slot: slot), start..<end, false))
    }
    return end
  }

  private func string(at quote: Int) -> (range: Range<Int>, hasEscapes: Bool)? {
    var index = quote + 1
    var hasEscapes = false
    while index < document.endIndex {
      switch document[index] {
      case UInt8(ascii: "\""): return ((quote + 1)..<index, hasEscapes)
      case UInt8(ascii: "\\"):
        hasEscapes = true
        index += 2
      default: index += 1
      }
    }
    return nil
  }

  private func skipBlanks(_ index: inout Int) {
    while index < document.endIndex, [0x20, 0x09, 0x0A, 0x0D].contains(document[index]) {
      index += 1
    }
  }
}
