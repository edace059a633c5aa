import RasaCore
import RasaPersona

extension RunTimeline {
  /// Fills in the rules, which no journal has, each after what came before it.
  package mutating func add(_ walk: JournalFold) {
    var previous: Step?
    for stop in walk.stops {
      defer { previous = stop.step }
      guard stop.kind == .rule, case .wrote(let updates) = stop.outcome else { continue }
      let (item, place) = room(for: stop.step, after: previous)
      guard case .section(var section) = items[item] else { continue }
      var pass = Pass(step: stop.step, isRule: true)
      if !updates.isEmpty { pass.lines = [.wrote(updates)] }
      pass.finished = finish(of: previous) ?? section.entered
      section.passes.insert(pass, at: place)
      items[item] = .section(section)
    }
    takeMovesOfRules()
  }

  private func place(of step: Step?) -> (item: Int, pass: Int)? {
    guard let step else { return nil }
    for index in items.indices.reversed() {
      guard case .section(let section) = items[index] else { continue }
      if let pass = section.passes.firstIndex(where: { $0.step == step }) { return (index, pass) }
    }
    return nil
  }

  private func finish(of step: Step?) -> Int? {
    guard let place = place(of: step), case .section(let section) = items[place.item] else {
      return nil
    }
    return section.passes[place.pass].finished
  }

  private mutating func room(for step: Step, after previous: Step?) -> (item: Int, pass: Int) {
    func isOfVisit(_ item: Item) -> Bool {
      guard case .section(let section) = item else { return false }
      return section.frame == step.frame && section.visit == step.visit
    }
    guard let known = place(of: previous), isOfVisit(items[known.item]) else {
      if let first = items.firstIndex(where: isOfVisit) { return (first, 0) }
      items.append(.section(Section(frame: step.frame, visit: step.visit, isContinued: false)))
      return (items.count - 1, 0)
    }
    // What ended only after the run had stopped and gone on is followed by what stands below that.
    let finished = finish(of: previous) ?? .max
    let stop = items.indices.last { index in
      guard index > known.item, case .notice(let notice) = items[index] else { return false }
      switch notice.kind {
      case .parked, .resumed: return notice.sequence < finished
      case .changed, .warned, .moved: return false
      }
    }
    guard let stop else { return (known.item, known.pass + 1) }
    if let below = items.indices.first(where: { $0 > stop && isOfVisit(items[$0]) }) {
      return (below, 0)
    }
    var section = Section(frame: step.frame, visit: step.visit, isContinued: true)
    if case .section(let first) = items[known.item] { section.entered = first.entered }
    items.insert(.section(section), at: stop + 1)
    return (stop + 1, 0)
  }

  /// Moves that stood alone because the rule that they come from was not known.
  private mutating func takeMovesOfRules() {
    var kept: [Item] = []
    for item in items {
      if case .notice(let notice) = item, case .moved(let move) = notice.kind,
        let place = kept.lastIndex(where: { item in
          guard case .section(let section) = item else { return false }
          return section.passes.contains { $0.step.operatorName == move.from }
        }), case .section(var section) = kept[place],
        let pass = section.passes.lastIndex(where: { $0.step.operatorName == move.from })
      {
        section.passes[pass].lines.append(.moved(move))
        kept[place] = .section(section)
      } else {
        kept.append(item)
      }
    }
    items = kept
  }
}
