import RasaCore

/// What came of scrubbing some pages.
package enum ScrubStep: Sendable, Hashable {
  /// Others are reading or writing.
  case isBusy
  /// The page to go on with.
  case next(Int64)
  /// That was the last page, and the write-ahead log holds nothing older.
  case isDone
}

extension Database {
  /// Zeroes what pages of the file hold besides their content, and cuts the write-ahead log to nothing
  /// before.
  ///
  /// SQLite's `secure_delete` zeroes a deleted row where it last stood. But when SQLite balances pages, for
  /// deletions and for insertions, it moves rows to other pages and leaves their former bytes behind in the
  /// unused part of a page, where no later statement finds them. So after rows have been deleted, the file
  /// is gone through for them: whichever table or index they came from, and whenever that was.
  ///
  /// Nobody may write meanwhile. The bytes that are zeroed mean nothing to any reader, so that it does not
  /// matter either when this is broken off in the middle. Whoever has such a page in memory could write it
  /// back as it was: the transaction that this is done in changes something, after which every other
  /// connection reads its pages again.
  func scrub(from first: Int64, atMost count: Int64) throws -> ScrubStep {
    guard try checkpoint(emptying: true, patience: 100) else { return .isBusy }
    return try transaction {
      // Somebody who does not take turns has written since.
      guard bytesInLog == 0 else { return .isBusy }
      // Its pointer maps could begin like a page of a b-tree. No file that this program has made has any.
      guard try number("PRAGMA auto_vacuum") == 0 else {
        throw Failure(
          .storage,
          "\(path) has `auto_vacuum` on, so deleted text cannot be removed from it safely",
          suggestion: "run `PRAGMA auto_vacuum = NONE; VACUUM` on it with the `sqlite3` tool")
      }
      let size = try number("PRAGMA page_size")
      let pages = try number("PRAGMA page_count")
      // From here on a page that is no b-tree could begin like one.
      guard pages < 1 << 25 else {
        throw Failure(
          .storage, "\(path) is too large to be gone through for deleted text",
          suggestion: "run `VACUUM` on it with the `sqlite3` tool while no other program uses it")
      }
      let end = min(pages, first - 1 + count)
      if try scrub(pages: first..<(end + 1), of: Int(size)) { try flushFile() }
      dropCachedPages()
      try execute("PRAGMA user_version = \(try schemaVersion())")
      return end < pages ? .next(end + 1) : .isDone
    }
  }

  private func number(_ query: String) throws -> Int64 { try first(query) { $0.integer(0) } ?? 0 }

  /// Answers whether there was anything to zero.
  private func scrub(pages: Range<Int64>, of size: Int) throws -> Bool {
    var header = [UInt8](repeating: 0, count: 100)
    try readFile(into: &header, at: 0)
    let usable = size - Int(header[20])
    var isChanged = false
    for start in stride(from: pages.lowerBound, to: pages.upperBound, by: 64) {
      let end = min(pages.upperBound, start + 64)
      let offset = (start - 1) * Int64(size)
      var bytes = [UInt8](repeating: 0, count: Int(end - start) * size)
      try readFile(into: &bytes, at: offset)
      for page in start..<end {
        let place = Int(page - start) * size
        let header = page == 1 ? DatabaseHeader.length : 0
        for unused in BTreePage.unused(in: bytes[place..<(place + usable)], headerAt: header)
        where bytes[unused].contains(where: { $0 != 0 }) {
          try writeFile(
            [UInt8](repeating: 0, count: unused.count), at: offset + Int64(unused.lowerBound))
          isChanged = true
        }
      }
    }
    return isChanged
  }
}

private enum DatabaseHeader {
  /// It comes before the first page's own.
  static let length = 100
}

/// A page of a table or an index, as https://www.sqlite.org/fileformat2.html#b_tree_pages describes it.
enum BTreePage {
  /// The bytes that belong to no cell: those between the list of cells and the first cell, and those of
  /// free blocks, but for their links. None where the page is of another kind, or damaged.
  static func unused(in page: ArraySlice<UInt8>, headerAt offset: Int) -> [Range<Int>] {
    let header = page.startIndex + offset
    guard header + 12 <= page.endIndex else { return [] }
    let isLeaf: Bool
    switch page[header] {
    case 2, 5: isLeaf = false
    case 10, 13: isLeaf = true
    default: return []
    }
    func number(at place: Int) -> Int { Int(page[place]) << 8 | Int(page[place + 1]) }
    let cellsEnd = header + (isLeaf ? 8 : 12) + 2 * number(at: header + 3)
    let contentOffset = number(at: header + 5)
    let content = page.startIndex + (contentOffset == 0 ? 65536 : contentOffset)
    guard cellsEnd <= content, content <= page.endIndex else { return [] }
    var unused = cellsEnd < content ? [cellsEnd..<content] : []
    var block = number(at: header + 1)
    var last = content - page.startIndex - 1
    while block != 0 {
      let start = page.startIndex + block
      guard block > last, start + 4 <= page.endIndex else { return [] }
      let end = start + number(at: start + 2)
      guard end >= start + 4, end <= page.endIndex else { return [] }
      if end > start + 4 { unused.append((start + 4)..<end) }
      last = end - page.startIndex - 1
      block = number(at: start)
    }
    return unused
  }
}
