import RasaMemory
import Testing

@Suite struct QuantisedVectorTests {
  @Test(
    arguments: [
      [1, 0, 0], [0.5, -0.25, 3], [1e-30, 2e-30, -1e-30], [1e30, -2e30, 0], [-7],
      (0..<384).map { Float($0 % 17) - 8 },
    ] as [[Float]])
  func hasTheDirectionOfWhatItWasMadeOf(_ numbers: [Float]) throws {
    let vector = try #require(QuantisedVector(numbers))
    #expect(abs(vector.similarity(to: vector) - 1) < 0.02)
    let double = try #require(QuantisedVector(numbers.map { $0 * 2 }))
    #expect(double == vector)
    let opposite = try #require(QuantisedVector(numbers.map { -$0 }))
    #expect(abs(vector.similarity(to: opposite) + 1) < 0.02)
  }

  @Test(arguments: [[], [0, 0], [.nan, 1], [.infinity, 1], [1, -.infinity]] as [[Float]])
  func whatHasNoDirectionIsNoVector(_ numbers: [Float]) {
    #expect(QuantisedVector(numbers) == nil)
  }

  @Test func vectorsOfDifferentLengthsHaveNothingInCommon() throws {
    let short = try #require(QuantisedVector([1, 2]))
    let long = try #require(QuantisedVector([1, 2, 3]))
    #expect(short.similarity(to: long) == 0)
    #expect(short.similarity(toScale: long.scale, bytes: long.bytes.span) == 0)
  }

  @Test func aStoredOneIsTheSame() throws {
    var random = SeededVectors(seed: 3)
    for _ in 0..<20 {
      let vector = try #require(QuantisedVector(random.vector(33)))
      let other = try #require(QuantisedVector(random.vector(33)))
      let stored = vector.bytes
      #expect(QuantisedVector(scale: vector.scale, bytes: stored.span) == vector)
      #expect(
        other.similarity(toScale: vector.scale, bytes: stored.span)
          == other.similarity(to: vector))
    }
  }

  @Test func similaritiesAreThoseOfTheExactVectors() throws {
    var random = SeededVectors(seed: 5)
    for _ in 0..<50 {
      let (one, other) = (random.vector(384), random.vector(384))
      let exact = SeededVectors.cosine(one, other)
      let found = try #require(QuantisedVector(one))
        .similarity(to: try #require(QuantisedVector(other)))
      #expect(abs(found - exact) < 0.01)
    }
  }
}

extension QuantisedVectorTests {
  /// What is near is told apart by less than what rounding changes in all directions.
  @Test func roundingHardlyChangesWhatIsNear() throws {
    var random = SeededVectors(seed: 9)
    for _ in 0..<50 {
      let one = random.vector(384)
      let other = random.near(one, 0.3)
      let exact = SeededVectors.cosine(one, other)
      let found = try #require(QuantisedVector(one))
        .similarity(to: try #require(QuantisedVector(other)))
      #expect(abs(found - exact) < 0.0003, "\(found - exact)")
    }
  }
}

@Suite struct VectorCellsTests {
  @Test func twoGroupsAreDividedFromEachOther() throws {
    var random = SeededVectors(seed: 7)
    let (one, other) = (random.vector(32), random.vector(32))
    let vectors = try (0..<40).map {
      try #require(QuantisedVector(random.near($0 < 15 ? one : other, 0.2)))
    }
    let halves = VectorCells.halves(of: vectors)
    #expect(Set([halves.first, halves.second]) == [Array(0..<15), Array(15..<40)])
    for (half, centroid) in [
      (halves.first, halves.firstCentroid), (halves.second, halves.secondCentroid),
    ] {
      #expect(centroid == VectorCells.centroid(of: half.map { vectors[$0] }))
    }
  }

  @Test(arguments: [2, 3, 9, 64])
  func alsoWhatIsAlikeIsDivided(_ count: Int) throws {
    let vector = try #require(QuantisedVector([1, 2, 3]))
    let halves = VectorCells.halves(of: [QuantisedVector](repeating: vector, count: count))
    #expect((halves.first + halves.second).sorted() == Array(0..<count))
    #expect(min(halves.first.count, halves.second.count) >= max(1, count / 8))
    #expect(halves.firstCentroid.numbers == halves.secondCentroid.numbers)
  }

  @Test func oppositeVectorsHaveAMiddle() throws {
    let vectors = try [[1, 0], [-1, 0]].map { try #require(QuantisedVector($0)) }
    #expect(VectorCells.centroid(of: vectors) == vectors[0])
    #expect(VectorCells.halves(of: vectors).first.count == 1)
  }

  @Test func aSearchLooksIntoTheNearestCellsUntilItHasComparedEnough() {
    let cells = (1...100).map {
      VectorCells.Cell(number: Int64($0), count: 10, similarity: Float($0) / 100)
    }
    var settings = VectorCells(leastCompared: 45, sharePerSearch: 0.02, cellsPerSearch: 1)
    #expect(settings.probes(cells).map(\.number) == [100, 99, 98, 97, 96])
    settings.sharePerSearch = 0.065
    #expect(settings.probes(cells).count == 7)
    settings.leastCompared = 100_000
    #expect(settings.probes(cells).count == 100)
    #expect(settings.probes([]).isEmpty)
  }

  @Test func cellsGrowWithTheirNumber() {
    let cells = VectorCells()
    #expect(
      [0, 1, 100, 256, 1_200, 6_000, 100_000].map { cells.bound(cells: $0) }
        == [64, 64, 64, 64, 300, 1_500, 2_048])
  }

  @Test func theNearestAreKept() {
    var random = SeededVectors(seed: 11)
    let all = (0..<500).map { (item: Int64($0), similarity: random.number()) }
    for limit in [0, 1, 7, 499, 500, 900] {
      var nearest = NearestVectors(limit: limit)
      for one in all { nearest.note(one.item, one.similarity) }
      let expected = all.sorted { ($0.similarity, $0.item) > ($1.similarity, $1.item) }
      #expect(nearest.sorted.map(\.item) == expected.prefix(limit).map(\.item))
    }
  }
}

/// The same vectors in every run of the tests.
struct SeededVectors {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// From -1 to 1.
  mutating func number() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(Int32(truncatingIfNeeded: state >> 32)) / Float(Int32.max)
  }

  mutating func vector(_ length: Int) -> [Float] { (0..<length).map { _ in number() } }

  mutating func near(_ vector: [Float], _ distance: Float) -> [Float] {
    vector.map { $0 + number() * distance }
  }

  static func cosine(_ one: [Float], _ other: [Float]) -> Float {
    func product(_ one: [Float], _ other: [Float]) -> Float {
      zip(one, other).reduce(0) { $0 + $1.0 * $1.1 }
    }
    return product(one, other) / (product(one, one) * product(other, other)).squareRoot()
  }
}
