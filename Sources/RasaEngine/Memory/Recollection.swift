package import RasaCore
package import RasaPersona

/// Looks up what is remembered for a run, and keeps to the persona's bounds.
struct Recollection {
  let start: RunStart
  let settings: MemorySettings
  let memory: any MemoryStore
  let now: Timestamp
  /// The conversation so far, as far as the run has it.
  var conversation = Value.null
  /// The runs of those turns that are surely in the prompt. The others may have no room there, and are recalled.
  var shownRuns: Set<Identifier> = []

  /// So many facts that a person stated are looked at. They go along whether they fit or not.
  private static let mostStated = 64
  /// So many more than fit are looked for, so that it can be said what had no room.
  private static let beyond = 10

  /// What is known before there is a vector of the question.
  struct Reading: Sendable {
    var stated: [MemoryItem] = []
    var found: [RecalledItem] = []
  }

  func readByWords() async throws -> Reading {
    guard settings.recall.items > 0, settings.recall.tokens > 0 else { return Reading() }
    return Reading(stated: try await stated(), found: try await memory.search(query))
  }

  /// - Parameter vector: of the question; nil where words have to do.
  func gather(
    _ read: Reading, _ vector: MemoryQuery.Vector? = nil
  ) async throws -> (memories: Value, record: RecallRecord) {
    var record = RecallRecord(bounds: settings.recall)
    guard settings.recall.items > 0, settings.recall.tokens > 0 else { return ([], record) }
    let stated = read.stated
    var found = read.found
    if let vector {
      var query = self.query
      query.vector = vector
      found = try await memory.search(query)
    }
    if found.isEmpty, stated.isEmpty { found = try await newest() }
    var taken: Set<Int64> = []
    var shown: [Value] = []
    // Half of the room is left for what fits the question.
    let room = (settings.recall.items + 1) / 2
    for (place, item) in stated.enumerated() {
      let match =
        found.first { $0.item.id == item.id } ?? RecalledItem(item: item, score: 0, shares: [])
      guard taken.insert(item.id).inserted else { continue }
      if place >= room, !found.contains(where: { $0.item.id == item.id }) {
        record.leaveOut(item, because: .items)
      } else {
        take(match, isStated: true, &shown, &record)
      }
    }
    for match in found where taken.insert(match.item.id).inserted {
      take(match, isStated: false, &shown, &record)
    }
    return (.array(shown), record)
  }

  private func take(
    _ found: RecalledItem, isStated: Bool, _ shown: inout [Value], _ record: inout RecallRecord
  ) {
    guard shown.count < settings.recall.items else {
      return record.leaveOut(found.item, because: .items)
    }
    let value = RecalledValue.value(of: found, isStated: isStated, asked: start.persona)
    let tokens = MemoryText.tokens(of: RecalledValue.line(value) ?? "")
    guard record.tokens + tokens <= settings.recall.tokens else {
      return record.leaveOut(found.item, because: .tokens)
    }
    record.tokens += tokens
    shown.append(value)
  }

  var query: MemoryQuery {
    let turns = conversation.array ?? []
    var text = start.input.utf8.count > 4_000 ? start.input.opening(4_000) : start.input
    // A short question such as `And what about the other one?` refers to the previous turn.
    if text.utf8.count < 60, let before = turns.last?["input"].string {
      text += "\n" + before.opening(300)
    }
    return MemoryQuery(
      text: text, user: start.user, persona: start.persona, session: start.session,
      scopes: settings.search, asOf: start.asOf,
      exceptRuns: shownRuns.union([start.run]), limit: settings.recall.items + Self.beyond)
  }

  /// What a person said of themselves and still holds: preferences and what has a slot first, then the newest.
  private func stated() async throws -> [MemoryItem] {
    let items = try await memory.items(
      MemoryFilter(user: start.user, kinds: [.fact], trust: .person, asOf: start.asOf),
      before: nil, limit: Self.mostStated)
    return items.filter(isVisible).enumerated().sorted { one, other in
      let ranks = [one, other].map { isOfThePerson($0.element) ? 0 : 1 }
      return (ranks[0], one.offset) < (ranks[1], other.offset)
    }.map(\.element)
  }

