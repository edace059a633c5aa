import RasaCore
import RasaDocuments
import RasaKit

/// A question of a run as a form that a client shows to its user, and the decision that comes back.
///
/// Such forms are flat: each member is a text, a number, a yes or no, or a choice.
struct ApprovalForm: Sendable {
  let approval: Rasa.Approval
  /// What was wrong with the last answer.
  var problem: String?

  init(_ approval: Rasa.Approval, problem: String? = nil) {
    self.approval = approval
    self.problem = problem
  }

  // MARK: The question

  /// Everything that is decided about, as it is.
  var message: String {
    var parts: [String] = []
    if let problem { parts.append("The last answer does not fit: \(problem)") }
    parts.append(Self.text(of: approval))
    return parts.joined(separator: "\n\n")
  }

  static func text(of approval: Rasa.Approval) -> String {
    var parts: [String] = []
    let step = approval.step.title
    if approval.wantsAnswer {
      let asker = approval.askingTool.map { "The tool \($0), used by \(step)" } ?? step
      parts.append("\(asker) asks:\n\(approval.payload)")
    } else {
      parts.append("\(approval.title) (\(step))")
      let name =
        approval.isPermission
        ? "Its exact arguments"
        : approval.subject == "output" ? "The output" : "`\(approval.subject)`"
      parts.append("\(name):\n\(approval.shownText)")
    }
    if !approval.risk.isEmpty { parts.append("At stake: \(approval.risk)") }
    if !approval.because.isEmpty { parts.append("Why you are asked: \(approval.because)") }
    if !approval.sources.isEmpty {
      parts.append("It would bring together:\n\(approval.sources.joined(separator: "\n"))")
    }
    for context in approval.context { parts.append("\(context.name):\n\(context.text)") }
    if approval.people > 1 {
      parts.append("\(approval.people) different people have to approve.")
    }
    if let leads = approval.consequences {
      parts.append("Approving leads to: \(leads.approve)\nRejecting leads to: \(leads.reject)")
    }
    return parts.joined(separator: "\n\n")
  }

  private enum Choice: String, CaseIterable {
    case approve, grant = "approve_for_session", edit, reject, feedback
  }

  private var choices: [Choice] {
    Choice.allCases.filter { choice in
      switch choice {
      case .grant: approval.proposedGrant != nil
      case .edit: approval.people == 1
      case .feedback: !approval.isPermission
      case .approve, .reject: true
      }
    }
  }

  /// The JSON Schema of the form.
  var schema: Value {
    if approval.wantsAnswer { return flatSchema ?? Self.oneAnswer(approval.schema) }
    let grant = approval.proposedGrant.map {
      "; approve_for_session also allows, without asking: \($0)"
    }
    return [
      "type": "object",
      "properties": [
        "decision": [
          "type": "string", "title": "Decision",
          "enum": .array(choices.map { .string($0.rawValue) }),
          "description": .string("What is to happen\(grant ?? "")"),
        ],
        "text": [
          "type": "string", "title": "Text",
          "description":
            "Of reject: the reason. Of feedback: the correction. Of edit: everything that takes its place.",
        ],
      ], "required": ["decision"],
    ]
  }

  private static func oneAnswer(_ schema: String?) -> Value {
    let hint = schema.map { "JSON that fits \($0)" } ?? "Your answer"
    return [
      "type": "object",
      "properties": [
        "answer": ["type": "string", "title": "Answer", "description": .string(hint)]
      ], "required": ["answer"],
    ]
  }

  /// The schema of the answer itself, where forms can have it.
  private var flatSchema: Value? {
    guard let text = approval.schema, let schema = try? JSON.parse(text),
      schema["type"].string == "object", let properties = schema["properties"].object,
      !properties.isEmpty
    else { return nil }
    let plain = ["string", "number", "integer", "boolean"]
    guard
      properties.allSatisfy({ property in
        property.value["type"].string.map { plain.contains($0) } == true
      })
    else { return nil }
    var form: ValueObject = ["type": "object", "properties": .object(properties)]
    if let required = schema["required"].array { form["required"] = .array(required) }
    return .object(form)
  }

  // MARK: The answer

  /// What the user has decided; `.later` where the form was closed without a decision.
  ///
  /// - Parameter response: the `action`, and for `accept` the `content` of the form.
  /// - Throws: a `RasaError` of code `usage` for what is no answer to the question. Nothing counts as approved then.
  func decision(_ response: Value) throws(RasaError) -> Rasa.Decision {
    let decision: Rasa.Decision
    switch response["action"].string {
    case "decline": decision = .reject(reason: "the user declined")
    case "accept": decision = try accepted(response["content"])
    case "cancel": return .later
    default: throw RasaError(.usage, "the answer is neither `accept`, `decline` nor `cancel`")
    }
    try approval.check(decision)
    return decision
  }

  private func accepted(_ content: Value) throws(RasaError) -> Rasa.Decision {
    if approval.wantsAnswer {
      if flatSchema != nil, content.object != nil { return .answer(content.json(.compact)) }
      guard let answer = content["answer"].string else {
        throw RasaError(.usage, "there is no `answer`")
      }
      return .answer(answer)
    }
    let text = content["text"].string ?? ""
    guard let choice = content["decision"].string.flatMap({ Choice(rawValue: $0) }),
      choices.contains(choice)
    else { throw RasaError(.usage, "there is no `decision`") }
    switch choice {
    case .approve: return .approve
    case .grant: return .grant(nil)
    case .reject: return .reject(reason: text)
    case .edit, .feedback:
      guard !text.isEmpty else { throw RasaError(.usage, "`text` is empty") }
      return choice == .edit ? .edit(text) : .feedback(text)
    }
  }
}
