package import RasaCore
import RasaPersona

/// Where a replay parts from its recording.
package enum Difference: Sendable, Hashable {
  /// The call was asked in other words; it got the recorded answer all the same.
  case request(EffectKey, RequestChange)
  /// Asked, and not in the recording.
  case newCall(EffectKey, RecordedRequest)
  /// In the recording, and not asked.
  case missingCall(EffectKey)
  /// A person would see something else; the recorded decision was taken all the same.
  case question(EffectKey, expected: Value, found: Value)
  case newQuestion(EffectKey, title: String, payload: Value)
  case missingQuestion(EffectKey)
  case newRecall(Step)
  case missingRecall(Step)
  case path(expected: [Step], found: [Step])
  /// Null where the key was not written.
  case state(key: String, expected: Value, found: Value)
  case output(expected: Value, found: Value)
  case status(expected: RunRecord.Status, found: RunRecord.Status)
  /// Nil where the run did not fail.
  case failure(expected: Failure?, found: Failure?)
  case calls(expected: Int64, found: Int64)
  case cost(expected: Money, found: Money)
}

/// What is different about a request.
package struct RequestChange: Sendable, Hashable {
  package struct Message: Sendable, Hashable {
    package var role: ChatRole
    /// Empty where there was, or is, no such message.
    package var expected: String
    package var found: String
  }
  package struct Parameter: Sendable, Hashable {
    package var name: String
    /// Null where it was, or is, not set.
    package var expected: Value
    package var found: Value
  }

  package var messages: [Message] = []
  package var parameters: [Parameter] = []

  /// Nil when nothing is different.
  init?(from expected: RecordedRequest, to found: RecordedRequest) {
    messages = RequestChange.messages(expected.messages, found.messages)
    func compare(_ name: String, _ expected: Value, _ found: Value) {
      if expected != found {
        parameters.append(Parameter(name: name, expected: expected, found: found))
      }
    }
    compare(
      "attachments", RequestChange.attachments(expected), RequestChange.attachments(found))
    compare("schema", expected.schema ?? .null, found.schema ?? .null)
    compare(
      "max_tokens", expected.maxTokens.map { .int(Int64($0)) } ?? .null,
      found.maxTokens.map { .int(Int64($0)) } ?? .null)
    compare(
      "temperature", expected.temperature.map { .double($0) } ?? .null,
      found.temperature.map { .double($0) } ?? .null)
    compare(
      "profile", expected.profile.map { .string($0.rawValue) } ?? .null,
      found.profile.map { .string($0.rawValue) } ?? .null)
    if messages.isEmpty, parameters.isEmpty { return nil }
  }

  private static func attachments(_ request: RecordedRequest) -> Value {
    .array(request.messages.flatMap(\.attachments).map { .object($0.facts) })
  }

  /// Messages at the same place are compared, counted from the nearer end: what comes or goes is a
  /// turn of the conversation, in the middle.
  private static func messages(
    _ expected: [ChatMessage], _ found: [ChatMessage]
  ) -> [Message] {
    guard expected != found else { return [] }
    var begin = 0
    while begin < min(expected.count, found.count), expected[begin] == found[begin] { begin += 1 }
    var end = 0
    while end < min(expected.count, found.count) - begin,
      expected[expected.count - 1 - end] == found[found.count - 1 - end]
    { end += 1 }
    let old = expected[begin..<(expected.count - end)]
    let new = found[begin..<(found.count - end)]
    if old.map(\.role) == new.map(\.role) {
      return zip(old, new).filter { $0.text != $1.text }.map {
        Message(role: $0.role, expected: $0.text, found: $1.text)
      }
    }
    return old.map { Message(role: $0.role, expected: $0.text, found: "") }
      + new.map { Message(role: $0.role, expected: "", found: $0.text) }
  }
}
