import RasaCore
import RasaPersona

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
  private struct Location {
    var item: Int
    var pass: Int
  }

  private var timeline = RunTimeline()
  /// The section for new lines of a visit.
  private var open: [Visit: Int] = [:]
  private var known: Set<Visit> = []
  private var entered: [Visit: Int] = [:]
  private var locations: [Step: Location] = [:]
  private var intents: [Identifier: (location: Location, line: Int)] = [:]
  private var questions: [String: (location: Location, line: Int)] = [:]
  private var latest: Location?
  /// Since when the run is active; nil while it is parked.
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
      timeline.end = .failed(Failure(journal: body))
    case "run.noticed", "run.objected":
      guard let notice = RunNotice.recorded(in: entry).first else { return }
      if let location = notice.step.map({ location(of: $0) }) ?? latest {
        add(.noticed(notice), at: location)
      } else {
        self.notice(.warned(notice.line), at: entry.time)
      }
    case RecallRecord.kind:
      guard let key = entry.key.flatMap({ EffectKey($0) }), let record = RecallRecord(entry) else {
        return
      }
      add(.recalled(record), at: location(of: key.step))
    case "human.asked", "human.answered": readQuestion(entry)
    case "tool.permitted", "tool.refused": readPermission(entry)
    default: if let effect = EffectEvent(entry) { read(effect, at: entry.time) }
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

  private mutating func location(of step: Step) -> Location {
    var step = step
    step.isReview = false
    if let location = locations[step] {
      latest = location
      return location
    }
    let index = section(of: Visit(frame: step.frame, number: step.visit))
    guard case .section(var section) = timeline.items[index] else {
      return Location(item: index, pass: 0)
    }
    section.passes.append(RunTimeline.Pass(step: step))
    timeline.items[index] = .section(section)
    let location = Location(item: index, pass: section.passes.count - 1)
    locations[step] = location
    latest = location
    return location
  }

  private mutating func change(_ location: Location, _ body: (inout RunTimeline.Pass) -> Void) {
    guard case .section(var section) = timeline.items[location.item] else { return }
    body(&section.passes[location.pass])
    timeline.items[location.item] = .section(section)
  }

  @discardableResult
  private mutating func add(_ line: RunTimeline.Line, at location: Location) -> Int {
    var index = 0
    change(location) { pass in
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
    let location = location(of: step)
    change(location) { pass in pass.finished = sequence }
    switch outcome {
    case .wrote(let updates): if !updates.isEmpty { add(.wrote(updates), at: location) }
    case .skipped(let reason): add(.skipped(reason: reason), at: location)
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
      add(.moved(move), at: Location(item: index, pass: pass))
      return
    }
    notice(.moved(move), at: time)
  }

  private mutating func readPermission(_ entry: JournalEntry) {
    guard let key = entry.key.flatMap({ EffectKey($0) }), let record = ToolPermissionRecord(entry),
      record.refusal != nil || record.grant != nil || record.arguments != nil
    else { return }
    add(
      .permission(
        RunTimeline.Permission(
          tool: record.tool, isRefused: record.refusal != nil, because: record.because,
          grant: record.grant)), at: location(of: key.step))
  }

  private mutating func readQuestion(_ entry: JournalEntry) {
    guard let key = entry.key.flatMap({ EffectKey($0) }) else { return }
    let body = entry.body
    let approval = body["approval"].string ?? ""
    if entry.kind == "human.asked" {
      guard questions[approval] == nil else { return }
      let location = location(of: key.step)
      let asked = RunTimeline.Asked(
        approval: approval, key: key, title: body["title"].string ?? "",
        subject: body["subject"].string ?? "", askedAt: entry.time,
        expiresAt: body["expires_ms"].int.map { Timestamp(milliseconds: $0) })
      questions[approval] = (location, add(.question(asked), at: location))
      return
    }
    guard let answer = HumanAnswer(body) else { return }
    if let (location, line) = questions[approval] {
      change(location) { pass in
        guard case .question(var asked) = pass.lines[line], asked.answer == nil else { return }
        asked.answer = answer
        asked.answeredAt = entry.time
        pass.lines[line] = .question(asked)
      }
    } else {
      let location = location(of: key.step)
      let asked = RunTimeline.Asked(
        approval: approval, key: key, title: "", subject: "", askedAt: entry.time, answer: answer,
        answeredAt: entry.time, isInherited: true)
      questions[approval] = (location, add(.question(asked), at: location))
    }
  }

  private mutating func read(_ effect: EffectEvent, at time: Timestamp) {
    let key = effect.key
    func add(_ call: RunTimeline.Call) -> (location: Location, line: Int) {
      let location = location(of: key.step)
      return (location, self.add(.call(call), at: location))
    }
    func change(_ attempt: Identifier, _ body: (inout RunTimeline.Call) -> Void) {
      guard let (location, line) = intents[attempt] else { return }
      self.change(location) { pass in
        guard case .call(var call) = pass.lines[line] else { return }
        call.endedAt = time
        body(&call)
        pass.lines[line] = .call(call)
      }
    }
    switch effect.phase {
    case .intent(let intent): intents[intent.attempt] = add(RunTimeline.Call(key, intent, at: time))
    case .result(let result, let attempt) where intents[attempt] == nil && effect.kind == .tool:
      // It was refused, or could not be made.
      var call = RunTimeline.Call(key, at: time)
      (call.provider, call.model) = (RunTimeline.Call.toolProvider, key.toolName)
      call.outcome = .answered
      call.isMade = false
      call.take(result)
      call.endedAt = time
      _ = add(call)
    case .result(let result, let attempt):
      change(attempt) { call in
        call.outcome = .answered
        call.take(result)
      }
    case .failed(let failure, let attempt):
      change(attempt) { call in
        call.outcome = .failed(reason: failure.reason, message: failure.message)
        call.usage = failure.usage
        call.cost = failure.cost
        call.text = failure.partial
      }
    case .uncertain(let doubt, let attempt):
      change(attempt) { call in
        call.outcome = .uncertain(decision: doubt.decision?.rawValue ?? "")
        call.cost = doubt.cost
      }
    case .reused(let result, let origin, _):
      var call = RunTimeline.Call(key, at: time)
      call.outcome = .reused(from: origin.text)
      if let (_, hook) = HookPlace.reading(key) {
        (call.provider, call.model) = (HookAnswer.provider, hook)
      }
      call.take(result)
      call.cost = .zero
      call.endedAt = time
      _ = add(call)
    case .ended(let failure, let isRefused):
      // Attempts tell by themselves how they failed.
      guard isRefused || !timeline.calls.contains(where: { $0.key == key }) else { return }
      var call = RunTimeline.Call(key, at: time)
      call.outcome = .failed(reason: failure.kind.rawValue, message: failure.message)
      call.endedAt = time
      _ = add(call)
    }
  }
}

