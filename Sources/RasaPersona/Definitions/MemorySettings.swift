package import RasaCore

/// Where something is remembered: for one conversation, for one persona, or for everything a user does. Nobody
/// sees what belongs to another user.
package enum MemoryScope: String, Sendable, Hashable, CaseIterable {
  /// Every persona of the user.
  case user
  /// This persona with this user.
  case persona
  /// This conversation.
  case session
}

/// `memory:` of a persona: where it keeps what it remembers, where it looks for it, and what that may cost.
package struct MemorySettings: Sendable, Hashable {
  package var keep: MemoryScope
  package var search: Set<MemoryScope>
  /// What is recalled into a run.
  package var recall = RecallBounds()
  /// The model that `remember` asks for what is worth keeping; nil where none is asked.
  package var extract: MemoryModel?
  /// The model whose vectors recall compares, with its provider; nil for words alone.
  package var embeddings: ModelReference?
  /// After how many days facts of a kind are no longer recalled.
  package var expires: [String: Double] = [:]
  package var notes = NoteBounds()
  /// Who keeps a running summary of a conversation; nil where nobody does.
  package var summary: MemoryModel?

  package init(
    keep: MemoryScope = .persona, search: Set<MemoryScope> = Set(MemoryScope.allCases)
  ) {
    self.keep = keep
    self.search = search
  }
}

/// How much of what is remembered goes into one run.
package struct RecallBounds: Sendable, Hashable {
  package var items: Int
  /// An estimate for all of them together.
  package var tokens: Int
  package init(items: Int = 10, tokens: Int = 2_000) {
    self.items = items
    self.tokens = tokens
  }
}

/// Which working notes of a conversation go into a run. A bound that is nil is the store's or the run's own.
package struct NoteBounds: Sendable, Hashable {
  package var items: Int?
  package var days: Double?
  package var tokens: Int?
  package init(items: Int? = nil, days: Double? = nil, tokens: Int? = nil) {
    self.items = items
    self.days = days
    self.tokens = tokens
  }
}

/// A model that memory is entrusted to, and what it may cost in one run.
package struct MemoryModel: Sendable, Hashable {
  /// Nil for the models of the persona.
  package var model: ModelReference?
  package var maxCost: Money

  /// One cent.
  package static let usualCost = Money(picoDollars: 10_000_000_000)

  package init(model: ModelReference? = nil, maxCost: Money = usualCost) {
    self.model = model
    self.maxCost = maxCost
  }
}

extension MemorySettings {
  /// The kinds of facts that rasa itself speaks of. An operator may write others.
  package static let kinds = ["preference", "profile", "plan", "event", "fact"]

  /// What differs from the usual settings, in the words of a file.
  package var valueObject: ValueObject {
    let usual = MemorySettings()
    var object = ValueObject()
    if keep != usual.keep { object["keep"] = .string(keep.rawValue) }
    if search != usual.search {
      object["search"] = .array(
        MemoryScope.allCases.filter(search.contains).map { .string($0.rawValue) })
    }
    if recall != usual.recall {
      object["recall"] = ["items": .int(Int64(recall.items)), "tokens": .int(Int64(recall.tokens))]
    }
    if let extract { object["extract"] = extract.value }
    if let embeddings { object["embeddings"] = .string("\(embeddings)") }
    if !expires.isEmpty {
      object["expires"] = .object(
        ValueObject(expires.keys.sorted().map { ($0, .double(expires[$0] ?? 0)) }))
    }
    if notes != usual.notes {
      var bounds = ValueObject()
      if let items = notes.items { bounds["items"] = .int(Int64(items)) }
      if let days = notes.days { bounds["days"] = .double(days) }
      if let tokens = notes.tokens { bounds["tokens"] = .int(Int64(tokens)) }
      object["notes"] = .object(bounds)
    }
    if let summary { object["summarise"] = summary.value }
    return object
  }
}

extension MemoryModel {
  fileprivate var value: Value {
    var object = ValueObject()
    if let model { object["model"] = .string("\(model)") }
    object["max_cost"] = .string(maxCost.decimalText)
    return .object(object)
  }
}
