import RasaAgents
import RasaCore
import RasaPersona

extension Rasa {
  /// What has changed in the folders of agents.
  public struct AgentChange: Sendable {
    /// Ids that are new, sorted.
    public var added: [String]
    /// Ids of agents whose files say something else now, sorted.
    public var changed: [String]
    /// Ids that are gone, sorted.
    public var removed: [String]
    /// What there is now.
    public var discovery: Discovery
  }

  /// Watches the folders of agents, and keeps what `agents` and `search` answer with up to date.
  ///
  /// ```swift
  /// let watch = try await rasa.watchAgents()
  /// while let change = await watch.next() { show(change.added, change.changed, change.removed) }
  /// ```
  public final class AgentWatcher: Sendable {
    private let own: AgentWatch
    private let rasa: Rasa

    fileprivate init(_ rasa: Rasa) throws(Failure) {
      own = try AgentWatch(rasa.composition.agents)
      self.rasa = rasa
    }

    /// What there was when the watching began.
    public var discovery: Discovery { rasa.discovery(own.found) }
    /// Folders that cannot be watched, and why.
    public var warnings: [String] { own.warnings.map(\.description) }

    /// Waits for the next change; nil once the watch is stopped or the task cancelled. Files that change no
    /// agent count for nothing, unless one of them is broken now or is no longer.
    public func next() async -> AgentChange? {
      await own.next().map {
        AgentChange(
          added: $0.added, changed: $0.changed, removed: $0.removed,
          discovery: rasa.discovery($0.found))
      }
    }

    /// Ends the watch.
    public func stop() { own.stop() }
  }

  /// Looks into all folders of agents, and watches them from now on.
  ///
  /// - Throws: A `RasaError` when the system watches no more folders.
  public func watchAgents() async throws(RasaError) -> AgentWatcher {
    try await prepared { rasa throws(Failure) in try AgentWatcher(rasa) }
  }
}
