import RasaCore
import RasaDocuments
import RasaEngine
import RasaPersona
import RasaTools

extension Rasa {
  /// What the rules say about a use of a tool.
  public struct PolicyDecision: Sendable, Hashable {
    /// `allow`, `ask` or `deny`.
    public var decision: String
    /// Why, with the place of the rule.
    public var because: String
    /// The user's rule that decided; nil where none is about the use.
    public var rule: PolicyRule?
    /// The rule of a project or persona that made it stricter.
    public var tightenedBy: PolicyRule?
    /// How many people have to approve, where somebody is asked.
    public var people: Int
    /// After how many seconds a question expires; nil for the usual time.
    public var expires: Double?
    /// What follows then: `deny`, `park` or `escalate`.
    public var onExpiry: String
    /// As `rasa tools policy --json` prints it.
    public var json: JSON {
      JSON(
        .object([
          "decision": .string(decision), "because": .string(because),
          "rule": rule?.json.value ?? .null, "tightened_by": tightenedBy?.json.value ?? .null,
          "people": .int(Int64(people)), "expires_seconds": expires.map { .double($0) } ?? .null,
          "on_expiry": .string(onExpiry),
        ]))
    }
  }

  /// A rule about tools, and where it stands.
  public struct PolicyRule: Sendable, Hashable {
    /// The rule, as in policy.yaml.
    public var text: String
    /// The file, line and column.
    public var place: String
    /// Whether it can only make others stricter.
    public var isProject: Bool
    /// As `rasa tools policy --json` prints it.
    public var json: JSON

    init(_ rule: ToolRule, isProject: Bool) {
      text = rule.text
      place = rule.location.description
      self.isProject = isProject
      json = JSON(
        .object([
          "rule": rule.value, "location": .string(place), "project": .bool(isProject),
        ]))
    }
  }

  /// The rules about tools, in the order in which they are tried: the user's, then the project's.
  public func policyRules() async throws(RasaError) -> [PolicyRule] {
    try await prepared { rasa throws(Failure) in
      let policy = try rasa.composition.policy(onWarning: { rasa.warn($0) })
      return policy.own.map { PolicyRule($0, isProject: false) }
        + policy.project.map { PolicyRule($0, isProject: true) }
    }
  }

  /// What would be decided about a use of a tool. Where data comes from, and what is granted, is known only in a
  /// run, and can make it ask, or spare a question.
  ///
  /// - Parameters:
  ///   - tool: The tool's name, as rules name it.
  ///   - arguments: Its arguments, a JSON object.
  ///   - persona: The persona whose rules count, too.
  public func policy(
    tool: String, arguments: String = "{}", persona: String? = nil
  ) async throws(RasaError) -> PolicyDecision {
    try await prepared { rasa throws(Failure) in
      let composition = rasa.composition
      let value = try ToolArguments.read(arguments)
      let step = RasaEngine.Step(frame: "", visit: 1, operatorName: "")
      let use = ToolUse(
        run: Identifier(""), step: step, key: step.effect("tool:\(tool)"), name: tool,
        arguments: value, idempotencyKey: "")
      let policy = try composition.policy(onWarning: { rasa.warn($0) })
      let persona = try persona.map { name throws(Failure) in try composition.persona(name) }
      let sideEffects = composition.declaredSideEffects(of: tool, beside: persona?.tools ?? [])
      let description =
        composition.registered?.tools[tool]?.description
        ?? ToolDescription(name: tool, sideEffects: sideEffects ?? .yes, origin: .server(""))
      var decision = policy.decision(on: use, of: description)
      if let persona {
        if let rule = persona.policy.first(for: tool, value), rule.decision != .allow {
          decision.verdict = decision.verdict.tightened(by: rule)
          decision.tightenedBy = rule
        }
      }
      return PolicyDecision(decision)
    }
  }
}

/// Arguments of a tool as somebody has typed them.
enum ToolArguments {
  static func read(_ text: String) throws(Failure) -> Value {
    let value = try parsed(text)
    guard value.object != nil else {
      throw Failure(
        .usage, "the arguments must be a JSON object, but are \(value.typeName)",
        suggestion: "write them as '{\"name\": \"value\"}'")
    }
    return value
  }

  private static func parsed(_ text: String) throws(Failure) -> Value {
    do throws(Failure) {
      return try JSON.parse(Array(text.utf8), named: "the arguments")
    } catch {
      var failure = error
      failure.kind = .usage
      if failure.suggestion.isEmpty {
        failure.suggestion = "write them as '{\"name\": \"value\"}'"
      }
      throw failure
    }
  }
}

extension Rasa.PolicyDecision {
  fileprivate init(_ made: RasaTools.PolicyDecision) {
    people = 1
    onExpiry = ExpiryPolicy.park.rawValue
    switch made.verdict {
    case .allow(let reason): (decision, because) = ("allow", reason)
    case .deny(let reason): (decision, because) = ("deny", reason)
    case .ask(let ask):
      (decision, because) = ("ask", ask.because)
      people = ask.people
      expires = ask.lifetime
      onExpiry = ask.onExpiry.rawValue
    }
    rule = made.own.map { Rasa.PolicyRule($0, isProject: false) }
    tightenedBy = made.tightenedBy.map { Rasa.PolicyRule($0, isProject: true) }
  }
}
