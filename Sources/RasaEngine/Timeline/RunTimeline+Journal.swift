import RasaCore

extension RunTimeline {
  /// - Parameter entries: a journal from its beginning, or as much of it as can be read.
  package init(_ entries: some Sequence<JournalEntry>) {
    var reader = TimelineReader()
    for (index, entry) in entries.enumerated() { reader.read(entry, sequence: index + 1) }
    self = reader.finished()
  }
}

/// Puts every line of a journal where a reader looks for it: what belongs to an operator under that
/// operator, however the lines of those that ran at the same time are mixed.
private struct TimelineReader {
  private struct Visit: Hashable {
    var frame: String
    var number: Int
  }
  private struct Place {
    var item: Int
    var pass: Int
  }

  private var timeline = RunTimeline()
  /// The section that takes what is new of a visit.
  private var open: [Visit: Int] = [:]
  private var known: Set<Visit> = []
  private var entered: [Visit: Int] = [:]
  private var places: [Step: Place] = [:]
  private var intents: [String: (place: Place, line: Int)] = [:]
  private var questions: [String: (place: Place, line: Int)] = [:]
  private var latest: Place?
  /// When the run began to be at work; nil while it is parked.
  private var atWorkSince: Timestamp?

  mutating func read(_ entry: JournalEntry, sequence: Int) {
    timeline.lines = sequence
    defer { timeline.changedAt = entry.time }
    let body = entry.body
    switch entry.kind {
    case "run.started":
      if case .started(let start) = RunEvent(folding: entry) { timeline.start = start }
      timeline.startedAt = entry.time
      atWorkSince = entry.time
    case "frame.entered":
      let visit = Visit(
        frame: body["frame"].string ?? "?", number: Int(clamping: body["visit"].int ?? 1))
      entered[visit] = sequence
      section(of: visit, isEntered: true)
    case "operator.finished": finish(entry, sequence)
    case "run.moved":
      move(
        RunTimeline.Move(
          from: body["from"].string ?? "?", to: body["to"].string ?? "?",
          reason: body["reason"].string ?? "", sequence: sequence), inside: entry.key,
        at: entry.time)
    case "run.warned":
      let message = body["message"].string ?? ""
      if let latest {
        add(.warned(message), at: latest)
      } else {
        notice(.warned(message), at: entry.time)
      }
    case "state.changed": notice(.changed(body.object ?? ValueObject()), at: entry.time)
    case "run.resumed":
      if let since = atWorkSince { work(from: since, to: timeline.changedAt ?? entry.time) }
      atWorkSince = entry.time
      timeline.end = .open
      notice(.resumed(by: body["by"].string ?? ""), at: entry.time)
    case "run.parked":
      let parking = Parking(
        body["reason"].string.flatMap(Parking.Reason.init(rawValue:)) ?? .interrupted,
        waitsFor: (body["waits_for"].array ?? []).compactMap(\.string))
      rest(at: entry.time)
      timeline.end = .parked(parking)
      notice(.parked(parking), at: entry.time)
    case "run.finished":
      rest(at: entry.time)
      timeline.end = .finished(output: body["output"])
    case "run.failed":
      rest(at: entry.time)
      timeline.end = .failed(Failure(journalBody: body))
    case "run.noticed", "run.objected":
      guard let notice = RunNotice.told(by: entry).first else { return }
      if let place = notice.step.map({ place(of: $0) }) ?? latest {
        add(.noticed(notice), at: place)
      } else {
        self.notice(.warned(notice.line), at: entry.time)
      }
    case "human.asked", "human.answered": readQuestion(entry)
    default: if entry.kind.hasPrefix("call.") { readCall(entry) }
    }
  }

  mutating func finished() -> RunTimeline {
    if let since = atWorkSince, let last = timeline.changedAt { work(from: since, to: last) }
    for index in timeline.items.indices {
      guard case .section(var section) = timeline.items[index] else { continue }
      section.entered = entered[Visit(frame: section.frame, number: section.visit)]
      timeline.items[index] = .section(section)
    }
    return timeline
  }

