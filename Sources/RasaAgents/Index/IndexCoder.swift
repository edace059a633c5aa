import RasaCore

/// Writes or reads values, in one order that is declared once for both.
///
/// A reader that meets an invalid value makes it empty and remembers the failure; its result is
/// then discarded. It never takes more than is there, whatever the bytes say.
protocol IndexCoder {
  mutating func code(_ number: inout UInt64)
  mutating func code(_ text: inout String)
  mutating func code(_ bytes: inout [UInt8])
  mutating func code<Element>(
    _ elements: inout [Element], empty: Element, _ body: (inout Self, inout Element) -> Void)
  mutating func markDamaged()
}

struct IndexWriter: IndexCoder {
  private(set) var bytes: [UInt8] = []

  mutating func code(_ number: inout UInt64) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  mutating func code(_ text: inout String) {
    var count = UInt64(text.utf8.count)
    code(&count)
    bytes.append(contentsOf: text.utf8)
  }

  mutating func code(_ bytes: inout [UInt8]) {
    var count = UInt64(bytes.count)
    code(&count)
    self.bytes.append(contentsOf: bytes)
  }

  mutating func code<Element>(
    _ elements: inout [Element], empty: Element, _ body: (inout Self, inout Element) -> Void
  ) {
    var count = UInt64(elements.count)
    code(&count)
    for index in elements.indices { body(&self, &elements[index]) }
  }

  mutating func markDamaged() {}
}

struct IndexReader: IndexCoder {
  private let bytes: [UInt8]
  private(set) var place: Int
  private let end: Int
  private(set) var isDamaged = false

  init(_ bytes: [UInt8], _ range: Range<Int>) {
    self.bytes = bytes
    place = range.clamped(to: 0..<bytes.count).lowerBound
    end = range.clamped(to: 0..<bytes.count).upperBound
    isDamaged = range.clamped(to: 0..<bytes.count) != range
  }

  var isAtEnd: Bool { place == end }

  mutating func markDamaged() {
    isDamaged = true
    place = end
  }

  mutating func code(_ number: inout UInt64) {
    number = 0
    var shift: UInt64 = 0
    while place < end {
      let byte = bytes[place]
      place += 1
      if shift == 63, byte > 1 { break }
      number |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return }
      shift += 7
    }
    number = 0
    markDamaged()
  }

  /// The range of bytes whose length comes next.
  private mutating func counted() -> Range<Int> {
    var count: UInt64 = 0
    code(&count)
    guard count <= UInt64(end - place) else {
      markDamaged()
      return place..<place
    }
    let begin = place
    place += Int(count)
    return begin..<place
  }

  mutating func code(_ text: inout String) {
    text = String(decoding: bytes[counted()], as: UTF8.self)
  }

  mutating func code(_ bytes: inout [UInt8]) {
    let range = counted()
    bytes = Array(self.bytes[range])
  }

  mutating func code<Element>(
    _ elements: inout [Element], empty: Element, _ body: (inout Self, inout Element) -> Void
  ) {
    var count: UInt64 = 0
    code(&count)
    // Each takes at least a byte.
    guard count <= UInt64(end - place) else { return markDamaged() }
    elements = []
    elements.reserveCapacity(Int(count))
    for _ in 0..<count where !isDamaged {
      var element = empty
      body(&self, &element)
      elements.append(element)
    }
  }
}

// MARK: Values

extension IndexCoder {
  mutating func code(_ number: inout Int64) {
    var bits = UInt64(bitPattern: (number << 1) ^ (number >> 63))
    code(&bits)
    number = Int64(bitPattern: bits >> 1) ^ -Int64(bitPattern: bits & 1)
  }

  mutating func code(_ number: inout Int) {
    var wide = Int64(number)
    code(&wide)
    number = Int(clamping: wide)
  }

  mutating func code(_ number: inout Double) {
    var bits = number.bitPattern.byteSwapped
    code(&bits)
    number = Double(bitPattern: bits.byteSwapped)
  }

  mutating func code(_ flag: inout Bool) {
    var number: UInt64 = flag ? 1 : 0
    code(&number)
    flag = number != 0
  }

  mutating func code(_ texts: inout [String]) {
    code(&texts, empty: "") { $0.code(&$1) }
  }

  mutating func code<Wrapped>(
    _ value: inout Wrapped?, empty: Wrapped, _ body: (inout Self, inout Wrapped) -> Void
  ) {
    var isThere = value != nil
    code(&isThere)
    guard isThere else {
      value = nil
      return
    }
    var wrapped = value ?? empty
    body(&self, &wrapped)
    value = wrapped
  }

  mutating func code(_ text: inout String?) { code(&text, empty: "") { $0.code(&$1) } }

  /// One of a few values, by number.
  mutating func code<Choice: CaseIterable & Equatable>(_ choice: inout Choice) {
    let all = Array(Choice.allCases)
    var number = UInt64(all.firstIndex(of: choice) ?? 0)
    code(&number)
    guard number < all.count else { return markDamaged() }
    choice = all[Int(number)]
  }

  /// Nil, or one of a few values.
  mutating func code<Choice: CaseIterable & Equatable>(_ choice: inout Choice?) {
    var number: UInt64 = 0
    if let choice {
      number = Array(Choice.allCases).firstIndex(of: choice).map { UInt64($0) + 1 } ?? 0
    }
    code(&number)
    choice = nil
    guard number > 0 else { return }
    let all = Array(Choice.allCases)
    guard number <= all.count else { return markDamaged() }
    choice = all[Int(number) - 1]
  }

  mutating func code(_ money: inout Money?) {
    code(&money, empty: .zero) { $0.code(&$1.picoDollars) }
  }

  mutating func code(_ location: inout SourceLocation?) {
    code(&location, empty: SourceLocation(file: "", line: 0, column: 0)) {
      $0.code(&$1.file)
      $0.code(&$1.line)
      $0.code(&$1.column)
    }
  }

  // MARK: JSON

  mutating func code(_ object: inout ValueObject) { code(&object, depth: 0) }

  private mutating func code(_ object: inout ValueObject, depth: Int) {
    var members = object.map { (key: $0.key, value: $0.value) }
    code(&members, empty: (key: "", value: .null)) {
      $0.code(&$1.key)
      $0.code(&$1.value, depth: depth + 1)
    }
    object = ValueObject(members.map { ($0.key, $0.value) })
  }

  private mutating func code(_ value: inout Value, depth: Int) {
    var kind: UInt64
    switch value {
    case .null: kind = 0
    case .bool: kind = 1
    case .int: kind = 2
    case .double: kind = 3
    case .string: kind = 4
    case .array: kind = 5
    case .object: kind = 6
    }
    code(&kind)
    // Deeper than any document may be.
    guard depth < 200 else { return markDamaged() }
    switch kind {
    case 0: value = .null
    case 1:
      var flag = value.bool ?? false
      code(&flag)
      value = .bool(flag)
    case 2:
      var number = value.int ?? 0
      code(&number)
      value = .int(number)
    case 3:
      var number = value.double ?? 0
      code(&number)
      value = .double(number)
    case 4:
      var text = value.string ?? ""
      code(&text)
      value = .string(text)
    case 5:
      var elements = value.array ?? []
      code(&elements, empty: .null) { $0.code(&$1, depth: depth + 1) }
      value = .array(elements)
    case 6:
      var object = value.object ?? ValueObject()
      code(&object, depth: depth)
      value = .object(object)
    default: markDamaged()
    }
  }
}