  /// Where nothing fits the question, such as a greeting, something is better than nothing.
  private func newest() async throws -> [RecalledItem] {
    try await memory.items(
      MemoryFilter(
        user: start.user, persona: start.persona, kinds: [.fact], asOf: start.asOf),
      before: nil, limit: 20
    ).filter(isVisible).prefix(5).map { RecalledItem(item: $0, score: 0, shares: []) }
  }

  private func isOfThePerson(_ item: MemoryItem) -> Bool {
    guard let fact = item.fact else { return false }
    return fact.slot != nil || ["preference", "profile"].contains(fact.kind)
  }

  private func isVisible(_ item: MemoryItem) -> Bool {
    guard settings.search.contains(item.scope) else { return false }
    // Not valid yet: `from next year on`.
    if let from = item.fact?.validFrom, from > start.asOf ?? now { return false }
    switch item.scope {
    case .user: return true
    case .persona: return item.persona == start.persona
    case .session: return item.session != nil && item.session == start.session
    }
  }
}

/// What recall found and what it left out, as a line of the journal beside what it wrote.
package struct RecallRecord: Sendable, Hashable {
  package static let kind = "memory.recalled"

  package enum Reason: String, Sendable, Hashable {
    /// There were as many items as may be.
    case items
    /// It would have taken more tokens than may be.
    case tokens
  }

  /// Something that fitted the question, and had no room.
  package struct Cut: Sendable, Hashable {
    package var id: Int64
    package var kind: String
    package var text: String
    package var because: Reason
  }

  package var bounds: RecallBounds
  /// An estimate for what was taken.
  package var tokens = 0
  package var cut: [Cut] = []

  package init(bounds: RecallBounds) { self.bounds = bounds }

  mutating func leaveOut(_ item: MemoryItem, because reason: Reason) {
    guard cut.count < 50 else { return }
    cut.append(
      Cut(
        id: item.id, kind: item.kind.rawValue, text: MemoryText.line(item.text.opening(120)),
        because: reason))
  }
}

extension RecallRecord {
  package init?(_ entry: JournalEntry) {
    guard entry.kind == Self.kind else { return nil }
    let body = entry.body
    self.init(
      bounds: RecallBounds(
        items: Int(clamping: body["items"].int ?? 0),
        tokens: Int(clamping: body["most_tokens"].int ?? 0)))
    tokens = Int(clamping: body["tokens"].int ?? 0)
    cut = (body["cut"].array ?? []).compactMap { value in
      guard let reason = value["because"].string.flatMap(Reason.init(rawValue:)) else { return nil }
      return Cut(
        id: value["id"].int ?? 0, kind: value["kind"].string ?? "",
        text: value["text"].promptText, because: reason)
    }
  }

  package var body: ValueObject {
    [
      "items": .int(Int64(bounds.items)), "most_tokens": .int(Int64(bounds.tokens)),
      "tokens": .int(Int64(tokens)), "cut": .array(cut.map(\.value)),
    ]
  }

  func entry(of run: Identifier, at key: EffectKey, time: Timestamp) -> JournalEntry {
    JournalEntry(
      run: run, time: time, kind: Self.kind, key: key.description, body: .object(body))
  }
}

extension RecallRecord.Cut {
  package var value: Value {
    [
      "id": .int(id), "kind": .string(kind), "text": .string(text),
      "because": .string(because.rawValue),
    ]
  }
}

extension Graph {
  /// Whether it has an operator that recalls.
  package var recalls: Bool { nodes.contains { $0.definition.memory == .recall } }

  /// What an operator that recalls finds for this run; nothing where there is none.
  package func memories(
    of start: RunStart, _ memory: any MemoryStore, at now: Timestamp
  ) async throws -> Value {
    guard recalls else { return [] }
    let recollection = Recollection(
      start: start, settings: persona.memory, memory: memory, now: now)
    return try await recollection.gather(try await recollection.readByWords()).memories
  }
}
