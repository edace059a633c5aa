package import RasaCore

/// A moment of a run at which hooks are asked.
package enum HookPoint: String, Sendable, Hashable, CaseIterable {
  case runStart = "run_start"
  case beforeModel = "before_model"
  case beforeTool = "before_tool"
  case afterTool = "after_tool"
  case beforeOutput = "before_output"
  case runEnd = "run_end"

  /// Whether it belongs to the run as a whole instead of one of its operators.
  package var isOfRun: Bool {
    switch self {
    case .runStart, .beforeOutput, .runEnd: true
    case .beforeModel, .beforeTool, .afterTool: false
    }
  }

  /// A guard that cannot be asked must not let through what it guards; one that only learns of what has happened
  /// must not undo it.
  package var usualFailurePolicy: HookFailurePolicy {
    switch self {
    case .beforeModel, .beforeTool, .beforeOutput: .refuse
    case .runStart, .afterTool, .runEnd: .pass
    }
  }
}

/// What happens when a hook gives no usable answer.
package enum HookFailurePolicy: String, Sendable, Hashable, CaseIterable {
  /// The operator, or the run, fails.
  case refuse
  /// The run goes on as if there were no hook, and says so.
  case pass
}

/// A program or an HTTP address that is asked at a point of each run, and may change or refuse what is about to
/// happen.
package struct HookDefinition: Sendable, Hashable {
  package enum Action: Sendable, Hashable {
    /// JSON on standard input, JSON on standard output.
    case program(command: [String])
    /// JSON as the body of a POST, JSON as the answer. Headers may name variables of the environment as `${NAME}`.
    case http(url: String, headers: [Header])
  }

  /// Unique within its file and point; a part of its effect's key.
  package var name: String
  package var point: HookPoint
  package var action: Action
  /// Only for operators with such a name; `*` stands for any part. Nil for all.
  package var operatorPattern: String?
  /// Only for tools with such a name.
  package var toolPattern: String?
  /// Seconds.
  package var timeout: Double
  package var onFailure: HookFailurePolicy
  package var sandbox = ToolSandbox()
  /// Hosts of the user's own machine or network that an address may lead to, as `name` or `name:port`.
  package var allowsPrivate: [String] = []
  package var location: SourceLocation
  /// Whether it comes from a project's file instead of the user's own.
  package var isProject = false

  package static let usualTimeout = 10.0

  package init(
    name: String, point: HookPoint, action: Action, timeout: Double = usualTimeout,
    onFailure: HookFailurePolicy? = nil,
    location: SourceLocation = SourceLocation(file: "", line: 0, column: 0)
  ) {
    self.name = name
    self.point = point
    self.action = action
    self.timeout = timeout
    self.onFailure = onFailure ?? point.usualFailurePolicy
    self.location = location
  }

  /// Whether it wants to be asked about this operator and this tool.
  package func applies(toOperator operatorName: String, tool: String? = nil) -> Bool {
    func fits(_ pattern: String?, _ name: String?) -> Bool {
      guard let pattern else { return true }
      guard let name else { return false }
      return AgentNarrowing.List([pattern], place: "").allows(name)
    }
    return fits(operatorPattern, operatorName) && fits(toolPattern, tool)
  }

  /// For messages: the command, or the address without what may be secret in it.
  package var target: String {
    switch action {
    case .program(let command): command.first ?? ""
    case .http(let url, _): String(url.prefix { $0 != "?" })
    }
  }
}
