import RasaEngine

extension Rasa {
  /// What can be watched of one use of a tool.
  public struct ToolActivity: Sendable, Hashable {
    /// What happened. More cases may come.
    @nonexhaustive
    public enum Phase: Sendable, Hashable {
      /// It is about to be used, or what is recorded of its use is taken.
      case started(arguments: JSON)
      /// It says how far it has come. The numbers are the tool's own; nil where it gives none.
      case progressed(done: Double?, total: Double?, message: String)
      /// It has returned. `isError` where it says that it failed, or was not used at all.
      case ended(isError: Bool)
    }

    /// The same for everything about one use.
    public var id: String
    /// The tool, as operators name it.
    public var tool: String
    /// What happened.
    public var phase: Phase

    init(_ activity: RasaEngine.ToolActivity) {
      id = activity.key.description
      tool = activity.tool
      phase =
        switch activity.phase {
        case .started(let arguments): .started(arguments: JSON(arguments))
        case .progressed(let progress):
          .progressed(done: progress.done, total: progress.total, message: progress.message)
        case .ended(let isError, _): .ended(isError: isError)
        }
    }
  }
}
