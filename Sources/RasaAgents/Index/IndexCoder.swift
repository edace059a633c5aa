import RasaCore
import RasaPersona
import RasaSystem

/// Writes or reads values, in one order that is declared once for both.
///
/// A reader that meets an invalid value makes it empty and remembers the failure; its result is
/// then discarded. It never takes more than is there, whatever the bytes say.
protocol IndexCoder {
  mutating func code(_ number: inout UInt64)
  mutating func code(_ text: inout String)
  mutating func code(_ bytes: inout [UInt8])
  mutating func code<Element>(
    _ elements: inout [Element], empty: Element, _ body: (inout Self, inout Element) -> Void)
  mutating func markDamaged()
}

struct IndexWriter: IndexCoder {
  private(set) var bytes: [UInt8] = []

  mutating func code(_ number: inout UInt64) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  mutating func code(_ text: inout String) {
    var count = UInt64(text.utf8.count)
    code(&count)
    bytes.append(contentsOf: text.utf8)
  }

  mutating func code(_ bytes: inout [UInt8]) {
    var count = UInt64(bytes.count)
    code(&count)
    self.bytes.append(contentsOf: bytes)
  }

  mutating func code<Element>(
    _ elements: inout [Element], empty: Element, _ body: (inout Self, inout Element) -> Void
  ) {
    var count = UInt64(elements.count)
    code(&count)
    for index in elements.indices { body(&self, &elements[index]) }
  }

  mutating func markDamaged() {}
}

struct IndexReader: IndexCoder {
  private let bytes: [UInt8]
  private(set) var place: Int
  private let end: Int
  private(set) var isDamaged = false

  init(_ bytes: [UInt8], _ range: Range<Int>) {
    self.bytes = bytes
    place = range.clamped(to: 0..<bytes.count).lowerBound
    end = range.clamped(to: 0..<bytes.count).upperBound
    isDamaged = range.clamped(to: 0..<bytes.count) != range
  }

  var isAtEnd: Bool { place == end }

  mutating func markDamaged() {
    isDamaged = true
    place = end
  }

  mutating func code(_ number: inout UInt64) {
    number = 0
    var shift: UInt64 = 0
    while place < end {
      let byte = bytes[place]
      place += 1
      if shift == 63, byte > 1 { break }
      number |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return }
      shift += 7
    }
    number = 0
    markDamaged()
  }

  /// The range of bytes whose length comes next.
  private mutating func counted() -> Range<Int> {
    var count: UInt64 = 0
    code(&count)
    guard count <= UInt64(end - place) else {
      markDamaged()
      return place..<place
    }
    let begin = place
    place += Int(count)
    return begin..<place
  }

  mutating func code(_ text: inout String) {
    text = String(decoding: bytes[counted()], as: UTF8.self)
  }

  mutating func code(_ bytes: inout [UInt8]) {
    let range = counted()
    bytes = Array(self.bytes[range])
  }

  mutating func code<Element>(
    _ elements: inout [Element], empty: Element, _ body: (inout Self, inout Element) -> Void
  ) {
    var count: UInt64 = 0
    code(&count)
    // Each takes at least a byte.
    guard count <= UInt64(end - place) else { return markDamaged() }
    elements = []
    elements.reserveCapacity(Int(count))
    for _ in 0..<count where !isDamaged {
      var element = empty
      body(&self, &element)
      elements.append(element)
    }
  }
}

// MARK: Values

extension IndexCoder {
  mutating func code(_ number: inout Int64) {
    var bits = UInt64(bitPattern: (number << 1) ^ (number >> 63))
    code(&bits)
    number = Int64(bitPattern: bits >> 1) ^ -Int64(bitPattern: bits & 1)
  }

  mutating func code(_ number: inout Int) {
    var wide = Int64(number)
    code(&wide)
    number = Int(clamping: wide)
  }

  mutating func code(_ number: inout Double) {
    var bits = number.bitPattern.byteSwapped
    code(&bits)
    number = Double(bitPattern: bits.byteSwapped)
  }

  mutating func code(_ flag: inout Bool) {
    var number: UInt64 = flag ? 1 : 0
    code(&number)
    flag = number != 0
  }

  mutating func code(_ texts: inout [String]) {
    code(&texts, empty: "") { $0.code(&$1) }
  }

  mutating func code<Wrapped>(
    _ value: inout Wrapped?, empty: Wrapped, _ body: (inout Self, inout Wrapped) -> Void
  ) {
    var isThere = value != nil
    code(&isThere)
    guard isThere else {
      value = nil
      return
    }
    var wrapped = value ?? empty
    body(&self, &wrapped)
    value = wrapped
  }

  mutating func code(_ text: inout String?) { code(&text, empty: "") { $0.code(&$1) } }

