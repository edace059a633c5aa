import RasaCore
import RasaPersona

/// What is written in a graph, put into columns: paths that no write tells apart share one.
///
/// Questions about paths become questions about columns, 64 of which are answered at once.
struct PathColumns {
  private struct Written {
    var path: StatePath
    var points: [Int]
  }

  private var written: [Written] = []
  private var writtenByKey: [String: [Int]] = [:]
  private var columnOfPath: [StatePath: Int?] = [:]
  private var columnOfWrites: [[Int]: Int] = [:]
  /// The points that write each column; a point may stand there twice.
  private(set) var points: [[Int]] = []

  /// - Parameter writes: what each point writes.
  init(_ writes: some Sequence<(point: Int, paths: [StatePath])>) {
    var known: [StatePath: Int] = [:]
    for (point, paths) in writes {
      for path in paths {
        if let place = known[path] {
          written[place].points.append(point)
        } else {
          known[path] = written.count
          writtenByKey[path.key, default: []].append(written.count)
          written.append(Written(path: path, points: [point]))
        }
      }
    }
  }

  var blocks: Range<Int> { 0..<(points.count + 63) / 64 }

  /// The column that a path is asked about in; nil when nothing ever writes it.
  mutating func column(of path: StatePath) -> Int? {
    if let known = columnOfPath[path] { return known }
    let writes = writtenByKey[path.key, default: []].filter { written[$0].path.overlaps(path) }
    var column: Int?
    if !writes.isEmpty {
      column = columnOfWrites[writes]
      if column == nil {
        column = points.count
        columnOfWrites[writes] = points.count
        points.append(writes.flatMap { written[$0].points })
      }
    }
    columnOfPath[path] = .some(column)
    return column
  }

  /// Calls `body` for each column of a block with its bit, and the points that write it.
  func forEach(in block: Int, _ body: (_ column: Int, _ bit: UInt64, _ points: [Int]) -> Void) {
    for column in (block * 64)..<min(points.count, block * 64 + 64) {
      body(column, 1 << UInt64(column % 64), points[column])
    }
  }
}
