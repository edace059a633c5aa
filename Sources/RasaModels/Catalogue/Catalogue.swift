package import RasaCore
package import RasaPersona

/// Prices and properties of models, from documents such as `models/catalogue.json`.
///
/// Nothing is read before somebody asks, and then only the entry that was asked for: a run looks
/// up one or two of a hundred models, and it does so before its first token. Whoever wants all of
/// them pays for reading them once.
package final class Catalogue: Sendable {
  private let load: @Sendable () throws(Failure) -> [CatalogueDocument]
  private let state = Locked(State())

  private struct State: Sendable {
    /// From the one that wins to the one that ships.
    var documents: [CatalogueDocument]?
    var factsByName: [String: ModelFacts?] = [:]
    var everything: CatalogueIndex?
    var preferences: Preferences?
  }

  private struct Preferences: Sendable {
    var defaults: [String: String] = [:]
    var classes: [String: String] = [:]
    var families: [(prefix: String, vendor: String)] = []
    var names: [String: String] = [:]

    /// What the documents say, the first of them first.
    init(_ sightings: [CatalogueSighting]) {
      var families: [String: String] = [:]
      for sighting in sightings {
        defaults.merge(sighting.defaults) { first, _ in first }
        classes.merge(sighting.classes) { first, _ in first }
        families.merge(sighting.families) { first, _ in first }
        names.merge(sighting.names) { first, _ in first }
      }
      // The longest beginning tells most.
      self.families = families.map { (prefix: $0.key, vendor: $0.value) }
        .sorted { ($1.prefix.utf8.count, $0.prefix) < ($0.prefix.utf8.count, $1.prefix) }
    }
  }

  /// `load` is called once, when something is asked for; the first document wins.
  package init(load: @escaping @Sendable () throws(Failure) -> [CatalogueDocument]) {
    self.load = load
  }

  /// `overlays` are a user's own documents of the same form; the first one wins.
  package convenience init(shipped: [UInt8], overlays: [[UInt8]] = []) {
    let documents =
      overlays.enumerated().map { CatalogueDocument(file: "overlay \($0 + 1)", bytes: $1) }
      + [CatalogueDocument(file: "shipped:models/catalogue.json", bytes: shipped, isShipped: true)]
    self.init(load: { () throws(Failure) in documents })
  }

  /// The entry of a model, by its name, an alias, or its name without a date; nil when unknown.
  package func facts(for model: String) throws(Failure) -> ModelFacts? {
    try state.withLock { state throws(Failure) in
      if let facts = state.factsByName[model] { return facts }
      let facts = try find(model, in: &state, hops: 4)
      // Names come from files and flags; a program that makes them up must not fill the memory.
      if state.factsByName.count < 4_096 { state.factsByName[model] = .some(facts) }
      return facts
    }
  }

  /// Every model, sorted by name.
  package func allFacts() throws(Failure) -> [ModelFacts] { try index().facts }

  /// The other names of a model, sorted.
  package func aliases(of id: String) throws(Failure) -> [String] {
    try index().aliases.filter { $0.value == id }.map(\.key).sorted()
  }

  /// The model to take when nobody named one.
  package func defaultModel(of provider: String) throws(Failure) -> String? {
    try preferences().defaults[provider]
  }

  /// The models of a provider that are of a class, from the best on.
  package func models(of wanted: ModelClass, at provider: String) throws(Failure) -> [String] {
    let list = try preferences().classes["\(provider)/\(wanted.rawValue)"] ?? ""
    return list.split(separator: ",").map { String($0.filter { $0 != " " }) }
  }

  /// Who sells a model: as its entry says, else as others whose names begin like that.
  package func vendor(of model: String) throws(Failure) -> String? {
    if let vendor = try facts(for: model)?.vendor.nonEmpty { return vendor }
    let name = model.lowercased()
    let families = try preferences().families
    func vendor(_ name: some StringProtocol) -> String? {
      families.first { name.hasPrefix($0.prefix) }?.vendor
    }
    guard let slash = name.lastIndex(of: "/") else { return vendor(name) }
    return vendor(name) ?? vendor(name[name.index(after: slash)...])
  }

  /// What a provider calls the model that people call `sonnet`, `Claude Sonnet 4.5` or by an alias of
  /// their own; the name as it is where nothing is known of it.
  package func properName(of model: String) throws(Failure) -> String {
    if let facts = try facts(for: model), facts.id == model { return model }
    let names = try preferences().names
    for form in CatalogueNames.forms(of: model) {
      var name = form
      var hops = 0
      while let next = names[name.lowercased()], hops < 4 {
        name = next
        hops += 1
      }
      if hops > 0 { return name }
      if form != model, try facts(for: form)?.id == form { return form }
    }
    return model
  }

  /// A name without its date and what surrounds it; nil when there is nothing to leave out.
  package static func plainName(_ model: String) -> String? {
    CatalogueNames(model).all.dropFirst().first
  }

  // MARK: Reading

  private func documents(_ state: inout State) throws(Failure) -> [CatalogueDocument] {
    if let documents = state.documents { return documents }
    let documents = try load()
    state.documents = documents
    return documents
  }

  private func find(
    _ model: String, in state: inout State, hops: Int
  ) throws(Failure) -> ModelFacts? {
    let names = CatalogueNames(model)
    if let everything = state.everything { return everything.facts(for: names) }
    var sightings: [CatalogueSighting] = []
    for document in try documents(&state) {
      let wanted = names.all + [names.family].compactMap(\.self)
      sightings.append(try document.look(for: .names(wanted)))
    }
    // Read on the way, and often asked for next.
    if state.preferences == nil { state.preferences = Preferences(sightings) }
    func entry(_ name: String) throws(Failure) -> ModelFacts? {
      var found: CatalogueEntry?
      for sighting in sightings {
        guard let value = sighting.models.first(where: { $0.id == name })?.entry else { continue }
        let entry = try CatalogueEntry(id: name, value, from: sighting.origin)
        if found == nil { found = entry } else { found?.fill(from: entry) }
      }
      return found?.facts
    }
    for name in names.all {
      if let facts = try entry(name) { return facts }
      guard hops > 0, let other = sightings.lazy.compactMap({ $0.aliases[name] }).first else {
        continue
      }
      return try find(other, in: &state, hops: hops - 1)
    }
    guard let family = names.family else { return nil }
    if let facts = try entry(family) { return facts.isOpen ? facts : nil }
    guard hops > 0, let other = sightings.lazy.compactMap({ $0.aliases[family] }).first else {
      return nil
    }
    let facts = try find(other, in: &state, hops: hops - 1)
    return facts?.isOpen == true ? facts : nil
  }

  private func index() throws(Failure) -> CatalogueIndex {
    try state.withLock { state throws(Failure) in
      if let index = state.everything { return index }
      var index = CatalogueIndex()
      for document in try documents(&state) { try index.add(document.look(for: .everything)) }
      index.finish()
      state.everything = index
      return index
    }
  }

  private func preferences() throws(Failure) -> Preferences {
    try state.withLock { state throws(Failure) in
      if let preferences = state.preferences { return preferences }
      var sightings: [CatalogueSighting] = []
      for document in try documents(&state) {
        sightings.append(try document.look(for: .preferences))
      }
      let preferences = Preferences(sightings)
      state.preferences = preferences
      return preferences
    }
  }
}