  /// One of a few values, by number.
  mutating func code<Choice: CaseIterable & Equatable>(_ choice: inout Choice) {
    let all = Array(Choice.allCases)
    var number = UInt64(all.firstIndex(of: choice) ?? 0)
    code(&number)
    guard number < all.count else { return markDamaged() }
    choice = all[Int(number)]
  }

  mutating func code<Choice: CaseIterable & Equatable>(_ choice: inout Choice?) {
    guard let first = Choice.allCases.first else { return }
    code(&choice, empty: first) { $0.code(&$1) }
  }

  mutating func code(_ money: inout Money?) {
    code(&money, empty: .zero) { $0.code(&$1.picoDollars) }
  }

  mutating func code(_ location: inout SourceLocation?) {
    code(&location, empty: SourceLocation(file: "", line: 0, column: 0)) {
      $0.code(&$1.file)
      $0.code(&$1.line)
      $0.code(&$1.column)
    }
  }

  // MARK: JSON

  mutating func code(_ object: inout ValueObject) { code(&object, depth: 0) }

  private mutating func code(_ object: inout ValueObject, depth: Int) {
    var members = object.map { (key: $0.key, value: $0.value) }
    code(&members, empty: (key: "", value: .null)) {
      $0.code(&$1.key)
      $0.code(&$1.value, depth: depth + 1)
    }
    object = ValueObject(members.map { ($0.key, $0.value) })
  }

  private mutating func code(_ value: inout Value, depth: Int) {
    var kind: UInt64
    switch value {
    case .null: kind = 0
    case .bool: kind = 1
    case .int: kind = 2
    case .double: kind = 3
    case .string: kind = 4
    case .array: kind = 5
    case .object: kind = 6
    }
    code(&kind)
    // Deeper than any document may be.
    guard depth < 200 else { return markDamaged() }
    switch kind {
    case 0: value = .null
    case 1:
      var flag = value.bool ?? false
      code(&flag)
      value = .bool(flag)
    case 2:
      var number = value.int ?? 0
      code(&number)
      value = .int(number)
    case 3:
      var number = value.double ?? 0
      code(&number)
      value = .double(number)
    case 4:
      var text = value.string ?? ""
      code(&text)
      value = .string(text)
    case 5:
      var elements = value.array ?? []
      code(&elements, empty: .null) { $0.code(&$1, depth: depth + 1) }
      value = .array(elements)
    case 6:
      var object = value.object ?? ValueObject()
      code(&object, depth: depth)
      value = .object(object)
    default: markDamaged()
    }
  }
}

// The cached data of each file, field by field. New fields of an agent must be added here.

extension IndexCoder {
  /// - Parameter origin: the name of the root with that number.
  mutating func code(_ record: inout AgentRecord, origin: (Int) -> String?) {
    code(&record.file.path)
    code(&record.file.root)
    code(&record.file.category)
    code(&record.file.isConfig)
    code(&record.file.stamp)
    code(&record.promptNames)
    code(&record.prompt, empty: PromptLookup.Found(path: "", stamp: AgentFile.shippedStamp)) {
      $0.code(&$1.path)
      $0.code(&$1.stamp)
    }
    var parts = record.entry.map { EntryParts(agent: $0.agent, relevance: $0.relevance) }
    code(&parts, empty: EntryParts(agent: Agent(id: ""), relevance: [])) {
      $0.code(&$1.agent)
      $0.code(&$1.relevance)
    }
    code(&record.other)
    code(&record.inserted)
    code(&record.failures, empty: Failure(.configuration, "")) { $0.code(&$1) }
    code(&record.warnings, empty: Warning("")) {
      $0.code(&$1.message)
      $0.code(&$1.location)
    }
    guard let origin = origin(record.file.root) else { return markDamaged() }
    record.file.origin = origin
    let name = record.file.path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let start = name.map { record.file.path.utf8.index(after: $0) }
    record.file.stem = AgentFileName.stem(
      String(record.file.path[(start ?? record.file.path.startIndex)...]))
    if record.entry == nil, let parts {
      record.entry = AgentRegistry.Entry(agent: parts.agent, relevance: parts.relevance)
    }
  }

  private mutating func code(_ stamp: inout FileStamp) {
    code(&stamp.device)
    code(&stamp.inode)
    code(&stamp.size)
    code(&stamp.modified)
    code(&stamp.changed)
  }

  private mutating func code(_ failure: inout Failure) {
    code(&failure.kind)
    code(&failure.message)
    code(&failure.suggestion)
    code(&failure.location)
    code(&failure.excerpt)
    code(&failure.details)
  }

