import RasaCore
import RasaDocuments

extension DocumentReader {
  private static let memoryKeys = [
    "keep", "search", "recall", "extract", "embeddings", "expires", "notes", "summarise",
  ]

  /// `memory:` of a persona or agent; nil where it is missing or no mapping.
  mutating func memorySettings(_ node: DocumentNode?) -> MemorySettings? {
    guard let node, let fields = fields(node, of: "`memory`", known: Self.memoryKeys) else {
      return nil
    }
    var settings = MemorySettings()
    if let keep: MemoryScope = choice(fields["keep"], "keep") { settings.keep = keep }
    if let search = searchedScopes(fields["search"]) {
      settings.search = search
      if !search.contains(settings.keep) {
        let kept = settings.keep.rawValue
        warn(
          "what is kept has the scope `\(kept)`, and `search` does not look there: it is never recalled",
          at: (fields["search"] ?? node).location)
      }
    }
    if let recall = fields["recall"],
      let bounds = self.fields(recall, of: "`recall`", known: ["items", "tokens"])
    {
      if let items = integer(bounds["items"], "items", in: 0...1_000) {
        settings.recall.items = items
      }
      if let tokens = integer(bounds["tokens"], "tokens", in: 0...10_000_000) {
        settings.recall.tokens = tokens
      }
    }
    settings.extract = memoryModel(fields["extract"], "extract", needsModel: true)
    settings.summary = memoryModel(fields["summarise"], "summarise", needsModel: false)
    settings.embeddings = embeddingModel(fields["embeddings"])
    settings.expires = expiries(fields["expires"])
    if let notes = fields["notes"],
      let bounds = self.fields(notes, of: "`notes`", known: ["items", "days", "tokens"])
    {
      settings.notes = NoteBounds(
        items: integer(bounds["items"], "items", in: 0...100_000),
        days: number(bounds["days"], "days", in: 0...36_500),
        tokens: integer(bounds["tokens"], "tokens", in: 0...10_000_000))
    }
    return settings
  }

  /// Settings of a frame that the persona does not have.
  mutating func warnAboutUnusedMemory(_ node: DocumentNode, frames: Set<FrameKind>) {
    guard case .mapping(let entries) = node.content else { return }
    for entry in entries where Self.memoryKeys.contains(entry.key) {
      let (kind, name): (FrameKind, String) =
        switch entry.key {
        case "notes": (.shortTerm, "short_term_frame")
        case "summarise": (.session, "session_frame")
        default: (.longTerm, "long_term_frame")
        }
      if !frames.contains(kind) {
        warn(
          "`\(entry.key)` has no effect: the persona has no frame of kind `\(kind.rawValue)`; add "
            + "`\(name)` to `frames`", at: entry.keyLocation)
      }
    }
  }

  private mutating func searchedScopes(_ node: DocumentNode?) -> Set<MemoryScope>? {
    guard let node else { return nil }
    let elements = oneOrMore(node)
    if elements.isEmpty {
      fail(
        node, "`search` names no scope",
        suggestion: "leave it out to look everywhere; `recall: {items: 0}` recalls nothing")
      return nil
    }
    let scopes = elements.map { choice($0, "search", as: MemoryScope.self) }
    return scopes.contains(nil) ? nil : Set(scopes.compactMap(\.self))
  }

  /// A model, `{model, max_cost}`, or `true` where the persona's own models will do.
  private mutating func memoryModel(
    _ node: DocumentNode?, _ label: String, needsModel: Bool
  ) -> MemoryModel? {
    guard let node else { return nil }
    switch node.content {
    case .scalar(.bool(false)): return nil
    case .scalar(.bool(true)) where !needsModel: return MemoryModel()
    case .scalar(.string): return model(node, label).map { MemoryModel(model: $0) }
    case .mapping:
      guard let fields = fields(node, of: "`\(label)`", known: ["model", "max_cost"]) else {
        return nil
      }
      if needsModel, fields["model"] == nil {
        fail(
          node, "`\(label)` does not name a model",
          suggestion: "add `model: …`, such as `openai:gpt-4o-mini`")
        return nil
      }
      var result = MemoryModel(model: model(fields["model"], "model"))
      if let cost = money(fields["max_cost"], "max_cost") { result.maxCost = cost }
      return needsModel && result.model == nil ? nil : result
    default:
      fail(
        node, label,
        mustBe: needsModel
          ? "a model or `{model, max_cost}`" : "`true`, a model or `{model, max_cost}`"
      )
      return nil
    }
  }

  /// `provider:model`. Providers of the configuration are not known here, so anything before the first colon
  /// counts as one.
  private mutating func embeddingModel(_ node: DocumentNode?) -> ModelReference? {
    guard let node, let text = text(node, "embeddings")?.trimmed else { return nil }
    guard let colon = text.firstIndex(of: ":"), colon != text.startIndex,
      text.index(after: colon) != text.endIndex
    else {
      fail(
        node, "embeddings", mustBe: "a provider and its model",
        suggestion: "write it as `openai:text-embedding-3-small` or `ollama:nomic-embed-text`")
      return nil
    }
    return ModelReference(
      engine: String(text[..<colon]), model: String(text[text.index(after: colon)...]))
  }

  private mutating func expiries(_ node: DocumentNode?) -> [String: Double] {
    var expiries: [String: Double] = [:]
    for entry in entries(node, "expires", mustBe: "a mapping of kinds of facts to days") {
      guard Self.isName(entry.key) else {
        fail(
          entry.value, "`\(Self.printable(entry.key))` is no kind of fact",
          suggestion: "kinds are words such as \(Self.listed(MemorySettings.kinds))")
        continue
      }
      if !MemorySettings.kinds.contains(entry.key),
        let nearest = nearestName(to: entry.key, among: MemorySettings.kinds)
      {
        warn(
          "`\(entry.key)` is a kind of fact that only operators of your own write; did you mean "
            + "`\(nearest)`?", at: entry.keyLocation)
      }
      if let days = number(entry.value, "expires", in: 0.001...36_500, unit: " of days") {
        expiries[entry.key] = days
      }
    }
    return expiries
  }
}
