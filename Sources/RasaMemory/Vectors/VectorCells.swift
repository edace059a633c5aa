/// How vectors are divided into cells, each of which has a centroid. A new vector goes into the cell with the nearest
/// centroid, a cell that has grown too large is divided in two, and a search looks only into the nearest cells. While
/// there are few vectors there is one cell, and a search compares with all of them.
package struct VectorCells: Sendable {
  /// How many vectors a cell may have, however few cells there are.
  package var smallestBound: Int
  package var largestBound: Int
  /// A cell may have as many vectors as there are cells, divided by this.
  package var cellsForBound: Int
  /// How many vectors a search compares with at least.
  package var leastCompared: Int
  /// The share of the cells that a search looks into at least, and how many that are.
  package var sharePerSearch: Double
  package var cellsPerSearch: Int

  package init(
    smallestBound: Int = 64, largestBound: Int = 2048, cellsForBound: Int = 4,
    leastCompared: Int = 16_000, sharePerSearch: Double = 0.06, cellsPerSearch: Int = 16
  ) {
    self.smallestBound = smallestBound
    self.largestBound = largestBound
    self.cellsForBound = cellsForBound
    self.leastCompared = leastCompared
    self.sharePerSearch = sharePerSearch
    self.cellsPerSearch = cellsPerSearch
  }

  /// How many vectors a cell may have when there are so many cells. Adding compares with every centroid, and searching
  /// with the content of some cells, too: growing with the square root keeps both short. Small cells are told apart
  /// better, so that a search that compares with as many vectors finds more of the nearest.
  package func bound(cells: Int) -> Int {
    min(max(smallestBound, cells / max(1, cellsForBound)), largestBound)
  }

  // MARK: Searching

  package struct Cell: Sendable {
    package var number: Int64
    package var count: Int
    package var similarity: Float
    package init(number: Int64, count: Int, similarity: Float) {
      self.number = number
      self.count = count
      self.similarity = similarity
    }
  }

  /// The cells to look into, nearest first.
  package func probes(_ cells: [Cell]) -> [Cell] {
    let ordered = cells.sorted { ($0.similarity, $1.number) > ($1.similarity, $0.number) }
    let least = max(cellsPerSearch, Int((Double(cells.count) * sharePerSearch).rounded(.up)))
    var compared = 0
    var taken = 0
    while taken < ordered.count, taken < least || compared < leastCompared {
      compared += ordered[taken].count
      taken += 1
    }
    return Array(ordered.prefix(taken))
  }

  // MARK: Dividing

  /// The mean direction of vectors of one length.
  package static func centroid(of vectors: some Collection<QuantisedVector>) -> QuantisedVector {
    guard let first = vectors.first else { return QuantisedVector(scale: 0, numbers: []) }
    var sums = [Float](repeating: 0, count: first.numbers.count)
    for vector in vectors {
      for place in 0..<min(sums.count, vector.numbers.count) {
        sums[place] += Float(vector.numbers[place]) * vector.scale
      }
    }
    // Opposite vectors cancel each other out: any of them is as good.
    return QuantisedVector(sums) ?? first
  }

  package struct Halves: Sendable {
    /// Places in what was divided, in order; each half has an eighth of them at least.
    package var first: [Int]
    package var second: [Int]
    package var firstCentroid: QuantisedVector
    package var secondCentroid: QuantisedVector
  }

  /// Divides two vectors or more in two by their directions. The same vectors are always divided in the same way.
  package static func halves(of vectors: [QuantisedVector]) -> Halves {
    // The one that is farthest from the middle, and the one that is farthest from that.
    func farthest(from center: QuantisedVector) -> Int {
      var (place, least) = (0, Float.infinity)
      for (index, vector) in vectors.enumerated() {
        let similarity = vector.similarity(to: center)
        if similarity < least { (place, least) = (index, similarity) }
      }
      return place
    }
    let one = farthest(from: centroid(of: vectors))
    var centers = (vectors[one], vectors[farthest(from: vectors[one])])
    var before: [Int] = []
    var halves = Halves(
      first: [], second: [], firstCentroid: centers.0, secondCentroid: centers.1)
    for _ in 0..<mostRounds {
      let leanings = vectors.map { $0.similarity(to: centers.0) - $0.similarity(to: centers.1) }
      let order = vectors.indices.sorted { (leanings[$0], $1) > (leanings[$1], $0) }
      // Vectors that are alike must be divided, too.
      let least = max(1, vectors.count / 8)
      let cut = min(max(leanings.count { $0 > 0 }, least), vectors.count - least)
      halves.first = order[..<cut].sorted()
      halves.second = order[cut...].sorted()
      if halves.first == before { break }
      before = halves.first
      centers.0 = centroid(of: halves.first.map { vectors[$0] })
      centers.1 = centroid(of: halves.second.map { vectors[$0] })
    }
    halves.firstCentroid = centers.0
    halves.secondCentroid = centers.1
    return halves
  }

  /// It has mostly settled by then.
  private static let mostRounds = 8
}
