package import RasaCore

/// The tools that an operator had when it began, as a line of the journal: a resumed run offers its model the same
/// ones, and starts their servers only if it uses them.
package struct ToolOffer: Sendable, Hashable {
  package static let kind = "tools.offered"

  package var key: EffectKey
  package var tools: [ToolDescription]

  package init(key: EffectKey, tools: [ToolDescription]) {
    self.key = key
    self.tools = tools
  }

  package init?(_ entry: JournalEntry) {
    guard entry.kind == Self.kind, let key = entry.key.flatMap({ EffectKey($0) }) else {
      return nil
    }
    self.init(
      key: key, tools: (entry.body["tools"].array ?? []).compactMap { ToolDescription($0) })
  }

  package func entry(of run: Identifier, at time: Timestamp) -> JournalEntry {
    JournalEntry(
      run: run, time: time, kind: Self.kind, key: key.description,
      body: ["tools": .array(tools.map(\.body))])
  }
}
