package import RasaCore

/// What can be watched of one use of a tool.
package struct ToolActivity: Sendable, Hashable {
  package enum Phase: Sendable, Hashable {
    case started(arguments: Value)
    case progressed(ToolProgress)
    /// `isError` where the tool says that it failed, or was not used at all.
    case ended(isError: Bool, bytes: Int)
  }
  package var key: EffectKey
  package var tool: String
  package var phase: Phase

  package init(key: EffectKey, tool: String, phase: Phase) {
    self.key = key
    self.tool = tool
    self.phase = phase
  }
}
