import RasaCore
import RasaEngine
import RasaPersona
import Testing

@testable import RasaTools

@Suite("The policy of a user and a project")
struct RulePolicyTests {
  private func rules(_ texts: [String]) throws -> [ToolRule] {
    try texts.map { try ToolRuleLoader.rule($0, named: "rule") }
  }

  private func decision(_ own: [String], _ project: [String], _ sideEffects: SideEffects) throws
    -> PolicyDecision
  {
    let policy = RulePolicy(own: try rules(own), project: try rules(project))
    let step = Step(frame: "a", visit: 1, operatorName: "one")
    return policy.decision(
      on: ToolUse(
        run: Identifier("r"), step: step, key: step.effect("tool:send"), name: "send",
        arguments: ["to": "bob"], idempotencyKey: "k"),
      of: ToolDescription(name: "send", sideEffects: sideEffects, origin: .server("s")))
  }

  private func word(_ verdict: ToolVerdict) -> String {
    switch verdict {
    case .allow: "allow"
    case .deny: "deny"
    case .ask(let ask):
      "ask \(ask.people) \(ask.lifetime.map { "\(Int($0))" } ?? "-") \(ask.onExpiry.rawValue)"
    }
  }

  @Test("a project's rules only make the user's stricter")
  func tightening() throws {
    for (own, project, effects, expected) in [
      ([], [], .none, "allow"), ([], [], .yes, "ask 1 - park"),
      ([], [], .idempotent, "ask 1 - park"),
      (["{allow: send}"], [], .yes, "allow"), (["{deny: send}"], ["{allow: send}"], .none, "deny"),
      ([], ["{allow: send}"], .yes, "ask 1 - park"), ([], ["{deny: '*'}"], .none, "deny"),
      (["{allow: send}"], ["{ask: send, people: 2}"], .yes, "ask 2 - park"),
      (
        ["{ask: send, expires: 1h, on_expiry: deny}"],
        ["{ask: send, people: 2, expires: 2h, on_expiry: escalate}"], .yes, "ask 2 3600 deny"
      ),
      (["{ask: send, people: 3}"], ["{ask: send, expires: 30m}"], .yes, "ask 3 1800 park"),
      (["{allow: send, arguments: {to: eve}}"], [], .yes, "ask 1 - park"),
      (["{deny: send, arguments: {to: BOB}}"], [], .none, "deny"),
      ([], ["{allow: send}", "{deny: '*'}"], .none, "allow"),
    ] as [([String], [String], SideEffects, String)] {
      let found = try decision(own, project, effects)
      #expect(word(found.verdict) == expected, "\(own) \(project)")
      if project.first?.contains("allow") == true { #expect(found.tightenedBy == nil) }
    }
  }

  @Test("what the program itself brings needs no rule")
  func program() {
    let step = Step(frame: "a", visit: 1, operatorName: "one")
    let use = ToolUse(
      run: Identifier("r"), step: step, key: step.effect("tool:x"), name: "x", arguments: [:],
      idempotencyKey: "k")
    #expect(
      word(RulePolicy().verdict(on: use, of: ToolDescription(name: "x", origin: .program)))
        == "allow")
  }
}
