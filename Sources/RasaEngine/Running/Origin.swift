package import RasaCore
import RasaPersona

/// The run that a fork comes from, as far as the fork takes it over.
package struct Origin: Sendable {
  package var start: RunStart
  package var effects: EffectLog
  /// The context that the origin was opened with.
  package var context: Value?

  /// - Parameter sequence: the last line that counts; nil for all.
  package init?(_ history: RunHistory, upTo sequence: Int? = nil) throws(Failure) {
    let entries = history.entries.prefix(max(1, sequence ?? .max))
    guard let start = try history.start else { return nil }
    self.start = start
    effects = EffectLog(entries)
    context = entries.first { $0.kind == "context.opened" }
      .map { ConversationContext.flat($0.body) }
    isWhole = sequence == nil
  }

  private var isWhole: Bool
  /// Where changes are made, when that is known already.
  private var knownPlaces: [Step: [Update]]?

  /// An origin with only these effects.
  init(start: RunStart, effects: EffectLog, context: Value?, changes: [Step: [Update]]) {
    self.start = start
    self.effects = effects
    self.context = context
    isWhole = true
    knownPlaces = changes
  }

  /// After which step each change is made: where the journal was left, or, when all of it is taken
  /// over, where the key was written last. What no step comes before is changed at the beginning.
  func steps(writing changes: ValueObject) -> [Step: [Update]] {
    if let knownPlaces { return knownPlaces }
    var places: [Step: [Update]] = [:]
    for (key, value) in changes {
      let path = StatePath(key)
      if let step = effects.lastStep(writing: isWhole ? path.key : nil) {
        places[step, default: []].append(Update(path, value))
      }
    }
    return places
  }
}

extension RunStart {
  /// Whether what is remembered would be looked up with the same question.
  func asksTheSame(as other: RunStart) -> Bool {
    input == other.input && persona == other.persona && user == other.user
      && preferences == other.preferences
  }
}

extension Graph {
  /// Makes room for what a fork writes after some steps: whoever reads it waits for them, and what
  /// is written there may still change.
  mutating func expectWrites(_ changes: [Step: [Update]]) {
    guard !changes.isEmpty else { return }
    for (step, updates) in changes {
      for index in nodes.indices
      where nodes[index].definition.name == step.operatorName
        && frames[nodes[index].frame].name == step.frame
      {
        nodes[index].writes += updates.map(\.path)
      }
    }
    markPaths()
    for index in nodes.indices { nodes[index].isLive = false }
    GraphFlow(self).annotate(&self)
    for step in changes.keys {
      for index in nodes.indices where nodes[index].definition.name == step.operatorName {
        nodes[index].isLive = false
      }
    }
  }
}