  mutating func code(_ agent: inout Agent) {
    code(&agent.id)
    code(&agent.name)
    code(&agent.description)
    code(&agent.category)
    code(&agent.tags)
    code(&agent.color)
    code(&agent.engine)
    code(&agent.model)
    code(&agent.effort)
    code(&agent.models)
    code(&agent.temperature, empty: 0) { $0.code(&$1) }
    code(&agent.maxTurns, empty: 0) { $0.code(&$1) }
    code(&agent.unused)
    code(&agent.profile)
    code(&agent.traits.thinkingDepth)
    code(&agent.traits.iterationSpeed)
    code(&agent.traits.contextRequirements)
    code(&agent.traits.outputVolume)
    code(&agent.estimatedTokens, empty: 0) { $0.code(&$1) }
    code(&agent.budget.maxPerExecution)
    code(&agent.budget.maxDaily)
    code(&agent.budget.maxMonthly)
    code(&agent.budget.policy)
    code(&agent.maxConcurrentTasks, empty: 0) { $0.code(&$1) }
    code(&agent.limits.steps, empty: 0) { $0.code(&$1) }
    code(&agent.limits.seconds, empty: 0) { $0.code(&$1) }
    code(&agent.limits.cost)
    code(&agent.limits.depth, empty: 0) { $0.code(&$1) }
    code(&agent.capabilities)
    code(&agent.exampleQueries)
    code(&agent.worksWellWith)
    code(&agent.agents, empty: AgentNarrowing.List([], place: "")) {
      $0.code(&$1.patterns)
      $0.code(&$1.place)
    }
    code(&agent.typicalWorkflows)
    code(&agent.qualityGates)
    code(&agent.tools)
    code(&agent.constraints)
    code(&agent.constraintsAsWritten)
    code(&agent.loop, empty: LoopBehavior(steps: 0, maxIterations: 0)) {
      $0.code(&$1.steps)
      $0.code(&$1.maxIterations)
      $0.code(&$1.skip)
      $0.code(&$1.when)
      $0.code(&$1.location)
    }
    code(&agent.trigger, empty: TriggerBehavior(agent: "")) {
      $0.code(&$1.agent)
      $0.code(&$1.when)
      $0.code(&$1.location)
    }
    code(&agent.sandbox, empty: SandboxDefinition(type: "")) {
      $0.code(&$1.type)
      $0.code(&$1.image)
      $0.code(&$1.profile)
      $0.code(&$1.network)
    }
    code(&agent.defaults)
    code(&agent.isStrict)
    code(&agent.skills)
    code(&agent.seesProject)
    code(&agent.memory, empty: MemorySettings()) { $0.code(&$1) }
    code(&agent.files.config)
    code(&agent.files.prompt)
    code(&agent.files.origin)
    code(&agent.files.kind)
  }

  private mutating func code(_ memory: inout MemorySettings) {
    code(&memory.keep)
    var scopes = MemoryScope.allCases.filter(memory.search.contains)
    code(&scopes, empty: .user) { $0.code(&$1) }
    memory.search = Set(scopes)
    code(&memory.recall.items)
    code(&memory.recall.tokens)
    code(&memory.extract, empty: MemoryModel()) { $0.code(&$1) }
    code(&memory.embeddings, empty: ModelReference(model: "")) { $0.code(&$1) }
    var expires = memory.expires.map { (kind: $0.key, days: $0.value) }.sorted { $0.kind < $1.kind }
    code(&expires, empty: (kind: "", days: 0)) {
      $0.code(&$1.kind)
      $0.code(&$1.days)
    }
    memory.expires = Dictionary(expires.map { ($0.kind, $0.days) }) { first, _ in first }
    code(&memory.notes.items, empty: 0) { $0.code(&$1) }
    code(&memory.notes.days, empty: 0) { $0.code(&$1) }
    code(&memory.notes.tokens, empty: 0) { $0.code(&$1) }
    code(&memory.summary, empty: MemoryModel()) { $0.code(&$1) }
  }

  private mutating func code(_ model: inout MemoryModel) {
    code(&model.model, empty: ModelReference(model: "")) { $0.code(&$1) }
    code(&model.maxCost.picoDollars)
  }

  private mutating func code(_ models: inout RecommendedModels) {
    code(&models.primary, empty: ModelReference(model: "")) { $0.code(&$1) }
    code(&models.fallback, empty: ModelReference(model: "")) { $0.code(&$1) }
    code(&models.premium, empty: ModelReference(model: "")) { $0.code(&$1) }
    var notes = models.notes.map { (model: $0.key, note: $0.value) }
      .sorted { $0.model.description < $1.model.description }
    code(&notes, empty: (model: ModelReference(model: ""), note: ModelNote())) {
      $0.code(&$1.model)
      $0.code(&$1.note.priority)
      $0.code(&$1.note.costTier)
    }
    models.notes = Dictionary(notes.map { ($0.model, $0.note) }) { first, _ in first }
    code(&models.engine)
    code(&models.modelClass)
    code(&models.costTier)
    code(&models.anyEngine)
  }

  private mutating func code(_ reference: inout ModelReference) {
    code(&reference.engine)
    code(&reference.model)
  }
}

private struct EntryParts {
  var agent: Agent
  var relevance: [UInt8]
}
