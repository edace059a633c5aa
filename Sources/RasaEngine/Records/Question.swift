package import RasaCore
import RasaDocuments

/// What a person is asked.
package struct Question: Sendable, Hashable {
  package var key: EffectKey
  /// The question in the operator's words.
  package var title: String
  /// The key of the state that is decided about, and what it holds: what an edit replaces.
  package var subject: StatePath
  package var payload: Value
  /// The JSON Schema that an edit has to fit; nil for a text.
  package var schema: Value?
  /// What helps to decide: name and text.
  package var context: [ContextLine]
  /// Spent so far in this run.
  package var spent: Money
  package var form = Form.review
  /// What counts when nobody is there to answer; nil for a question that only a person can answer.
  package var standard: Value?
  /// What each decision leads to.
  package var consequences: Consequences?

  package enum Form: String, Sendable, Hashable {
    /// May this count? Approved, edited, rejected, or sent back with a correction.
    case review
    /// What an operator asks the user for. The payload is what is asked, not what is decided about.
    case answer
  }

  /// What each decision about a review leads to, in words.
  package struct Consequences: Sendable, Hashable {
    package var approve: String
    package var edit: String
    package var reject: String
    package var feedback: String

    package init(approve: String, edit: String, reject: String, feedback: String) {
      self.approve = approve
      self.edit = edit
      self.reject = reject
      self.feedback = feedback
    }
  }

  package struct ContextLine: Sendable, Hashable {
    package var name: String
    package var text: String
    package init(name: String, text: String) {
      self.name = name
      self.text = text
    }
  }

  package init(
    key: EffectKey, title: String, subject: StatePath, payload: Value, schema: Value? = nil,
    context: [ContextLine] = [], spent: Money = .zero
  ) {
    self.key = key
    self.title = title
    self.subject = subject
    self.payload = payload
    self.schema = schema
    self.context = context
    self.spent = spent
  }

  package var payloadDigest: String { Digest.sha256(payload.jsonBytes(.canonical)) }

  /// The answer that is a replacement, read from what a person wrote: a text for a text, JSON that
  /// fits for anything else.
  package func edit(_ text: String, by: String) throws(Failure) -> HumanAnswer {
    guard form == .review else { throw mustBeAnswered }
    guard text.utf8.contains(where: { $0 > 0x20 }) else {
      throw Failure(
        .usage, "the replacement is empty", suggestion: "write what is to stand there, or reject it"
      )
    }
    if case .string = payload { return HumanAnswer(.edit, text: .string(text), by: by) }
    let value = try JSON.parse(Array(text.utf8), named: "the replacement")
    var problems: [String] = []
    if let schema { problems = try Schema.compile(schema).problems(in: value) }
    guard problems.isEmpty else {
      throw Failure(
        .usage, "the replacement does not have the form that `\(subject)` needs",
        suggestion: "change what does not fit and answer again", details: Array(problems.prefix(8)))
    }
    return HumanAnswer(.edit, text: value, by: by)
  }
}

extension Question {
  /// What is asked, without where: the key is kept beside it.
  package var value: Value {
    var object: ValueObject = [
      "title": .string(title), "subject": .string(subject.description), "payload": payload,
      "context": .array(context.map { ["name": .string($0.name), "text": .string($0.text)] }),
      "spent": .string(spent.decimalText),
    ]
    if let schema { object["schema"] = schema }
    if form != .review { object["form"] = .string(form.rawValue) }
    if let standard { object["default"] = standard }
    if let consequences {
      object["leads_to"] = [
        "approve": .string(consequences.approve), "edit": .string(consequences.edit),
        "reject": .string(consequences.reject), "feedback": .string(consequences.feedback),
      ]
    }
    return .object(object)
  }

  package init(key: EffectKey, _ value: Value) {
    self.init(
      key: key, title: value["title"].string ?? "",
      subject: StatePath(value["subject"].string ?? ""),
      payload: value["payload"], schema: value["schema"].isNull ? nil : value["schema"],
      context: (value["context"].array ?? []).map {
        ContextLine(name: $0["name"].string ?? "", text: $0["text"].string ?? "")
      },
      spent: value["spent"].string.flatMap { Money(decimal: $0) } ?? .zero)
    form = value["form"].string.flatMap(Form.init) ?? .review
    standard = value["default"].isNull ? nil : value["default"]
    if let leads = value["leads_to"].object {
      consequences = Consequences(
        approve: leads["approve"]?.string ?? "", edit: leads["edit"]?.string ?? "",
        reject: leads["reject"]?.string ?? "", feedback: leads["feedback"]?.string ?? "")
    }
  }
}
