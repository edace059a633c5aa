package import RasaCore
package import RasaEngine
import RasaKit
import RasaModels
import RasaPersona
import RasaStore
import RasaSystem
package import RasaTestKit
import RasaTools

/// A home with one persona whose model an attacker controls, composed as the program `rasa` is: the policy, the taint of
/// values and everything else that stands between a model and an effect is the real one. Only the model, the person
/// and what the tools reach are played.
package struct Stage: Sendable {
  package let home: ScratchDirectory
  private let services: RunServices
  private let graph: Graph
  private let asksNobody: Bool

  package struct Outcome: Sendable {
    package var output: String
    /// What a program that reads JSON would see of a failure.
    package var failure: Failure?
    package var effects: [EffectLedger.Effect]
    package var questions: [Question]
    /// What the model was sent, all of it.
    package var prompts: String
    /// What the journal has kept of the run.
    package var journal: String

    package func did(_ tool: String) -> Int {
      effects.count { $0.tool == tool || $0.tool.hasSuffix("/" + tool) }
    }
  }

  /// - Parameters:
  ///   - persona: the YAML of a persona `victim`.
  ///   - policy: the user's `policy.yaml`.
  ///   - asksNobody: whether everything is allowed, to see what would happen without approvals.
  ///   - isDurable: whether its runs are kept on disk instead of in memory.
  package init(
    persona: String, policy: String = "", variables: [String: String] = [:],
    asksNobody: Bool = false, isDurable: Bool = false
  ) throws {
    self.asksNobody = asksNobody
    home = ScratchDirectory()
    try home.write(persona, to: "personas/victim.yaml")
    if !policy.isEmpty { try home.write(policy, to: "policy.yaml") }
    let environment = [
      "HOME": home.path, "RASA_HOME": home.path, "USER": "ada",
      "PATH": "/usr/local/bin:/usr/bin:/bin",
    ].merging(variables) { $1 }
    let composition = try CompositionRoot(
      environment: Environment(environment), project: home.path)
    services = RunServices(
      lazily: composition,
      isDurable ? composition.store() : MemoryRunStore(time: composition.time))
    graph = try composition.graph("victim")
  }

  /// - Parameter tools: what stands in for the tools that the persona declares; nil for those themselves.
  package func play(
    _ model: ScriptedModel, _ person: ScriptedPerson, tools: (any ToolSource)?,
    ledger: EffectLedger, input: String = "Do my work."
  ) async throws -> Outcome {
    let plan = RunPlan(input: input)
    var runner = try services.runner(plan, people: person, onWarning: { _ in })
    runner.dependencies.gate = model
    if let tools { runner.dependencies.tools = tools }
    if asksNobody { runner.dependencies.policy = EverythingAllowed() }
    let start = services.start(graph, plan)
    var output = ""
    var failure: Failure?
    do {
      output = try await runner.run(graph, start).output.promptText
    } catch let error as Failure {
      failure = error
    }
    let journal = try await services.store.entries(of: start.run)
    return Outcome(
      output: output, failure: failure, effects: ledger.effects, questions: person.questions,
      prompts: model.requests.flatMap(\.messages).map(\.text).joined(separator: "\n"),
      journal: journal.map { "\($0.kind) \($0.body.json())" }.joined(separator: "\n"))
  }

  /// Lets runs start a server that the persona declares.
  package func approve(server: String) async throws {
    let box = services.tools.declaring(.persona, graph.persona.tools)
    let entry = try box.catalogue().entry(of: .server(server, tools: nil))
    _ = try await box.approve(entry, access: nil, by: "ada")
  }

  package func close() async { await services.close() }
}

/// What no user has: a policy without questions.
private struct EverythingAllowed: ToolPolicy {
  func verdict(on use: ToolUse, of tool: ToolDescription) -> ToolVerdict {
    .allow(because: "nobody is asked")
  }
}