  // MARK: Time

  private mutating func work(from: Timestamp, to: Timestamp) {
    timeline.activeMilliseconds += max(0, to.milliseconds &- from.milliseconds)
  }

  private mutating func rest(at time: Timestamp) {
    if let since = atWorkSince { work(from: since, to: time) }
    atWorkSince = nil
  }

  // MARK: Places

  @discardableResult
  private mutating func section(of visit: Visit, isEntered: Bool = false) -> Int {
    if let index = open[visit] { return index }
    let isContinued = !known.insert(visit).inserted
    timeline.items.append(
      .section(
        RunTimeline.Section(frame: visit.frame, visit: visit.number, isContinued: isContinued)))
    open[visit] = timeline.items.count - 1
    return timeline.items.count - 1
  }

  private mutating func place(of step: Step) -> Place {
    var step = step
    step.isReview = false
    if let place = places[step] {
      latest = place
      return place
    }
    let index = section(of: Visit(frame: step.frame, number: step.visit))
    guard case .section(var section) = timeline.items[index] else {
      return Place(item: index, pass: 0)
    }
    section.passes.append(RunTimeline.Pass(step: step))
    timeline.items[index] = .section(section)
    let place = Place(item: index, pass: section.passes.count - 1)
    places[step] = place
    latest = place
    return place
  }

  private mutating func change(_ place: Place, _ body: (inout RunTimeline.Pass) -> Void) {
    guard case .section(var section) = timeline.items[place.item] else { return }
    body(&section.passes[place.pass])
    timeline.items[place.item] = .section(section)
  }

  @discardableResult
  private mutating func add(_ line: RunTimeline.Line, at place: Place) -> Int {
    var index = 0
    change(place) { pass in
      pass.lines.append(line)
      index = pass.lines.count - 1
    }
    return index
  }

  /// What is about the run as a whole stands between sections; what comes later, below it.
  private mutating func notice(_ kind: RunTimeline.Notice.Kind, at time: Timestamp) {
    timeline.items.append(
      .notice(RunTimeline.Notice(time: time, sequence: timeline.lines, kind: kind)))
    switch kind {
    case .parked, .resumed: open = [:]
    case .changed, .warned, .moved: break
    }
  }

  // MARK: Lines

  private mutating func finish(_ entry: JournalEntry, _ sequence: Int) {
    guard case .operatorFinished(let step, let outcome) = RunEvent(folding: entry) else { return }
    let place = place(of: step)
    change(place) { pass in pass.finished = sequence }
    switch outcome {
    case .wrote(let updates): if !updates.isEmpty { add(.wrote(updates), at: place) }
    case .skipped(let reason): add(.skipped(reason: reason), at: place)
    // The answer stands beside its question already.
    case .answered: break
    }
  }

  private mutating func move(
    _ move: RunTimeline.Move, inside scope: String?, at time: Timestamp
  ) {
    for index in timeline.items.indices.reversed() {
      guard case .section(let section) = timeline.items[index], section.scope == scope else {
        continue
      }
      let pass =
        section.passes.lastIndex { $0.step.operatorName == move.from }
        ?? (section.frame == move.from ? section.passes.indices.last : nil)
      guard let pass else { continue }
      add(.moved(move), at: Place(item: index, pass: pass))
      return
    }
    notice(.moved(move), at: time)
  }

