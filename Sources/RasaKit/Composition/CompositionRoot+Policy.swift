package import RasaCore
import RasaEngine
import RasaPersona
import RasaSystem
package import RasaTools

/// The rules about tools: the user's `policy.yaml`, then `policy:` in the user's and the project's `config.yaml`.
extension CompositionRoot {
  package var policyPath: String { "\(folders.configuration)/policy.yaml" }

  package func policy(onWarning: (Warning) -> Void = { _ in }) throws(Failure) -> RulePolicy {
    let settings = try configuration(onWarning: nil)
    return RulePolicy(
      own: try ownRules(onWarning: onWarning) + settings.policy, project: settings.projectPolicy)
  }

  private func ownRules(onWarning: (Warning) -> Void) throws(Failure) -> [ToolRule] {
    guard let bytes = try FileSystem.readIfPresent(policyPath, limit: FolderSource.largest) else {
      return []
    }
    let reading = ToolRuleLoader.load(SourceDocument(bytes: bytes, path: policyPath))
    for warning in reading.warnings { onWarning(warning) }
    return try reading.get()
  }
}

/// The rules, read when a tool is first used: a run without tools does not look for them.
final class LaterPolicy: ToolPolicy {
  private let read: @Sendable () throws(Failure) -> RulePolicy
  private let known = Locked<RulePolicy?>(nil)

  init(_ read: @escaping @Sendable () throws(Failure) -> RulePolicy) { self.read = read }

  func verdict(on use: ToolUse, of tool: ToolDescription) throws -> ToolVerdict {
    if let policy = known.withLock(\.self) { return policy.verdict(on: use, of: tool) }
    do throws(Failure) {
      let policy = try read()
      known.withLock { $0 = policy }
      return policy.verdict(on: use, of: tool)
    } catch {
      var failure = error
      failure.reason = Failure.policyUnreadable
      throw failure
    }
  }
}

extension Graph {
  /// Whether rules can matter to it.
  var mayUseTools: Bool {
    !ownSkills.isEmpty
      || nodes.contains { !$0.definition.tools.isEmpty || $0.substitute?.tools.isEmpty == false }
      || inner.contains(where: \.mayUseTools)
  }
}
