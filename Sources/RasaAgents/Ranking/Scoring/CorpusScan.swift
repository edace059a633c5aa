import RasaPersona

/// The occurrences of a task's terms in many agents or tools: one pass over all notes.
struct CorpusScan {
  struct Hit {
    var slot: Int32
    var weight: UInt8
    var places: TermVector.Places
  }

  let task: TaskTerms
  let slots: TermSlots
  private(set) var hits: [Hit] = []
  /// The end of an entry's hits in `hits`.
  private(set) var ends: [Int] = []
  /// The number of entries with a slot's term.
  private(set) var frequency: [Int]
  /// Whether each term occurs in some entry's name, capabilities or description.
  private(set) var isKnown: [Bool]

  init(_ task: TaskTerms, among entries: [AgentRegistry.Entry]) {
    // An agent has forty members, so even retaining one takes time: only its bytes are retained.
    self.init(task, count: entries.count) { index in
      let note = entries[index].relevance
      return TermVector.count(in: note) != nil
        ? note : AgentTerms.note(entries[index].agent, prompt: "")
    }
  }

  /// - Parameter note: the bytes of each entry: see `TermVector`.
  init(_ task: TaskTerms, count: Int, note: (Int) -> [UInt8]) {
    self.task = task
    slots = TermSlots(task)
    frequency = [Int](repeating: 0, count: slots.count)
    isKnown = [Bool](repeating: false, count: task.terms.count)
    ends.reserveCapacity(count)
    // Only a term's own words make it known, unless no entry has any of them.
    var isSlotKnown = [Bool](repeating: false, count: slots.count)
    for index in 0..<count {
      add(note(index), &isSlotKnown)
      ends.append(hits.count)
    }
    for isRelated in [false, true] where !isKnown.contains(true) {
      for slot in 0..<slots.count where isSlotKnown[slot] {
        for use in slots.uses[slot] where use.isRelated == isRelated { isKnown[use.term] = true }
      }
    }
  }

  private mutating func add(_ note: [UInt8], _ isSlotKnown: inout [Bool]) {
    slots.find(in: note) { slot, weight, places in
      hits.append(Hit(slot: Int32(truncatingIfNeeded: slot), weight: weight, places: places))
      frequency[slot] += 1
      if !places.isDisjoint(with: .known) { isSlotKnown[slot] = true }
    }
  }

  func hits(of index: Int) -> ArraySlice<Hit> {
    hits[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
  }

  /// The terms that count.
  var requirements: [Int] { isKnown.indices.filter { isKnown[$0] } }
}
