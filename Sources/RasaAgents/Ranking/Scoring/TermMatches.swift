/// How one agent or tool matches each term of a task. It is filled anew for one entry after another.
struct TermMatches {
  enum Level: UInt8, Comparable {
    case none, mentioned, related, partial, exact

    var kind: Recommendation.Match.Kind? {
      switch self {
      case .none: nil
      case .mentioned, .related: .related
      case .partial: .partial
      case .exact: .exact
      }
    }

    static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
  }

  /// By term.
  private(set) var levels: [Level]
  /// Whether anything but its prompt matches the task.
  private(set) var isCapable = false
  private var values: [Double]

  /// What all matches are worth.
  var sum: Double { values.reduce(0, +) }

  init(_ scan: CorpusScan) {
    levels = [Level](repeating: .none, count: scan.task.terms.count)
    values = [Double](repeating: 0, count: levels.count)
  }

  mutating func read(
    _ hits: ArraySlice<CorpusScan.Hit>, _ scan: CorpusScan, _ scale: RelevanceScale
  ) {
    isCapable = false
    for index in levels.indices {
      levels[index] = .none
      values[index] = 0
    }
    for hit in hits {
      for use in scan.slots.uses[Int(hit.slot)] {
        let isMatch = use.isRelated ? TermVector.Places.known : .skill
        if !hit.places.isDisjoint(with: isMatch) { isCapable = true }
        levels[use.term] = max(levels[use.term], Self.level(of: hit, use))
        values[use.term] = max(values[use.term], scale.value(of: hit, for: use, in: scan.task))
      }
    }
  }

  private static func level(of hit: CorpusScan.Hit, _ use: TermSlots.Use) -> Level {
    if use.isRelated { return hit.places.isDisjoint(with: .capability) ? .none : .related }
    if hit.places.contains(.whole) { return .exact }
    if hit.places.contains(.part) { return .partial }
    return hit.places.isDisjoint(with: [.name, .description]) ? .none : .mentioned
  }
}
