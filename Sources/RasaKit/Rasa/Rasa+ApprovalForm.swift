import RasaCore
import RasaEngine
import RasaPersona

/// What a person sees of a question, and checks of an answer before it is given.
extension Rasa.Approval {
  /// A member of the answer that is asked for.
  public struct Field: Sendable, Hashable, Codable {
    /// Its name.
    public var name: String
    /// What it is.
    public var description: String
    /// What may be written: `a number`, `small, medium or large`.
    public var hint: String
    /// Whether it must be there.
    public var isRequired: Bool
  }

  /// What each decision leads to, in words.
  public struct Consequences: Sendable, Hashable, Codable {
    /// What follows when it is approved.
    public var approve: String
    /// What follows when it is edited.
    public var edit: String
    /// What follows when it is rejected.
    public var reject: String
    /// What follows on a correction.
    public var feedback: String
  }

  /// The key of the state that is decided about, such as `output`.
  public var subject: String { question.subject.description }

  /// What is decided about, as a person reads and edits it: a text, or JSON on several lines.
  public var text: String {
    if isPermission { return question.arguments.json(.pretty) }
    return question.payload.string ?? question.payload.json(.pretty)
  }

  /// What is decided about, laid out to be read: of a tool's arguments each under its name.
  public var shownText: String { isPermission ? question.arguments.argumentsText : text }

  /// The same of arguments that a person has edited; nil if they are no JSON.
  public func shownText(ofEdit text: String) -> String? {
    guard let answer = try? question.edit(text, by: "") else { return nil }
    return isPermission ? answer.text["arguments"].argumentsText : answer.text.string
  }

  /// The members of the answer that is asked for, in their order; empty for a text.
  public var fields: [Field] {
    question.members.map {
      Field(
        name: $0.name, description: $0.description, hint: $0.hint, isRequired: $0.isRequired)
    }
  }

  /// The answer that counts when nobody gives one; nil where only a person can answer.
  public var standard: String? { question.standard.map { $0.string ?? $0.json(.compact) } }

  /// What each decision leads to; nil where that is not known.
  public var consequences: Consequences? {
    question.consequences.map {
      Consequences(
        approve: $0.approve, edit: $0.edit, reject: $0.reject, feedback: $0.feedback)
    }
  }

  /// What is wrong with one member of an answer, as a person wrote it; nil when it fits.
  public func problem(withField name: String, _ text: String) -> String? {
    do throws(Failure) { return try question.problem(ofMember: name, text) } catch {
      return error.message
    }
  }

  /// Sees whether a decision fits the question.
  ///
  /// - Throws: A `RasaError` of code `usage` or `configuration` that says what does not.
  public func check(_ decision: Rasa.Decision) throws(RasaError) {
    _ = try convertingErrors { () throws(Failure) in try question.answer(decision, by: "") }
  }
}

extension Rasa.ApprovalRecord {
  /// The question as `rasa approvals list --json` prints it.
  public var json: Rasa.JSON {
    let question = approval.question
    var object: ValueObject = [
      "approval": .string(id), "run": .string(approval.run),
      "operator": .string(question.key.operatorName), "frame": .string(question.key.frame),
      "visit": .int(Int64(question.key.visit)), "title": .string(question.title),
      "subject": .string(question.subject.description), "payload": question.payload,
      "form": .string(question.form.rawValue),
      "payload_digest": .string(payloadDigest),
      "context": .array(
        question.context.map { ["name": .string($0.name), "text": .string($0.text)] }),
      "asked_at_ms": .int(askedAt),
      "expires_at_ms": expiresAt.map { .int($0) } ?? .null,
    ]
    if let schema = question.schema { object["schema"] = schema }
    if let standard = question.standard { object["default"] = standard }
    if let permission = question.permission {
      object["tool"] = .string(permission.tool)
      object["arguments_digest"] = .string(
        Digest.sha256(question.arguments.jsonBytes(.canonical)))
      object["risk"] = .string(permission.risk)
      object["because"] = .string(permission.because)
      object["sources"] = .array(permission.sources.map(Value.string))
      object["people"] = .int(Int64(permission.people))
      object["approved_by"] = .array(approvedBy.map(Value.string))
      object["on_expiry"] = .string(permission.onExpiry.rawValue)
      object["escalated"] = .bool(isEscalated)
      object["proposed_grant"] = permission.proposal ?? .null
    }
    if let consequences = question.consequences {
      object["leads_to"] = [
        "approve": .string(consequences.approve), "edit": .string(consequences.edit),
        "reject": .string(consequences.reject), "feedback": .string(consequences.feedback),
      ]
    }
    object["standing"] = .string(status.description)
    if status == .answered {
      object["answer"] = [
        "decision": .string(decision ?? ""), "text": answer.value, "by": .string(answeredBy ?? ""),
        "at_ms": .int(answeredAt ?? 0),
      ]
    }
    return Rasa.JSON(.object(object))
  }
}