/// All entries of all documents.
struct CatalogueIndex: Sendable {
  private(set) var facts: [ModelFacts] = []
  private(set) var aliases: [String: String] = [:]
  private var entries: [String: CatalogueEntry] = [:]
  private var positions: [String: Int] = [:]

  mutating func add(_ sighting: CatalogueSighting) throws(Failure) {
    aliases.merge(sighting.aliases) { first, _ in first }
    for (id, value) in sighting.models {
      let entry = try CatalogueEntry(id: id, value, from: sighting.origin)
      if entries[id] == nil { entries[id] = entry } else { entries[id]?.fill(from: entry) }
    }
  }

  mutating func finish() {
    facts = entries.values.map(\.facts).sorted { $0.id < $1.id }
    for (position, facts) in facts.enumerated() { positions[facts.id] = position }
    entries = [:]
  }

  func facts(for names: CatalogueNames, hops: Int = 4) -> ModelFacts? {
    for name in names.all {
      if let position = positions[name] { return facts[position] }
      guard hops > 0, let other = aliases[name] else { continue }
      return facts(for: CatalogueNames(other), hops: hops - 1)
    }
    guard let family = names.family else { return nil }
    let found =
      positions[family].map { facts[$0] }
      ?? (hops > 0
        ? aliases[family].flatMap { facts(for: CatalogueNames($0), hops: hops - 1) } : nil)
    return found?.isOpen == true ? found : nil
  }
}