extension RunTimeline.Call {
  fileprivate init(_ key: EffectKey, at time: Timestamp) {
    self.init(
      key: key, provider: "", model: "", outcome: .open, usage: Usage(isReported: false),
      cost: .zero, text: "", isMock: false, finish: "", askedAt: time)
  }

  fileprivate init(_ key: EffectKey, _ intent: EffectIntent, at time: Timestamp) {
    self.init(key, at: time)
    switch intent.subject {
    case .model(let asked):
      (provider, model, cost) = (asked.provider, asked.model, asked.held)
      isPriceKnown = asked.isPriceKnown
    case .tool(let name, let given):
      (provider, model) = (Self.toolProvider, name)
      arguments = given
    case .hook(let name, _): (provider, model) = (HookAnswer.provider, name)
    }
  }

  fileprivate mutating func take(_ result: EffectResult) {
    cost = result.cost
    switch result {
    case .answer(let answer, _):
      provider = answer.provider
      model = answer.model
      usage = answer.usage
      text = answer.text
      toolCalls = answer.toolCalls
      isMock = answer.isMock
      finish = answer.finish.rawValue
      fallback = answer.fallback
    case .vectors(let made):
      provider = made.provider
      model = made.model
      usage = made.usage
    case .tool(let result):
      text = result.text.isBlank ? result.value.promptText : result.text
      isError = result.isError
    case .inputRequired(let request):
      text = request.entries.map(\.question.message).joined(separator: "\n")
    case .value(let value): text = isHook ? value.json(.compact) : value.promptText
    }
  }
}

extension EffectKey {
  /// What a label says of the tool: `tool:quote.2.1` is about `quote`.
  fileprivate var toolName: String {
    let label = labelInAnyRound
    guard let colon = label.firstIndex(of: ":") else { return String(label) }
    let parts = label[label.index(after: colon)...].split(separator: ".")
    guard parts.count > 2, Int(parts[parts.count - 1]) != nil else {
      return parts.joined(separator: ".")
    }
    return parts.dropLast(2).joined(separator: ".")
  }
}

extension RunTimeline.Section {
  /// The work inside the run that the frame is a part of; nil for the run's own frames.
  fileprivate var scope: String? { frame.lastIndex(of: ">").map { String(frame[..<$0]) } }
}
