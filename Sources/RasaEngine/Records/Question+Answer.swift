package import RasaCore
import RasaDocuments

/// Answers to what an operator asks the user for: a text, or an object that fits its schema.
extension Question {
  /// The words of the question, without what the answer has to look like.
  package var asks: String { payload["ask"].string ?? payload.string ?? title }

  package var mustBeAnswered: Failure {
    Failure(
      .usage, "this question wants an answer, and there is nothing to approve or to edit",
      suggestion:
        "answer it with `rasa approvals answer`, or refuse it with `rasa approvals reject`")
  }

  /// The answer in what a person wrote: the text itself, or JSON where a form is asked for.
  package func reply(_ text: String, by: String) throws(Failure) -> HumanAnswer {
    guard text.utf8.contains(where: { $0 > 0x20 }) else {
      throw Failure(.usage, "the answer is empty", suggestion: "write an answer")
    }
    guard schema != nil else { return try reply(.string(text), by: by) }
    return try reply(JSON.parse(Array(text.utf8), named: "the answer"), by: by)
  }

  /// The answer put together from its members, each as a person wrote it.
  package func reply(
    members: [(name: String, text: String)], by: String
  ) throws(Failure) -> HumanAnswer {
    guard schema != nil else {
      throw Failure(
        .usage, "this question wants a text, and no members", suggestion: "give it with `--text`")
    }
    var object = ValueObject()
    for (name, text) in members { object[name] = value(of: name, text) }
    return try reply(.object(object), by: by)
  }

  package func reply(_ value: Value, by: String) throws(Failure) -> HumanAnswer {
    guard form == .answer else {
      throw Failure(
        .usage, "this question is about something that is shown, and no answer is asked for",
        suggestion: "`rasa approvals approve`, `edit`, `reject` or `feedback` decides it")
    }
    let problems = try problems(of: value)
    guard problems.isEmpty else {
      throw Failure(
        .usage, "the answer does not have the form that is asked for",
        suggestion: "change what does not fit and answer again", details: Array(problems.prefix(8)))
    }
    return HumanAnswer(.answer, text: value, by: by)
  }

  /// What does not fit.
  package func problems(of answer: Value) throws(Failure) -> [String] {
    guard let schema else {
      return answer.string == nil ? ["a text is asked for"] : []
    }
    return try Schema.compile(schema).problems(in: answer)
  }

  /// What is wrong with one member, as a person wrote it; nil when it fits.
  package func problem(ofMember name: String, _ text: String) throws(Failure) -> String? {
    guard let form = schema?["properties"][name], !form.isNull else { return nil }
    return try Schema.compile(form).problems(in: value(of: name, text)).first
  }

  /// A person writes `yes`, `12` or `a, b`; where the form wants no text, that is what they mean.
  private func value(of name: String, _ text: String) -> Value {
    let trimmed = text.trimmingSpaces
    let known = try? JSON.parse(Array(trimmed.utf8), named: "the answer")
    switch schema?["properties"][name]["type"].string {
    case "string": return .string(text)
    case "boolean":
      switch trimmed.lowercased() {
      case "y", "yes", "true": return true
      case "n", "no", "false": return false
      default: return .string(text)
      }
    case "array":
      if let known, known.array != nil { return known }
      return .array(
        trimmed.split(separator: ",").map { .string(String($0).trimmingSpaces) })
    default: return known ?? .string(text)
    }
  }

  /// One member of the form, as a person is asked for it.
  package struct Member: Sendable, Hashable {
    package var name: String
    package var description: String
    /// What may be written: `a number`, `small, medium or large`.
    package var hint: String
    package var isRequired: Bool
  }

  /// The members of the form, in its order; empty for a text.
  package var members: [Member] {
    let required = Set((schema?["required"].array ?? []).compactMap(\.string))
    return (schema?["properties"].object ?? ValueObject()).map { name, form in
      var hint =
        switch form["type"].string {
        case "integer": "a whole number"
        case "number": "a number"
        case "boolean": "yes or no"
        case "array": "separated by commas, or JSON"
        case "object": "JSON"
        default: "text"
        }
      if let choices = form["enum"].array {
        hint = choices.map { $0.string ?? $0.json(.compact) }.joined(separator: ", ")
      }
      return Member(
        name: name, description: form["description"].string ?? "", hint: hint,
        isRequired: required.contains(name))
    }
  }
}

extension String {
  fileprivate var trimmingSpaces: String {
    guard let first = firstIndex(where: { !$0.isWhitespace }),
      let last = lastIndex(where: { !$0.isWhitespace })
    else { return "" }
    return String(self[first...last])
  }
}
