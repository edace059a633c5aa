/// What a shell completes a value with, beyond words that the declarations know.
package enum CompletedNames: String, Sendable, CaseIterable {
  /// Looked up by the program itself whenever the shell asks.
  case personas, agents, operators, models, providers, runs, sessions, approvals, tools
  /// Personas and agents alike.
  case owners
  /// Agents, and paths of their files.
  case agentFiles = "agent-files"
  /// Paths, which the shell knows.
  case files, folders

  /// Whether the program is asked.
  var isLookedUp: Bool { self != .files && self != .folders }

  /// Whether a path can stand there as well.
  var takesPaths: Bool { [.personas, .agents, .agentFiles, .files, .folders].contains(self) }
}
