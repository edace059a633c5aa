/// Every hash of a task's terms, found in constant time while the terms of all agents pass by.
struct TermSlots {
  /// The role of a hash in the terms of the task.
  struct Use {
    var term: Int
    var isRelated: Bool
    /// What it counts, relative to the term itself.
    var share: Double
  }

  private(set) var uses: [[Use]] = []
  private var slotOfHash: [UInt32: Int] = [:]
  /// One bit per value of a hash's upper bits: nearly everything else is rejected here.
  private var filter = [UInt64](repeating: 0, count: 1024)

  var count: Int { uses.count }

  init(_ task: TaskTerms) {
    for (index, term) in task.terms.enumerated() {
      for hash in term.hashes { add(hash, Use(term: index, isRelated: false, share: 1)) }
      for relation in term.related {
        add(relation.hash, Use(term: index, isRelated: true, share: relation.share))
      }
    }
  }

  private mutating func add(_ hash: TermHash, _ use: Use) {
    if let slot = slotOfHash[hash.bits] {
      uses[slot].append(use)
    } else {
      slotOfHash[hash.bits] = uses.count
      uses.append([use])
      filter[Int(hash.bits >> 22)] |= 1 << UInt64((hash.bits >> 16) & 63)
    }
  }

  /// Every term of a note that the task has.
  func find(
    in bytes: [UInt8],
    _ found: (_ slot: Int, _ weight: UInt8, TermVector.Places) -> Void
  ) {
    guard let count = TermVector.count(in: bytes) else { return }
    let note = bytes.span
    let filter = filter.span
    var offset = TermVector.headerSize
    for index in 0..<count {
      // The two upper bytes nearly always decide.
      let upper = UInt32(note[offset + 2]) | UInt32(note[offset + 3]) << 8
      if filter[Int(upper >> 6)] & (1 << UInt64(upper & 63)) != 0 {
        let bits = upper << 16 | UInt32(note[offset + 1]) << 8 | UInt32(note[offset])
        if let slot = slotOfHash[bits] {
          let weights = TermVector.headerSize + 4 * count
          found(
            slot, note[weights + index],
            TermVector.Places(rawValue: note[weights + count + index]))
        }
      }
      offset += 4
    }
  }
}
