/// A kind of task: `objectives.yaml` has them by name.
package struct Objective: Sendable, Hashable {
  package var category: String
  package var description = ""
  /// What makes an answer a good one, for whoever judges it.
  package var criteria = ""
  /// Words by which a task of this kind is recognised.
  package var words: [String] = []
  /// Agents that are known to do such tasks well.
  package var agents: [String] = []
  /// Whether the user's own file has it.
  package var isUsers = false

  package init(category: String) { self.category = category }
}
