package import RasaCore
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
