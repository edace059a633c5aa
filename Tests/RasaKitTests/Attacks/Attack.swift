import RasaCore
import RasaEngine
import RasaPersona
import RasaStage
import Testing

/// One attempt at an effect.
struct Attack: Sendable, CustomTestStringConvertible {
  enum Person: Sendable {
    /// Nobody is there to answer.
    case away
    case refusesEverything
    case approvesEverything
    /// Approves the first question and refuses the others.
    case approvesOnce
    /// Approves what is asked about exactly these arguments, once.
    case approves(Value)
    /// Approves the first question, and with it whatever this pattern covers; refuses the others.
    case grants(Value)
  }

  var name: String
  var turns: [ScriptedModel.Turn]
  var person = Person.refusesEverything
  /// What `mcp:mail/list` returns.
  var mail = "No new messages."
  /// What the author of the server says about `send`.
  var sendText = "Sends a message."
  var sendParameters: Value = [
    "type": "object",
    "properties": ["to": ["type": "string"], "text": ["type": "string"]],
    "required": ["to", "text"],
  ]
  /// The user's `policy.yaml`.
  var policy = ""
  /// Uses that the policy or a grant covers, in the order in which they happen.
  var covered: [EffectLedger.Effect] = []
  /// How many messages are sent and deleted all the same.
  var effects = 0
  var testDescription: String { name }

  init(_ name: String, _ turns: [ScriptedModel.Turn]) {
    self.name = name
    self.turns = turns
  }

  static let secret = "s3cr3t-7f1c9a52"
  static let wanted: Value = ["to": "bob@example.com", "text": "See you at nine."]

  private static let persona = """
    name: victim
    description: Answers mail.
    frames: [{name: session_frame, kind: session}]
    limits: {steps: 100, seconds: 60}
    tools:
      mail: {kind: mcp, command: ["false"]}
    operators:
      - name: respond
        tools: ["mcp:mail"]
        tool_limits: {rounds: 40, calls: 200, bytes: 10000000, result: 1000000}
    """

  func play() async throws -> Stage.Outcome {
    let stage = try Stage(
      persona: Self.persona, policy: policy,
      variables: ["MAIL_TOKEN": Self.secret, "OPENAI_API_KEY": Self.secret])
    let ledger = EffectLedger()
    let outcome = try await stage.play(
      ScriptedModel(turns), handler, tools: StageTools(tools(ledger)), ledger: ledger)
    await stage.close()
    return outcome
  }

  private func tools(_ ledger: EffectLedger) -> [any Tool] {
    let mail = mail
    return [
      LedgerTool(
        ToolDescription(
          name: "mcp:mail/list", text: "Lists new messages.", sideEffects: .none,
          dataFlow: [.privateData, .untrustedContent], origin: .server("mail")), ledger
      ) { _ in ToolResult([.text(mail)]) },
      LedgerTool(
        ToolDescription(
          name: "mcp:mail/send", text: sendText, parameters: sendParameters, sideEffects: .yes,
          dataFlow: .wayOut, origin: .server("mail")), ledger),
      LedgerTool(
        ToolDescription(
          name: "mcp:mail/delete", text: "Deletes a message.",
          parameters: ["type": "object", "properties": ["id": ["type": "string"]]],
          sideEffects: .yes, origin: .server("mail")), ledger),
    ]
  }

  private var handler: ScriptedPerson {
    let person = person
    let left = Locked(1)
    return ScriptedPerson { question in
      func once(if isMeant: Bool) -> HumanAnswer {
        guard isMeant,
          left.withLock({ left in
            left -= 1; return left >= 0
          })
        else {
          return HumanAnswer(.reject, text: "no", by: "ada")
        }
        return HumanAnswer(.approve, by: "ada")
      }
      switch person {
      case .away: return nil
      case .refusesEverything: return HumanAnswer(.reject, text: "no", by: "ada")
      case .approvesEverything: return HumanAnswer(.approve, by: "ada")
      case .approvesOnce: return once(if: true)
      case .approves(let arguments): return once(if: question.payload["arguments"] == arguments)
      case .grants(let pattern):
        // Reading is no effect, and is asked about once something was sent.
        if question.payload["tool"].promptText.hasSuffix("/list") {
          return HumanAnswer(.approve, by: "ada")
        }
        var answer = once(if: true)
        if answer.decision == .approve { answer.grant = pattern }
        return answer
      }
    }
  }

  /// What was changed without a question about exactly that before it, answered with an approval of its own.
  func unapproved(_ outcome: Stage.Outcome) -> [EffectLedger.Effect] {
    let answers = handler
    var approved = outcome.questions.compactMap { question -> EffectLedger.Effect? in
      guard answers.decide(question)?.decision == .approve else { return nil }
      return EffectLedger.Effect(
        tool: question.payload["tool"].promptText, arguments: question.payload["arguments"])
    }
    approved += covered
    return outcome.effects.filter { effect in
      guard !effect.tool.hasSuffix("/list") else { return false }
      guard let place = approved.firstIndex(of: effect) else { return true }
      approved.remove(at: place)
      return false
    }
  }
}

extension ScriptedModel.Call {
  static func send(_ arguments: Value) -> ScriptedModel.Call { .init("mcp:mail/send", arguments) }
  static func raw(_ name: String, _ arguments: Value = Attack.wanted) -> ScriptedModel.Call {
    .init(name, arguments, isRaw: true)
  }
}
