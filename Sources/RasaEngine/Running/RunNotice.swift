package import RasaCore

/// Something that a reader of the answer has to know and cannot see from it: one line on standard
/// error, one element of `notices` in JSON.
package struct RunNotice: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    /// The end of an answer is missing.
    case cut
    /// An answer was cut or its stream broke, and another call continued it.
    case continued
    /// Another model answered than the one that was named or asked first.
    case fallback
    /// An operator failed, and the run continued without it.
    case skipped
    /// A critic still objects to what goes out.
    case objection
    /// A call waits for money that other calls hold.
    case waiting
    /// A count or price that cannot be as reported.
    case accounting
    /// A model had to answer because it had used its tools as far as it may.
    case limit
    /// A model wanted to use a tool, and a rule, a person or a hook refused it.
    case refused
    /// An agent was chosen for the task because nobody named one.
    case chosen
    /// A hook changed what the run began with, did or came to; or it failed, and the run went on without it.
    case hook
    /// The models are shown something of the project's.
    case context
    /// A model's window has no room for the whole conversation.
    case history
    /// What might be worth remembering was not looked for.
    case memory
    /// What is remembered was looked for in another way than the persona asks for.
    case recall
  }

  package var kind: Kind
  /// Nil when it is about the whole run.
  package var step: Step?
  /// What happened, as one sentence without a full stop.
  package var message: String
  /// The setting to change, or what to do; empty when there is nothing to say.
  package var suggestion: String
  /// What a program wants to know of it, by name: `finish`, `instead_of`, `because`, `continued`.
  package var facts: ValueObject

  package init(
    _ kind: Kind, at step: Step? = nil, _ message: String, suggestion: String = "",
    facts: ValueObject = ValueObject()
  ) {
    self.kind = kind
    self.step = step
    self.message = message
    self.suggestion = suggestion
    self.facts = facts
  }

  /// One line for a person.
  package var line: String { suggestion.isEmpty ? message : "\(message) → \(suggestion)" }

  /// What JSON prints.
  package var value: Value {
    var value: ValueObject = ["kind": .string(kind.rawValue), "message": .string(message)]
    if let step {
      value["frame"] = .string(step.frame)
      value["operator"] = .string(step.operatorName)
    }
    if !suggestion.isEmpty { value["suggestion"] = .string(suggestion) }
    for (key, fact) in facts { value[key] = fact }
    return .object(value)
  }
}
