/// A vector of length one, each of whose numbers takes a byte: the number is the byte times `scale`.
///
/// Cosine similarity is all that is asked of vectors of texts, so lengths do not count. A byte for each number takes a
/// quarter of the room of a `Float`.
///
/// The scale is the one with which the rounded vector has a similarity of exactly one with the vector that it was made of.
/// So rounding errors are perpendicular to the vector, and hardly change its similarity with what lies in nearly the same
/// direction: with what is found.
package struct QuantisedVector: Sendable, Hashable {
  package let scale: Float
  package let numbers: [Int8]

  /// Nil for a vector without a direction: one that is empty, or zero, or has a number that is none.
  package init?(_ vector: [Float]) {
    // Dividing first keeps the squares of very large and very small numbers within range.
    var largest: Float = 0
    for number in vector {
      guard number.isFinite else { return nil }
      largest = max(largest, number.magnitude)
    }
    guard largest > 0 else { return nil }
    var numbers: [Int8] = []
    numbers.reserveCapacity(vector.count)
    var squares: Float = 0
    var product: Float = 0
    for number in vector {
      let part = number / largest
      let rounded = (part * 127).rounded()
      numbers.append(Int8(rounded))
      squares += part * part
      product += part * rounded
    }
    scale = squares.squareRoot() / product
    self.numbers = numbers
  }

  /// As it was stored.
  package init(scale: Float, numbers: [Int8]) {
    self.scale = scale
    self.numbers = numbers
  }

  /// The numbers for a file.
  package var bytes: [UInt8] { numbers.map { UInt8(bitPattern: $0) } }

  package init(scale: Float, bytes: Span<UInt8>) {
    self.scale = scale
    var numbers: [Int8] = []
    numbers.reserveCapacity(bytes.count)
    for place in bytes.indices { numbers.append(Int8(bitPattern: bytes[place])) }
    self.numbers = numbers
  }

  /// From -1 to 1: the cosine of the angle between the two. Vectors of different lengths have none in common.
  package func similarity(to other: QuantisedVector) -> Float {
    guard numbers.count == other.numbers.count else { return 0 }
    return Float(Self.product(numbers.span, other.numbers.span)) * (scale * other.scale)
  }

  /// The same with a vector as it stands in a file.
  package func similarity(toScale scale: Float, bytes: Span<UInt8>) -> Float {
    guard numbers.count == bytes.count else { return 0 }
    return Float(Self.product(numbers.span, bytes)) * (self.scale * scale)
  }

  // The compiler makes vector instructions of both loops; `SIMD16` is slower, and C no faster.

  private static func product(_ one: Span<Int8>, _ other: Span<Int8>) -> Int32 {
    var sum: Int32 = 0
    for place in 0..<min(one.count, other.count) {
      sum &+= Int32(one[place]) &* Int32(other[place])
    }
    return sum
  }

  private static func product(_ one: Span<Int8>, _ other: Span<UInt8>) -> Int32 {
    var sum: Int32 = 0
    for place in 0..<min(one.count, other.count) {
      sum &+= Int32(one[place]) &* Int32(Int8(bitPattern: other[place]))
    }
    return sum
  }
}