  private mutating func readQuestion(_ entry: JournalEntry) {
    guard let key = entry.key.flatMap({ EffectKey($0) }) else { return }
    let body = entry.body
    let approval = body["approval"].string ?? ""
    if entry.kind == "human.asked" {
      guard questions[approval] == nil else { return }
      let place = place(of: Step(of: key))
      let asked = RunTimeline.Asked(
        approval: approval, key: key, title: body["title"].string ?? "",
        subject: body["subject"].string ?? "", askedAt: entry.time,
        expiresAt: body["expires_ms"].int.map { Timestamp(milliseconds: $0) })
      questions[approval] = (place, add(.question(asked), at: place))
      return
    }
    guard let answer = HumanAnswer(body) else { return }
    if let (place, line) = questions[approval] {
      change(place) { pass in
        guard case .question(var asked) = pass.lines[line], asked.answer == nil else { return }
        asked.answer = answer
        asked.answeredAt = entry.time
        pass.lines[line] = .question(asked)
      }
    } else {
      let place = place(of: Step(of: key))
      let asked = RunTimeline.Asked(
        approval: approval, key: key, title: "", subject: "", askedAt: entry.time, answer: answer,
        answeredAt: entry.time, isInherited: true)
      questions[approval] = (place, add(.question(asked), at: place))
    }
  }

  private mutating func readCall(_ entry: JournalEntry) {
    guard let key = entry.key.flatMap({ EffectKey($0) }) else { return }
    let body = entry.body
    let reservation = body["reservation"].string ?? ""
    let answer = ModelAnswer(body)
    if entry.kind == "call.refused" {
      let call = RunTimeline.Call(
        key: key, provider: answer.provider, model: answer.model,
        outcome: .failed(
          reason: body["kind"].string ?? "", message: body["message"].string ?? ""),
        usage: answer.usage, cost: .zero, text: "", isMock: false, finish: "",
        askedAt: entry.time, endedAt: entry.time)
      add(.call(call), at: place(of: Step(of: key)))
      return
    }
    if entry.kind == "call.intent" || entry.kind == "call.reused" {
      let isReused = entry.kind == "call.reused"
      let held = body["estimate"]["cost"].string.flatMap { Money(decimal: $0) } ?? .zero
      let call = RunTimeline.Call(
        key: key, provider: answer.provider, model: answer.model,
        outcome: isReused ? .reused(from: body["from"].string ?? "") : .open,
        usage: answer.usage, cost: isReused ? .zero : held, text: answer.text,
        isMock: answer.isMock, finish: body["finish"].string ?? "", fallback: answer.fallback,
        askedAt: entry.time, endedAt: isReused ? entry.time : nil)
      let place = place(of: Step(of: key))
      let line = add(.call(call), at: place)
      if !isReused { intents[reservation] = (place, line) }
      return
    }
    guard let (place, line) = intents[reservation] else { return }
    change(place) { pass in
      guard case .call(var call) = pass.lines[line] else { return }
      call.endedAt = entry.time
      call.cost = answer.cost
      switch entry.kind {
      case "call.result":
        call.outcome = .answered
        call.provider = answer.provider
        call.model = answer.model
        call.usage = answer.usage
        call.text = answer.text
        call.isMock = answer.isMock
        call.finish = body["finish"].string ?? ""
        call.fallback = answer.fallback
      case "call.failed":
        call.outcome = .failed(
          reason: body["reason"].string ?? "", message: body["message"].string ?? "")
        call.usage = answer.usage
        call.text = body["partial"].string ?? ""
      case "call.uncertain": call.outcome = .uncertain(decision: body["decision"].string ?? "")
      default: return
      }
      pass.lines[line] = .call(call)
    }
  }
}

extension RunTimeline.Section {
  /// The work inside the run that the frame is a part of; nil for the run's own frames.
  fileprivate var scope: String? { frame.lastIndex(of: ">").map { String(frame[..<$0]) } }
}

extension Step {
  /// The step that an effect belongs to: its round stands behind the label, as in `call@2`.
  package init(of key: EffectKey) {
    let round = key.label.lastIndex(of: "@").flatMap { Int(key.label[$0...].dropFirst()) }
    self.init(
      frame: key.frame, visit: key.visit, operatorName: key.operatorName, round: round ?? 1)
  }
}

extension Failure {
  /// Reads the line about a failed run.
  init(journalBody body: Value) {
    self.init(
      body["kind"].string.flatMap(Kind.init(rawValue:)) ?? .run, body["message"].string ?? "",
      mend: body["mend"].string ?? "", details: (body["details"].array ?? []).compactMap(\.string))
  }
}
