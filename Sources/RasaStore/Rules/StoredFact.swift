import RasaCore
import RasaEngine
import RasaMemory
import RasaPersona
import RasaSQLite

/// A fact that is to be stored, with what its text says about itself.
struct StoredFact: Sendable {
  var fact: NewFact
  let text: PreparedText
  var claim: FactClaim
  /// Of who remembers, for whom, and the slot, or the form where there is none.
  let chain: ContentDigest
  /// The fact that it says is true no more.
  let denies: DeniedFact?

  init(_ fact: NewFact) {
    var fact = fact
    let reading = FactReading.read(fact.text, at: fact.time)
    if fact.details.kind == FactDetails().kind, let kind = reading.kind { fact.details.kind = kind }
    fact.details.slot = fact.details.slot ?? reading.slot
    fact.details.validFrom = fact.details.validFrom ?? reading.validFrom
    fact.details.until = fact.details.until ?? reading.until
    self.fact = fact
    text = PreparedText(fact.text)
    let form = ContentDigest.of(Array(reading.form.utf8))
    chain = Self.chain(of: fact, form: form)
    claim = FactClaim(
      form: form, run: fact.run.text, time: fact.time, validFrom: fact.details.validFrom,
      until: fact.details.until, isDenial: reading.denies != nil)
    denies = reading.denies.map { denial in
      var denied = fact
      denied.details.slot = denial.slot
      let form = ContentDigest.of(Array(denial.form.utf8))
      return DeniedFact(chain: Self.chain(of: denied, form: form), form: form)
    }
  }

  /// The names are of any length, so each is digested by itself.
  private static func chain(of fact: NewFact, form: ContentDigest) -> ContentDigest {
    func digest(_ text: String) -> ContentDigest { .of(Array(text.utf8)) }
    var place = [UInt8(truncatingIfNeeded: fact.scope.column)] + digest(fact.user)
    switch fact.scope {
    case .user: break
    case .persona: place += digest(fact.persona)
    case .session: place += digest(fact.session ?? "")
    }
    return .of(place + (fact.details.slot.map { [1] + digest($0) } ?? [0] + form))
  }

  var form: ContentDigest { claim.form }

  /// A correction stands where stood what it corrects.
  mutating func takePlace(of corrected: FactClaim) {
    if claim.isOfThePresent, corrected.isOfThePresent { claim.place = corrected.place }
  }
}

/// What a statement denies: all of that form in another chain that came before it.
struct DeniedFact: Sendable, Hashable {
  var chain: ContentDigest
  var form: ContentDigest

  init(chain: ContentDigest, form: ContentDigest) {
    self.chain = chain
    self.form = form
  }

  init?(_ column: SQLValue) {
    guard case .bytes(let bytes) = column, bytes.count == 2 * ContentDigest.digestLength
    else { return nil }
    chain = Array(bytes.prefix(ContentDigest.digestLength))
    form = Array(bytes.suffix(ContentDigest.digestLength))
  }

  /// How it is stored.
  var column: SQLValue { .bytes(chain + form) }
}

extension FactClaim {
  fileprivate var isOfThePresent: Bool { !isHistory && begin <= time }
}

extension ContentDigest {
  /// The chain of a fact that a person has corrected: its own.
  static func chain(ofReplaced item: Int64) -> ContentDigest { .of(Array("replaced \(item)".utf8)) }
}

extension NewFact {
  /// A person's correction of a fact. It says something about the same and has been true since then, unless it says
  /// otherwise, and keeps as long.
  static func correction(
    of old: MemoryItem, _ details: FactDetails, learnt: Timestamp, to text: String,
    at time: Timestamp
  ) -> NewFact {
    let reading = FactReading.read(text, at: time)
    var new = FactDetails(kind: details.kind)
    new.slot = reading.slot ?? (reading.denies == nil ? details.slot : nil)
    new.until = reading.until
    new.validFrom = reading.validFrom ?? details.validFrom
    // Since when it was true is unknown where it is over, and was before anybody learnt of it.
    let isOver = reading.until.map { $0 <= time } ?? false
    let wasOver = details.until.map { $0 < learnt } ?? false
    if !isOver, !wasOver { new.validFrom = new.validFrom ?? learnt }
    new.expires = details.expires.map { expires in
      let length = expires.milliseconds.subtractingReportingOverflow(old.time.milliseconds)
      let end = time.milliseconds.addingReportingOverflow(length.partialValue)
      return Timestamp(milliseconds: end.partialValue)
    }
    return NewFact(
      scope: old.scope, user: old.user, persona: old.persona, session: old.session, text: text,
      run: Identifier("by-hand"), time: time, trust: .person, details: new)
  }
}

extension Failure {
  static let factWithoutSession = Failure(
    .usage, "a fact that is kept for one conversation needs to say for which",
    suggestion: "name a session")
}

/// An item as an export has it, which is to be stored.
struct ImportedItem: Sendable {
  let item: MemoryItem
  let text: PreparedText
  /// For facts.
  let fact: StoredFact?

  /// In the order of their IDs. When a fact ends because another one of its chain was learnt later, that follows from
  /// both of them here, too; any other ending has to be told, such as that of a fact that a person has corrected.
  static func prepare(_ items: [MemoryItem]) -> [ImportedItem] {
    var others: [Int64: (chain: ContentDigest, time: Timestamp)] = [:]
    for item in items where item.kind == .fact {
      others[item.id] = (StoredFact(item).chain, item.time)
    }
    return items.sorted { $0.id < $1.id }.map { item in
      guard item.kind == .fact else {
        return ImportedItem(item: item, text: PreparedText(item.text), fact: nil)
      }
      var item = item
      if let next = item.fact?.supersededBy.flatMap({ others[$0] }), next.time >= item.time,
        next.chain == StoredFact(item).chain
      {
        item.fact?.until = nil
      }
      let fact = StoredFact(item)
      return ImportedItem(item: item, text: fact.text, fact: fact)
    }
  }
}

extension StoredFact {
  fileprivate init(_ item: MemoryItem) {
    self.init(
      NewFact(
        scope: item.scope, user: item.user, persona: item.persona, session: item.session,
        text: item.text, run: item.run, time: item.time, trust: item.trust,
        details: item.fact ?? FactDetails()))
  }
}

extension Failure {
  static func itemWithoutSession(_ item: MemoryItem) -> Failure {
    Failure(
      .usage, "the \(item.kind.rawValue) \(item.id) does not say which session it is of",
      suggestion: "turns and notes belong to a `session`")
  }

  static func isOlder(than session: SessionID) -> Failure {
    Failure(
      .usage,
      "the session `\(session.name)` of \(session.user) has something newer than what is imported into it",
      suggestion:
        "import it for another user with --user, or delete the session with `rasa sessions delete \(session.name)`"
    )
  }
}
