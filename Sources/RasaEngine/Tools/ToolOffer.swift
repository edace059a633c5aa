package import RasaCore

/// The tools that an operator had when it began, as a line of the journal: a resumed run offers its model the same
/// ones, and starts their servers only if it uses them.
package struct ToolOffer: Sendable, Hashable {
  package static let kind = "tools.offered"

  package var key: EffectKey
  package var tools: [ToolDescription]
  /// The window of the model that was to be asked first, where it decides how many definitions are sent.
  package var window: Int64?

  package init(key: EffectKey, tools: [ToolDescription], window: Int64? = nil) {
    self.key = key
    self.tools = tools
    self.window = window
  }

  package init?(_ entry: JournalEntry) {
    guard entry.kind == Self.kind, let key = entry.key.flatMap({ EffectKey($0) }) else {
      return nil
    }
    self.init(
      key: key, tools: (entry.body["tools"].array ?? []).compactMap { ToolDescription($0) },
      window: entry.body["window"].int)
  }

  package func entry(of run: Identifier, at time: Timestamp) -> JournalEntry {
    var body: ValueObject = ["tools": .array(tools.map(\.body))]
    if let window { body["window"] = .int(window) }
    return JournalEntry(
      run: run, time: time, kind: Self.kind, key: key.description, body: .object(body))
  }
}
