package import RasaCore
import RasaDocuments
package import RasaPersona

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
  /// For a permission.
  package var permission: Permission?

  package enum Form: String, Sendable, Hashable {
    /// May this count? Approved, edited, rejected, or sent back with a correction.
    case review
    /// What an operator asks the user for. The payload is what is asked, not what is decided about.
    case answer
    /// May a tool be used with these arguments? Its payload is `{tool, arguments}`.
    case permission
  }

  /// What a permission is asked for with.
  package struct Permission: Sendable, Hashable {
    package var tool: String
    /// What is at stake, in a few words.
    package var risk: String
    /// Why a person is asked.
    package var because: String
    /// How many different people have to approve.
    package var people: Int
    package var onExpiry = ExpiryPolicy.park
    /// The rule that would allow this use for the session; nil where that cannot be.
    package var proposal: Value?
    /// Where private data, content of strangers and a way out come from, a line for each.
    package var sources: [String] = []

    package init(tool: String, risk: String, because: String, people: Int = 1) {
      self.tool = tool
      self.risk = risk
      self.because = because
      self.people = people
    }
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
    if form == .permission { return try editArguments(text, by: by) }
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

  /// The id of this question in a run.
  package func identity(in run: Identifier) -> String {
    Approval.identity(run: run, key: key, payloadDigest: payloadDigest)
  }
}

// MARK: Permissions

extension Question {
  /// What is edited of a permission, and what a person reads of it: the arguments.
  package var arguments: Value { payload["arguments"] }

  private func editArguments(_ text: String, by: String) throws(Failure) -> HumanAnswer {
    let tool = permission?.tool ?? ""
    if let people = permission?.people, people > 1 {
      throw Failure(
        .usage, "\(people) people have to approve the same arguments, so nobody can edit them",
        suggestion: "reject it, and say in the reason what it should be")
    }
    let value = try JSON.parse(Array(text.utf8), named: "the arguments")
    guard value.object != nil else {
      throw Failure(
        .usage, "the arguments must be a JSON object, but are \(value.typeName)",
        suggestion: "keep the braces and change what is in them")
    }
    var problems: [String] = []
    if let schema { problems = try Schema.compile(schema).problems(in: value) }
    guard problems.isEmpty else {
      throw Failure(
        .usage, "`\(tool)` does not take these arguments",
        suggestion: "change what does not fit and answer again", details: Array(problems.prefix(8)))
    }
    return HumanAnswer(
      .edit, text: ["tool": .string(tool), "arguments": value], by: by)
  }

  /// An approval that also allows what a pattern covers, as a person wrote it; nil for the proposed one.
  package func grant(_ text: String?, by: String) throws(Failure) -> HumanAnswer {
    guard form == .permission, let permission, let proposal = permission.proposal else {
      throw Failure(
        .usage, "this question is decided each time",
        suggestion: permission?.sources.isEmpty == false
          ? "no grant covers what could send private data out; approve or reject this use"
          : "approve or reject it")
    }
    let rule = try ToolGrant.rule(text ?? proposal.json(.compact))
    guard rule.matches(tool: permission.tool, arguments) else {
      throw Failure(
        .usage, "the pattern does not cover the use that is asked about",
        suggestion: "`*` stands for one word, `**` for anything on one line, and `***` for "
          + "anything; arguments that are not named are not covered")
    }
    var answer = HumanAnswer(.approve, by: by)
    answer.grant = rule.value
    return answer
  }
}

extension Question.Permission {
  fileprivate var value: Value {
    var object: ValueObject = [
      "tool": .string(tool), "risk": .string(risk), "because": .string(because),
    ]
    if people > 1 { object["people"] = .int(Int64(people)) }
    if onExpiry != .park { object["on_expiry"] = .string(onExpiry.rawValue) }
    if let proposal { object["proposal"] = proposal }
    if !sources.isEmpty { object["sources"] = .array(sources.map(Value.string)) }
    return .object(object)
  }

  fileprivate init?(_ value: Value) {
    guard let tool = value["tool"].string else { return nil }
    self.init(
      tool: tool, risk: value["risk"].string ?? "", because: value["because"].string ?? "",
      people: Int(clamping: value["people"].int ?? 1))
    onExpiry = value["on_expiry"].string.flatMap(ExpiryPolicy.init) ?? .park
    proposal = value["proposal"].isNull ? nil : value["proposal"]
    sources = (value["sources"].array ?? []).compactMap(\.string)
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
    if let permission { object["permission"] = permission.value }
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
    permission = Permission(value["permission"])
    if let leads = value["leads_to"].object {
      consequences = Consequences(
        approve: leads["approve"]?.string ?? "", edit: leads["edit"]?.string ?? "",
        reject: leads["reject"]?.string ?? "", feedback: leads["feedback"]?.string ?? "")
    }
  }
}
