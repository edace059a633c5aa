import RasaCore
import RasaDocuments

/// Reads `config.yaml`: the user's own, and the one of the current project.
///
/// A project's file comes with a clone, so it may narrow what the user allows but never widen it:
/// limits only become tighter, and no key is sent where it says. Its choice of models and providers
/// is in `ofProject`, for the question to the user.
package struct ConfigurationLoader: Sendable {
  /// Whether there is a time zone with that name.
  package var isKnownZone: @Sendable (String) -> Bool

  package init(isKnownZone: @escaping @Sendable (String) -> Bool) {
    self.isKnownZone = isKnownZone
  }

  /// The combined configuration, with all problems in either file.
  package func load(user: SourceDocument?, project: SourceDocument?) -> Reading<Configuration> {
    let own = user.map { read($0, of: .user) }
    var configuration = own?.definition ?? Configuration()
    let names = Set(configuration.providers.map(\.name))
    let shared = project.map { read($0, of: .project(providers: names)) }
    if let project, let shared = shared?.definition {
      configuration.narrow(by: shared)
      configuration.ofProject = ProjectSettings(
        document: project, model: shared.model, profile: shared.profile, tools: shared.tools)
    }
    return Reading(
      read: configuration, failures: (own?.failures ?? []) + (shared?.failures ?? []),
      warnings: (own?.warnings ?? []) + (shared?.warnings ?? []))
  }

  private func read(
    _ document: SourceDocument, of origin: ConfigurationReader.Origin
  ) -> Reading<Configuration> {
    // A new file has every line commented out.
    if Self.saysNothing(document.bytes) {
      return Reading(read: Configuration(), failures: [], warnings: [])
    }
    do {
      let read = try YAML.read(document.bytes, file: document.path)
      var reader = ConfigurationReader(
        SourceText(document), of: origin, isKnownZone: isKnownZone)
      let configuration = reader.configuration(read.node)
      let problems = read.problems.map { $0.failure.hidingKeys() }
      return Reading(
        read: configuration, failures: problems + reader.failures, warnings: reader.warnings)
    } catch {
      return Reading(failure: error.hidingKeys())
    }
  }

  private static func saysNothing(_ bytes: [UInt8]) -> Bool {
    bytes.split { $0 == 0x0A || $0 == 0x0D }.allSatisfy { line in
      let text = line.drop { $0 == 0x20 || $0 == 0x09 }
      return text.isEmpty || text.first == UInt8(ascii: "#")
    }
  }
}

extension Configuration {
  /// Applies a project's settings.
  fileprivate mutating func narrow(by project: Configuration) {
    model = project.model ?? model
    profile = project.profile ?? profile
    narrowing = narrowing.and(project.narrowing)
    // They only run once the user trusts the project.
    hooks += project.hooks
    projectPolicy = project.policy
    providers += project.providers.map { provider in
      var provider = provider
      provider.isProject = true
      return provider
    }
    budget.maxPerExecution = tighter(budget.maxPerExecution, project.budget.maxPerExecution)
    budget.maxDaily = tighter(budget.maxDaily, project.budget.maxDaily)
    budget.maxMonthly = tighter(budget.maxMonthly, project.budget.maxMonthly)
  }

  private func tighter(_ one: Money?, _ other: Money?) -> Money? {
    [one, other].compactMap(\.self).min()
  }
}
